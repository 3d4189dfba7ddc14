"""A map that lets linear classifiers draw curved borders: Nystroem's approximation of a kernel."""

from dataclasses import dataclass

import numpy as np

from imgbatch.runners.blas import one_blas_thread
from imgbatch.types import Floats

_FLAT = 1e-6
"""Directions of the kernel below this share of the strongest one are left out."""


@dataclass(frozen=True, slots=True, eq=False)
class KernelMap:
    """Points -> coordinates whose inner products approximate ``exp(-gamma d^2)``.

    Equal to scikit-learn's ``Nystroem`` up to a rotation. Source: Williams and Seeger, "Using the
    Nystroem method to speed up kernel machines", NIPS 2000.

    Attributes
    ----------
    landmarks
        (m, p) float32: some of the points.
    mixing
        (m, q) float32: kernel values at the landmarks -> coordinates.
    gamma
        Beside a mean squared distance of 1 between points.

    Examples
    --------
    >>> points = np.eye(3, dtype=np.float32)
    >>> mapped = KernelMap.of(points, gamma=1.0).map(points)
    >>> [round(float(value), 2) for value in (mapped @ mapped.T)[0]]
    [1.0, 0.14, 0.14]
    """

    landmarks: Floats
    mixing: Floats
    gamma: float

    @classmethod
    def of(cls, landmarks: Floats, gamma: float) -> "KernelMap":
        """The map of (m, p) landmarks; O(m^2 p + m^3)."""
        from scipy.linalg import eigh

        kernel = _kernel(landmarks, landmarks, gamma).astype(np.float64)
        with one_blas_thread():
            values, vectors = eigh((kernel + kernel.T) / 2)
        kept = values > values[-1] * _FLAT
        mixing = vectors[:, kept] / np.sqrt(values[kept])
        return cls(landmarks, mixing.astype(np.float32), gamma)

    def map(self, points: Floats) -> Floats:
        """(n, p) points -> (n, q) coordinates; O(n m (p + q))."""
        mapped: Floats = _kernel(points, self.landmarks, self.gamma) @ self.mixing
        return mapped


def _kernel(points: Floats, landmarks: Floats, gamma: float) -> Floats:
    squares = points @ landmarks.T
    squares *= -2
    squares += np.einsum("np,np->n", points, points)[:, None]
    squares += np.einsum("mp,mp->m", landmarks, landmarks)
    np.maximum(squares, 0, out=squares)
    squares *= -gamma
    np.exp(squares, out=squares)
    return squares
