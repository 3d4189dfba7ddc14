"""What is dealt into batches, and how."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral

import numpy as np

from imgbatch.annotations.labels import class_numbers
from imgbatch.embedding.projection import Projection
from imgbatch.errors import SelectionError
from imgbatch.neighbours.parts import Part
from imgbatch.runners.maps import TaskMap, map_serially
from imgbatch.seeds import is_whole
from imgbatch.types import Floats, Hashes, Rows

COMPONENTS = 48  # principal components dealt in; figures in imgbatch/DESIGN.md
_MAX_BITS = 31
_MOST_IMAGES = 1_000_000_000
"""In a batch; beyond it, products with it would overflow."""


@dataclass(frozen=True, slots=True)
class DealOptions:
    """How one epoch is dealt.

    Attributes
    ----------
    batch_size
        Rows of a batch: a whole number, 1 or more.
    seed, epoch
        0 or more. They alone decide the batches of a given population; each epoch has fresh ones.
    drop_last
        Leave out n mod `batch_size` rows, drawn at random each epoch, in place of the last,
        incomplete batch.
    balance
        Give every batch its share of each class.
    components
        1 or more. Points of more dimensions are dealt in this many leading principal components:
        batch means can be evened out twice as well there, in less time; the rest is mostly noise.

    Raises
    ------
    SelectionError
        A value out of its range.

    Examples
    --------
    >>> DealOptions(batch_size=32, seed=1, epoch=2).drop_last
    False
    """

    batch_size: int
    seed: int
    epoch: int = 0
    drop_last: bool = False
    balance: bool = False
    components: int = COMPONENTS

    def __post_init__(self) -> None:
        if isinstance(self.batch_size, bool) or not isinstance(self.batch_size, Integral):
            raise SelectionError(
                f"the batch size is {self.batch_size!r}, which is no whole number",
                "give one such as 32",
            )
        if not 1 <= self.batch_size <= _MOST_IMAGES:
            raise SelectionError(
                f"the batch size is {self.batch_size}, expected 1 to {_MOST_IMAGES:,}",
                "32 to 256 is usual",
            )
        if not (is_whole(self.seed) and is_whole(self.epoch)):
            raise SelectionError(
                f"seed {self.seed!r:.40} and epoch {self.epoch!r:.40} were given",
                "give whole numbers from 0 on",
            )
        if self.components < 1:
            raise SelectionError(
                f"components is {self.components}, expected at least 1", f"{COMPONENTS} is usual"
            )


@dataclass(frozen=True, slots=True)
class Population:
    """What is dealt into batches.

    Attributes
    ----------
    points
        (n, p) float32, any scale; Euclidean distance is what tells rows apart.
    hashes
        (n,) uint64 pHashes, or None.
    labels
        (n,) class numbers, or None if there are fewer than two classes.
    duplicate_bits
        0..31; rows whose hashes are at most this many bits apart are near-duplicates.
    parts
        If there are several, the points lie in these parts, and are dealt in chunks.
    run_tasks
        Deals the chunks: in this thread, or on other cores or machines.

    Raises
    ------
    SelectionError
        Arrays do not fit each other, or `duplicate_bits` is out of range.

    Examples
    --------
    >>> population = Population(np.zeros((4, 2), np.float32), labels=np.array([0, 0, 1, 1]))
    >>> population.subset(np.array([1, 2])).labels
    array([0, 1])
    """

    points: Floats
    hashes: Hashes | None = None
    labels: Rows | None = None
    duplicate_bits: int = 6
    parts: tuple[Part, ...] = ()
    run_tasks: TaskMap = map_serially

    def __post_init__(self) -> None:
        if self.points.ndim != 2:
            raise SelectionError(
                f"points of shape {self.points.shape} were given, expected (n, d)",
                "give one row of points for each image",
            )
        n = self.points.shape[0]
        for name, values in (("labels", self.labels), ("hashes", self.hashes)):
            if values is not None and np.shape(values) != (n,):
                raise SelectionError(
                    f"{name} of shape {np.shape(values)} were given for {n} points, "
                    f"expected ({n},)",
                    f"give one of the {name} for each row",
                )
        if not 0 <= self.duplicate_bits <= _MAX_BITS:
            raise SelectionError(
                f"duplicate_bits is {self.duplicate_bits}, expected 0..{_MAX_BITS}", "6 is usual"
            )

    def subset(self, rows: Rows) -> "Population":
        """Only these rows, in memory."""
        hashes = None if self.hashes is None else self.hashes[rows]
        labels = None if self.labels is None else self.labels[rows]
        return Population(self.points[rows], hashes, labels, self.duplicate_bits)

    def balanced_labels(self, options: DealOptions) -> Rows | None:
        """The class numbers to balance by; None if `balance` is off.

        Raises
        ------
        SelectionError
            `balance` was asked for, but there are fewer than two classes.
        """
        if not options.balance:
            return None
        if self.labels is None:
            raise SelectionError(
                "balanced batches were asked for, but the images are not of two classes or more",
                "put them into a subfolder for each class, or leave balance out",
            )
        return self.labels


def population_of(projection: Projection, copies: Hashes, names: Sequence[str]) -> Population:
    """What is dealt of a folder: points, groups of copies and, if there are several, classes."""
    made = projection
    labels = class_labels(names)
    return Population(made.points, copies, labels, 0, made.parts, made.run_long_tasks)


def class_labels(names: Sequence[str]) -> Rows | None:
    """Class numbers of the images, by which batches can be balanced; None for fewer than two.

    Examples
    --------
    >>> class_labels(["dog", "cat", "dog"])
    array([1, 0, 1])
    """
    numbers = class_numbers(names)
    return numbers if len(np.unique(numbers)) > 1 else None
