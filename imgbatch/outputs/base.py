"""What every output gets and offers."""

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

from rich.console import Console
from rich.style import Style
from rich.text import Text

from imgbatch.files.names import printable
from imgbatch.outputs.pictures import Pictures
from imgbatch.types import Selection


@dataclass(frozen=True, slots=True)
class Result:
    """A selection with what was made to show it.

    Attributes
    ----------
    pictures
        The small pictures of the selected images, in the order of rank.
    sheet
        The contact sheet; None if none was drawn.
    skipped_list
        The file that lists skipped files; None if no file was skipped.
    """

    selection: Selection
    pictures: Pictures
    sheet: Path | None = None
    skipped_list: Path | None = None


class StandardOutput(Console):
    """Rich's console on standard output; every table is printed with it.

    Strings are printed as they are: brackets and colons in a name are neither markup nor emoji,
    and numbers in it get no colour. If the reader of a pipe leaves early, as `head` does, printing
    raises `BrokenPipeError`, which ends the command quietly; Rich itself would exit with 1.

    Examples
    --------
    >>> StandardOutput().print_fact("folder", "holidays [2024]")
      folder  holidays [2024]
    """

    def __init__(self) -> None:
        super().__init__(markup=False, emoji=False, highlight=False)

    def on_broken_pipe(self) -> NoReturn:
        """Rich calls this while it handles a BrokenPipeError."""
        self.quiet = True
        raise BrokenPipeError

    def print_fact(self, name: str, value: str, *, width: int = 8, link: str | None = None) -> None:
        """Print a dim name, right-aligned, and its value on one line that is never wrapped."""
        line = Text(f"{name:>{width}}  ", style="dim")
        line.append(printable(value), Style(dim=False, link=link))
        self.print(line, soft_wrap=True)


class Output(Protocol):
    """One way to print a result."""

    def __call__(self, result: Result) -> None:
        """Print the result to standard output."""
        ...
