"""What `tune` shows: its progress, and the gains."""

import contextlib
import sys
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from imgbatch.evaluation.results import Gain, Learned, TrialReport
from imgbatch.outputs.base import StandardOutput, titled_table
from imgbatch.outputs.summaries import write_facts

_MEASURING = "measuring on images that the search did not see"


@contextlib.contextmanager
def tune_progress() -> Iterator[TrialReport]:
    """Show trials and the best so far on standard error.

    A bar on a terminal; else a line for each improvement and each tenth of the trials. After the
    last trial both say what follows, which takes a while.
    """
    if not sys.stderr.isatty():
        yield _print_lines()
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
            if done == total:
                text = _MEASURING
            bar.update(task, completed=done, total=total, description=text)

        yield show


def _print_lines() -> TrialReport:
    """A function that prints a line for each better trial, and where a tenth of them is done."""
    best_so_far, tenths = -1.0, 0

    def show(done: int, total: int, first: float, best: float) -> None:
        nonlocal best_so_far, tenths
        if best > best_so_far or done * 10 // total > tenths:
            best_so_far, tenths = best, done * 10 // total
            line = f"trial {done} of {total}: precision at 10 {best:.1%} (began with {first:.1%})"
            if done == total:
                line += f"; {_MEASURING}"
            print(line, file=sys.stderr, flush=True)  # noqa: T201 - outputs print

    return show


def write_gains(gains: Sequence[Gain]) -> None:
    """Print what the search gains on images that it did not see."""
    _write_table("On images that the search did not see", ("before", "tuned"), gains)


def write_learned(learned: Learned) -> None:
    """Print what learned points gain on what they were not learned from."""
    title = "Precision at 10 of what was not learned from"
    _write_table(title, ("unlearned", "learned"), learned.gains)
    if learned.mixture is not None:
        as_they_are, whitened, discriminant = learned.mixture.shares
        shares = (
            f"{as_they_are:.0%} as without labels, {whitened:.0%} whitened inside classes, "
            f"{discriminant:.0%} what tells the classes apart"
        )
        write_facts({"distances": shares})


def _write_table(title: str, headings: tuple[str, str], gains: Sequence[Gain]) -> None:
    table = titled_table(title)
    table.add_column("figure", overflow="fold")
    for heading in (*headings, "gain, 95%"):
        table.add_column(heading, justify="right")
    for gain in gains:
        table.add_row(
            gain.name.replace("_", " "),
            f"{gain.before:.1%}",
            Text(f"{gain.after:.1%}", "bold"),
            f"{gain.low * 100:+.1f} to {gain.high * 100:+.1f}",
        )
    StandardOutput().print(table)
