"""The readable images of a folder, packed: a million cost the bytes of their paths, no objects."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, overload

import numpy as np
import numpy.typing as npt

from imgbatch.types import ImageRecord

_ARRAYS = ("paths", "ends", "sizes")
_PART = 1 << 16

Row = tuple[bytes, int, int, str]
"""Path, width, height, note: a readable image as the index holds it."""


@dataclass(frozen=True, slots=True, eq=False)
class Records(Sequence[ImageRecord]):
    """Every readable image, sorted by the bytes of its path; an `ImageRecord` is made when asked.

    It never changes, whatever happens to the index, and may be used by several threads and
    processes at once.

    Attributes
    ----------
    paths
        All paths, one after the other: uint8, memory-mapped where it comes from the disk.
    ends
        (n,) int64: where in `paths` each ends.
    sizes
        (n, 2) int32: width and height in pixels.
    notes
        What was odd about a file, by row.
    """

    paths: npt.NDArray[np.uint8]
    ends: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int32]
    notes: Mapping[int, str]

    @classmethod
    def pack(cls, rows: Iterable[Row]) -> Self:
        """Pack rows that are sorted by path; O(n) time and the memory of the result."""
        paths, lengths, sizes = bytearray(), list[int](), list[tuple[int, int]]()
        parts: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]] = []
        notes: dict[int, str] = {}
        for row, (path, width, height, note) in enumerate(rows):
            paths += path
            lengths.append(len(path))
            sizes.append((width, height))
            if note:
                notes[row] = note
            if len(lengths) == _PART:
                parts.append((np.array(lengths), np.array(sizes, np.int32)))
                lengths, sizes = [], []
        parts.append((np.array(lengths, np.int64), np.array(sizes, np.int32).reshape(-1, 2)))
        ends = np.cumsum(np.concatenate([one for one, _ in parts]), dtype=np.int64)
        together = np.concatenate([one for _, one in parts])
        return cls(np.frombuffer(bytes(paths), np.uint8), ends, together, notes)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote; raises `OSError` or `ValueError` if it is missing or damaged."""
        paths, ends, sizes = (
            np.load(directory / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in _ARRAYS
        )
        if len(ends) != len(sizes) or (int(ends[-1]) if len(ends) else 0) != len(paths):
            raise ValueError("the arrays do not belong together")
        notes = json.loads((directory / "notes.json").read_text(encoding="utf-8"))
        return cls(paths, ends, sizes, {int(row): note for row, note in notes.items()})

    def save(self, directory: Path) -> None:
        """Write the arrays (nothing pickled) and the notes into an existing directory."""
        for name in _ARRAYS:
            np.save(directory / f"{name}.npy", getattr(self, name), allow_pickle=False)
        (directory / "notes.json").write_text(json.dumps(self.notes), encoding="utf-8")

    def __len__(self) -> int:
        return len(self.ends)

    @overload
    def __getitem__(self, row: int) -> ImageRecord: ...
    @overload
    def __getitem__(self, row: slice) -> list[ImageRecord]: ...
    def __getitem__(self, row: int | slice) -> ImageRecord | list[ImageRecord]:
        if isinstance(row, slice):
            return [self[one] for one in range(*row.indices(len(self)))]
        at = row + len(self) if row < 0 else row
        if not 0 <= at < len(self):
            raise IndexError(f"row {row} of {len(self)} images")
        width, height = self.sizes[at].tolist()
        return ImageRecord(os.fsdecode(self._path(at)), width, height, self.notes.get(at, ""))

    def __iter__(self) -> Iterator[ImageRecord]:
        paths = self.all_paths()
        for start in range(0, len(self), _PART):  # a part's sizes at a time, as plain numbers
            for row, (width, height) in enumerate(
                self.sizes[start : start + _PART].tolist(), start
            ):
                yield ImageRecord(next(paths), width, height, self.notes.get(row, ""))

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same images, with the same sizes and notes."""
        if not isinstance(other, Records):
            return NotImplemented
        arrays = all(np.array_equal(getattr(self, a), getattr(other, a)) for a in _ARRAYS)
        return arrays and self.notes == other.notes

    def __hash__(self) -> int:
        return hash((len(self), len(self.paths)))

    def row_of(self, path: str) -> int | None:
        """The row of a path inside the folder, by bisection; None if no readable image has it."""
        wanted = os.fsencode(path)
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self._path(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self) and self._path(low) == wanted else None

    def all_paths(self) -> Iterator[str]:
        """Every path, in the order of rows."""
        joined, start = self.paths.tobytes(), 0
        for end in self.ends.tolist():
            yield os.fsdecode(joined[start:end])
            start = end

    def _path(self, row: int) -> bytes:
        start = self.ends[row - 1] if row else 0
        return self.paths[start : self.ends[row]].tobytes()
