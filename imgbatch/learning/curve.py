"""How accuracy grows with the number of labelled images, to tell whether more would help."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgbatch.learning.classify import Classifier, Learner, kernel_of, sums_of_folds
from imgbatch.learning.examples import Examples
from imgbatch.learning.figures import figure_values
from imgbatch.learning.judged import Judged, judged_by
from imgbatch.types import Rows

_SHARES = (0.1, 0.2, 0.4, 0.7)
_DRAWS = 3
_MOST_LABELS = 20_000
_MOST_TESTED = 5_000
_LEAST_LABELS = 5
Trial = tuple[Rows, Rows]
"""Positions of examples to train on, and of examples to test on."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Balanced accuracy with so many labelled images.

    Attributes
    ----------
    labels
        How many images were trained on, drawn at random.
    value, low, high
        The mean of a few draws, the lowest and the highest one.
    """

    labels: int
    value: float
    low: float
    high: float


def learning_curve(
    examples: Examples, trials: Sequence[Trial], learner: Learner, seed: int
) -> tuple[CurvePoint, ...]:
    """Balanced accuracy on held-out images, by the number of images trained on.

    Parameters
    ----------
    examples
        All images with a class.
    trials
        Which are trained on and which are held out: one pair, or one for each fold.
    learner
        The learner, which is trained anew on random parts.
    seed
        Draws these parts.

    Returns
    -------
    Tuple of points, by number of labels; empty where there are too few labels for a curve.
    """
    whole = int(np.mean([len(train) for train, _ in trials]))
    sizes = sorted({round(share * min(whole, _MOST_LABELS)) for share in _SHARES} | {whole})
    points = list[CurvePoint]()
    for size in (size for size in sizes if size >= _LEAST_LABELS):
        draws = 1 if size == whole else _DRAWS
        values = list[float]()
        for draw in range(draws):
            random = np.random.default_rng([seed, draw])
            drawn = [_drawn(trial, size / whole, random) for trial in trials]
            values.append(_balanced_accuracy(examples, drawn, learner))
        points.append(CurvePoint(size, float(np.mean(values)), min(values), max(values)))
    return tuple(points)


def balanced_accuracy_with(
    examples: Examples,
    trials: Sequence[Trial],
    learner: Learner,
    known: npt.NDArray[np.bool_],
) -> float:
    """Balanced accuracy on held-out images if only some examples (m,) are trained on; or NaN."""
    chosen = [(train[known[train]], test) for train, test in trials]
    if any(len(np.unique(examples.classes[train])) < 2 for train, _ in chosen):
        return float("nan")
    return _balanced_accuracy(examples, chosen, learner)


def _drawn(trial: Trial, share: float, random: np.random.Generator) -> Trial:
    """A random share of the images to train on; of those to test on, not too many."""
    train, test = trial
    count = max(1, round(share * len(train)))
    chosen = np.sort(random.permutation(train)[:count])
    return chosen, np.sort(random.permutation(test)[:_MOST_TESTED])


def _balanced_accuracy(examples: Examples, trials: Iterable[Trial], learner: Learner) -> float:
    parts = [_tested(examples.take(train), examples.take(test), learner) for train, test in trials]
    return figure_values(Judged.joined(parts), len(examples.names))["balanced_accuracy"]


def _tested(train: Examples, test: Examples, learner: Learner) -> Judged:
    kernel = kernel_of(train.images, learner.gamma, 0) if learner.gamma else None
    (sums,) = sums_of_folds(train, np.zeros(len(train), np.int64), 1, kernel)
    return judged_by(Classifier(kernel, learner.solver.solve(sums), 1.0), test)
