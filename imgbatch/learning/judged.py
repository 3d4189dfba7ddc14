"""What a classifier says of images whose class is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from imgbatch.learning.examples import Examples
from imgbatch.types import Floats, Rows

LEAST = 1e-6
"""Probabilities below count as this much, so that one image cannot make the log loss infinite."""


class Scorer(Protocol):
    """A classifier."""

    def scores(self, points: Floats) -> Floats:
        """(n, p) points -> (n, k) logarithms of probabilities, up to a constant a row."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What was said of m images.

    Attributes
    ----------
    given
        (m,) int64: the number of each image's class.
    predicted
        (m,) int64: the class that the classifier gives.
    confidence
        (m,) float32, 0..1: the probability of that class.
    of_given
        (m,) float32, 0..1: the probability of the image's own class.
    """

    given: Rows
    predicted: Rows
    confidence: Floats
    of_given: Floats

    @classmethod
    def empty(cls, m: int) -> Self:
        """Of m images, to be filled by `put`."""
        numbers, values = np.zeros((2, m), np.int64), np.zeros((2, m), np.float32)
        return cls(*numbers, *values)

    @classmethod
    def joined(cls, parts: Sequence["Judged"]) -> Self:
        """What was said of the images of all parts, in their order."""
        names = ("given", "predicted", "confidence", "of_given")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def put(self, positions: Rows, judged: "Judged") -> None:
        """Fill in what was said of some of the images."""
        self.given[positions] = judged.given
        self.predicted[positions] = judged.predicted
        self.confidence[positions] = judged.confidence
        self.of_given[positions] = judged.of_given

    def take(self, positions: Rows | npt.NDArray[np.bool_]) -> "Judged":
        """What was said of some of the images."""
        return Judged(
            self.given[positions],
            self.predicted[positions],
            self.confidence[positions],
            self.of_given[positions],
        )

    def __len__(self) -> int:
        return len(self.given)

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """(m,) whether each image was given its own class."""
        right: npt.NDArray[np.bool_] = self.given == self.predicted
        return right

    @property
    def losses(self) -> Floats:
        """(m,) minus the logarithm of the probability of each image's own class."""
        losses: Floats = -np.log(np.maximum(self.of_given, np.float32(LEAST)))
        return losses


def judged_by(classifier: Scorer, examples: Examples) -> Judged:
    """What a classifier says of examples; O(m p k)."""
    judged = Judged.empty(len(examples))
    batches = examples.images.map(judged_points, examples.classes, with_all=(classifier,))
    for positions, batch in batches:
        judged.put(positions, batch)
    return judged


def judged_points(points: Floats, classes: Rows, classifier: Scorer) -> Judged:
    """What a classifier says of (m, p) points of these classes."""
    scores = classifier.scores(points)
    rows = np.arange(len(scores))
    predicted = scores.argmax(axis=1)
    scores -= scores[rows, predicted][:, None]
    of_given = scores[rows, classes].copy()
    np.exp(scores, out=scores)
    confidence = 1 / scores.sum(axis=1)
    return Judged(classes, predicted, confidence, np.exp(of_given) * confidence)
