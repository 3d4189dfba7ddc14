"""Vectors in cells: a query is compared with the vectors of the few cells nearest to it.

The inverted file of Sivic and Zisserman ("Video Google", ICCV 2003), with one vector an image. A
vector may be missed that lies in none of the cells a query is compared with.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from imgbatch.types import Floats, Rows

_ONE_CELL = 1024  # vectors up to which all are compared with all
_CELLS = 2.0  # times the root of the number of vectors
_MOST_CELLS = 1 << 15
_PROBED = 2  # cells that a query is compared with
_SAMPLE = 1 << 16  # vectors by which cells are laid out
_AT_ONCE = 1 << 22  # likenesses; the system would hand out larger arrays anew each time


@dataclass(frozen=True, slots=True)
class Visit:
    """A cell and the queries that are compared with it.

    Attributes
    ----------
    inside
        The cell's part of `Cells.vectors`.
    queries
        (q,) positions, rising.
    """

    inside: slice
    queries: Rows


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Vectors, cell after cell.

    Attributes
    ----------
    vectors
        (n, d) float32 of length 1, or 0.
    order
        (n,) where each of them stood when they were given.
    ends
        (c,) of the cells in `vectors`.
    centres
        (c, d) float32.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> vectors = random.standard_normal((5000, 8)).astype(np.float32)
    >>> vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    >>> cells = Cells.of(vectors)
    >>> visit = next(cells.visits(vectors))
    >>> held = cells.order[visit.inside]
    >>> len(cells.ends), len(held) < 200, bool(np.isin(held, visit.queries).all())
    (141, True, True)
    """

    vectors: Floats
    order: Rows
    ends: Rows
    centres: Floats

    @classmethod
    def of(cls, vectors: Floats) -> "Cells":
        """Sort vectors into cells, by k-means on a sample. Deterministic; O(n^1.5)."""
        n = len(vectors)
        if n <= _ONE_CELL:
            return cls(vectors, np.arange(n), np.array([n]), vectors[:0])
        centres = _centres(vectors, min(round(_CELLS * n**0.5), _MOST_CELLS))
        cell = _nearest(vectors, centres, 1)[:, 0]
        order = np.argsort(cell, kind="stable")
        return cls(vectors[order], order, _ends(cell, len(centres)), centres)

    def visits(self, queries: Floats) -> Iterator[Visit]:
        """Each cell that holds anything, with the queries (q, d) that are near to it."""
        if len(self.ends) == 1:
            yield Visit(slice(0, len(self.vectors)), np.arange(len(queries)))
            return
        nearest = _nearest(queries, self.centres, _PROBED)
        order = np.argsort(nearest, axis=None, kind="stable")
        asked = pairwise([0, *_ends(nearest, len(self.ends)).tolist()])
        held = pairwise([0, *self.ends.tolist()])
        for (begin, end), inside in zip(asked, held, strict=True):
            if begin < end and inside[0] < inside[1]:
                yield Visit(slice(*inside), order[begin:end] // _PROBED)


def _nearest(queries: Floats, centres: Floats, count: int) -> npt.NDArray[np.uint16]:
    """(q, count) numbers of centres: with 16 bits, they are sorted in linear time."""
    nearest = np.empty((len(queries), count), np.uint16)
    step = _AT_ONCE // len(centres)
    for start in range(0, len(queries), step):
        near = queries[start : start + step] @ centres.T
        everyone = np.arange(len(near))
        for rank in range(count):
            best = near.argmax(axis=1)
            nearest[start : start + step, rank] = best
            near[everyone, best] = -2
    return nearest


def _ends(cells: npt.NDArray[np.uint16], count: int) -> Rows:
    return np.cumsum(np.bincount(cells.reshape(-1), minlength=count))


def _centres(vectors: Floats, count: int) -> Floats:
    """(count, d) centres of cells, by k-means on a sample, of length 1."""
    from sklearn.cluster import MiniBatchKMeans

    sample = vectors[:: -(-len(vectors) // _SAMPLE)]
    means = MiniBatchKMeans(
        count, init="random", n_init=1, max_iter=20, batch_size=4096, random_state=0
    )
    centres = means.fit(sample).cluster_centers_.astype(np.float32)
    return np.asarray(centres / np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-6))
