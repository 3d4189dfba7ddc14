"""Rows of a CSV file that `csv.reader` reads back as they were."""

import csv
from collections.abc import Callable, Sequence
from typing import TextIO


def row_writer(file: TextIO) -> Callable[[Sequence[object]], object]:
    r"""A function that writes a row of cells as a line, with quotes only where they are needed.

    The module leaves a carriage return without quotes, which then ends the line, and a space at a
    cell's beginning, which many readers skip: `` a.jpg`` would be read as ``a.jpg``.

    Parameters
    ----------
    file
        Opened with ``newline=""``.

    Examples
    --------
    >>> import io
    >>> text = io.StringIO(newline="")
    >>> _ = row_writer(text)(["a,b", "c"]), row_writer(text)([" d", 1])
    >>> text.getvalue()
    '"a,b",c\n" d",1\n'
    """
    plain = csv.writer(file, lineterminator="\n").writerow
    quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC).writerow

    def write(cells: Sequence[object]) -> object:
        return (quoted if any(map(_needs_quotes, cells)) else plain)(cells)

    return write


def _needs_quotes(cell: object) -> bool:
    return isinstance(cell, str) and (cell.startswith(" ") or "\r" in cell)
