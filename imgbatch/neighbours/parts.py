"""Points in several parts, read and searched as if they were one array.

A part loads its arrays itself. One function, a `TaskMap`, spreads the work on parts over the cores
of this machine or over a cluster.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from imgbatch.descriptors.miniature import SIDE_PX
from imgbatch.measures.quantities import STORED
from imgbatch.neighbours.search import (
    NeighbourSearch,
    candidates_by_pass,
    distances_to,
    nearest_of,
    squared_lengths,
)
from imgbatch.runners.maps import TaskMap, map_serially
from imgbatch.types import Floats, Hashes, Rows, View

Neighbours = tuple[Rows, Floats]
"""Rows and their distances, (k,) int64 and float32; nearest first."""


class Part(Protocol):
    """Some consecutive rows of a data set; arrays may be loaded when they are asked for."""

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

    @property
    def miniatures(self) -> View:
        """(n, 1024) uint8: the pictures in little, see `descriptors.miniature`."""

    @property
    def measures(self) -> View:
        """(n, m) uint8: measured quantities, see `measures.quantities`."""


@dataclass(frozen=True)
class MemoryPart:
    """A part whose arrays are in memory, or memory-mapped.

    >>> import numpy as np
    >>> MemoryPart.of(np.array([[3, 4], [0, 1]], np.float32)).squares.tolist()
    [25.0, 1.0]
    """

    points: Floats
    squares: Floats
    hashes: Hashes
    miniatures: View
    measures: View

    @classmethod
    def of(cls, points: Floats, hashes: Hashes | None = None) -> "MemoryPart":
        """A part of points (n, p) and their pHashes (n,), None stands for zeros; no more."""
        hashes = np.zeros(len(points), np.uint64) if hashes is None else hashes
        nothing = np.zeros((len(points), 0), np.uint8)
        return cls(points, squared_lengths(points), hashes, nothing, nothing)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.points), self.points.shape[1]


@dataclass
class TakenPart:
    """Some rows of another part, whose arrays are loaded on first use.

    >>> import numpy as np
    >>> whole = MemoryPart.of(np.array([[3, 4], [0, 1]], np.float32))
    >>> TakenPart(whole, np.array([1])).points.tolist()
    [[0.0, 1.0]]
    """

    part: Part
    rows: Rows

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.rows), self.part.shape[1]

    @cached_property
    def points(self) -> Floats:
        """(n, p) float32."""
        return self.part.points[self.rows]

    @cached_property
    def squares(self) -> Floats:
        """(n,) float32."""
        return self.part.squares[self.rows]

    @cached_property
    def hashes(self) -> Hashes:
        """(n,) uint64."""
        return self.part.hashes[self.rows]

    @property
    def miniatures(self) -> View:
        """(n, 1024) uint8; only rows that are asked for are read."""
        return cast("View", TakenRows(self.part.miniatures, self.rows))

    @property
    def measures(self) -> View:
        """(n, m) uint8; only rows that are asked for are read."""
        return cast("View", TakenRows(self.part.measures, self.rows))


@dataclass(frozen=True, slots=True, eq=False)
class TakenRows:
    """Some rows of an array, read when they are indexed."""

    array: npt.NDArray[Any]
    rows: Rows

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array."""
        return len(self.rows), *self.array.shape[1:]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, chosen: Any) -> npt.NDArray[Any]:
        return np.asarray(self.array[self.rows[chosen]])


def taken_parts(parts: Sequence[Part], rows: Rows) -> tuple[Part, ...]:
    """The parts of some rows, which rise and count through all parts; none of them is empty."""
    ends = np.cumsum([part.shape[0] for part in parts], dtype=np.int64)
    return tuple(TakenPart(parts[part], chosen) for part, _, chosen in split_rows(ends, rows))


