"""The points that are dealt: whole numbers, so that batches are the same on any machine.

Floating-point sums depend on the order of the additions, and so on the number of BLAS threads. Here
all coordinates are rounded to whole numbers so small that every sum is exact: no order of additions
can change a decision.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgbatch.copies.rule import are_copies
from imgbatch.types import Floats, Hashes, Rows

RADIUS = 1000  # quantised points: the median distance from the centre, in steps
LONGEST = 4096  # no quantised point is longer: products of two stay below 2**24, exact in float32
_SAMPLE = 1024  # rows from which the scale is estimated
_FITTED = 16_384  # rows the components are fitted on: their sums of products stay below 2**53
_AXIS_STEPS = 2048  # entries of the principal axes are rounded to this fraction of 1
_BLOCK_ROWS = 1 << 15


@dataclass(frozen=True)
class DealtPoints:
    """Points to deal, and what else sets rows apart.

    Each array has one more entry, of zeros, for the empty slot: cells are arrays of equal width,
    and a smaller cell is filled up with the row `empty`.

    Attributes
    ----------
    points
        (n + 1, d) float32 of whole numbers.
    labels
        (n + 1,) int64 class numbers to balance by, or None.
    hashes
        (n + 1,) uint64 pHashes, or None.
    duplicate_bits
        Near-duplicates are rows of equal points, or of hashes at most this many bits apart.
    """

    points: Floats
    labels: Rows | None
    hashes: Hashes | None
    duplicate_bits: int

    @property
    def empty(self) -> int:
        """The row of the empty slot: n, the number of rows to deal."""
        return len(self.points) - 1

    def near_duplicates(
        self, a: Rows, b: Rows, equal: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.bool_]:
        """Tell which rows (broadcast together) are near-duplicates; `equal` marks equal points."""
        if self.hashes is None:
            return equal
        return equal | are_copies(self.hashes[a], self.hashes[b], self.duplicate_bits)


def quantise(points: Floats) -> Floats:
    """Round points to whole numbers, centred, their median length `RADIUS`, none over `LONGEST`.

    Centre and scale are medians over up to 1,024 evenly spaced rows, so that outliers, which are
    pulled in to `LONGEST`, do not squeeze the others. Returns (n + 1, d); the last row is zero.
    """
    n, d = points.shape
    sample = points[:: -(-n // _SAMPLE)].astype(np.float64)
    centre = np.median(sample, axis=0)
    scale = RADIUS / _typical_length(sample - centre)
    whole = np.zeros((n + 1, d), np.float32)
    block_rows = max(1, (1 << 21) // max(d, 1))
    for start in range(0, n, block_rows):
        stop = min(start + block_rows, n)
        whole[start:stop] = _bounded((points[start:stop] - centre) * scale)
    return whole


def leading_components(points: Floats, most: int) -> Floats:
    """Keep the leading principal components of quantised points.

    Parameters
    ----------
    points
        (n + 1, d) from `quantise`: whole numbers, the last row zero (it stays zero).
    most
        Components kept, >= 1. Points of no more dimensions are returned as they are.

    Returns
    -------
    (n + 1, most) float32 of whole numbers, again of median length `RADIUS` and at most `LONGEST`.

    Notes
    -----
    Fitted on up to 16,384 evenly spaced rows. Covariance, projection and rounding are exact but
    for the eigenvectors, whose last digits are rounded away, so that the number of threads does not
    change the answer. O(n d most + d^3).
    """
    n, d = len(points) - 1, points.shape[1]
    if d <= most or n == 0:
        return points
    sample = points[:-1][:: -(-n // _FITTED)].astype(np.float64)
    total = sample.sum(axis=0)
    covariance = sample.T @ sample / len(sample) - np.outer(total, total) / len(sample) ** 2
    vectors = np.linalg.eigh(covariance)[1][:, : -most - 1 : -1]
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.where(vectors[largest, np.arange(most)] < 0, -1, 1)
    axes = np.rint(vectors * _AXIS_STEPS)
    scale = RADIUS / _typical_length(sample @ axes)
    reduced = np.zeros((n + 1, most), np.float32)
    for start in range(0, n, _BLOCK_ROWS):
        stop = min(start + _BLOCK_ROWS, n)
        reduced[start:stop] = _bounded(points[start:stop].astype(np.float64) @ axes * scale)
    return reduced


def squared_distances(a: Floats, b: Floats) -> Floats:
    """Squared distances of (..., p, d) and (..., q, d) whole points: (..., p, q), without error."""
    product = a @ np.swapaxes(b, -1, -2)
    product *= -2
    product += (a * a).sum(axis=-1)[..., :, None]
    product += (b * b).sum(axis=-1)[..., None, :]
    return np.asarray(product, np.float32)


def _typical_length(rows: npt.NDArray[np.float64]) -> float:
    """The median length; the mean where the median is 0; 1 where all rows are 0."""
    lengths = np.sqrt((rows**2).sum(axis=1))
    return float(np.median(lengths)) or float(lengths.mean()) or 1.0


def _bounded(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Rows rounded to whole numbers; those longer than `LONGEST` are shortened first."""
    # Rounding may lengthen a row by sqrt(d) / 2.
    limit = max(LONGEST - np.sqrt(rows.shape[1]) / 2 - 1, 1.0)
    lengths = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    return np.asarray(np.rint(rows * (limit / np.maximum(lengths, limit))), np.float64)
