"""The rows of a metadata file: which image, and what is said of it.

A reader (see `formats`) goes through its file once, row by row, so that memory does not grow with
the file. What is wrong with a single row is counted as a misfit; what makes the whole file
unreadable is a `LabelError`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

from imgbatch.annotations.misfits import Misfit, Misfits
from imgbatch.errors import LabelError
from imgbatch.files.names import shortened
from imgbatch.printable import printable

NAMES = ("file_name", "path", "image")
"""What the column of names may be called, the first that is there is taken."""
KINDS = {
    "labels": ("label", "class"),
    "tags": ("tags",),
    "texts": ("text", "caption", "title", "description"),
    "splits": ("split",),
    "groups": ("group",),
    "sources": ("source",),
}
"""What can be known of an image, with the names of its columns."""
MANY = ("tags", "texts")
"""Kinds of which an image may have several."""
_TAG_DIVIDER = ";"
_CELLS_AT_HAND = 10_000
"""Labels, tags and the like recur; texts hardly do."""


class Row(NamedTuple):
    """One row: where it stands, the name of its image, and the strings of each of the kinds."""

    number: int
    name: str
    values: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows.

    Attributes
    ----------
    kinds
        What the values of each row are, of `KINDS`.
    rows
        The rows, to be gone through once.
    unit
        What a row's number counts: lines, rows, annotations.
    """

    kinds: tuple[str, ...]
    rows: Iterator[Row]
    unit: str = "line"


Reader = Callable[[str, Misfits], Table]
"""Opens a file; what does not fit is added to the misfits while the rows are gone through."""


def unreadable(file: str, reason: object, hint: str) -> LabelError:
    """The error for a table that cannot be read."""
    return LabelError(f"{file} cannot be read: {shortened(printable(str(reason)))}", hint)


# ----- columns ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns of a table are.

    Attributes
    ----------
    name
        The position of the column that names the images.
    kinds
        The positions of each kind's columns.
    """

    name: int
    kinds: dict[str, list[int]]

    @classmethod
    def of(cls, file: str, columns: Sequence[str]) -> "Layout":
        """Find the columns by their names.

        Raises
        ------
        LabelError
            There is no column of names; the message names those present.
        """
        there = [column.strip().lower() for column in columns]
        position = next((there.index(name) for name in NAMES if name in there), None)
        if position is None:
            raise LabelError(
                f"{file} has the columns {_listed(columns)}, and none is called {', '.join(NAMES)}",
                "divide its cells by commas"
                if len(columns) == 1 and ";" in columns[0]
                else "begin it with a line such as file_name,label",
            )
        for name in {*NAMES, *(name for kind in KINDS for name in KINDS[kind] if kind != "texts")}:
            if there.count(name) > 1:
                raise LabelError(
                    f"{file} has {there.count(name)} columns called {name}", "leave one of them"
                )
        kinds = {kind: _positions(there, names, kind) for kind, names in KINDS.items()}
        return cls(position, {kind: found for kind, found in kinds.items() if found})

    @classmethod
    def of_header(cls, file: str, columns: Sequence[str]) -> "Layout":
        """The same for a table whose header names all columns: one must say something of images."""
        layout = cls.of(file, columns)
        if not layout.kinds:
            known = ", ".join(name for names in KINDS.values() for name in names)
            raise LabelError(
                f"{file} has the columns {_listed(columns)}, and says nothing of its images",
                f"name a column {known}",
            )
        return layout


def _listed(columns: Sequence[str]) -> str:
    return shortened(printable(", ".join(columns))) or "none"


def _positions(there: list[str], names: tuple[str, ...], kind: str) -> list[int]:
    """All columns of texts; of any other kind the first."""
    positions = [at for name in names for at, column in enumerate(there) if column == name]
    return sorted(positions) if kind == "texts" else positions[:1]


# ----- values -------------------------------------------------------------------------------------


def strings_of(kind: str, value: object) -> tuple[str, ...]:
    """A value of JSON or Parquet as strings; nothing for None, NaN and empty text.

    Raises
    ------
    TypeError
        The value is neither text nor a number, nor, of a kind of `MANY`, a list of these.

    Examples
    --------
    >>> strings_of("tags", "sea; sky;"), strings_of("texts", ["a dog", None])
    (('sea', 'sky'), ('a dog',))
    """
    if isinstance(value, str):
        if kind == "tags":
            parts = map(str.strip, value.split(_TAG_DIVIDER))
            return tuple(filter(None, parts))
        stripped = value.strip()
        return (stripped,) if stripped else ()
    if value is None or value != value:  # noqa: PLR0124 - NaN alone differs from itself
        return ()
    if isinstance(value, int | float):
        return (str(value).lower() if isinstance(value, bool) else str(value),)
    if isinstance(value, list) and kind in MANY:
        strings: list[str] = []
        for part in value:
            if isinstance(part, list):
                raise TypeError
            strings += strings_of(kind, part)
        return tuple(strings)
    raise TypeError


class RowMaker:
    """Makes rows of a table out of their cells.

    Parameters
    ----------
    file, unit
        The file, and what the numbers of its rows count.
    kinds
        What the values of each row are.
    layout
        Where the columns are.
    misfits
        Gets the values that are of a wrong type.
    only_text
        Whether all cells are text; those that recur are then read once.
    """

    def __init__(
        self,
        file: str,
        unit: str,
        kinds: Iterable[str],
        layout: Layout,
        misfits: Misfits,
        *,
        only_text: bool = False,
    ) -> None:
        self._file, self._unit, self._misfits = file, unit, misfits
        self._name = layout.name
        self._columns = [(kind, layout.kinds.get(kind, [])) for kind in kinds]
        self._readers = [_reader(kind, at, only_text=only_text) for kind, at in self._columns]

    def row(self, number: int, cells: Sequence[Any]) -> Row:
        """The row of some cells."""
        name = cells[self._name]
        try:
            values = tuple([read(cells) for read in self._readers])
        except TypeError:
            values = self._without_misfits(number, cells)
        return Row(number, name if isinstance(name, str) else "", values)

    def _without_misfits(self, number: int, cells: Sequence[Any]) -> tuple[tuple[str, ...], ...]:
        values: list[tuple[str, ...]] = []
        for kind, positions in self._columns:
            strings: list[str] = []
            for at in positions:
                try:
                    strings += strings_of(kind, cells[at])
                except TypeError:
                    where, what = f"{self._unit} {number}", type(cells[at]).__name__
                    self._misfits.add(Misfit.WRONG_TYPE, self._file, where, f"{kind}: {what}")
            values.append(tuple(strings))
        return tuple(values)


def _reader(
    kind: str, positions: list[int], *, only_text: bool
) -> Callable[[Sequence[Any]], tuple[str, ...]]:
    """The function that takes the strings of a kind from a row's cells."""
    read: Callable[[Any], tuple[str, ...]] = partial(strings_of, kind)
    if only_text and kind != "texts":
        read = lru_cache(_CELLS_AT_HAND)(read)
    if not positions:
        return lambda _: ()
    if len(positions) == 1:
        return lambda cells, at=positions[0]: read(cells[at])  # type: ignore[misc]
    return lambda cells: tuple(string for at in positions for string in read(cells[at]))
