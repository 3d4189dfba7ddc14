"""Tables of any columns, row by row: Parquet, CSV, TSV, JSONL, or a plain list.

A table is opened once and gone through several times; memory does not grow with its rows.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from imgbatch.annotations.formats import open_parquet, parquet_values
from imgbatch.annotations.misfits import Misfits
from imgbatch.annotations.table import KINDS, unreadable
from imgbatch.annotations.text_tables import cells_of, json_object, lines_of
from imgbatch.errors import LabelError, UsageError
from imgbatch.files.names import shortened
from imgbatch.printable import printable

_MOST_COLUMNS = 1000
_EMPTY_WORDS = frozenset({"", "nan", "null", "none", "<na>"})
"""What tables in text write for a value that is not there."""
_LIST_DIVIDERS = {"tags": ";", **dict.fromkeys(KINDS["texts"], "\n")}
"""Between the parts of a list in a cell; lists in other columns are written as JSON."""


class SourceRow(NamedTuple):
    """A row: its number, its values by column, and what is wrong with its form."""

    number: int
    values: dict[str, Any]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A table that was opened.

    Attributes
    ----------
    file
        Its path.
    columns
        Their names, in order.
    rows
        Goes through the rows from the first one on.
    only_text
        Whether all values are text, so that the word NaN stands for an empty value.
    types
        Arrow types by column, of a Parquet file.
    notes
        What was left out.
    """

    file: str
    columns: tuple[str, ...]
    rows: Callable[[], Iterator[SourceRow]]
    only_text: bool = False
    types: "dict[str, Any] | None" = None
    notes: tuple[str, ...] = ()

    def require(self, columns: "list[str] | tuple[str, ...]") -> None:
        """Raise `UsageError`, with the columns that are there, if one of these is not."""
        for column in columns:
            if column not in self.columns:
                there = shortened(printable(", ".join(self.columns))) or "none"
                raise UsageError(
                    f"{self.file} has no column {column!r}", f"its columns are {there}"
                )

    def is_empty(self, value: Any) -> bool:
        """Whether a value is null, NaN, white space, or an empty list."""
        if isinstance(value, str):
            text = value.strip()
            return not text or (self.only_text and text.lower() in _EMPTY_WORDS)
        if isinstance(value, list):
            return all(map(self.is_empty, value))
        return value is None or value != value  # noqa: PLR0124 - NaN alone differs from itself


def open_source(file: str, list_column: str) -> Source:
    """Open a table by its ending.

    Parameters
    ----------
    file
        A path.
    list_column
        The name of the only column of a plain list (.txt).

    Raises
    ------
    UsageError
        The ending is unknown, or a library is missing.
    LabelError
        The file cannot be read, has no columns, or two of one name. While rows are gone through,
        the same error may come later.
    """
    ending = os.path.splitext(file)[1].lower()
    if ending == ".txt":
        return Source(file, (list_column,), lambda: _list_rows(file, list_column), only_text=True)
    opener = _OPENERS.get(ending)
    if opener is None:
        raise UsageError(
            f"{file} is no table by its ending",
            f"give a file that ends in {', '.join(_OPENERS)}, or a list of links in .txt",
        )
    source = opener(file)
    if not source.columns:
        raise unreadable(file, "it has no columns", "begin it with a line of column names")
    doubled = {name for name in source.columns if source.columns.count(name) > 1}
    if doubled:
        raise LabelError(f"{file} has several columns called {min(doubled)!r}", "rename them")
    return source


def _list_rows(file: str, column: str) -> Iterator[SourceRow]:
    for number, line in enumerate(lines_of(file, Misfits()), start=1):
        if line.strip():
            yield SourceRow(number, {column: line.strip()})


def _open_delimited(file: str, delimiter: str) -> Source:
    _, header = next(cells_of(file, lines_of(file, Misfits()), delimiter), (1, []))
    columns = tuple(name.strip() for name in header)
    return Source(file, columns, lambda: _delimited_rows(file, columns, delimiter), only_text=True)


