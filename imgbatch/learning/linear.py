"""Linear classifiers that are solved from sums: discriminant analysis and ridge."""

from dataclasses import dataclass

import numpy as np

from imgbatch.learning.sums import Doubles, Sums
from imgbatch.runners.blas import one_blas_thread
from imgbatch.types import Floats

_ABSENT = -1e9
"""The score of a class of which there is no point."""
_TINY = 1e-4
"""Of the points' mean square, added to variances: beyond rounding errors of sums in float32."""


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """Scores of classes: ``points @ weights + bias``.

    Attributes
    ----------
    weights
        (p, k) float32.
    bias
        (k,) float32.
    """

    weights: Floats
    bias: Floats

    def scores(self, points: Floats) -> Floats:
        """(n, p) points -> (n, k) scores; the higher, the likelier the class."""
        scores: Floats = points @ self.weights
        scores += self.bias
        return scores


@dataclass(frozen=True, slots=True)
class Discriminant:
    """Linear discriminant analysis: classes are normal, with one covariance.

    Equal to scikit-learn's ``LinearDiscriminantAnalysis(solver="lsqr", shrinkage=...)``, but made
    of sums, so that folds and parts cost next to nothing.

    Attributes
    ----------
    shrinkage
        0..1: the covariance is mixed with this share of a sphere of the same trace (Friedman,
        "Regularized Discriminant Analysis", 1989).
    """

    shrinkage: float

    @one_blas_thread()
    def solve(self, sums: Sums) -> Linear:
        """The classifier of these sums; O(p^3 + p^2 k)."""
        covariance = sums.within / max(sums.total, 1)
        means = sums.means - sums.mean
        weights = _solved(covariance, self.shrinkage, sums, means.T)
        shares = sums.counts / max(sums.total, 1)
        prior = np.log(np.where(shares > 0, shares, 1))
        bias = prior - 0.5 * np.einsum("kp,pk->k", means, weights) - sums.mean @ weights
        return _linear(weights, bias, sums)


@dataclass(frozen=True, slots=True)
class Ridge:
    """Least squares against 1 for the image's class and 0 for the others.

    Attributes
    ----------
    shrinkage
        0..1: the strength of the ridge, as in `Discriminant`.
    """

    shrinkage: float

    @one_blas_thread()
    def solve(self, sums: Sums) -> Linear:
        """The classifier of these sums; O(p^3 + p^2 k)."""
        total = max(sums.total, 1)
        towards = (sums.totals - sums.counts[:, None] * sums.mean) / total
        weights = _solved(sums.scatter / total, self.shrinkage, sums, towards.T)
        bias = sums.counts / total - sums.mean @ weights
        return _linear(weights, bias, sums)


def _solved(covariance: Doubles, shrinkage: float, sums: Sums, columns: Doubles) -> Doubles:
    """Columns times the inverse of a covariance of these sums, mixed with a sphere."""
    from scipy.linalg import cho_factor, cho_solve

    p = len(covariance)
    sphere = max(float(np.trace(covariance)) / p, 0.0)
    least = _TINY * float(np.trace(sums.products)) / max(sums.total, 1) / p
    mixed = (1 - shrinkage) * covariance
    mixed[np.diag_indices(p)] += shrinkage * sphere + (least or 1.0)
    factors = cho_factor(mixed, check_finite=False)
    solved: Doubles = cho_solve(factors, columns, check_finite=False)
    return solved


def _linear(weights: Doubles, bias: Doubles, sums: Sums) -> Linear:
    bias = np.where(sums.counts > 0, bias, _ABSENT)
    return Linear(weights.astype(np.float32), bias.astype(np.float32))
