"""Labels and tags given on the page: a metadata file outside the image folder."""

import csv
import io
import os
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from imgbatch.annotations.matching import MACHINE
from imgbatch.annotations.table import NAMES
from imgbatch.errors import LabelError
from imgbatch.files.atomic import replacing
from imgbatch.files.cells import row_writer
from imgbatch.files.names import shortened
from imgbatch.printable import printable
from imgbatch.web.turns import Turns

NAME, LABEL, TAGS, SPLIT, SOURCE = "file_name", "label", "tags", "split", "source"
_UNDOABLE = 1000
_MOST_CELL = 1 << 20

Cells = dict[str, str]
"""A row of the file, by column."""
_Change = dict[str, dict[str, tuple[str, str]]]
"""By path and column: what stood in a cell before a change, and after it."""


class Saved:
    """Rows of a CSV file, by image: what was given on the page, and what stood there before.

    Each change is written at once and in one step. Columns that the page does not know stay as they
    are. Before a change the file is read again if somebody else wrote to it, so that two servers,
    or a server and an editor, keep each other's rows. Rows are kept as lines, too, so that a change
    makes a line and joins the rest.

    Parameters
    ----------
    file
        Where rows are written; it need not exist.
    turns
        Taken by whoever writes it.
    trust_predicted
        Whether rows that a model wrote count. Else they count as if they were not there, and a
        person's first word on such an image takes the place of all that the model said of it.

    Attributes
    ----------
    version
        Grows with each change.

    Examples
    --------
    >>> saved = Saved(Path("labels.csv"), Turns(Path("turns.sqlite")))
    >>> saved.give({"a.jpg": {"label": "cat"}, "b.jpg": {"label": "dog"}})
    >>> saved.of("b.jpg", "label")
    'dog'
    >>> Path("labels.csv").read_text().splitlines()
    ['file_name,label', 'a.jpg,cat', 'b.jpg,dog']
    >>> saved.undo(), saved.of("b.jpg", "label")
    (('a.jpg', 'b.jpg'), '')
    """

    def __init__(self, file: Path, turns: Turns, *, trust_predicted: bool = False) -> None:
        self.file = file
        self._trust_predicted = trust_predicted
        self._turns = turns
        self._lock = threading.Lock()
        self._columns: list[str] = [NAME]
        self._rows: dict[str, Cells] = {}
        self._lines: dict[str, bytes] = {}
        self._labels: Counter[str] = Counter()
        self._filled: Counter[str] = Counter()
        self._undo: list[_Change] = []
        self._seen: tuple[int, int, int] | None = None
        self.version = 0
        self._read()

    @property
    def is_begun(self) -> bool:
        """Whether the file holds a row."""
        return bool(self._rows)

    @property
    def can_undo(self) -> bool:
        """Whether a change of this server can be taken back."""
        return bool(self._undo)

    def __len__(self) -> int:
        return len(self._rows)

    def knows(self, path: str) -> bool:
        """Whether the file says something of an image."""
        return bool(self._counting(self._row(path)))

    def of(self, path: str, column: str) -> str:
        """What the file says of an image; "" for nothing."""
        return self._counting(self._row(path)).get(column, "")

    @property
    def labels(self) -> dict[str, int]:
        """How many images have each label."""
        return {label: count for label, count in self._labels.items() if count}

    def given(self, column: str) -> dict[str, str]:
        """What the file says of all images of which it says something."""
        counting = ((path, self._counting(cells)) for path, cells in self._rows.items())
        return {path: cells[column] for path, cells in counting if cells.get(column)}

    def has(self, column: str) -> bool:
        """Whether the file says something in a column: then it holds all that is known there."""
        return self._filled[column] > 0

    def give(self, changes: Mapping[str, Mapping[str, str]], *, undoable: bool = True) -> None:
        """Set cells of images; "" empties one.

        Takes O(n) for n rows, some 20 ms for 100,000: the file is written whole, so that it is
        never half a table.

        Parameters
        ----------
        changes
            By path inside the folder: the cells that change, by column.
        undoable
            Whether `undo` takes the change back.

        Raises
        ------
        LabelError
            The file holds by now what is no such table.
        OutputError, OSError
            It cannot be written; nothing has changed.
        """
        with self._lock, self._turns.taken():
            self._read()
            whole = {path: self._in_place(path, cells) for path, cells in changes.items()}
            done = {
                path: {name: (self._row(path).get(name, ""), cell) for name, cell in cells.items()}
                for path, cells in whole.items()
            }
            self._change({path: {**self._row(path), **cells} for path, cells in whole.items()})
            if undoable:
                self._undo = [*self._undo[1 - _UNDOABLE :], done]

    def undo(self) -> tuple[str, ...]:
        """Take back the last change of this server; the images it bore on.

        Only cells that it changed are put back, and of them only those that hold what it wrote:
        what somebody else has given since stays. A change of which nothing is left is passed over.
        """
        with self._lock, self._turns.taken():
            self._read()
            while self._undo:
                former = self._standing(self._undo[-1])
                if former:
                    self._change({path: {**self._row(path), **former[path]} for path in former})
                self._undo.pop()
                if former:
                    return tuple(former)
            return ()

    def _standing(self, done: _Change) -> dict[str, Cells]:
        """What stood in the cells of a change that still hold what it wrote, by path."""
        former = {
            path: {
                name: was
                for name, (was, is_) in cells.items()
                if self._row(path).get(name, "") == is_
            }
            for path, cells in done.items()
        }
        return {path: cells for path, cells in former.items() if cells}

    def _row(self, path: str) -> Cells:
        return self._rows.get(path, {})

    def _counting(self, cells: Cells) -> Cells:
        """A row as it counts."""
        return cells if self._trust_predicted or cells.get(SOURCE) != MACHINE else {}

    def _in_place(self, path: str, cells: Mapping[str, str]) -> Cells:
        """Cells to set, with those that empty a row which does not count."""
        row = self._row(path)
        return dict(cells) if self._counting(row) else {**dict.fromkeys(row, ""), **cells}

    def _change(self, changed: Mapping[str, Cells]) -> None:
        """Write the file with other rows; those that say nothing are left out."""
        named = dict.fromkeys(
            name for cells in changed.values() for name, cell in cells.items() if cell
        )
        columns = list(dict.fromkeys([*self._columns, *named]))
        rows, lines = dict(self._rows), dict(self._lines)
        if columns != self._columns:
            lines = {
                path: _line([path, *_in_order(cells, columns)]) for path, cells in rows.items()
            }
        for path, cells in changed.items():
            if any(cells.values()):
                rows[path], lines[path] = cells, _line([path, *_in_order(cells, columns)])
            else:
                rows.pop(path, None)
                lines.pop(path, None)
        with replacing(self.file) as temporary:
            temporary.write_bytes(_line(columns) + b"".join(lines.values()))
        for path, cells in changed.items():
            self._count(self._row(path), -1)
            self._count(cells, 1)
        self._rows, self._lines, self._columns = rows, lines, columns
        self._seen = self._state()
        self.version += 1

    def _count(self, cells: Cells, by: int) -> None:
        for name, cell in self._counting(cells).items():
            self._filled[name] += by * bool(cell)
            if name == LABEL and cell:
                self._labels[cell] += by

    def _read(self) -> None:
        """Take over the file if somebody else has changed it."""
        state = self._state()
        if state == self._seen:
            return
        if state is None:
            self._rows, self._columns = {}, [NAME]
        else:
            self._columns, self._rows = _rows_of(self.file)
        self._lines = {
            path: _line([path, *_in_order(cells, self._columns)])
            for path, cells in self._rows.items()
        }
        self._labels.clear()
        self._filled.clear()
        for cells in self._rows.values():
            self._count(cells, 1)
        self._seen = state
        self.version += 1

    def _state(self) -> tuple[int, int, int] | None:
        try:
            status = os.stat(self.file)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:  # a moment's fault must not make it a file of no rows
            raise _no_table(self.file, error.strerror or str(error)) from None
        return status.st_mtime_ns, status.st_ino, status.st_size


