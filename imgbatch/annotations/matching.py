"""From the rows of a metadata file to columns by image."""

import os
import posixpath
import unicodedata
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from imgbatch.annotations.columns import Column, StringPool, as_numbers
from imgbatch.annotations.formats import open_table
from imgbatch.annotations.misfits import Misfit, Misfits
from imgbatch.annotations.table import MANY, Row, Table
from imgbatch.errors import LabelError
from imgbatch.files.paths import inside
from imgbatch.types import Rows

MACHINE = "imgbatch"
"""The source of rows that this program has written: no truth unless it is asked for."""
_UNKNOWN = -1
_ROWS_AT_HAND = 10_000
"""Of unlike labels and the like: those that recur are among the first."""


class Finder:
    """Finds the image that a row names.

    Parameters
    ----------
    folder
        Absolute path of the image folder, or its URL.
    paths
        The path of each image inside the folder, in the order of rows.
    """

    def __init__(self, folder: str, paths: Iterable[str]) -> None:
        self._folder = folder
        self._rows = {path: row for row, path in enumerate(paths)}

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, name: str) -> int | Misfit:
        r"""The row of an image, or why there is none.

        A name is a path relative to the folder, or an absolute one; ``./``, ``..`` and, on a
        second try, ``\\`` between its parts are understood.

        >>> finder = Finder("/photos", ["a/1.jpg"])
        >>> finder.find("./a/1.jpg"), finder.find("/photos/a/1.jpg"), finder.find("a\\\\1.jpg")
        (0, 0, 0)
        >>> finder.find("../b/1.jpg").name, finder.find("2.jpg").name, finder.find("").name
        ('OUTSIDE', 'NO_IMAGE', 'NO_NAME')
        >>> finder.find("A/1.JPG").name
        'OTHER_SPELLING'
        """
        row = self._rows.get(name)
        if row is not None:
            return row
        if not name.strip():
            return Misfit.NO_NAME
        tries = [self._relative(name.strip()), self._relative(name.strip().replace("\\", "/"))]
        for path in tries:
            if path in self._rows:
                return self._rows[path]
        if tries[0] == ".." or tries[0].startswith("../") or os.path.isabs(tries[0]):
            return Misfit.OUTSIDE
        other = hash(_spelling(tries[0])) in self._spellings
        return Misfit.OTHER_SPELLING if other else Misfit.NO_IMAGE

    @cached_property
    def _spellings(self) -> frozenset[int]:
        """Hashes of all paths without case and Unicode forms, for rows that name no image.

        Such rows are told and not matched: several files may differ in this alone.
        """
        return frozenset(hash(_spelling(path)) for path in self._rows)

    def path_of(self, row: int) -> str:
        """The path of an image; O(n), for errors."""
        return next(path for path, number in self._rows.items() if number == row)

    def missing(self, found: npt.NDArray[np.bool_]) -> Iterable[str]:
        """The paths of the images that were not found."""
        return (path for path, row in self._rows.items() if not found[row])

    def _relative(self, name: str) -> str:
        """The path as the index writes it: relative to the folder, with ``/`` between its parts."""
        if "\0" in name:
            return name
        if os.path.isabs(name):
            name = inside(name, self._folder)
        path = posixpath.normpath(name.replace(os.sep, "/"))
        if path.startswith("../"):  # it may lead back, as ../photos/1.jpg does
            whole = posixpath.normpath(posixpath.join(self._folder, path))
            path = inside(whole, self._folder)
        return path


def _spelling(path: str) -> str:
    """A path without what some systems do not tell apart."""
    return path.lower() if path.isascii() else unicodedata.normalize("NFC", path).casefold()


@dataclass(slots=True)
class _Kind:
    """The strings of one kind: how many each row has, and their codes, row after row."""

    name: str
    pool: StringPool
    lengths: "array[int]" = field(default_factory=lambda: array("q"))
    codes: "array[int]" = field(default_factory=lambda: array("q"))
    known: dict[tuple[str, ...], list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str) -> "_Kind":
        """Equal texts are too rare to look for them; labels and the like recur."""
        return cls(name, StringPool(None if name == "texts" else {}))

    def add(self, strings: tuple[str, ...]) -> bool:
        """Add the strings of the next row; returns False if one of them held what is no text."""
        self.lengths.append(len(strings))
        if not strings:
            return True
        codes, whole = self.known.get(strings), True
        if codes is None:
            codes = []
            for string in strings:
                try:
                    codes.append(self.pool.code(string))
                except ValueError:
                    whole = False
                    codes.append(self.pool.code(_as_valid(string)))
            recurs = self.pool.known is not None and len(self.known) < _ROWS_AT_HAND
            if whole and recurs:
                self.known[strings] = codes
        self.codes.extend(codes)
        return whole


def _as_valid(string: str) -> str:
    """The string with ? for what UTF-8 cannot hold, and for NUL, which databases do not take."""
    return string.encode(errors="replace").decode().replace("\0", "?")


@dataclass(slots=True)
class _Matched:
    """The rows that name an image: its row, the row's number, a digest of its values."""

    kinds: list[_Kind]
    images: "array[int]" = field(default_factory=lambda: array("q"))
    numbers: "array[int]" = field(default_factory=lambda: array("q"))
    digests: "array[int]" = field(default_factory=lambda: array("q"))
    machine_rows: int = 0


