"""What `tune` shows: its progress, and the gains."""

import contextlib
import sys
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from imgbatch.evaluation.results import Gain, TrialReport
from imgbatch.outputs.base import StandardOutput, titled_table


@contextlib.contextmanager
def tune_progress() -> Iterator[TrialReport]:
    """Show trials and the best so far on standard error.

    A bar on a terminal; else a line for each improvement.
    """
    if not sys.stderr.isatty():
        yield _print_improvements()
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("tuning (Ctrl-C keeps the best)", total=None)

        def show(done: int, total: int, first: float, best: float) -> None:
            text = f"precision at 10: {first:.1%}, best so far {best:.1%} (Ctrl-C keeps it)"
            bar.update(task, completed=done, total=total, description=text)

        yield show


def _print_improvements() -> TrialReport:
    """A function that prints a line for each trial that is better than those before it."""
    best_so_far = -1.0

    def show(done: int, total: int, first: float, best: float) -> None:
        nonlocal best_so_far
        if best > best_so_far:
            best_so_far = best
            line = f"trial {done} of {total}: precision at 10 {best:.1%} (began with {first:.1%})"
            print(line, file=sys.stderr, flush=True)  # noqa: T201 - outputs print

    return show


def write_gains(gains: Sequence[Gain]) -> None:
    """Print what the search gains on images that it did not see."""
    table = titled_table("On images that the search did not see")
    table.add_column("figure", overflow="fold")
    for heading in ("before", "tuned", "gain, 95%"):
        table.add_column(heading, justify="right")
    for gain in gains:
        table.add_row(
            gain.name.replace("_", " "),
            f"{gain.before:.1%}",
            Text(f"{gain.after:.1%}", "bold"),
            f"{gain.low * 100:+.1f} to {gain.high * 100:+.1f}",
        )
    StandardOutput().print(table)
