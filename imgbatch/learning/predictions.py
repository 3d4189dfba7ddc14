"""The classes that a model gives images, and from which confidence on to believe them."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from imgbatch.learning.classify import Classifier, probabilities_of
from imgbatch.types import Floats, Rows


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """The classes that a model gives n images.

    Attributes
    ----------
    classes
        All classes of the model.
    numbers
        (n,) int64: the likeliest class of each image, as a position in `classes`.
    probabilities
        (n,) float32, 0..1: how likely it is.
    margins
        (n,) float32, 0..1: by how much it is likelier than the second.
    odds
        (n,) float32, at least 0: the logarithm of how many times as likely it is as the second;
        it tells sure images from each other, whose margins are all rounded to 1.
    """

    classes: tuple[str, ...]
    numbers: Rows
    probabilities: Floats
    margins: Floats
    odds: Floats

    @classmethod
    def empty(cls, classes: tuple[str, ...], n: int) -> Self:
        """Of n images, to be filled by `put`."""
        return cls(classes, np.zeros(n, np.int64), *np.zeros((3, n), np.float32))

    def put(self, positions: Rows, batch: "Labelled") -> None:
        """Fill in what `labelled` says of some of the images."""
        self.numbers[positions], self.probabilities[positions] = batch[:2]
        self.margins[positions], self.odds[positions] = batch[2:]

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def labels(self) -> list[str]:
        """The likeliest class of each image."""
        return [self.classes[number] for number in self.numbers.tolist()]


Labelled = tuple[Rows, Floats, Floats, Floats]


def labelled(points: Floats, classifier: Classifier) -> Labelled:
    """The likeliest class of (n, p) points, its probability, and by how much it leads, twice."""
    scores = classifier.scores(points)
    probabilities = probabilities_of(scores)
    rows = np.arange(len(points))
    numbers = probabilities.argmax(axis=1)
    most = probabilities[rows, numbers].copy()
    probabilities[rows, numbers] = -1
    odds = np.full(len(points), np.inf, np.float32)
    if scores.shape[1] > 1:
        second, first = np.partition(scores, -2, axis=1)[:, -2:].T
        odds = first - second
    return numbers, most, most - np.maximum(probabilities.max(axis=1), 0), odds


def lowest_threshold(confidence: Floats, right: npt.NDArray[np.bool_], precision: float) -> float:
    """See `LabelModel.threshold`; confidences fall.

    >>> sure = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
    >>> round(lowest_threshold(sure, np.array([True, True, False, True]), 0.75), 2)
    0.6
    """
    shares = np.cumsum(right) / np.arange(1, len(right) + 1)
    # Images of one confidence get a label together.
    last_of_equals = np.append(np.diff(confidence) != 0, np.True_)[: len(confidence)]
    reached = np.flatnonzero((shares >= precision) & last_of_equals)
    return float(confidence[reached[-1]]) if len(reached) else float("inf")