class Parted:
    """One array in several parts. Indexing it reads rows from the parts that hold them.

    Row numbers count through all parts. NumPy functions that need an array read all rows.

    Parameters
    ----------
    parts
        One or more, in the order of rows.
    name
        The array: "points", "squares", "hashes", "miniatures" or "measures".
    run_tasks
        Fetches rows from the parts.

    Raises
    ------
    IndexError
        A row is not a whole number from -n to n - 1.

    >>> import numpy as np
    >>> points = np.arange(12, dtype=np.float32).reshape(6, 2)
    >>> parted = Parted([MemoryPart.of(points[:4]), MemoryPart.of(points[4:])], "points")
    >>> parted.shape, parted[[5, 0]].tolist()
    ((6, 2), [[10.0, 11.0], [0.0, 1.0]])
    """

    def __init__(self, parts: Sequence[Part], name: str, run_tasks: TaskMap = map_serially) -> None:
        self.parts, self.name, self.run_tasks = tuple(parts), name, run_tasks
        self.ends = np.cumsum([part.shape[0] for part in self.parts], dtype=np.int64)
        columns = {
            "points": self.parts[0].shape[1:],
            "miniatures": (SIDE_PX**2,),
            "measures": (len(STORED),),
        }
        self.shape: tuple[int, ...] = (int(self.ends[-1]), *columns.get(name, ()))
        self.ndim = len(self.shape)
        kinds = {"hashes": np.uint64, "miniatures": np.uint8, "measures": np.uint8}
        self.dtype = np.dtype(kinds.get(name, np.float32))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: int | slice | npt.ArrayLike) -> Any:
        """A new array of some rows, given by a number, numbers in any shape, or a slice."""
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(len(self)))
        wanted = np.asarray(rows)
        if not np.issubdtype(wanted.dtype, np.integer) and wanted.size:
            raise IndexError(f"rows are whole numbers, but {wanted.dtype} was given")
        flat = wanted.reshape(-1).astype(np.int64)
        flat = np.where(flat < 0, flat + len(self), flat)
        if len(flat) and (flat.min() < 0 or flat.max() >= len(self)):
            raise IndexError(f"rows are {-len(self)} to {len(self) - 1}, but another was given")
        gathered = np.empty((len(flat), *self.shape[1:]), self.dtype)
        shares = split_rows(self.ends, flat)
        tasks = ((self.parts[part], self.name, part_rows) for part, _, part_rows in shares)
        for (_, positions, _), taken in zip(shares, self.run_tasks(_take, tasks), strict=True):
            gathered[positions] = taken
        return gathered.reshape((*wanted.shape, *self.shape[1:]))[()]

    def __array__(self, dtype: Any = None, copy: Any = None) -> npt.NDArray[Any]:
        """All rows in memory: NumPy's protocol for functions that need an array."""
        return np.asarray(self[:], dtype)


def as_array(parted: Parted) -> npt.NDArray[Any]:
    """The same object; type checkers take it for an array, as selectors use nothing else of it."""
    return cast("npt.NDArray[Any]", parted)


def split_rows(ends: Rows, rows: Rows) -> list[tuple[int, Rows, Rows]]:
    """Split row numbers by the part that holds them.

    Parameters
    ----------
    ends
        (parts,) the row after each part's last.
    rows
        (m,) row numbers in any order.

    Returns
    -------
    list of (part, positions, part_rows)
        For each part that holds any: its number, the positions of its rows in `rows`, and these
        rows counted from the part's first. They rise, as memory is read best.

    >>> import numpy as np
    >>> split_rows(np.array([4, 6]), np.array([5, 0, 4]))
    [(0, array([1]), array([0])), (1, array([2, 0]), array([0, 1]))]
    """
    if not len(rows):
        return []
    order = np.argsort(rows, kind="stable")
    part_of = np.searchsorted(ends, rows[order], side="right")
    parts, first = np.unique(part_of, return_index=True)
    starts = np.concatenate([[0], ends[:-1]])
    return [
        (int(part), positions, rows[positions] - starts[part])
        for part, positions in zip(parts, np.split(order, first[1:]), strict=True)
    ]


def _take(part: Part, name: str, rows: Rows) -> npt.NDArray[Any]:
    taken: npt.NDArray[Any] = getattr(part, name)[rows]
    return taken


class PartedSearch(NeighbourSearch):
    """Exact nearest neighbours in several parts: each part's nearest, merged.

    The answers are those of a `NeighbourSearch` in all points at once, ties included. Every part
    gives its k nearest by exact distance, the lowest rows first among equal distances. Several
    queries cost one pass over the points; merging handles (q, parts, k) rows and distances.

    >>> import numpy as np
    >>> points = np.array([[0], [5], [1], [9]], np.float32)
    >>> search = PartedSearch([MemoryPart.of(points[:2]), MemoryPart.of(points[2:])])
    >>> search.nearest(points[0], 3)[0].tolist()
    [0, 2, 1]
    """

    def __init__(self, parts: Sequence[Part], run_tasks: TaskMap = map_serially) -> None:
        self._parted = Parted(parts, "points", run_tasks)
        super().__init__(as_array(self._parted), large=0)

    def _answers(self, queries: Floats, k: int) -> list[Neighbours]:
        parts, ends = self._parted.parts, self._parted.ends
        starts = np.concatenate([[0], ends[:-1]])
        of_parts = self._parted.run_tasks(nearest_in_part, ((part, queries, k) for part in parts))
        rows: list[list[Rows]] = [[] for _ in queries]
        distances: list[list[Floats]] = [[] for _ in queries]
        for start, of_part in zip(starts, of_parts, strict=True):
            for query, (part_rows, part_distances) in enumerate(of_part):
                rows[query].append(part_rows + start)
                distances[query].append(part_distances)
        return [
            nearest_of(np.concatenate(query_rows), np.concatenate(query_distances), k)
            for query_rows, query_distances in zip(rows, distances, strict=True)
        ]


def nearest_in_part(part: Part, queries: Floats, k: int) -> list[Neighbours]:
    """For each query (q, p), the part's k nearest rows, counted in the part; all if fewer."""
    points, k = part.points, min(k, part.shape[0])
    candidates = candidates_by_pass(points, part.squares, queries, k)
    return [
        nearest_of(rows, distances_to(points[rows], query), k)
        for rows, query in zip(candidates, queries, strict=True)
    ]
