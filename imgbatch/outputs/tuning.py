"""What `tune` shows and writes: progress, the gains, the config file."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from imgbatch.evaluation.results import Gain
from imgbatch.outputs.base import StandardOutput


@contextlib.contextmanager
def tune_progress() -> Iterator[Callable[[int, int, float, float], None]]:
    """Show trials and the best so far on standard error: a bar, or a line for each improvement."""
    if not sys.stderr.isatty():
        last = [-1.0]

        def print_better(done: int, total: int, first: float, best: float) -> None:
            if best > last[0]:
                last[0] = best
                line = (
                    f"trial {done} of {total}: precision at 10 {best:.1%} (began with {first:.1%})"
                )
                print(line, file=sys.stderr, flush=True)  # noqa: T201 - outputs print

        yield print_better
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


def write_gains(gains: Sequence[Gain]) -> None:
    """Print what the search gains on images it did not see."""
    table = Table(title="On images that the search did not see", title_justify="left")
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
