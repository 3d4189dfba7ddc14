"""The readable images of a folder, packed into arrays that load in no time (DESIGN.md, 31)."""

import json
import os
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, overload

import numpy as np
import numpy.typing as npt

from imgbatch.types import ImageRecord

_ARRAYS = ("paths", "ends", "sizes")
_NOTES = "notes.json"
_BLOCK_ROWS = 1 << 16
"""Rows handled together as plain Python numbers, so that memory stays small."""

Row = tuple[bytes, int, int, str]
"""Path as bytes, width and height in pixels, note: a readable image as the index holds it."""


@dataclass(frozen=True, slots=True, eq=False)
class Records(Sequence[ImageRecord]):
    """All readable images, sorted by the bytes of their paths: a sequence of `ImageRecord`.

    A record is made when it is asked for. The sequence does not change when the index does, and
    several threads and processes may use it at once.

    Attributes
    ----------
    paths
        (bytes,) uint8: all paths, one after the other; memory-mapped if read from the disk.
    ends
        (n,) int64: where each path ends in `paths`.
    sizes
        (n, 2) int32: width and height in pixels.
    notes
        What was odd about a file, by row; files without a note are missing.

    Examples
    --------
    >>> records = Records.pack([(b"a/1.jpg", 640, 480, ""), (b"b/2.jpg", 320, 200, "")])
    >>> records[1].path, records[1].width, records[1].label
    ('b/2.jpg', 320, 'b')
    >>> records.row_of("b/2.jpg")
    1
    """

    paths: npt.NDArray[np.uint8]
    ends: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int32]
    notes: Mapping[int, str]

    @classmethod
    def pack(cls, rows: Iterable[Row]) -> Self:
        """Pack rows that are sorted by path, in O(n) time and the memory of the result."""
        paths, lengths, sizes = bytearray(), list[int](), list[tuple[int, int]]()
        blocks: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]] = []
        notes: dict[int, str] = {}
        for row, (path, width, height, note) in enumerate(rows):
            paths += path
            lengths.append(len(path))
            sizes.append((width, height))
            if note:
                notes[row] = note
            if len(lengths) == _BLOCK_ROWS:
                blocks.append((np.array(lengths, np.int64), np.array(sizes, np.int32)))
                lengths, sizes = [], []
        blocks.append((np.array(lengths, np.int64), np.array(sizes, np.int32).reshape(-1, 2)))
        all_lengths, all_sizes = (np.concatenate(arrays) for arrays in zip(*blocks, strict=True))
        ends = np.cumsum(all_lengths, dtype=np.int64)
        return cls(np.frombuffer(bytes(paths), np.uint8), ends, all_sizes, notes)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote; raises `OSError` or `ValueError` for missing or damaged files."""
        paths, ends, sizes = (
            np.load(directory / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in _ARRAYS
        )
        if len(ends) != len(sizes) or (int(ends[-1]) if len(ends) else 0) != len(paths):
            raise ValueError("the arrays do not belong together")
        notes = json.loads((directory / _NOTES).read_text(encoding="utf-8"))
        return cls(paths, ends, sizes, {int(row): note for row, note in notes.items()})

    @staticmethod
    def files(directory: Path) -> list[Path]:
        """The files that `save` writes."""
        return [*(directory / f"{name}.npy" for name in _ARRAYS), directory / _NOTES]

    def save(self, directory: Path) -> None:
        """Write the arrays (nothing pickled) and the notes into an existing directory."""
        for name in _ARRAYS:
            np.save(directory / f"{name}.npy", getattr(self, name), allow_pickle=False)
        (directory / _NOTES).write_text(json.dumps(self.notes), encoding="utf-8")

    def __len__(self) -> int:
        return len(self.ends)

    @overload
    def __getitem__(self, row: int) -> ImageRecord: ...
    @overload
    def __getitem__(self, row: slice) -> list[ImageRecord]: ...
    def __getitem__(self, row: int | slice) -> ImageRecord | list[ImageRecord]:
        if isinstance(row, slice):
            return [self[number] for number in range(*row.indices(len(self)))]
        number = row + len(self) if row < 0 else row
        if not 0 <= number < len(self):
            raise IndexError(f"row {row} of {len(self):,} images")
        width, height = self.sizes[number].tolist()
        note = self.notes.get(number, "")
        return ImageRecord(os.fsdecode(self._path(number)), width, height, note)

    def __iter__(self) -> Iterator[ImageRecord]:
        paths = self.all_paths()
        for start in range(0, len(self), _BLOCK_ROWS):
            block = self.sizes[start : start + _BLOCK_ROWS].tolist()
            for row, (width, height) in enumerate(block, start):
                yield ImageRecord(next(paths), width, height, self.notes.get(row, ""))

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same images, with the same sizes and notes."""
        if not isinstance(other, Records):
            return NotImplemented
        equal = all(np.array_equal(getattr(self, a), getattr(other, a)) for a in _ARRAYS)
        return equal and self.notes == other.notes

    def __hash__(self) -> int:
        return hash((len(self), len(self.paths)))

    def take(self, rows: npt.NDArray[np.int64]) -> "Records":
        """Some of the images, given by rising rows.

        >>> records = Records.pack([(b"1.jpg", 8, 6, ""), (b"2.jpg", 4, 3, "odd")])
        >>> records.take(np.array([1]))[0]
        ImageRecord(path='2.jpg', width=4, height=3, note='odd')
        """
        lengths = np.diff(self.ends, prepend=0)[rows]
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if len(ends) else 0
        positions = np.arange(total) + np.repeat(self.ends[rows] - ends, lengths)
        kept = enumerate(rows.tolist())
        notes = {new: self.notes[old] for new, old in kept if old in self.notes}
        return Records(self.paths[positions], ends, self.sizes[rows], notes)

    @property
    def top_folder(self) -> str:
        """The first-level subfolder that holds all images; "" if there is no single one.

        >>> Records.pack([(b"a/1.jpg", 8, 6, ""), (b"a/b/2.jpg", 4, 3, "")]).top_folder
        'a'
        """
        first, last = self[0].label, self[-1].label  # they are sorted by path
        return first if first == last else ""

    def row_of(self, path: str) -> int | None:
        """The row of a path inside the folder, in O(log n); None if no readable image has it."""
        wanted = os.fsencode(path)
        row = bisect_left(range(len(self)), wanted, key=self._path)
        return row if row < len(self) and self._path(row) == wanted else None

    def all_paths(self) -> Iterator[str]:
        """All paths, in the order of rows."""
        joined, start = self.paths.tobytes(), 0
        for end in self.ends.tolist():
            yield os.fsdecode(joined[start:end])
            start = end

    def _path(self, row: int) -> bytes:
        start = self.ends[row - 1] if row else 0
        return self.paths[start : self.ends[row]].tobytes()