@dataclass(frozen=True, slots=True)
class FileColumns:
    """What one file says.

    Attributes
    ----------
    columns
        A column for each kind of which the file says something.
    described
        (n,) bool: which images have a row that counts.
    machine_rows
        Rows left out since they are this program's own output.
    first_name
        The first name in the file; "" if it has no rows.
    """

    columns: Mapping[str, Column]
    described: npt.NDArray[np.bool_]
    machine_rows: int
    first_name: str


@dataclass(frozen=True, slots=True)
class Rules:
    """How strictly a file is read.

    Attributes
    ----------
    by_hand
        Whether the user named the file: then an image with two labels is an error.
    trust_predicted
        Whether rows that this program has written count.
    """

    by_hand: bool
    trust_predicted: bool = False


def read_file(file: str, finder: Finder, rules: Rules, misfits: Misfits) -> FileColumns:
    """Read a metadata file, and sort what it says by image.

    The rows are gone through once; what is kept of each is packed: 24 bytes,
    8 for each kind and each string, and the strings. Sorting takes O(m log m) for m rows.

    Parameters
    ----------
    file
        A path; the ending says how it is read.
    finder
        The folder's images.
    rules
        How strictly it is read.
    misfits
        Gets what does not fit.

    Raises
    ------
    LabelError
        The file cannot be read; or, by hand, gives an image two labels.
    UsageError
        A library is missing.
    """
    table = open_table(file, misfits)
    matched = _Matched([_Kind.of(name) for name in table.kinds])
    first_name = ""
    source = table.kinds.index("sources") if "sources" in table.kinds else None
    for row in table.rows:
        first_name = first_name or row.name
        image = finder.find(row.name)
        if isinstance(image, Misfit):
            misfits.add(image, file, f"{table.unit} {row.number}", row.name)
        elif source is not None and MACHINE in row.values[source] and not rules.trust_predicted:
            matched.machine_rows += 1
        else:
            _keep(matched, image, row, table, file, misfits)
    columns = _columns(matched, table, file, rules, misfits, finder)
    described = np.zeros(len(finder), np.bool_)
    described[as_numbers(matched.images)] = True
    return FileColumns(columns, described, matched.machine_rows, first_name)


def _keep(
    matched: _Matched, image: int, row: Row, table: Table, file: str, misfits: Misfits
) -> None:
    matched.images.append(image)
    matched.numbers.append(row.number)
    matched.digests.append(hash(row.values))
    whole = [kind.add(strings) for kind, strings in zip(matched.kinds, row.values, strict=True)]
    if False in whole:
        misfits.add(Misfit.NOT_TEXT, file, f"{table.unit} {row.number}", row.name)


def _columns(
    matched: _Matched, table: Table, file: str, rules: Rules, misfits: Misfits, finder: Finder
) -> dict[str, Column]:
    """The columns by kind, without doubled rows, and with one value where one is expected."""
    images, numbers = as_numbers(matched.images), as_numbers(matched.numbers)
    doubled = _doubled(images, as_numbers(matched.digests))
    for number in numbers[doubled].tolist():
        misfits.add(Misfit.DOUBLED, file, f"{table.unit} {number}")
    columns: dict[str, Column] = {}
    for kind in matched.kinds:
        codes = as_numbers(kind.codes)
        entries = np.repeat(np.arange(len(images)), as_numbers(kind.lengths))
        kept = ~doubled[entries]
        entries, codes = entries[kept], codes[kept]
        order = np.argsort(images[entries], kind="stable")
        entries, codes = entries[order], codes[order]
        of_image = images[entries]
        if kind.name == "tags":
            kept = ~_doubled(of_image, codes)
        elif kind.name not in MANY:
            kept = np.diff(of_image, prepend=_UNKNOWN) != 0  # the first value of each image
            for at, first in _contradictions(of_image, codes):
                where = f"{table.unit} {numbers[entries[at]]}"
                given, above = kind.pool.string(int(codes[at])), kind.pool.string(int(codes[first]))
                if rules.by_hand and kind.name == "labels":
                    raise LabelError(
                        f"{file}, {where}: {finder.path_of(int(of_image[at]))} is {given!r} here, "
                        f"but {above!r} above",
                        "give each image only one label",
                    )
                misfits.add(Misfit.TWO_VALUES, file, where, f"{given}, above {above}")
        else:
            kept = np.ones(len(codes), np.bool_)
        if kept.any():
            ends = np.cumsum(np.bincount(of_image[kept], minlength=len(finder)))
            columns[kind.name] = Column(ends, codes[kept], *kind.pool.arrays())
    return columns


def _contradictions(images: Rows, codes: Rows) -> Iterable[tuple[int, int]]:
    """Entries whose code is not that of their image's first entry, with that entry; both sorted."""
    firsts = np.searchsorted(images, images)
    others = np.flatnonzero(codes != codes[firsts])
    return zip(others.tolist(), firsts[others].tolist(), strict=True)


def _doubled(images: Rows, values: Rows) -> npt.NDArray[np.bool_]:
    """(m,) whether an earlier entry has the same image and the same value."""
    order = np.lexsort((values, images))  # stable, so that the first of equal entries comes first
    doubled = np.zeros(len(images), np.bool_)
    same = (np.diff(images[order]) == 0) & (np.diff(values[order]) == 0)
    doubled[order[1:][same]] = True
    return doubled
