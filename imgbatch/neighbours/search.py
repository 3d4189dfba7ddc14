"""Exact nearest neighbours: by one pass over all points, or on request by a BallTree.

The pass has three steps. A sample bounds the distance of the k-th neighbour: the k-th nearest of
all points is at most as far as the k-th nearest of evenly spaced ones. Products of the queries with
blocks of points then give all squared distances, of which only the few below the bound are kept.
Those few rows are compared by their exact distances. As the products are float32, the bound gets a
margin for rounding.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from imgbatch.runners import usable_cores
from imgbatch.types import Floats, Rows

if TYPE_CHECKING:
    from sklearn.neighbors import BallTree

_BLOCK_BYTES = 64_000_000
_BLOCK_ROWS = 16_384
"""Points multiplied at a time in the pass: their products stay in the processor's cache."""
_SAMPLE_ROWS = 16_384
_FEW_QUERIES = 16
_SMALL_PRODUCT = 800_000
"""Multiplications of a product for which OpenBLAS copies nothing."""
_WORTH_A_THREAD = 655_360
"""Rows times queries that take longer than starting a thread."""
_MANY_POINTS = 32_768
_DISTANCE_ROUNDING = 1e-6
"""At least the relative rounding error of a float32 distance."""
_PRODUCT_ROUNDING = 4e-6
"""At least the rounding error of a float32 product of two points, by their squared lengths."""
_ANSWERS_KEPT = 64


class NeighbourSearch:
    """Exact nearest neighbours of query points.

    One pass over all points answers several queries at once. If there are at most `large` points,
    scikit-learn's BallTree (Omohundro 1989), built on first use, answers each query instead; it
    wins if points have few dimensions and queries are many. The last answers are kept, since a
    request asks for some of them twice.

    Parameters
    ----------
    points
        (n, d) float32, finite, n >= 1; may be memory-mapped.
    large
        Number of points above which the method changes; the answers are the same.
    squares
        (n,) float32 squared lengths of the points; computed on first use if None.

    Examples
    --------
    >>> points = np.array([[0, 0], [3, 4], [0, 1]], np.float32)
    >>> rows, distances = NeighbourSearch(points).nearest(points[0], k=3)
    >>> rows.tolist(), distances.tolist()
    ([0, 2, 1], [0.0, 1.0, 5.0])
    """

    def __init__(self, points: Floats, large: int = 0, squares: Floats | None = None) -> None:
        self.points = points
        self.large = large
        self._squares = squares
        self._kept_answers: dict[bytes, tuple[int, Rows, Floats]] = {}

    def nearest(self, query: Floats, k: int) -> tuple[Rows, Floats]:
        """The k rows nearest to a query (d,), nearest first, ties by row.

        O(n d) time by the pass.

        Returns
        -------
        rows, distances
            (min(k, n),) int64 and float32, Euclidean.
        """
        k = min(k, len(self.points))
        answer = self._kept_answers.get(query.tobytes())
        if answer is None or answer[0] < k:
            self.prefetch(query[None], k)
            answer = self._kept_answers[query.tobytes()]
        _, rows, distances = answer
        return rows[:k], distances[:k]

    def prefetch(self, queries: Floats, k: int) -> None:
        """Answer `nearest` for several queries (q, d) together, before they are asked."""
        k = min(k, len(self.points))
        if len(self._kept_answers) + len(queries) > _ANSWERS_KEPT:
            self._kept_answers.clear()
        for query, answer in zip(queries, self._answers(queries, k), strict=True):
            self._kept_answers[query.tobytes()] = k, *answer

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
        """At least the k nearest rows, and all rows as near as the last of them."""
        n = len(self.points)
        distances, rows = (answers[0] for answers in self._tree.query(query[None], min(k + 1, n)))
        within = distances[k - 1] * (1 + _DISTANCE_ROUNDING)
        if k < n and distances[k] <= within:  # a tie, of which the tree returns any rows
            rows = self._tree.query_radius(query[None], within)[0]
        return np.asarray(rows, dtype=np.int64)

    def _candidates_by_pass(self, queries: Floats, k: int) -> list[Rows]:
        if self._squares is None:
            self._squares = squared_lengths(self.points)
        return candidates_by_pass(self.points, self._squares, queries, k)

    @cached_property
    def _tree(self) -> "BallTree":
        from sklearn.neighbors import BallTree

        return BallTree(self.points)


