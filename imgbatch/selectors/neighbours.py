"""Exact nearest neighbours: of one point by BallTree, of many by blocked matrix products."""

from dataclasses import dataclass

import numpy as np

from imgbatch.types import Floats, Rows

_BLOCK_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class NeighbourGraph:
    """The k nearest neighbours of every point, itself left out, nearest first.

    rows (n, k) int64; distances (n, k) float32, Euclidean; k < n.
    """

    rows: Rows
    distances: Floats


def neighbour_graph(points: Floats, k: int) -> NeighbourGraph:
    """Build the graph exactly. Equally near points stand in the order of their rows.

    points is (n, d) float32, finite. k is lowered to n - 1. O(n^2 d) time in blocks of about
    64 MB: a matrix product beats a tree many times over at these dimensions (DESIGN.md).
    """
    n = len(points)
    k = min(k, n - 1)
    rows = np.empty((n, k), np.int64)
    distances = np.empty((n, k), np.float32)
    step = max(1, _BLOCK_BYTES // (4 * n))
    for start in range(0, n if k else 0, step):
        block = slice(start, min(start + step, n))
        squared = squared_distances(points[block], points)
        squared[np.arange(len(squared)), np.arange(start, block.stop)] = np.inf
        nearest = np.argpartition(squared, k - 1, axis=1)[:, :k]
        nearest.sort(axis=1)
        found = np.take_along_axis(squared, nearest, axis=1)
        order = np.argsort(found, axis=1, kind="stable")
        rows[block] = np.take_along_axis(nearest, order, axis=1)
        distances[block] = np.sqrt(np.take_along_axis(found, order, axis=1))
    return NeighbourGraph(rows, distances)


def squared_distances(queries: Floats, points: Floats) -> Floats:
    """(m, d), (n, d) -> (m, n) float32 squared Euclidean distances, never negative."""
    squared: Floats = queries @ points.T
    squared *= -2
    squared += np.einsum("nd,nd->n", points, points)
    squared += np.einsum("md,md->m", queries, queries)[:, None]
    return np.maximum(squared, 0, out=squared)


def distances_to(points: Floats, query: Floats) -> Floats:
    """(n, d), (d,) -> (n,) float32 Euclidean distances, exactly 0 for an equal point."""
    step = max(1, _BLOCK_BYTES // (4 * max(1, points.shape[1])))
    squared = np.empty(len(points), np.float32)
    for start in range(0, len(points), step):
        away = points[start : start + step] - query
        squared[start : start + step] = np.einsum("nd,nd->n", away, away)
    return np.sqrt(squared)


def nearest(points: Floats, query: Floats, k: int, *, large: int) -> tuple[Rows, Floats]:
    """The k rows nearest to a query point, nearest first, ties by row; exact.

    Up to `large` points through scikit-learn's BallTree (Omohundro 1989), above through one pass
    over all points, which then costs less than building a tree.

    Returns
    -------
    rows, distances
        (min(k, n),) int64 and float32.
    """
    k = min(k, len(points))
    if len(points) > large:
        distances = distances_to(points, query)
        rows = np.argpartition(distances, k - 1)[:k].astype(np.int64)
    else:
        from sklearn.neighbors import BallTree

        found = BallTree(points).query(query[None], k=k, return_distance=False)
        rows = np.asarray(found[0], dtype=np.int64)
        distances = np.empty(len(points), np.float32)
        distances[rows] = distances_to(points[rows], query)
    order = np.lexsort((rows, distances[rows]))
    return rows[order], distances[rows[order]]
