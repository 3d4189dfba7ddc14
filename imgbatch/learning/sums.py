"""Sums over labelled points, of which linear classifiers are made; sums of parts add up.

A million points are gone through once, in parts, wherever they are. Leaving out a fold of a
cross-validation is a subtraction.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from imgbatch.types import Floats, Rows

Doubles = npt.NDArray[np.float64]
_BATCH_ROWS = 8192


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums over points of k classes in p dimensions.

    Attributes
    ----------
    counts
        (k,) float64: points of each class.
    totals
        (k, p) float64: the sum of each class's points.
    products
        (p, p) float64: the sum of the points' outer products.

    Examples
    --------
    >>> points = np.array([[0, 1], [2, 3], [4, 5]], np.float32)
    >>> first = Sums.of(points[:2], np.array([0, 1]), k=2)
    >>> both = first + Sums.of(points[2:], np.array([1]), k=2)
    >>> both.counts.tolist(), both.means.tolist()
    ([1.0, 2.0], [[0.0, 1.0], [3.0, 4.0]])
    """

    counts: Doubles
    totals: Doubles
    products: Doubles

    @classmethod
    def of(cls, points: Floats, classes: Rows, k: int) -> Self:
        """The sums of (n, p) points whose classes are numbered 0 to k - 1; O(n p^2)."""
        from scipy.sparse import csr_array

        n, p = points.shape
        products = np.zeros((p, p))
        totals = np.zeros((k, p))
        for start in range(0, n, _BATCH_ROWS):
            batch = np.asarray(points[start : start + _BATCH_ROWS])
            numbers = classes[start : start + _BATCH_ROWS]
            products += batch.T @ batch
            ones = np.ones(len(batch), np.float32)
            members = csr_array((ones, (numbers, np.arange(len(batch)))), (k, len(batch)))
            totals += members @ batch
        return cls(np.bincount(classes, minlength=k).astype(np.float64), totals, products)

    @classmethod
    def none(cls, p: int, k: int) -> Self:
        """The sums of no points."""
        return cls(np.zeros(k), np.zeros((k, p)), np.zeros((p, p)))

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.counts + other.counts,
            self.totals + other.totals,
            self.products + other.products,
        )

    def __sub__(self, other: "Sums") -> "Sums":
        return Sums(
            self.counts - other.counts,
            self.totals - other.totals,
            self.products - other.products,
        )

    @property
    def total(self) -> float:
        """How many points there are."""
        return float(self.counts.sum())

    @property
    def mean(self) -> Doubles:
        """(p,) the mean of all points."""
        mean: Doubles = self.totals.sum(axis=0) / max(self.total, 1)
        return mean

    @property
    def means(self) -> Doubles:
        """(k, p) the mean of each class; that of all points for a class without any."""
        means = self.totals / np.maximum(self.counts, 1)[:, None]
        means[self.counts == 0] = self.mean
        return means

    @property
    def scatter(self) -> Doubles:
        """(p, p) the sum of outer products of the points' deviations from the mean."""
        mean = self.mean
        return self.products - self.total * np.outer(mean, mean)

    @property
    def within(self) -> Doubles:
        """(p, p) the same for deviations from the mean of the point's class."""
        weighted = self.totals / np.sqrt(np.maximum(self.counts, 1))[:, None]
        within: Doubles = self.products - weighted.T @ weighted
        return within
