"""Figures that tell how good batches are, and the random batches they are compared with."""

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from imgbatch.batches.population import COMPONENTS, Population
from imgbatch.copies.rule import are_copies
from imgbatch.runners.blas import one_blas_thread
from imgbatch.types import Figures, Floats, Rows

_EQUAL = 1e-12  # squared distance below which two points are the same
_BLOCK_ROWS = 256
"""Of a batch; all distances of a batch of 4,000 at once would take half a gigabyte."""


def random_batches(n: int, batch_size: int, seed: int, epoch: int = 0) -> list[Rows]:
    """The batches a shuffling loader would make of n rows; seed and epoch decide.

    Examples
    --------
    >>> [len(batch) for batch in random_batches(10, 4, seed=1)]
    [4, 4, 2]
    """
    order = np.random.default_rng([seed, epoch, 1]).permutation(n)
    return [rows.astype(np.int64) for rows in np.split(order, np.arange(batch_size, n, batch_size))]


class Tally:
    """Adds up batches, epoch after epoch, and tells what they are like.

    The mean of a good batch is near the mean of all images; how near is given in proportion to
    random batches, whose expected distance is known, so that the comparison is free of chance.

    Parameters
    ----------
    population
        What the batches were dealt from.
    batch_size
        Rows of a full batch; smaller batches count for distances and near-duplicates only.
    leading
        Number of components of the figure `leading_variance`.

    Notes
    -----
    A batch of B of n rows drawn without replacement has a mean whose expected squared distance is
    (1/B) (n - B)/(n - 1) times the rows' mean squared distance from their mean. O(n B p) an epoch.

    Examples
    --------
    >>> points = np.array([[-1], [1], [-1], [1]], np.float32)
    >>> tally = Tally(Population(points), batch_size=2)
    >>> tally.add([np.array([0, 1]), np.array([2, 3])])
    >>> tally.figures()["variance"]
    0.0
    """

    @one_blas_thread()  # more would change the last bits
    def __init__(self, population: Population, batch_size: int, leading: int = COMPONENTS) -> None:
        self.population, self.batch_size = population, batch_size
        points = population.points
        centred = points - points.mean(axis=0, dtype=np.float64).astype(np.float32)
        n = len(centred)
        share = (n - batch_size) / max(n - 1, 1) / batch_size
        # The points in their principal axes, split into the leading ones and the others.
        turned = centred @ _axes(centred)
        self.split = turned[:, :leading], turned[:, leading:]
        self.expected = [share * float((x.astype(np.float64) ** 2).sum()) / n for x in self.split]
        self.deviations: list[list[float]] = []
        self.closest: list[float] = []
        self.classes: list[int] = []
        self.near_duplicates = 0

    @one_blas_thread()
    def add(self, batches: Iterable[Rows]) -> None:
        """Take the batches of another epoch into account."""
        labels = self.population.labels
        for batch in batches:
            if len(batch) == self.batch_size:
                self.deviations.append(
                    [float((x[batch].mean(axis=0) ** 2).sum()) for x in self.split]
                )
                if labels is not None:
                    self.classes.append(len(np.unique(labels[batch])))
            if len(batch) > 1:
                least, near = _closest(self.population, batch)
                self.closest.append(least)
                self.near_duplicates += near

    def figures(self) -> Figures:
        """The figures of all batches added; NaN if there is nothing to measure.

        Returns
        -------
        variance
            Mean squared distance of a full batch's mean from the mean of all points, in proportion
            to what is expected of a random batch (1).
        leading_variance
            The same within the leading principal components, in which batches are dealt.
        closest, mean_closest
            Distance of the closest two images of a batch: the least of all batches, and the mean.
        near_duplicates
            Pairs of near-duplicates that share a batch.
        classes
            Mean number of classes in a full batch.
        """
        variances = None
        if self.deviations:
            variances = np.sum(self.deviations, axis=0) / len(self.deviations)
        least = self.closest
        return {
            "variance": _ratio(variances, self.expected, 2),
            "leading_variance": _ratio(variances, self.expected, 1),
            "closest": min(least, default=math.nan),
            "mean_closest": float(np.mean(least)) if least else math.nan,
            "near_duplicates": self.near_duplicates,
            "classes": float(np.mean(self.classes)) if self.classes else math.nan,
        }


def mate_distances(points: Floats, batch: Rows) -> npt.NDArray[np.float64]:
    """Distance of each row of a batch to the nearest other row; inf for a batch of one.

    Examples
    --------
    >>> mate_distances(np.array([[0], [1], [5]], np.float32), np.array([0, 1, 2]))
    array([1., 1., 4.])
    """
    least = np.full(len(batch), np.inf)
    for rows, apart in _squared_distances(points, batch):
        apart[np.arange(len(rows)), rows] = np.inf
        least[rows] = apart.min(axis=1)
    return np.asarray(np.sqrt(np.maximum(least, 0)), np.float64)


def _ratio(
    variances: npt.NDArray[np.float64] | None, expected: Sequence[float], blocks: int
) -> float:
    """Variance against its expectation, within the first blocks of components."""
    total = sum(expected[:blocks])
    if variances is None or total < _EQUAL:
        return math.nan
    return float(variances[:blocks].sum() / total)


def _closest(population: Population, batch: Rows) -> tuple[float, int]:
    """The least distance of two rows of a batch, and the number of its near-duplicate pairs."""
    hashes = None if population.hashes is None else population.hashes[batch]
    least, pairs = math.inf, 0
    for rows, apart in _squared_distances(population.points, batch):
        later = np.arange(len(batch)) > rows[:, None]  # each pair once
        near = apart < _EQUAL
        if hashes is not None:
            near |= are_copies(hashes[rows, None], hashes, population.duplicate_bits)
        least = min(least, float(apart[later].min(initial=math.inf)))
        pairs += int((near & later).sum())
    return math.sqrt(max(least, 0.0)), pairs


def _squared_distances(
    points: Floats, batch: Rows
) -> Iterator[tuple[Rows, npt.NDArray[np.float64]]]:
    """Positions in a batch of n, some at a time, and their (m, n) squared distances to all."""
    here = points[batch].astype(np.float64)
    lengths = (here**2).sum(axis=1)
    for start in range(0, len(here), _BLOCK_ROWS):
        rows = np.arange(start, min(start + _BLOCK_ROWS, len(here)))
        some = here[start : start + _BLOCK_ROWS]
        yield rows, lengths[rows, None] + lengths - 2 * some @ here.T


def _axes(centred: Floats) -> Floats:
    """The principal axes of centred rows, (p, p), the longest first."""
    vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64))[1]
    return np.asarray(vectors[:, ::-1], np.float32)