def _delimited_rows(file: str, columns: tuple[str, ...], delimiter: str) -> Iterator[SourceRow]:
    rows = cells_of(file, lines_of(file, Misfits()), delimiter)
    next(rows, None)
    width = len(columns)
    for number, cells in rows:
        fault = ""
        if len(cells) != width:
            if any(cells[width:]):
                fault = f"{len(cells)} cells, but the header has {width}"
            cells.extend([""] * (width - len(cells)))
        yield SourceRow(number, dict(zip(columns, cells, strict=False)), fault)


def _open_jsonl(file: str) -> Source:
    """The columns are the keys of all lines, since any line may bring another one."""
    columns: dict[str, None] = {}
    for row in _json_rows(file):
        columns.update(dict.fromkeys(row.values))
        if len(columns) > _MOST_COLUMNS:
            raise unreadable(
                file, f"its objects have over {_MOST_COLUMNS:,} unlike keys", "use the same keys"
            )
    return Source(file, tuple(columns), lambda: _json_rows(file))


def _json_rows(file: str) -> Iterator[SourceRow]:
    for number, line in enumerate(lines_of(file, Misfits()), start=1):
        if line.strip():
            values = json_object(file, number, line)
            yield _whole_row(number, values) if "\\u" in line else SourceRow(number, values)


def _whole_row(number: int, values: dict[str, Any]) -> SourceRow:
    r"""A row of JSON; half a character, such as ``\ud800``, is a fault, as no file can hold it."""
    text = json.dumps(values, ensure_ascii=False)
    try:
        text.encode("utf-8", "surrogateescape")  # bytes that are no UTF-8 pass through
    except UnicodeEncodeError:
        whole = json.loads(text.encode("utf-8", "replace"))
        return SourceRow(number, whole, "half of a character (a lone surrogate)")
    return SourceRow(number, values)


def _open_parquet(file: str) -> Source:
    """Columns of bytes, such as pictures, stay out: a table in text has no place for them."""
    import pyarrow as pa

    schema = open_parquet(file).schema_arrow
    binary = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    left_out = [field.name for field in schema if any(is_it(field.type) for is_it in binary)]
    fields = [field for field in schema if field.name not in left_out]
    columns = tuple(field.name for field in fields)
    notes = (
        (f"columns of bytes are left out: {printable(', '.join(left_out))}",) if left_out else ()
    )
    types = {field.name: field.type for field in fields}
    return Source(file, columns, lambda: _parquet_rows(file, columns), types=types, notes=notes)


def _parquet_rows(file: str, columns: tuple[str, ...]) -> Iterator[SourceRow]:
    number = 0
    for values in parquet_values(file, open_parquet(file), list(columns)):
        for number, cells in enumerate(zip(*values, strict=True), start=number + 1):  # noqa: B020
            yield SourceRow(number, dict(zip(columns, cells, strict=True)))


_OPENERS: dict[str, Callable[[str], Source]] = {
    ".parquet": _open_parquet,
    ".csv": lambda file: _open_delimited(file, ","),
    ".tsv": lambda file: _open_delimited(file, "\t"),
    ".jsonl": _open_jsonl,
}


def cell_text(column: str, value: Any) -> str:
    r"""A value as a table in text holds it; nothing for None and NaN.

    Tags are divided by ``;``, several texts by line breaks; other lists and objects become JSON.

    Examples
    --------
    >>> cell_text("tags", ["sea", "sky"]), cell_text("width", 640), cell_text("id", 7.0)
    ('sea;sky', '640', '7')
    """
    if isinstance(value, str):
        return value
    if value is None or value != value:  # noqa: PLR0124 - NaN alone differs from itself
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    divider = _LIST_DIVIDERS.get(column.strip().lower())
    if isinstance(value, list) and divider is not None:
        return divider.join(cell_text(column, part) for part in value)
    is_nested = isinstance(value, list | dict)
    return json.dumps(value, ensure_ascii=False, default=str) if is_nested else str(value)
