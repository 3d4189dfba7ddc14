"""Exact nearest neighbours: of one point by BallTree, of many by blocked matrix products."""

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from imgbatch.types import Floats, Rows

if TYPE_CHECKING:
    from sklearn.neighbors import BallTree

_BLOCK_BYTES = 64_000_000
_ROUNDING = 1e-6  # relative error of a float32 distance, generously


class NeighbourSearch:
    """Exact nearest neighbours of query points, one at a time.

    Up to `large` points through scikit-learn's BallTree (Omohundro 1989), built on first use;
    above through one pass over all points, which then costs less than building a tree.

    Parameters
    ----------
    points
        (n, d) float32, finite, n >= 1.
    large
        Number of points above which the method changes, not the answer.
    """

    def __init__(self, points: Floats, large: int = 50_000) -> None:
        self.points = points
        self.large = large

    def nearest(self, query: Floats, k: int) -> tuple[Rows, Floats]:
        """The k rows nearest to a query (d,), nearest first, ties by row.

        Returns
        -------
        rows, distances
            (min(k, n),) int64 and float32, Euclidean.
        """
        n = len(self.points)
        k = min(k, n)
        if n > self.large:
            columns, distances = smallest(distances_to(self.points, query)[None], k)
            return columns[0], distances[0]
        away, found = (one[0] for one in self._tree.query(query[None], k=min(k + 1, n)))
        if k < n and away[k] <= away[k - 1] * (1 + _ROUNDING):
            # The tree breaks ties as it likes; so all that are as near as the last are looked at.
            found = self._tree.query_radius(query[None], away[k] * (1 + _ROUNDING))[0]
        found = found.astype(np.int64)
        near = distances_to(self.points[found], query)
        order = np.lexsort((found, near))[:k]
        return found[order], near[order]

    @cached_property
    def _tree(self) -> "BallTree":
        from sklearn.neighbors import BallTree

        return BallTree(self.points)


def neighbour_lists(points: Floats, rows: Rows, k: int) -> tuple[Rows, Floats]:
    """The k nearest other rows of some rows, nearest first, ties by row; exact.

    points is (n, d) float32, rows (m,); k is lowered to n - 1. Blocked matrix products: O(m n d)
    time, which for many rows beats a tree several times over at these dimensions (DESIGN.md).

    Returns
    -------
    rows, distances
        (m, k) int64 and float32, Euclidean.
    """
    k = max(0, min(k, len(points) - 1))
    near = np.empty((len(rows), k), np.int64)
    distances = np.empty((len(rows), k), np.float32)
    squares = np.einsum("nd,nd->n", points, points)
    step = max(1, _BLOCK_BYTES // (4 * len(points)))
    for start in range(0, len(rows) if k else 0, step):
        some = rows[start : start + step]
        squared = points[some] @ points.T
        squared *= -2
        squared += squares
        squared += squares[some][:, None]
        squared[np.arange(len(some)), some] = np.inf
        near[start : start + step], found = smallest(squared, k)
        distances[start : start + step] = np.sqrt(np.maximum(found, 0))
    return near, distances


def smallest(values: Floats, k: int) -> tuple[Rows, Floats]:
    """The k >= 1 smallest of each row of (m, n) values, with columns; rising, ties by column."""
    near = np.argpartition(values, k - 1, axis=1)[:, :k]
    last = np.take_along_axis(values, near[:, -1:], axis=1)
    for row in np.flatnonzero((values <= last).sum(axis=1) > k):  # ties that cross the border
        near[row] = np.argsort(values[row], kind="stable")[:k]
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
