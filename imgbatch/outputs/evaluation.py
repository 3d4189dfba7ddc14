"""What `evaluate` and `tune` print."""

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from imgbatch.evaluation.results import Evaluation, Figure
from imgbatch.files.names import printable
from imgbatch.outputs.base import StandardOutput
from imgbatch.outputs.json import print_json

_COUNTED = ("distance", "shift", "score", "classes", "duplicates", "percentile")


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation as JSON-able values; the keys are a contract, more may be added."""
    return asdict(evaluation)


def write_evaluation(evaluation: Evaluation, *, json: bool) -> None:
    """Print the figures as a table, or as one JSON document."""
    if json:
        print_json(as_json(evaluation))
        return
    console = StandardOutput()
    console.print(build_table(evaluation, console))
    words = (
        f"{evaluation.queries} queries, {evaluation.sets} sets of {evaluation.n} of each kind "
        f"(seeds {evaluation.seed}..{evaluation.seed + evaluation.sets - 1}); "
        "intervals: 95%, bootstrap"
    )
    console.print(Text(words, "dim"), soft_wrap=True)


def build_table(evaluation: Evaluation, console: Console) -> Table:
    """The table itself: on a narrow console without definitions and intervals."""
    title = f"{evaluation.images} images of {evaluation.classes or 'no'} classes"
    table = Table(
        title=f"{title} in {printable(evaluation.folder)}",
        title_style="bold",
        title_justify="left",
    )
    explained, wide = console.width >= 100, console.width >= 60
    table.add_column("figure", overflow="fold")
    table.add_column("value", justify="right", style="bold")
    if wide:
        table.add_column("95% interval", justify="right")
    table.add_column("random", justify="right", style="dim")
    if explained:
        table.add_column("meaning", style="dim", overflow="fold")
    group = ""
    for figure in evaluation.figures:
        kind = figure.name.split("_", 1)[0]
        if kind != group and group and kind in {"similar", "different", "batches"}:
            table.add_section()
        group = kind
        row = [figure.name.replace("_", " "), shown(figure, figure.value)]
        if wide:
            row.append(f"{shown(figure, figure.low)} - {shown(figure, figure.high)}")
        row.append("" if figure.random is None else shown(figure, figure.random))
        if explained:
            row.append(figure.definition)
        table.add_row(*row)
    return table


def shown(figure: Figure, value: float) -> str:
    """A value of a figure as text: shares in percent, all else as it is."""
    last = figure.name.rsplit("_", 1)[-1]
    return f"{value:.2f}" if last in _COUNTED else f"{value:.1%}"
