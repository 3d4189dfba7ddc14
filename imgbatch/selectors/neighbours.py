"""Exact nearest neighbours: of one point by BallTree, of many by blocked matrix products."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from imgbatch.types import Floats, Rows

if TYPE_CHECKING:
    from sklearn.neighbors import BallTree

_BLOCK_BYTES = 64_000_000


class NeighbourLists:
    """Exact neighbours of points: lists of the k nearest of any row, or the nearest to a query.

    Lists are computed when first asked for: a request touches some hundred of them, while those of
    all rows would take O(n^2) time.

    Parameters
    ----------
    points
        (n, d) float32, finite.
    k
        Length of each list; lowered to n - 1.
    large
        Number of points above which `nearest` changes its method, not its answer.
    """

    def __init__(self, points: Floats, k: int, large: int = 50_000) -> None:
        self.points = points
        self.large = large
        self.k = max(0, min(k, len(points) - 1))
        self._squares = np.einsum("nd,nd->n", points, points)
        self._lists: dict[int, tuple[Rows, Floats]] = {}

    def of(self, rows: Rows | Sequence[int]) -> tuple[Rows, Floats]:
        """Neighbours and distances, (m, k) int64 and float32, nearest first, ties by row."""
        wanted = [int(row) for row in rows]
        missing = [row for row in dict.fromkeys(wanted) if row not in self._lists]
        step = max(1, _BLOCK_BYTES // (4 * len(self.points)))
        for start in range(0, len(missing), step):
            self._compute(missing[start : start + step])
        found = [self._lists[row] for row in wanted]
        return np.stack([one[0] for one in found]), np.stack([one[1] for one in found])

    def _compute(self, rows: list[int]) -> None:
        squared = self.points[rows] @ self.points.T
        squared *= -2
        squared += self._squares
        squared += self._squares[rows][:, None]
        squared[np.arange(len(rows)), rows] = np.inf
        near, near_squared = smallest(squared, self.k)
        distances = np.sqrt(np.maximum(near_squared, 0))
        for at, row in enumerate(rows):
            self._lists[row] = near[at], distances[at]

    def nearest(self, query: Floats, k: int) -> tuple[Rows, Floats]:
        """The k rows nearest to a query point (d,), nearest first, ties by row.

        Up to `large` points through scikit-learn's BallTree (Omohundro 1989), built on first use;
        above through one pass over all points, which then costs less than building a tree.

        Returns
        -------
        rows, distances
            (min(k, n),) int64 and float32.
        """
        k = min(k, len(self.points))
        if len(self.points) > self.large:
            distances = distances_to(self.points, query)
            found = np.argpartition(distances, k - 1)[:k]
            found, near = found.astype(np.int64), distances[found]
        else:
            found = self._tree.query(query[None], k=k, return_distance=False)[0].astype(np.int64)
            near = distances_to(self.points[found], query)
        order = np.lexsort((found, near))
        return found[order], near[order]

    @cached_property
    def _tree(self) -> "BallTree":
        from sklearn.neighbors import BallTree

        return BallTree(self.points)


def smallest(values: Floats, k: int) -> tuple[Rows, Floats]:
    """The k smallest of each row of (m, n) values with their columns, rising, ties by column."""
    if k == 0:
        return np.empty((len(values), 0), np.int64), np.empty((len(values), 0), np.float32)
    near = np.argpartition(values, k - 1, axis=1)[:, :k]
    near.sort(axis=1)
    found = np.take_along_axis(values, near, axis=1)
    order = np.argsort(found, axis=1, kind="stable")
    return np.take_along_axis(near, order, axis=1), np.take_along_axis(found, order, axis=1)


def distances_to(points: Floats, query: Floats) -> Floats:
    """(n, d), (d,) -> (n,) float32 Euclidean distances, exactly 0 for an equal point."""
    step = max(1, _BLOCK_BYTES // (4 * max(1, points.shape[1])))
    squared = np.empty(len(points), np.float32)
    for start in range(0, len(points), step):
        away = points[start : start + step] - query
        squared[start : start + step] = np.einsum("nd,nd->n", away, away)
    return np.sqrt(squared)
