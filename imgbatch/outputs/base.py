"""What every output gets and offers."""

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

from rich.console import Console

from imgbatch.types import Selection, View


@dataclass(frozen=True, slots=True)
class Result:
    """A selection with its small pictures (rank by rank) and the contact sheet, if one was made."""

    selection: Selection
    pictures: tuple[View, ...]
    sheet: Path | None = None
    skipped_list: Path | None = None


class StandardOutput(Console):
    """Rich's console on standard output, as every table uses it.

    Names are shown as they are, without numbers in them coloured; and if the reader, say `head`,
    has seen enough, the command hears of it and ends quietly, where Rich would exit with 1.
    """

    def __init__(self) -> None:
        super().__init__(highlight=False)

    def on_broken_pipe(self) -> NoReturn:
        """Rich calls this while it handles a BrokenPipeError."""
        self.quiet = True
        raise BrokenPipeError


class Output(Protocol):
    """One way to show a result."""

    def __call__(self, result: Result) -> None:
        """Show the result where this output shows things."""
        ...
