"""The rows of a metadata file: which image, and what is said of it.

A reader goes through its file once, row by row, so that memory does not grow with the file. What
is wrong with a single row is counted as a misfit; what makes the whole file unreadable is a
`LabelError`.
"""

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TextIO

from imgbatch.annotations.misfits import Misfit, Misfits
from imgbatch.errors import LabelError
from imgbatch.files.names import printable, shortened
from imgbatch.files.regular import only_regular

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
_LONGEST_LINE = 1 << 24
"""Characters; a longer line means that the file is no table, and would fill the memory."""
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
    """The error for a file that cannot be read."""
    return LabelError(f"the metadata {file} cannot be read: {reason}", hint)


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
                "begin it with a line such as file_name,label",
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
        parts = value.split(_TAG_DIVIDER) if kind == "tags" else (value,)
        return tuple(stripped for part in parts if (stripped := part.strip()))
    if value is None or value != value:  # noqa: PLR0124 - NaN alone differs from itself
        return ()
    if isinstance(value, int | float):
        return (str(value).lower() if isinstance(value, bool) else str(value),)
    if isinstance(value, list) and kind in MANY:
        if any(isinstance(part, list) for part in value):
            raise TypeError
        return tuple(string for part in value for string in strings_of(kind, part))
    raise TypeError


def checked_strings(
    kind: str, value: object, misfits: Misfits, file: str, where: str
) -> tuple[str, ...]:
    """`strings_of`, or nothing and a misfit."""
    try:
        return strings_of(kind, value)
    except TypeError:
        misfits.add(Misfit.WRONG_TYPE, file, where, f"{kind}: {type(value).__name__}")
        return ()


# ----- text files ---------------------------------------------------------------------------------


def read_csv(file: str, misfits: Misfits) -> Table:
    """A table with commas between its cells."""
    return _read_delimited(file, misfits, ",")


def read_tsv(file: str, misfits: Misfits) -> Table:
    """A table with tabs between its cells; quotes have the same meaning as in CSV."""
    return _read_delimited(file, misfits, "\t")


def _read_delimited(file: str, misfits: Misfits, delimiter: str) -> Table:
    rows = _cells(file, lines_of(file, misfits), delimiter)
    _, columns = next(rows, (1, []))
    layout = Layout.of_header(file, columns)
    return Table(tuple(layout.kinds), _delimited_rows(file, rows, len(columns), layout, misfits))


def _delimited_rows(
    file: str, rows: Iterable[tuple[int, list[str]]], width: int, layout: Layout, misfits: Misfits
) -> Iterator[Row]:
    at = layout.name
    values_of = [_reader_of(kind, positions) for kind, positions in layout.kinds.items()]
    for number, cells in rows:
        if len(cells) != width:
            if any(cells[width:]):
                misfits.add(Misfit.TOO_LONG, file, f"line {number}", cells[at])
                continue
            cells.extend([""] * (width - len(cells)))
        yield Row(number, cells[at], tuple([values(cells) for values in values_of]))


def _reader_of(kind: str, positions: list[int]) -> Callable[[list[str]], tuple[str, ...]]:
    """The function that takes the strings of a kind from a row's cells."""
    read = strings_of if kind == "texts" else lru_cache(_CELLS_AT_HAND)(strings_of)
    first = positions[0]
    if len(positions) == 1:
        return lambda cells: read(kind, cells[first])
    return lambda cells: tuple(string for at in positions for string in read(kind, cells[at]))


def _cells(file: str, lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row that is not empty, after the line on which the row begins."""
    number = 1
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        for cells in reader:
            if cells:
                yield number, cells
            number = reader.line_num + 1
    except csv.Error as error:
        reason = str(error).replace("unexpected end of data", "a quote is never closed")
        raise unreadable(
            file, f"line {number}: {reason}", 'close every quote ", and write one inside twice'
        ) from None


def read_jsonl(file: str, misfits: Misfits) -> Table:
    """A JSON object on each line, whose keys are the columns."""
    return Table(tuple(KINDS), _json_rows(file, misfits))


def _json_rows(file: str, misfits: Misfits) -> Iterator[Row]:
    layouts = dict[tuple[str, ...], Layout | None]()
    for number, line in enumerate(lines_of(file, misfits), start=1):
        if not line.strip():
            continue
        record = _json_object(file, number, line)
        columns = tuple(record)
        if columns not in layouts:
            layouts[columns] = _json_layout(file, columns, is_first=not layouts)
        layout, cells = layouts[columns], list(record.values())
        name = "" if layout is None else cells[layout.name]
        values = tuple(
            tuple(
                string
                for position in ([] if layout is None else layout.kinds.get(kind, []))
                for string in checked_strings(
                    kind, cells[position], misfits, file, f"line {number}"
                )
            )
            for kind in KINDS
        )
        yield Row(number, name if isinstance(name, str) else "", values)


def _json_layout(file: str, columns: tuple[str, ...], *, is_first: bool) -> Layout | None:
    """Where the columns are; None if a later line lacks those that the first one had."""
    try:
        return Layout.of(file, columns)
    except LabelError:
        if is_first:
            raise
        return None


def _json_object(file: str, number: int, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", None) or "it is nested too deeply or holds a huge number"
        raise unreadable(
            file, f"line {number}: {reason}", 'write a line as {"file_name": "a.jpg", "text": ""}'
        ) from None
    if not isinstance(record, dict):
        raise unreadable(
            file,
            f"line {number} is no object",
            'write a line as {"file_name": "a.jpg", "text": ""}',
        )
    return record


def lines_of(file: str, misfits: Misfits) -> Iterator[str]:
    """The lines of a file in UTF-8, with their ends; bytes that are not UTF-8 become surrogates.

    Raises
    ------
    LabelError
        The file cannot be read, is no regular file, is UTF-16, or has a line beyond all bounds.
    """
    try:
        with open(
            file, encoding="utf-8", errors="surrogateescape", newline="", opener=only_regular
        ) as text:
            yield from _checked_lines(file, text, misfits)
    except OSError as error:
        raise unreadable(
            file, error.strerror or error, "give --metadata (or --labels) a file that can be read"
        ) from None


def _checked_lines(file: str, text: TextIO, misfits: Misfits) -> Iterator[str]:
    number = 0
    for number, line in enumerate(iter(lambda: text.readline(_LONGEST_LINE), ""), start=1):
        if len(line) == _LONGEST_LINE:
            raise unreadable(file, f"line {number} is too long", "give a table, a line for a row")
        if number == 1:
            if line.startswith(("\udcff\udcfe", "\udcfe\udcff")):
                raise unreadable(file, "it is UTF-16", "save it as UTF-8")
            if line.startswith("\ufeff"):
                misfits.add(Misfit.BYTE_ORDER_MARK, file, "line 1")
                line = line[1:]  # noqa: PLW2901
        yield line


def ending_of(file: str) -> str:
    """The ending of a name in small letters, by which its reader is chosen."""
    return os.path.splitext(file)[1].lower()
