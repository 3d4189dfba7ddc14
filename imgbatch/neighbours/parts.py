"""Points that lie in several parts: rows gathered and neighbours found as if they lay in one.

Pure functions: where a part lies is its own business, and how work on parts is spread is one
function, a `TaskMap`: over the cores of this machine, or over those of a cluster.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

import numpy as np
import numpy.typing as npt

from imgbatch.neighbours.search import (
    NeighbourSearch,
    candidates_by_pass,
    distances_to,
    nearest_of,
    squared_lengths,
)
from imgbatch.runners.maps import TaskMap, map_serially
from imgbatch.types import Floats, Hashes, Rows

Answer = TypeVar("Answer")
Found = tuple[Rows, Floats]
"""Rows and their distances, (k,) int64 and float32."""


class Part(Protocol):
    """Some consecutive rows of a data set; what it holds may be loaded when it is asked for."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of its points, known without loading them."""

    @property
    def points(self) -> Floats:
        """(n, p) float32."""

    @property
    def squares(self) -> Floats:
        """(n,) float32: the points' squared lengths."""

    @property
    def hashes(self) -> Hashes:
        """(n,) uint64 pHashes."""


@dataclass(frozen=True)
class MemoryPart:
    """A part that is at hand."""

    points: Floats
    squares: Floats
    hashes: Hashes

    @classmethod
    def of(cls, points: Floats, hashes: Hashes | None = None) -> "MemoryPart":
        """A part of points (n, p) and, unless None, their pHashes."""
        own = np.zeros(len(points), np.uint64) if hashes is None else hashes
        return cls(points, squared_lengths(points), own)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.points), self.points.shape[1]


class Parted:
    """One array in parts, read by row numbers that run through them.

    Parameters
    ----------
    parts
        One or more, in the order of rows.
    name
        Which of their arrays: "points", "squares" or "hashes".
    run_tasks
        Fetches rows from the parts.
    """

    def __init__(self, parts: Sequence[Part], name: str, run_tasks: TaskMap = map_serially) -> None:
        self.parts, self.name, self.run_tasks = tuple(parts), name, run_tasks
        self.ends = np.cumsum([part.shape[0] for part in self.parts], dtype=np.int64)
        columns = self.parts[0].shape[1:] if name == "points" else ()
        self.shape: tuple[int, ...] = (int(self.ends[-1]), *columns)
        self.ndim = len(self.shape)
        self.dtype = np.dtype(np.uint64 if name == "hashes" else np.float32)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: int | slice | npt.ArrayLike) -> Any:
        """The rows asked for, as a new array: by number, numbers of any shape, or a slice."""
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(len(self)))
        wanted = np.asarray(rows)
        if not np.issubdtype(wanted.dtype, np.integer) and wanted.size:
            raise IndexError(f"rows are whole numbers, but {wanted.dtype} was given")
        flat = wanted.reshape(-1).astype(np.int64)
        flat = np.where(flat < 0, flat + len(self), flat)
        if len(flat) and (flat.min() < 0 or flat.max() >= len(self)):
            raise IndexError(f"a row of {len(self)} was asked for that is not there")
        found = np.empty((len(flat), *self.shape[1:]), self.dtype)
        shares = split_rows(self.ends, flat)
        tasks = ((self.parts[part], self.name, own) for part, _, own in shares)
        answers = self.run_tasks(_take, tasks)
        for (_, places, _), answer in zip(shares, answers, strict=True):
            found[places] = answer
        return found.reshape((*wanted.shape, *self.shape[1:]))[()]

    def __array__(self, dtype: Any = None, copy: Any = None) -> npt.NDArray[Any]:
        """All rows in memory, for whoever needs an array: NumPy's protocol."""
        return np.asarray(self[:], dtype)


def as_array(parted: Parted) -> npt.NDArray[Any]:
    """The same object, for the type checker: selectors only index it and ask for its length."""
    return cast("npt.NDArray[Any]", parted)


def split_rows(ends: Rows, rows: Rows) -> list[tuple[int, Rows, Rows]]:
    """For each part that holds some of the rows: its number, their places, and their rows in it.

    `ends` (parts,) says where each part ends; a part's rows come rising, as memory is best read.
    """
    if not len(rows):
        return []
    order = np.argsort(rows, kind="stable")
    of = np.searchsorted(ends, rows[order], side="right")
    touched, first = np.unique(of, return_index=True)
    starts = np.concatenate([[0], ends[:-1]])
    return [
        (int(part), places, rows[places] - starts[part])
        for part, places in zip(touched, np.split(order, first[1:]), strict=True)
    ]


def _take(part: Part, name: str, rows: Rows) -> npt.NDArray[Any]:
    taken: npt.NDArray[Any] = getattr(part, name)[rows]
    return taken


class PartedSearch(NeighbourSearch):
    """Exact nearest neighbours in all parts, found in each and merged.

    The answers are those of a `NeighbourSearch` in all points at once, ties included: every part
    gives its k nearest by exact distance, and of equal distances the lowest rows. One pass over
    the points for several queries; (q, parts, k) rows and distances are merged.
    """

    def __init__(self, parts: Sequence[Part], run_tasks: TaskMap = map_serially) -> None:
        self._parted = Parted(parts, "points", run_tasks)
        super().__init__(as_array(self._parted), large=0)

    def _answers(self, queries: Floats, k: int) -> list[Found]:
        parts = self._parted.parts
        starts = np.concatenate([[0], self._parted.ends[:-1]])
        answers = self._parted.run_tasks(nearest_in_part, ((part, queries, k) for part in parts))
        found = [
            [(rows + start, distances) for rows, distances in answer]
            for start, answer in zip(starts, answers, strict=True)
        ]
        joined = (
            [np.concatenate(one) for one in zip(*of, strict=True)]
            for of in zip(*found, strict=True)
        )
        return [nearest_of(rows, distances, k) for rows, distances in joined]


def nearest_in_part(part: Part, queries: Floats, k: int) -> list[Found]:
    """For each query (q, d), the part's k nearest rows, or all if fewer; nearest first."""
    points, k = part.points, min(k, part.shape[0])
    candidates = candidates_by_pass(points, part.squares, queries, k)
    return [
        nearest_of(rows, distances_to(points[rows], query), k)
        for rows, query in zip(candidates, queries, strict=True)
    ]
