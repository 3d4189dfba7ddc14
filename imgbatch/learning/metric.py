"""A linear map of points, learned from their classes, so that a class lies closer together.

Three squared distances are mixed: that of the points as they are; that of points whitened by the
covariance inside classes, in which directions count less that vary among images of one class; and
that along the axes of linear discriminant analysis, which tell the known classes apart and nothing
else. All are quadratic forms, so a mixture of them is one, and one matrix of the points' size makes
it; a point has as many columns as before.

Source: Hatch, Kajarekar and Stolcke, "Within-class covariance normalization for SVM-based speaker
recognition", Interspeech 2006; Fisher, "The use of multiple measurements in taxonomic problems",
1936. Departures: both are shrunk, and mixed with each other and with the points as they are, since
the discriminant axes alone lose classes that they have not seen. Points are not centred on the
mean of the labelled ones, which unseen classes do not share; their blocks have been centred.
"""

from dataclasses import dataclass

import numpy as np

from imgbatch.embedding.learned import LearnedMap
from imgbatch.embedding.principal import unit_rows
from imgbatch.learning.sums import Doubles, Sums
from imgbatch.runners.blas import one_blas_thread
from imgbatch.types import Floats

_SHRINKAGE = 0.5
"""Share of a sphere in the covariance inside classes, which few images do not tell exactly."""
_TINY = 1e-9
"""Beside the points' variance, what counts as none."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """How much of each distance a learned one has; the rest is that of the points as they are.

    Attributes
    ----------
    whitened
        0..1: of what `discriminant` leaves, the share that is whitened inside classes.
    discriminant
        0..1: the share of the discriminant axes.

    Examples
    --------
    >>> Mixture(whitened=0.5, discriminant=0.4).shares
    (0.3, 0.3, 0.4)
    """

    whitened: float
    discriminant: float

    @property
    def shares(self) -> tuple[float, float, float]:
        """Of the points as they are, whitened, and along the discriminant axes; they sum to 1."""
        rest = 1 - self.discriminant
        return rest * (1 - self.whitened), rest * self.whitened, self.discriminant


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """What was learned from the classes of points, to be mixed.

    Attributes
    ----------
    parts
        For each share of a `Mixture` a matrix (p, q) float64: points multiplied by it have the
        part's distances, whose mean square is the same in each. The last may have no columns.

    Examples
    --------
    >>> points = np.array([[0, 0], [9, 1], [0, 2], [9, 3]], np.float32)
    >>> metric = Metric.of(Sums.of(points, np.array([0, 0, 1, 1]), k=2))
    >>> map = metric.map(Mixture(whitened=1.0, discriminant=0.0), points)
    >>> bool(abs(map.matrix[0, 0]) < abs(map.matrix[1, 1]))
    True
    """

    parts: tuple[Doubles, Doubles, Doubles]

    @classmethod
    @one_blas_thread()
    def of(cls, sums: Sums) -> "Metric":
        """Learn from sums over points of known classes; O(p^3 + p^2 k)."""
        from scipy.linalg import cholesky, solve_triangular, svd

        count = max(sums.total, 1.0)
        total, covariance = sums.scatter / count, sums.within / count
        p, spread = len(total), max(float(np.trace(total)), 0.0)
        sphere = max(float(np.trace(covariance)), _TINY * spread, _TINY) / p
        covariance = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * sphere * np.eye(p)
        # Any root of the inverse whitens: they differ by a rotation, which keeps distances.
        root = cholesky(covariance, lower=True)
        whitening = solve_triangular(root, np.eye(p), lower=True).T
        apart = np.sqrt(sums.counts / count)[:, None] * (sums.means - sums.mean)
        most = min(max(int((sums.counts > 0).sum()) - 1, 0), p)
        _, _, axes = svd(apart @ whitening, full_matrices=False)
        parts = np.eye(p), whitening, whitening @ axes[:most].T
        scaled = [_scaled(part, total) for part in parts]
        return cls((scaled[0], scaled[1], scaled[2]))

    def map(self, mixture: Mixture, points: Floats) -> LearnedMap:
        """The map of a mixture; over the (n, p) `points` it has a mean squared distance of 1."""
        from scipy.linalg import eigh

        form = sum(
            share * part @ part.T for share, part in zip(mixture.shares, self.parts, strict=True)
        )
        with one_blas_thread():
            values, vectors = eigh(form)
            root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
            matrix = root.astype(np.float32)
            mean = unit_rows(points @ matrix).mean(axis=0, dtype=np.float64)
        spread = 2 * (1 - float(mean @ mean))
        return LearnedMap(matrix, float(spread**-0.5) if spread > _TINY else 1.0)

    def placed(self, points: Floats) -> tuple[Floats, Floats, Floats]:
        """(n, p) points in each part: (n, q) float32."""
        first, second, third = (points @ part.astype(np.float32) for part in self.parts)
        return first, second, third


def _scaled(part: Doubles, total: Doubles) -> Doubles:
    """The matrix, divided so that points of this covariance have a mean squared length of 1."""
    square = float(np.sum(part * (total @ part)))
    scaled: Doubles = part / np.sqrt(square) if square > _TINY else part
    return scaled
