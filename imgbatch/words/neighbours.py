"""Words that spread from images with texts to images that look like them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from imgbatch.types import Floats

if TYPE_CHECKING:
    import scipy.sparse as sp

NEIGHBOURS = 100
"""Images with texts that an image gets its words from."""
_NARROW = 0.1
"""The width of the weights, as a share of the median squared distance of neighbours."""
_SAMPLE = 500
_BLOCK = 1024


@dataclass(frozen=True)
class Neighbours:
    """The nearest learned images of some images.

    Attributes
    ----------
    near
        (u, k) int32 positions among the learned images, in no particular order.
    weights
        (u, k) float32, falling with the distance; those of an image sum to 1.
    """

    near: npt.NDArray[np.int32]
    weights: Floats

    def means(self, values: Floats) -> Floats:
        """The weighted means of some values (m, w) of the learned images: (u, w) float32."""
        means = np.empty((len(self.near), values.shape[1]), np.float32)
        for start in range(0, len(means), _BLOCK):  # a block's values stay in the cache
            part = slice(start, start + _BLOCK)
            np.einsum("uk,ukw->uw", self.weights[part], values[self.near[part]], out=means[part])
        return means

    def spread(self, rows: "sp.csr_array") -> "sp.csr_array":
        """The weighted mean of sparse rows (m, v) of the learned images: (u, v)."""
        import scipy.sparse as sp

        count, k = self.near.shape
        ends = np.arange(count + 1) * k
        matrix = sp.csr_array(
            (self.weights.ravel(), self.near.ravel(), ends), (count, rows.shape[0])
        )
        return matrix @ rows


def nearest(queries: Floats, points: Floats, k: int) -> tuple[npt.NDArray[np.int32], Floats]:
    """The k nearest of m points (m, d) to each query (u, d), in no particular order.

    Blocked matrix products: O(u m d) time. Two points that are nearly equally far may change
    places, by the rounding of float32 products.

    Returns
    -------
    near, squared
        (u, k) int32 positions and float32 squared distances.

    Examples
    --------
    >>> line = np.arange(5, dtype=np.float32)[:, None]
    >>> sorted(nearest(line[:1], line, 2)[0][0].tolist())
    [0, 1]
    """
    near = np.empty((len(queries), k), np.int32)
    squared = np.empty((len(queries), k), np.float32)
    lengths = np.einsum("md,md->m", points, points)
    for start in range(0, len(queries), _BLOCK):
        block = queries[start : start + _BLOCK]
        distances = lengths - 2 * (block @ points.T)
        chosen = np.argpartition(distances, k - 1, axis=1)[:, :k]
        near[start : start + len(block)] = chosen
        own = np.einsum("ud,ud->u", block, block)[:, None]
        squared[start : start + len(block)] = np.take_along_axis(distances, chosen, 1) + own
    return near, np.maximum(squared, 0)


def bandwidth(points: Floats) -> float:
    """The squared distance over which weights fall to 1/e, by the points (m, d) of some images."""
    k = min(NEIGHBOURS + 1, len(points))
    sample = points[:: max(1, len(points) // _SAMPLE)]
    _, squared = nearest(sample, points, k)
    others = np.sort(squared, axis=1)[:, 1:]  # the first is the image itself
    return _NARROW * float(np.median(others)) if others.size else 0.0


def neighbours_of(queries: Floats, points: Floats, width: float) -> Neighbours:
    """The neighbours of images (u, d) among learned ones (m, d), weighted by exp(-d^2 / width)."""
    near, squared = nearest(queries, points, min(NEIGHBOURS, len(points)))
    above = squared - squared.min(axis=1, keepdims=True)  # the nearest weighs 1 at any distance
    weights = np.exp(-above / max(width, np.finfo(np.float32).tiny))
    weights /= weights.sum(axis=1, keepdims=True)
    return Neighbours(near, weights.astype(np.float32))


def spread_lengths(neighbours: Neighbours, rows: "sp.csr_array") -> Floats:
    """The length of each image's spread row: (u,) float32; block by block, to bound the memory."""
    lengths = np.empty(len(neighbours.near), np.float32)
    for start in range(0, len(lengths), _BLOCK):
        part = slice(start, start + _BLOCK)
        spread = Neighbours(neighbours.near[part], neighbours.weights[part]).spread(rows)
        lengths[part] = np.sqrt(spread.power(2).sum(axis=1))
    return lengths
