"""Metadata in text: CSV, TSV and JSONL."""

import csv
import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, TextIO

from imgbatch.annotations.misfits import Misfit, Misfits
from imgbatch.annotations.table import KINDS, Layout, Row, RowMaker, Table, unreadable
from imgbatch.errors import LabelError
from imgbatch.files.regular import only_regular

_LONGEST_LINE = 1 << 24
"""Characters; a longer line means that the file is no table, and would fill the memory."""
_LAYOUTS_AT_HAND = 1_000
_OBJECT = 'write a line as {"file_name": "a.jpg", "text": "a dog"}'


def read_csv(file: str, misfits: Misfits) -> Table:
    """A table with commas between its cells."""
    return _read_delimited(file, misfits, ",")


def read_tsv(file: str, misfits: Misfits) -> Table:
    """A table with tabs between its cells; quotes have the same meaning as in CSV."""
    return _read_delimited(file, misfits, "\t")


def _read_delimited(file: str, misfits: Misfits, delimiter: str) -> Table:
    rows = cells_of(file, lines_of(file, misfits), delimiter)
    _, columns = next(rows, (1, []))
    layout = Layout.of_header(file, columns)
    return Table(tuple(layout.kinds), _delimited_rows(file, rows, len(columns), layout, misfits))


def _delimited_rows(
    file: str, rows: Iterable[tuple[int, list[str]]], width: int, layout: Layout, misfits: Misfits
) -> Iterator[Row]:
    maker = RowMaker(file, "line", layout.kinds, layout, misfits, only_text=True)
    for number, cells in rows:
        if len(cells) != width:
            if any(cells[width:]):
                misfits.add(Misfit.TOO_LONG, file, f"line {number}", cells[layout.name])
                continue
            if len(cells) < width:
                cells.extend([""] * (width - len(cells)))
                misfits.add(Misfit.TOO_SHORT, file, f"line {number}", cells[layout.name])
        yield maker.row(number, cells)


def cells_of(file: str, lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row that is not empty, after the line on which the row begins.

    Raises
    ------
    LabelError
        A quote is never closed, or the lines cannot be read.
    """
    number = 1
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        for cells in reader:
            if cells:
                yield number, cells
            number = reader.line_num + 1
    except csv.Error as error:
        reason = str(error).replace("unexpected end of data", "a quote is never closed")
        if "field limit" in reason:  # nearly always by a quote that is closed much later
            reason = f"a cell has more than {csv.field_size_limit():,} characters"
        raise unreadable(
            file,
            f"line {number}: {reason}",
            'close every quote ", and write one inside twice',
        ) from None


def read_jsonl(file: str, misfits: Misfits) -> Table:
    """A JSON object on each line, whose keys are the columns."""
    return Table(tuple(KINDS), _json_rows(file, misfits))


def _json_rows(file: str, misfits: Misfits) -> Iterator[Row]:
    """The objects as rows; the first one must name its image, as a header would."""

    @lru_cache(_LAYOUTS_AT_HAND)
    def maker_of(columns: tuple[str, ...]) -> RowMaker:
        return RowMaker(file, "line", KINDS, Layout.of(file, columns), misfits)

    is_first = True
    for number, line in enumerate(lines_of(file, misfits), start=1):
        if not line.strip():
            continue
        record = json_object(file, number, line)
        try:
            maker = maker_of(tuple(record))
        except LabelError:
            if is_first:
                raise
            yield Row(number, "", ((),) * len(KINDS))
        else:
            yield maker.row(number, list(record.values()))
        is_first = False


def json_object(file: str, number: int, line: str) -> dict[str, Any]:
    """The object on a line of JSONL; raises `LabelError` for anything else."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", None) or "it is nested too deeply or holds a huge number"
        raise unreadable(file, f"line {number}: {reason}", _OBJECT) from None
    if not isinstance(record, dict):
        raise unreadable(
            file,
            f"line {number} is no object",
            _OBJECT,
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
        raise unreadable(file, error.strerror or error, "give a file that can be read") from None


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
