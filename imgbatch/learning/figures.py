"""Figures of what a classifier says, with intervals: accuracy, F1, log loss, calibration."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imgbatch.learning.judged import Judged
from imgbatch.learning.sums import Doubles
from imgbatch.types import Floats, Rows

FIGURES = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss", "calibration_error")
BINS = 15
_RESAMPLES = 1000
_MOST_RESAMPLED = 20_000_000
"""Images times resamples; with more images, fewer resamples tell as much."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95% interval: bootstrap percentiles over images."""

    value: float
    low: float
    high: float


def figures_of(judged: Judged, k: int, seed: int) -> dict[str, Figure]:
    """All figures of m >= 1 judged images, by name.

    - accuracy: the share of images that are given their own class.
    - balanced_accuracy: the mean over classes of the share of its images that are.
    - macro_f1: the mean over classes of the harmonic mean of precision and recall.
    - log_loss: the mean of minus the logarithm of the probability of the image's class.
    - calibration_error: the mean difference of confidence and accuracy in 15 bins of equally many
      images (Nixon et al., "Measuring Calibration in Deep Learning", CVPR workshops 2019).

    The first four are scikit-learn's; a class counts if an image has it (for F1: or is given it).
    Deterministic by seed; O(resamples * (m + k)).

    >>> judged = Judged(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0]),
    ...     np.full(4, 0.75, np.float32), np.array([0.75, 0.75, 0.75, 0.25], np.float32))
    >>> figures_of(judged, 2, seed=0)["accuracy"].value
    0.75
    """
    bins = _bins(judged.confidence)
    whole = _values(judged, np.ones(len(judged)), bins, k)
    random = np.random.default_rng(seed)
    resamples = max(100, min(_RESAMPLES, _MOST_RESAMPLED // len(judged)))
    drawn = np.empty((resamples, len(FIGURES)))
    for number in range(resamples):
        chosen = random.integers(0, len(judged), len(judged))
        weights = np.bincount(chosen, minlength=len(judged)).astype(np.float64)
        drawn[number] = _values(judged, weights, bins, k)
    lows, highs = np.percentile(drawn, [2.5, 97.5], axis=0)
    # The calibration error of a resample is biased upward; its spread is shifted to the figure.
    shift = np.where(np.array(FIGURES) == "calibration_error", whole - np.median(drawn, axis=0), 0)
    bounds = zip(FIGURES, whole, lows + shift, highs + shift, strict=True)
    return {
        name: Figure(float(value), float(max(low, 0)), float(high))
        for name, value, low, high in bounds
    }


def figure_values(judged: Judged, k: int) -> dict[str, float]:
    """The same without intervals."""
    values = _values(judged, np.ones(len(judged)), _bins(judged.confidence), k)
    return dict(zip(FIGURES, values.tolist(), strict=True))


def _bins(confidence: Floats) -> Rows:
    """Bins of about equally many images; images of equal confidence are in one bin."""
    edges = np.sort(confidence)[np.arange(1, BINS) * len(confidence) // BINS]
    return np.searchsorted(edges, confidence, side="right")


def _values(judged: Judged, weights: Doubles, bins: Rows, k: int) -> Doubles:
    """All figures of images that count with these weights."""
    right = judged.right
    total = weights.sum()
    given = np.bincount(judged.given, weights, k)
    predicted = np.bincount(judged.predicted, weights, k)
    hits = np.bincount(judged.given, weights * right, k)
    there, either = given > 0, given + predicted > 0
    recalls = hits[there] / given[there]
    f1 = 2 * hits[either] / (given + predicted)[either]
    gaps = np.bincount(bins, weights * (judged.confidence - right), BINS)
    return np.array(
        [
            hits.sum() / total,
            recalls.mean(),
            f1.mean(),
            (weights * judged.losses).sum() / total,
            np.abs(gaps).sum() / total,
        ]
    )


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """How one class is recognised.

    Attributes
    ----------
    name
        The class.
    images
        How many of its images were judged.
    recall
        The share of these that were given their class.
    precision
        The share of images given the class that are of it; NaN if there are none.
    f1
        The harmonic mean of both.
    """

    name: str
    images: int
    recall: float
    precision: float
    f1: float


def figures_by_class(judged: Judged, names: Sequence[str]) -> tuple[ClassFigures, ...]:
    """The figures of each class that was judged, in the order of names."""
    k = len(names)
    given = np.bincount(judged.given, minlength=k)
    predicted = np.bincount(judged.predicted, minlength=k)
    hits = np.bincount(judged.given[judged.right], minlength=k)
    return tuple(
        ClassFigures(
            names[number],
            int(given[number]),
            float(hits[number] / given[number]),
            float(hits[number] / predicted[number]) if predicted[number] else float("nan"),
            float(2 * hits[number] / (given[number] + predicted[number])),
        )
        for number in np.flatnonzero(given).tolist()
    )


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """Images of one class that were given another one.

    Attributes
    ----------
    given, predicted
        Numbers of the classes.
    count
        How many images.
    share
        Of the judged images of the given class.
    positions
        (count,) which of the judged images, the surest ones first.
    """

    given: int
    predicted: int
    count: int
    share: float
    positions: Rows


def confusions_of(judged: Judged, k: int, most: int) -> list[Confusion]:
    """The pairs of classes that are confused most often, at most so many."""
    wrong = np.flatnonzero(~judged.right)
    pairs = judged.given[wrong] * k + judged.predicted[wrong]
    numbers, counts = np.unique(pairs, return_counts=True)
    given = np.bincount(judged.given, minlength=k)
    found = list[Confusion]()
    for chosen in np.argsort(-counts, kind="stable")[:most].tolist():
        of_pair = wrong[pairs == numbers[chosen]]
        surest = of_pair[np.argsort(-judged.confidence[of_pair], kind="stable")]
        first, second = divmod(int(numbers[chosen]), k)
        count = int(counts[chosen])
        found.append(Confusion(first, second, count, count / float(given[first]), surest))
    return found


def confusion_matrix(judged: Judged, k: int) -> npt.NDArray[Any]:
    """(k, k) int64: images by their class (rows) and the class that was given (columns)."""
    pairs = judged.given * k + judged.predicted
    return np.bincount(pairs, minlength=k * k).reshape(k, k)
