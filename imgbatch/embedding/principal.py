"""The principal axes of rows, and rows of length 1."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgbatch.types import Floats

FLAT = 1e-6
"""Variances below this share of the largest, and lengths below it, count as rounding errors."""
TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Principal:
    """The principal axes of a block's rows, which are the costly part of fitting it.

    Attributes
    ----------
    mean
        (d,) mean of the rows.
    axes, variances
        (d, m) and (m,), of the centred and L2-normalised rows; see `principal_axes`.
    """

    mean: Floats
    axes: Floats
    variances: npt.NDArray[np.float64]

    @classmethod
    def of(cls, rows: Floats, most: int) -> "Principal":
        """The axes of (n, d) rows, `most` at most."""
        mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        return cls(mean, *principal_axes(unit_rows(rows - mean), most))


def principal_axes(rows: Floats, most: int) -> tuple[Floats, npt.NDArray[np.float64]]:
    """The leading principal axes of (n, d) rows about their mean.

    Returns
    -------
    axes, variances
        (d, k) float32 orthonormal columns, and (k,) float64 variances along them, falling; k <=
        most. Directions without variance are left out, but at least one axis is always kept.
    """
    from scipy.linalg import eigh

    n, d = rows.shape
    centred = rows - rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    by_rows = n < d  # the smaller of covariance (d, d) and Gram matrix (n, n)
    square = (centred @ centred.T if by_rows else centred.T @ centred).astype(np.float64) / n
    side = len(square)
    values, vectors = eigh(square, subset_by_index=(max(0, side - most), side - 1))
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = max(1, int((values > max(values[0] * FLAT, TINY)).sum()))
    values, vectors = np.maximum(values[:kept], 0.0), vectors[:, :kept]
    if by_rows:
        vectors = centred.T.astype(np.float64) @ vectors
        vectors /= np.maximum(np.linalg.norm(vectors, axis=0), TINY)
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[largest, np.arange(kept)])
    return (vectors * np.where(signs == 0, 1, signs)).astype(np.float32), values


def unit_rows(rows: Floats) -> Floats:
    """Each row divided by its length; rows of (nearly) no length become zero."""
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None]
    unit: Floats = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > FLAT)
    return unit
