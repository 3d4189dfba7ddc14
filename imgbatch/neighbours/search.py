"""Exact nearest neighbours by blocked matrix products or, where asked for, by BallTree."""

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from imgbatch.runners import usable_cores
from imgbatch.types import Floats, Rows

if TYPE_CHECKING:
    from sklearn.neighbors import BallTree

_BLOCK_BYTES = 64_000_000
_BLOCK_ROWS = 16_384  # of one pass over the points: what is compared stays in the cache
_SAMPLED = 16_384
_FEW_QUERIES = 16
_SMALL_PRODUCT = 800_000  # multiplications
_WORTH_A_THREAD = 655_360  # rows times queries
_LARGE_WORLD = 32_768
_ROUNDING = 1e-6  # relative error of a float32 distance, generously
_PRODUCT_ROUNDING = 4e-6  # error of a float32 product of two points, by their squared lengths
_ANSWERS_KEPT = 64


class NeighbourSearch:
    """Exact nearest neighbours of query points.

    Above `large` points through one pass over all of them for several queries at once; up to
    `large` through scikit-learn's BallTree (Omohundro 1989), built on first use, which wins where
    points have few dimensions and queries are many. The last few answers are kept, since a request
    asks for some twice.

    Parameters
    ----------
    points
        (n, d) float32, finite, n >= 1; may be memory-mapped.
    large
        Number of points above which the method changes, not the answer.
    squares
        (n,) float32 squared lengths of the points, if they are at hand.
    """

    def __init__(self, points: Floats, large: int = 50_000, squares: Floats | None = None) -> None:
        self.points = points
        self.large = large
        self._squares = squares
        self._kept: dict[bytes, tuple[int, Rows, Floats]] = {}

    def nearest(self, query: Floats, k: int) -> tuple[Rows, Floats]:
        """The k rows nearest to a query (d,), nearest first, ties by row.

        Returns
        -------
        rows, distances
            (min(k, n),) int64 and float32, Euclidean.
        """
        k = min(k, len(self.points))
        kept = self._kept.get(query.tobytes())
        if kept is None or kept[0] < k:
            self.prefetch(query[None], k)
            kept = self._kept[query.tobytes()]
        return kept[1][:k], kept[2][:k]

    def prefetch(self, queries: Floats, k: int) -> None:
        """Answer `nearest` for several queries (q, d) at once, to be asked for soon."""
        k = min(k, len(self.points))
        if len(self._kept) + len(queries) > _ANSWERS_KEPT:
            self._kept.clear()
        for query, answer in zip(queries, self._answers(queries, k), strict=True):
            self._kept[query.tobytes()] = k, *answer

    def _answers(self, queries: Floats, k: int) -> list[tuple[Rows, Floats]]:
        if len(self.points) > self.large:
            candidates = self._candidates_by_pass(queries, k)
        else:
            candidates = [self._candidates_by_tree(query, k) for query in queries]
        return [
            nearest_of(rows, distances_to(self.points[rows], query), k)
            for rows, query in zip(candidates, queries, strict=True)
        ]

    def _candidates_by_tree(self, query: Floats, k: int) -> Rows:
        """At least the k nearest rows, and all as near as the last of them."""
        n = len(self.points)
        away, found = (one[0] for one in self._tree.query(query[None], k=min(k + 1, n)))
        if k < n and away[k] <= away[k - 1] * (1 + _ROUNDING):
            # The tree breaks ties as it likes; so all that are as near as the last are looked at.
            found = self._tree.query_radius(query[None], away[k] * (1 + _ROUNDING))[0]
        return np.asarray(found, dtype=np.int64)

    def _candidates_by_pass(self, queries: Floats, k: int) -> list[Rows]:
        if self._squares is None:
            self._squares = squared_lengths(self.points)
        return candidates_by_pass(self.points, self._squares, queries, k)

    @cached_property
    def _tree(self) -> "BallTree":
        from sklearn.neighbors import BallTree

        return BallTree(self.points)


def nearest_of(rows: Rows, distances: Floats, k: int) -> tuple[Rows, Floats]:
    """The k nearest of some rows with their distances, nearest first, ties by row."""
    order = np.lexsort((rows, distances))[:k]
    return rows[order], distances[order]


def squared_lengths(points: Floats) -> Floats:
    """(n, d) -> (n,) float32."""
    lengths: Floats = np.einsum("nd,nd->n", points, points)
    return lengths


