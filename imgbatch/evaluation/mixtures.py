"""Which mixture of distances serves labelled images without harm to classes that are not known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from imgbatch.evaluation.halves import Halves, halve, halve_classes
from imgbatch.evaluation.intervals import Values
from imgbatch.evaluation.trials import NEAREST, capped_precision, precision_at_10, some_queries
from imgbatch.learning.metric import Metric, Mixture
from imgbatch.learning.sums import Sums
from imgbatch.runners.blas import one_blas_thread
from imgbatch.types import Floats, Rows

MIXTURES = tuple(
    Mixture(whitened, discriminant)
    for whitened in (0.0, 0.5, 1.0)
    for discriminant in (0.0, 0.1, 0.2, 0.3, 0.4)
)
"""What is tried; the first changes nothing. With half of a distance along the
discriminant axes, classes that were not learned from lose, which few known classes do not show."""
LEAST_CLASSES = 8
"""Half of them are learned from; of that half, two are learned from and two judge."""
NOTICEABLE = 0.005
"""A change of precision by less than half a point counts as none."""
_ROUNDS = 5
_MOST_QUERIES = 500
_TINY = 1e-12
_OF_IMAGES, _OF_CLASSES = range(2)  # streams of random numbers


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """What each of `MIXTURES` changes: precision at 10 beside that of unlearned points.

    Attributes
    ----------
    images
        (m, k): means of unseen images, by their class, which was learned from.
    classes
        (m, k): means of classes that were not learned from.
    """

    images: Values
    classes: Values

    @property
    def best(self) -> Mixture | None:
        """The mixture that gains most on unseen images and does not harm unseen classes.

        A mixture does harm unless its mean change, less one standard error over the classes, is
        above a noticeable loss. None if no mixture has a noticeable gain.
        """
        if not (self.images.size and self.classes.size):
            return None
        error = self.classes.std(axis=1) / np.sqrt(self.classes.shape[1])
        harmless = self.classes.mean(axis=1) - error > -NOTICEABLE
        gains = np.where(harmless, self.images.mean(axis=1), -np.inf)
        best = int(gains.argmax())
        return MIXTURES[best] if gains[best] >= NOTICEABLE else None


@one_blas_thread()
def try_mixtures(points: Floats, labels: Rows, seed: int, groups: Rows | None = None) -> Tried:
    """Try all mixtures on folds of labelled images.

    Five times the images of each class are halved, and five times the classes; each half is learned
    from and judged by the other. O(n^2 p + p^3) for each.

    Parameters
    ----------
    points, labels
        (n, p) float32, and (n,) numbers of at least four classes.
    groups
        (n,) images of equal numbers, such as copies, are never in both halves of the images.
    """

    def of_images(labels: Rows, seed: Sequence[int]) -> Halves:
        return halve(labels, seed, groups)

    def tried(halves: Callable[[Rows, Sequence[int]], Halves], stream: int) -> Values:
        folds = []
        for number in range(_ROUNDS):
            first, second = halves(labels, (seed, stream, number))
            folds += [(first, second), (second, first)]
        changes, judged = zip(*(_changes(points, labels, *fold) for fold in folds), strict=True)
        return by_class(np.concatenate(changes, axis=1), np.concatenate(judged))

    return Tried(tried(of_images, _OF_IMAGES), tried(halve_classes, _OF_CLASSES))


def _changes(points: Floats, labels: Rows, learn: Rows, judge: Rows) -> tuple[Values, Rows]:
    """What each mixture changes in the precision at 10 of q queries (m, q), and their classes.

    Inner products under a mixture are the sum of those under its parts, so all mixtures are ranked
    from three tables of inner products. Lengths are divided out, as `LearnedMap` does.
    """
    held, classes = points[judge], labels[judge]
    queries = some_queries(classes, _MOST_QUERIES)
    changes = np.zeros((len(MIXTURES), len(queries)))
    if not len(queries):
        return changes, classes[queries]
    placed = learned_metric(points[learn], labels[learn]).placed(held)
    tables = [part[queries] @ part.T for part in placed]
    squares = [np.einsum("np,np->n", part, part) for part in placed]
    before = precision_at_10(held, classes, queries)
    for number, mixture in enumerate(MIXTURES):
        table = sum(share * part for share, part in zip(mixture.shares, tables, strict=True))
        square = sum(share * part for share, part in zip(mixture.shares, squares, strict=True))
        near = _nearest(table / np.sqrt(np.maximum(square, _TINY)), queries)
        changes[number] = capped_precision(near, classes, queries) - before
    return changes, classes[queries]


def _nearest(likeness: Floats, queries: Rows) -> Rows:
    """The columns of the ten largest values of each row, without the query's own column."""
    likeness[np.arange(len(queries)), queries] = -np.inf
    k = min(NEAREST, likeness.shape[1] - 1)
    near = np.argpartition(-likeness, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(likeness, near, axis=1), axis=1, kind="stable")
    return np.take_along_axis(near, order, axis=1)


def learned_metric(points: Floats, labels: Rows) -> Metric:
    """The `Metric` of (n, p) points and their class numbers."""
    return Metric.of(Sums.of(points, labels, int(labels.max()) + 1))


def by_class(values: Values, classes: Rows) -> Values:
    """The mean of each class's values: (..., q) -> (..., k)."""
    _, numbers = np.unique(classes, return_inverse=True)
    sizes = np.bincount(numbers)
    members = np.zeros((len(numbers), len(sizes)))
    members[np.arange(len(numbers)), numbers] = 1 / sizes[numbers]
    means: Values = values @ members
    return means
