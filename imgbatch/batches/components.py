"""Reduce whole-number points to their leading principal components, the same on any machine."""

import numpy as np

from imgbatch.batches.anticluster import LONGEST, RADIUS, Floats

_SAMPLE = 16_384  # rows the components are fitted on: their sums of products stay below 2**53
_STEPS = 2048  # entries of the axes are rounded to this fraction of 1
_BLOCK_ROWS = 1 << 15


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
    sample = points[:-1][:: -(-n // _SAMPLE)].astype(np.float64)
    total = sample.sum(axis=0)
    covariance = sample.T @ sample / len(sample) - np.outer(total, total) / len(sample) ** 2
    vectors = np.linalg.eigh(covariance)[1][:, : -most - 1 : -1]
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.where(vectors[largest, np.arange(most)] < 0, -1, 1)
    axes = np.rint(vectors * _STEPS)
    lengths = np.sqrt(((sample @ axes) ** 2).sum(axis=1))
    scale = RADIUS / (float(np.median(lengths)) or float(lengths.mean()) or 1.0)
    limit = LONGEST - np.sqrt(most) / 2 - 1  # rounding may lengthen by sqrt(most) / 2
    reduced = np.zeros((n + 1, most), np.float32)
    for at in range(0, n, _BLOCK_ROWS):
        block = points[at : min(at + _BLOCK_ROWS, n)].astype(np.float64) @ axes * scale
        length = np.sqrt((block**2).sum(axis=1, keepdims=True))
        reduced[at : at + len(block)] = np.rint(block * (limit / np.maximum(length, limit)))
    return reduced