def candidates_by_pass(points: Floats, squares: Floats, queries: Floats, k: int) -> list[Rows]:
    """For each query (q, d), at least its k <= n nearest rows, rising; one pass over the points.

    Evenly spaced rows bound the k-th distance, so that of each block of products only few rows are
    kept; they are exact up to rounding, for which room is left. Of many points each core passes
    over a part, which changes nothing in what is found.
    """
    doubled = queries * np.float32(-2)
    room = _PRODUCT_ROUNDING * (float(squares.max()) + float((queries**2).sum(axis=1).max()))
    step = max(1, len(points) // max(_SAMPLED, 4 * k))
    spaced = doubled @ points[::step].T
    spaced += squares[::step]
    bounds: Floats = np.partition(spaced, k - 1, axis=1)[:, k - 1 : k].astype(np.float32)
    bounds += np.float32(room)

    def look(part: range) -> tuple[Rows, Rows, Floats]:
        return _below(points, squares, doubled, bounds, part)

    parts = _parts(len(points), len(queries))
    if len(parts) == 1:
        found = [look(parts[0])]
    else:
        with ThreadPoolExecutor(len(parts)) as threads:
            found = list(threads.map(look, parts))
    all_of, all_rows, all_values = (np.concatenate(one) for one in zip(*found, strict=True))
    order = np.argsort(all_of, kind="stable")
    ends = np.cumsum(np.bincount(all_of, minlength=len(queries)))[:-1]
    each = zip(np.split(all_rows[order], ends), np.split(all_values[order], ends), strict=True)
    return [some[far <= np.partition(far, k - 1)[k - 1] + room] for some, far in each]


def _parts(n: int, queries: int) -> list[range]:
    """All rows in one part for each core or, where starting a thread would not pay, in one."""
    most = min(n * queries // _WORTH_A_THREAD, n // _BLOCK_ROWS)
    cores = min(usable_cores(), most) if most > 1 else 1  # asking for cores costs an import
    return [range(n * part // cores, n * (part + 1) // cores) for part in range(cores)]


def _below(
    points: Floats, squares: Floats, doubled: Floats, bounds: Floats, part: range
) -> tuple[Rows, Rows, Floats]:
    """Pairs below a query's bound (q, 1): numbers of queries, rows of the part, values; by row."""
    of, rows, values = list[Rows](), list[Rows](), list[Floats]()
    # The same memory again and again: fresh pages would cost as much as the comparing.
    products = np.empty(len(doubled) * _BLOCK_ROWS, np.float32)
    near = np.empty(len(products), bool)
    for start in range(part.start, part.stop, _BLOCK_ROWS):
        stop = min(start + _BLOCK_ROWS, part.stop)
        shape = len(doubled), stop - start
        away = products[: shape[0] * shape[1]].reshape(shape)
        _multiply(doubled, points[start:stop], away)
        away += squares[start:stop]
        hits = np.flatnonzero(np.less_equal(away, bounds, out=near[: away.size].reshape(shape)))
        values.append(away.reshape(-1)[hits])
        query, row = np.divmod(hits, stop - start)
        of.append(query)
        rows.append(row + start)
    return np.concatenate(of), np.concatenate(rows), np.concatenate(values)


def _multiply(queries: Floats, block: Floats, out: Floats) -> None:
    """Write to out (q, n) the products of queries (q, d) and the rows of a block (n, d).

    For few queries OpenBLAS is twice as fast the other way around, in pieces small enough for its
    kernels that copy nothing.
    """
    rows = _SMALL_PRODUCT // queries.size
    if len(queries) > _FEW_QUERIES or rows < 1:
        np.matmul(queries, block.T, out=out)
        return
    columns = np.ascontiguousarray(queries.T)
    for start in range(0, len(block), rows):
        out[:, start : start + rows] = (block[start : start + rows] @ columns).T


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
    squares = squared_lengths(points)
    large = len(points) > _LARGE_WORLD
    step = 256 if large else max(1, _BLOCK_BYTES // (4 * len(points)))
    for start in range(0, len(rows) if k else 0, step):
        some = rows[start : start + step]
        if large:
            for place, candidates in enumerate(
                candidates_by_pass(points, squares, points[some], k + 1), start=start
            ):
                others = candidates[candidates != rows[place]]
                away = distances_to(points[others], points[rows[place]])
                order = np.lexsort((others, away))[:k]
                near[place], distances[place] = others[order], away[order]
            continue
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
        tied = np.flatnonzero(values[row] <= last[row])
        near[row] = tied[np.argsort(values[row, tied], kind="stable")[:k]]
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