def _in_order(cells: Cells, columns: Sequence[str]) -> list[str]:
    return [cells.get(name, "") for name in columns[1:]]


def _line(cells: Sequence[str]) -> bytes:
    """A line of the file; bytes that are no text stay as they are."""
    line = io.StringIO(newline="")
    row_writer(line)(cells)
    return line.getvalue().encode(errors="surrogateescape")


def _rows_of(file: Path) -> tuple[list[str], dict[str, Cells]]:
    """The columns and rows of a table; raises `LabelError` for a file that is none."""
    csv.field_size_limit(_MOST_CELL)
    try:
        text = file.read_bytes().decode("utf-8-sig", errors="surrogateescape")
        table = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (OSError, csv.Error) as error:
        raise _no_table(file, str(error)) from None
    columns = table[0] if table else [NAME]
    named = next((name for name in NAMES if name in columns), "")
    if not named or len(set(columns)) < len(columns):
        raise _no_table(file, f"its columns are {', '.join(columns) or 'none'}")
    at = columns.index(named)
    rows: dict[str, Cells] = {}
    for number, cells in enumerate(table[1:], start=2):
        if len(cells) != len(columns):
            raise _no_table(file, f"line {number} has {len(cells)} cells of {len(columns)}")
        rest = {name: cell for name, cell in zip(columns, cells, strict=True) if name != named}
        if cells[at] in rows:
            raise _no_table(file, f"line {number} names {cells[at]} once more")
        rows[cells[at]] = rest
    return [NAME, *(name for name in columns if name != named)], rows


def _no_table(file: Path, reason: str) -> LabelError:
    hint = "give `save` a new file, or a table of this page: file_name, label, tags"
    told = shortened(printable(reason))
    return LabelError(f"{file} cannot be continued: {told}", hint)


def joined_tags(tags: Sequence[str]) -> str:
    """Tags as a cell, each once.

    >>> joined_tags(["red", "blue", "red"])
    'red;blue'
    """
    return ";".join(dict.fromkeys(tags))
