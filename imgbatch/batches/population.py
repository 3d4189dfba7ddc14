"""Deal a population into batches, and tell how good they are: pure functions of points and rows."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgbatch.annotations import labels as annotations
from imgbatch.batches.chunks import DealOptions, deal_in_parts
from imgbatch.batches.deal import COMPONENTS, deal_batches
from imgbatch.copies.pairs import hamming
from imgbatch.errors import SelectionError
from imgbatch.neighbours.parts import (
    Part,
)
from imgbatch.runners.maps import TaskMap, map_serially
from imgbatch.types import Figures, Floats, Hashes, Rows

_EQUAL = 1e-12  # squared distance below which two points are the same


@dataclass(frozen=True, slots=True)
class Population:
    """What is dealt into batches: (n, p) points and, or None, (n,) pHashes and class numbers.

    Points in several `parts` are dealt in chunks, wherever `run_tasks` does so.
    """

    points: Floats
    hashes: Hashes | None = None
    labels: Rows | None = None
    duplicate_bits: int = 6
    parts: tuple[Part, ...] = ()
    run_tasks: TaskMap = map_serially

    def of(self, rows: Rows) -> "Population":
        """The same of some rows alone, in memory."""
        hashes = None if self.hashes is None else self.hashes[rows]
        labels = None if self.labels is None else self.labels[rows]
        return Population(self.points[rows], hashes, labels, self.duplicate_bits)


def deal(
    population: Population,
    batch_size: int,
    *,
    seed: int,
    epoch: int = 0,
    drop_last: bool = False,
    balance: bool = False,
) -> list[Rows]:
    """Deal one epoch; see `deal_chunks`, whose batches come here in one list."""
    how = DealOptions(batch_size, seed, epoch, drop_last, population.duplicate_bits)
    return [batch for chunk in deal_chunks(population, how, balance=balance) for batch in chunk]


def deal_chunks(
    population: Population, how: DealOptions, *, balance: bool = False
) -> Iterator[list[Rows]]:
    """Deal one epoch, chunk by chunk; with `balance`, each batch gets its share of each class.

    One chunk, by `deal_batches`, unless the points lie in parts; see `deal_in_parts`.

    Raises
    ------
    SelectionError
        An argument out of range, or `balance` without at least two classes.
    """
    if balance and population.labels is None:
        raise SelectionError(
            "balanced batches were asked for, but the images are not of two classes or more",
            "put them into a subfolder for each class, or leave balance out",
        )
    labels = population.labels if balance else None
    if len(population.parts) > 1:
        return deal_in_parts(population.parts, how, labels, run_tasks=population.run_tasks)
    return iter(
        [
            deal_batches(
                population.points,
                how.batch_size,
                seed=how.seed,
                epoch=how.epoch,
                drop_last=how.drop_last,
                labels=labels,
                hashes=population.hashes,
                max_duplicate_bits=how.max_duplicate_bits,
            )
        ]
    )


def class_numbers(labels: Sequence[str]) -> Rows | None:
    """Number the labels 0, 1, ... in the order of names; None if there are fewer than two.

    Images without a label ("") make one more class here, the first.
    """
    numbers = annotations.class_numbers(labels)
    return numbers - numbers.min() if len(np.unique(numbers)) > 1 else None


def random_batches(n: int, batch_size: int, seed: int, epoch: int = 0) -> list[Rows]:
    """The batches a shuffling loader would make of n rows; seed and epoch decide."""
    order = np.random.default_rng([seed, epoch, 1]).permutation(n)
    return [rows.astype(np.int64) for rows in np.split(order, np.arange(batch_size, n, batch_size))]


class Tally:
    """Counts batches, epoch after epoch, and tells what they are like.

    Parameters
    ----------
    population
        What the batches were dealt from.
    batch_size
        Of a full batch; smaller ones count for distances and duplicates only.
    leading
        Number of components of the figure `leading_variance`.

    Notes
    -----
    A batch of B of n rows drawn without replacement has a mean whose expected squared distance is
    (1/B) (n - B)/(n - 1) times the rows' mean squared distance from their mean; so the comparison
    with random batches is free of chance. O(n B p) an epoch.
    """

    def __init__(self, population: Population, batch_size: int, leading: int = COMPONENTS) -> None:
        self.population, self.batch_size = population, batch_size
        points = population.points
        centred = points - points.mean(axis=0, dtype=np.float64).astype(np.float32)
        n = len(centred)
        share = (n - batch_size) / max(n - 1, 1) / batch_size
        # The points in their principal axes, split into the leading ones and the others.
        turned = centred @ _axes(centred)
        self.parts = turned[:, :leading], turned[:, leading:]
        self.expected = [share * float((x.astype(np.float64) ** 2).sum()) / n for x in self.parts]
        self.deviations: list[list[float]] = []
        self.closest: list[float] = []
        self.classes: list[int] = []
        self.near_duplicates = 0

    def add(self, batches: Iterable[Rows]) -> None:
        """Take the batches of another epoch into account."""
        labels = self.population.labels
        for batch in batches:
            if len(batch) == self.batch_size:
                self.deviations.append(
                    [float((x[batch].mean(axis=0) ** 2).sum()) for x in self.parts]
                )
                if labels is not None:
                    self.classes.append(len(np.unique(labels[batch])))
            if len(batch) > 1:
                least, near = _closest(self.population, batch)
                self.closest.append(least)
                self.near_duplicates += near

    def figures(self) -> Figures:
        """The figures of all batches added, NaN where there is nothing to tell.

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
        found = np.sum(self.deviations, axis=0) / len(self.deviations) if self.deviations else None
        least = self.closest
        return {
            "variance": _ratio(found, self.expected, 2),
            "leading_variance": _ratio(found, self.expected, 1),
            "closest": min(least, default=math.nan),
            "mean_closest": float(np.mean(least)) if least else math.nan,
            "near_duplicates": self.near_duplicates,
            "classes": float(np.mean(self.classes)) if self.classes else math.nan,
        }


def _ratio(found: npt.NDArray[np.float64] | None, expected: Sequence[float], parts: int) -> float:
    wanted = sum(expected[:parts])
    return math.nan if found is None or wanted < _EQUAL else float(found[:parts].sum() / wanted)


def mate_distances(points: Floats, batch: Rows) -> npt.NDArray[np.float64]:
    """Distance of each row of a batch to the nearest other one; inf for a batch of one."""
    apart = _squared_distances(points, batch)
    np.fill_diagonal(apart, np.inf)
    return np.asarray(np.sqrt(np.maximum(apart.min(axis=1), 0)), np.float64)


def _closest(population: Population, batch: Rows) -> tuple[float, int]:
    upper = np.triu_indices(len(batch), 1)
    apart = _squared_distances(population.points, batch)[upper]
    near = apart < _EQUAL
    if population.hashes is not None:
        hashes = population.hashes[batch]
        near |= hamming(hashes[:, None], hashes)[upper] <= population.duplicate_bits
    return float(np.sqrt(max(apart.min(), 0.0))), int(near.sum())


def _squared_distances(points: Floats, rows: Rows) -> npt.NDArray[np.float64]:
    here = points[rows].astype(np.float64)
    lengths = (here**2).sum(axis=1)
    return np.asarray(lengths[:, None] + lengths - 2 * here @ here.T, np.float64)


def _axes(centred: Floats) -> Floats:
    """The principal axes of centred rows, (p, p), the longest first."""
    vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64))[1]
    return np.asarray(vectors[:, ::-1], np.float32)
