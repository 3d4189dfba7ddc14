"""Progress on standard error: a bar on a terminal."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Task as RichTask
from rich.text import Text


class _Rate(TextColumn):
    """A column that shows how many units are done each second."""

    def __init__(self, unit: str) -> None:
        super().__init__("")
        self.unit = unit

    def render(self, task: RichTask) -> Text:
        """The rate so far; nothing before the first unit is done."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} {self.unit}/s" if speed else "", style="progress.data.speed")


@contextlib.contextmanager
def progress_bar(
    title: str, *, unit: str = "img", quiet: bool = False
) -> Iterator[Callable[..., None]]:
    """Yield a function (done, total, remark="") that draws a bar, with a remark behind its title.

    It draws nothing if `quiet` is set or standard error is not a terminal.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _done, _total, _remark="": None
        return
    # A copy of standard error, since file descriptor 2 is silenced while codecs run.
    with open(os.dup(2), "w", encoding=sys.stderr.encoding, errors="replace") as stderr:
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(unit),
            TimeRemainingColumn(),
            console=Console(file=stderr),
            transient=True,
        )
        with bar:
            task = bar.add_task(title, total=None)

            def draw(done: int, total: int, remark: str = "") -> None:
                shown = f"{title} ({remark})" if remark else title
                bar.update(task, completed=done, total=total, description=shown)

            yield draw
