"""What `evaluate` and `tune` print."""

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from imgbatch.evaluation.results import Evaluation, Figure
from imgbatch.outputs.base import StandardOutput, WrittenFile, titled_table
from imgbatch.outputs.json import print_json
from imgbatch.printable import printable

_NOT_SHARES = ("distance", "shift", "score", "classes", "duplicates", "percentile")

_SECTIONS = {"similar", "different", "batches", "search", "caption"}
_NEVER_SHARES = {"rank", "cider"}


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation as values for JSON; the keys are a contract, more may be added."""
    return asdict(evaluation)


def write_evaluation(
    evaluation: Evaluation,
    *,
    json: bool,
    report: WrittenFile | None = None,
    log: WrittenFile | None = None,
) -> None:
    """Print the figures as a table, or as one JSON document, with what was written besides."""
    files = {"report": report, "log": log}
    if json:
        paths = {kind: None if file is None else str(file.path) for kind, file in files.items()}
        print_json(as_json(evaluation) | paths)
        return
    console = StandardOutput()
    console.print(build_table(evaluation, console))
    counts = (
        f"{evaluation.queries} queries, {evaluation.sets} sets of {evaluation.n} of each kind "
        f"(seeds {evaluation.seed}..{evaluation.seed + evaluation.sets - 1}); "
        "intervals: 95%, bootstrap"
    )
    console.print(Text(counts, "dim"), soft_wrap=True)
    for file in files.values():
        if file is not None:
            console.print_fact(file.kind, file.in_words())


def build_table(evaluation: Evaluation, console: Console) -> Table:
    """Build the table: without meanings below 100 columns, and without intervals below 60."""
    title = f"{evaluation.images:,} images of {evaluation.classes or 'no'} classes"
    table = titled_table(f"{title} in {printable(evaluation.folder)}")
    wider, wide = console.width >= 100, console.width >= 60
    table.add_column("figure", overflow="fold")
    table.add_column("value", justify="right", style="bold")
    if wide:
        table.add_column("95% interval", justify="right")
    table.add_column("random", justify="right", style="dim")
    if wider:
        table.add_column("meaning", style="dim", overflow="fold")
    kind = ""
    for figure in evaluation.figures:
        previous, kind = kind, figure.name.split("_", 1)[0]
        if previous and kind != previous and kind in _SECTIONS:
            table.add_section()
        row = [figure.name.replace("_", " "), shown(figure, figure.value)]
        if wide:
            row.append(f"{shown(figure, figure.low)} - {shown(figure, figure.high)}")
        row.append("" if figure.random is None else shown(figure, figure.random))
        if wider:
            row.append(figure.definition)
        table.add_row(*row)
    return table


def shown(figure: Figure, value: float) -> str:
    """A value of a figure as text: shares in percent, other figures as they are.

    Examples
    --------
    >>> figure = Figure("precision_at_10", 0.5, 0.4, 0.6, 0.1, "")
    >>> shown(figure, figure.value)
    '50.0%'
    """
    words = figure.name.split("_")
    plain = words[-1] in _NOT_SHARES or not _NEVER_SHARES.isdisjoint(words)
    return f"{value:.2f}" if plain else f"{value:.1%}"