def nearest_of(rows: Rows, distances: Floats, k: int) -> tuple[Rows, Floats]:
    """The k nearest of rows with these distances: nearest first, ties by row."""
    order = np.lexsort((rows, distances))[:k]
    return rows[order], distances[order]


def squared_lengths(points: Floats) -> Floats:
    """The points' squared lengths: (n, d) -> (n,) float32."""
    lengths: Floats = np.einsum("nd,nd->n", points, points)
    return lengths


def candidates_by_pass(points: Floats, squares: Floats, queries: Floats, k: int) -> list[Rows]:
    """For each query (q, d), few rows that include its k <= n nearest; rising.

    One pass over the points, as the module's docstring says: O(q n d) time. Several cores pass over
    a part of many points each, which does not change the answer. Distances are squared and lack the
    query's squared length, which is the same for all points.
    """
    doubled = queries * np.float32(-2)
    margin = _PRODUCT_ROUNDING * (float(squares.max()) + float((queries**2).sum(axis=1).max()))
    step = max(1, len(points) // max(_SAMPLE_ROWS, 4 * k))
    sample = doubled @ points[::step].T
    sample += squares[::step]
    bounds: Floats = np.partition(sample, k - 1, axis=1)[:, k - 1 : k].astype(np.float32)
    bounds += np.float32(margin)

    def search_part(part: range) -> tuple[Rows, Rows, Floats]:
        return _rows_below(points, squares, doubled, bounds, part)

    parts = _parts(len(points), len(queries))
    if len(parts) == 1:
        pairs = [search_part(parts[0])]
    else:
        with ThreadPoolExecutor(len(parts)) as threads:
            pairs = list(threads.map(search_part, parts))
    query_of, rows, squared = (np.concatenate(arrays) for arrays in zip(*pairs, strict=True))
    order = np.argsort(query_of, kind="stable")
    ends = np.cumsum(np.bincount(query_of, minlength=len(queries)))[:-1]
    return [
        rows_below[below <= np.partition(below, k - 1)[k - 1] + margin]
        for rows_below, below in zip(
            np.split(rows[order], ends), np.split(squared[order], ends), strict=True
        )
    ]


def _parts(n: int, queries: int) -> list[range]:
    """All n rows: one part for each core, or a single part if starting threads does not pay."""
    most = min(n * queries // _WORTH_A_THREAD, n // _BLOCK_ROWS)
    cores = min(usable_cores(), most) if most > 1 else 1  # asking for cores costs an import
    return [range(n * part // cores, n * (part + 1) // cores) for part in range(cores)]


def _rows_below(
    points: Floats, squares: Floats, doubled: Floats, bounds: Floats, part: range
) -> tuple[Rows, Rows, Floats]:
    """Pairs of a query and a row of the part whose squared distance is at most the query's bound.

    Returns the pairs' queries, rows and squared distances; the rows of each query rise. `doubled`
    is (q, d), the queries times -2; `bounds` is (q, 1).
    """
    query_of, rows, squared = list[Rows](), list[Rows](), list[Floats]()
    # The blocks share this memory: fresh pages would cost as much as the comparing.
    products = np.empty(len(doubled) * _BLOCK_ROWS, np.float32)
    is_below = np.empty(len(products), bool)
    for start in range(part.start, part.stop, _BLOCK_ROWS):
        stop = min(start + _BLOCK_ROWS, part.stop)
        shape = len(doubled), stop - start
        block = products[: shape[0] * shape[1]].reshape(shape)
        _multiply(doubled, points[start:stop], block)
        block += squares[start:stop]
        np.less_equal(block, bounds, out=is_below[: block.size].reshape(shape))
        hits = np.flatnonzero(is_below[: block.size])
        squared.append(block.reshape(-1)[hits])
        query, row = np.divmod(hits, stop - start)
        query_of.append(query)
        rows.append(row + start)
    return np.concatenate(query_of), np.concatenate(rows), np.concatenate(squared)


def _multiply(queries: Floats, block: Floats, out: Floats) -> None:
    """Write the products of queries (q, d) and the rows of a block (n, d) to out (q, n).

    For few queries OpenBLAS is twice as fast with the factors swapped, in pieces small enough for
    those of its kernels that copy nothing.
    """
    rows = _SMALL_PRODUCT // queries.size
    if len(queries) > _FEW_QUERIES or rows < 1:
        np.matmul(queries, block.T, out=out)
        return
    columns = np.ascontiguousarray(queries.T)
    for start in range(0, len(block), rows):
        out[:, start : start + rows] = (block[start : start + rows] @ columns).T


def neighbour_lists(points: Floats, rows: Rows, k: int) -> tuple[Rows, Floats]:
    """The k nearest other rows of each of m rows, nearest first.

    Above 32,768 points the answer is exact, ties by row. Below, distances have the rounding error
    of float32 products, by which nearly equal ones may be ordered.

    Blocked matrix products: O(m n d) time, which for many rows beats a tree several times over at
    these dimensions (DESIGN.md).

    Parameters
    ----------
    points
        (n, d) float32.
    rows
        (m,) row numbers.
    k
        Lowered to n - 1 if it is larger.

    Returns
    -------
    rows, distances
        (m, k) int64 and float32, Euclidean.

    Examples
    --------
    >>> points = np.array([[0, 0], [3, 4], [0, 1]], np.float32)
    >>> rows, distances = neighbour_lists(points, np.array([0]), k=2)
    >>> rows.tolist(), distances.tolist()
    ([[2, 1]], [[1.0, 5.0]])
    """
    k = max(0, min(k, len(points) - 1))
    near = np.empty((len(rows), k), np.int64)
    distances = np.empty((len(rows), k), np.float32)
    if not k:
        return near, distances
    squares = squared_lengths(points)
    many = len(points) > _MANY_POINTS
    nearest_others = _nearest_others_by_pass if many else _nearest_others_by_product
    step = 256 if many else max(1, _BLOCK_BYTES // (4 * len(points)))
    for start in range(0, len(rows), step):
        block = slice(start, start + step)
        near[block], distances[block] = nearest_others(points, squares, rows[block], k)
    return near, distances


def _nearest_others_by_pass(
    points: Floats, squares: Floats, rows: Rows, k: int
) -> tuple[Rows, Floats]:
    near = np.empty((len(rows), k), np.int64)
    distances = np.empty((len(rows), k), np.float32)
    candidates = candidates_by_pass(points, squares, points[rows], k + 1)
    for number, row in enumerate(rows):
        others = candidates[number][candidates[number] != row]
        to_others = distances_to(points[others], points[row])
        near[number], distances[number] = nearest_of(others, to_others, k)
    return near, distances


def _nearest_others_by_product(
    points: Floats, squares: Floats, rows: Rows, k: int
) -> tuple[Rows, Floats]:
    squared = points[rows] @ points.T
    squared *= -2
    squared += squares
    squared += squares[rows][:, None]
    squared[np.arange(len(rows)), rows] = np.inf
    near, squared_near = smallest(squared, k)
    return near, np.sqrt(np.maximum(squared_near, 0))


def smallest(values: Floats, k: int) -> tuple[Rows, Floats]:
    """The k >= 1 smallest of each row of (m, n) values; rising, ties by column.

    Returns
    -------
    columns, values
        (m, k) int64 and as given.

    Examples
    --------
    >>> columns, values = smallest(np.array([[3.0, 1.0, 2.0, 1.0]]), 3)
    >>> columns.tolist(), values.tolist()
    ([[1, 3, 2]], [[1.0, 1.0, 2.0]])
    """
    columns = np.argpartition(values, k - 1, axis=1)[:, :k]
    last = np.take_along_axis(values, columns[:, -1:], axis=1)
    for row in np.flatnonzero((values <= last).sum(axis=1) > k):  # ties with the last of them
        tied = np.flatnonzero(values[row] <= last[row])
        columns[row] = tied[np.argsort(values[row, tied], kind="stable")[:k]]
    columns.sort(axis=1)
    smallest_values = np.take_along_axis(values, columns, axis=1)
    order = np.argsort(smallest_values, axis=1, kind="stable")
    columns = np.take_along_axis(columns, order, axis=1)
    return columns, np.take_along_axis(smallest_values, order, axis=1)


def distances_to(points: Floats, query: Floats) -> Floats:
    """Euclidean distances (n,) float32 of points (n, d) to a query (d,); 0 for an equal point."""
    step = max(1, _BLOCK_BYTES // (4 * max(1, points.shape[1])))
    squared = np.empty(len(points), np.float32)
    for start in range(0, len(points), step):
        differences = points[start : start + step] - query
        squared[start : start + step] = np.einsum("nd,nd->n", differences, differences)
    return np.sqrt(squared)
