"""What every output gets and offers."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Protocol

from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from imgbatch.outputs.pictures import Pictures
from imgbatch.printable import printable
from imgbatch.types import Selection

_BY_TAGS = {
    "similar": "all agree in their two strongest tags: {}",
    "different": "no two have the same two strongest tags",
}


def size_in_words(size_bytes: int) -> str:
    """A number of bytes for people.

    Examples
    --------
    >>> size_in_words(14_300), size_in_words(1_430_000)
    ('14 kB', '1.4 MB')
    """
    if size_bytes >= 1e9:
        return f"{size_bytes / 1e9:.1f} GB"
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.0f} kB"


def reason_in_words(selection: Selection) -> str:
    """Why the images of a set by tags are together.

    >>> from imgbatch.types import PickedImage
    >>> image = PickedImage(1, "/a.jpg", "a.jpg", 0.0, 8, 6, pair=("blue", "dark"))
    >>> reason_in_words(Selection("similar", 1, "/", (image,), by="tags"))
    'all agree in their two strongest tags: blue, dark'
    """
    return _BY_TAGS[selection.mode].format(", ".join(selection.images[0].pair))


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that shows a result.

    Attributes
    ----------
    kind
        "sheet", "picture", "page" or "rows".
    path
        Absolute path.
    size_bytes
        Its size.
    shown, images
        How many images it shows, of how many.
    """

    kind: str
    path: Path
    size_bytes: int
    shown: int
    images: int

    @classmethod
    def of(cls, kind: str, path: Path, shown: int, images: int) -> "WrittenFile":
        """A file that has just been written."""
        return cls(kind, path, path.stat().st_size, shown, images)

    def in_words(self) -> str:
        """The path, the size, and how many images the file shows.

        Examples
        --------
        >>> WrittenFile("page", Path("x.html"), 1_430_000, shown=200, images=512).in_words()
        'x.html, 1.4 MB, 200 of 512 images'
        >>> WrittenFile("page", Path("x.html"), 14_300, shown=10, images=10).in_words()
        'x.html, 14 kB, 10 images'
        """
        size = size_in_words(self.size_bytes)
        if not self.images:
            return f"{self.path}, {size}"
        shown = f"{self.shown:,} of " if self.shown < self.images else ""
        return f"{self.path}, {size}, {shown}{self.images:,} image{'s' * (self.images > 1)}"


def files_document(files: Iterable[WrittenFile]) -> list[dict[str, Any]]:
    """Written files as values for JSON; the keys are a contract.

    >>> files_document([WrittenFile("rows", Path("x.csv"), 120, shown=3, images=3)])
    [{'kind': 'rows', 'path': 'x.csv', 'size_bytes': 120, 'shown': 3, 'images': 3}]
    """
    return [asdict(file) | {"path": str(file.path)} for file in files]


def picture_path(files: Iterable[WrittenFile]) -> str | None:
    """The first picture among the written files, as JSON names it; None if there is none.

    >>> picture_path([WrittenFile("page", Path("x.html"), 9, 1, 1)]) is None
    True
    """
    return next((str(file.path) for file in files if file.kind == "picture"), None)


def titled_table(title: str) -> Table:
    """An empty table under a bold title at its left."""
    return Table(title=title, title_style="bold", title_justify="left")


@dataclass(frozen=True, slots=True)
class Result:
    """A selection with what was made to show it.

    Attributes
    ----------
    pictures
        The small pictures of the selected images, in the order of rank.
    files
        The files written so far that show the selection.
    skipped_list
        The file that lists skipped files; None if no file was skipped.
    ignored
        Numbers of the folder's files that are no images, by ending.
    tag_captions
        Whether a sheet names tags in place of files.
    """

    selection: Selection
    pictures: Pictures
    files: tuple[WrittenFile, ...] = ()
    skipped_list: Path | None = None
    ignored: Mapping[str, int] = field(default_factory=dict)
    tag_captions: bool = False

    @property
    def sheet(self) -> Path | None:
        """The first contact sheet; None if none was drawn."""
        return next((file.path for file in self.files if file.kind == "sheet"), None)


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

    def print_files(self, files: Iterable[WrittenFile]) -> None:
        """Print a line for each file that was written."""
        for file in files:
            self.print_fact(file.kind, file.in_words())


class Output(Protocol):
    """One way to print a result."""

    def __call__(self, result: Result) -> None:
        """Print the result to standard output."""
        ...
