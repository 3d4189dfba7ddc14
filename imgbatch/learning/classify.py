"""Train a classifier: the best of a few learners, by cross-validation, with honest probabilities.

Sources: shrunken discriminant analysis (Friedman 1989), ridge, the Nystroem approximation of a
kernel (Williams and Seeger 2000); probabilities by temperature scaling (Guo et al., "On Calibration
of Modern Neural Networks", ICML 2017), where the temperature is found on held-out folds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgbatch.learning.examples import Examples, PointRows
from imgbatch.learning.judged import Judged, judged_by
from imgbatch.learning.kernel import KernelMap
from imgbatch.learning.linear import Discriminant, Linear, Ridge
from imgbatch.learning.parts import dealt_parts
from imgbatch.learning.sums import Doubles, Sums
from imgbatch.types import Floats, Rows

FOLDS = 5
_LANDMARKS = 1000
_MOST_JUDGED = 20_000
"""Held-out images on which learners are compared."""
_MOST_SCORED = 2_000
"""Of these, images whose scores find the temperature."""
_FAR = 1e8
"""Scores that lie further apart are those of a class that no other fold holds."""


@dataclass(frozen=True, slots=True)
class Learner:
    """One way to learn.

    Attributes
    ----------
    name
        As it is shown.
    solver
        Makes a linear classifier of sums.
    gamma
        Of the kernel; 0 learns on the points themselves.
    """

    name: str
    solver: Discriminant | Ridge
    gamma: float = 0.0


LEARNERS = (
    Learner("LDA, shrinkage 0.05", Discriminant(0.05)),
    Learner("LDA, shrinkage 0.2", Discriminant(0.2)),
    Learner("LDA, shrinkage 0.5", Discriminant(0.5)),
    Learner("LDA, shrinkage 0.8", Discriminant(0.8)),
    Learner("ridge 0.3", Ridge(0.3)),
    Learner("kernel LDA, shrinkage 0.1", Discriminant(0.1), gamma=0.5),
    Learner("kernel LDA, shrinkage 0.4", Discriminant(0.4), gamma=0.5),
)


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """Probabilities of classes, from points.

    Attributes
    ----------
    kernel
        A map in front; None for none.
    linear
        Scores of classes.
    steepness
        Scores are multiplied by it: one over the temperature.
    """

    kernel: KernelMap | None
    linear: Linear
    steepness: float

    def scores(self, points: Floats) -> Floats:
        """(n, p) points -> (n, k) float32 logarithms of probabilities, up to a constant a row."""
        mapped = points if self.kernel is None else self.kernel.map(points)
        scores = self.linear.scores(mapped)
        scores *= np.float32(self.steepness)
        return scores

    def probabilities(self, points: Floats) -> Floats:
        """(n, p) points -> (n, k) float32; each row sums to 1."""
        return probabilities_of(self.scores(points))


def probabilities_of(scores: Floats) -> Floats:
    """(n, k) logarithms of probabilities, up to a constant a row -> (n, k) that sum to 1."""
    shares: Floats = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return shares


@dataclass(frozen=True, slots=True)
class Tried:
    """How a learner did on held-out folds."""

    name: str
    log_loss: float
    accuracy: float


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A classifier, and how its learner did on images that it was not trained on.

    Attributes
    ----------
    classifier
        Trained on all examples.
    learner
        The learner chosen.
    held
        (h,) positions of the examples that were judged while held out.
    judged
        What was said of them.
    tried
        All learners, as they were compared.
    """

    classifier: Classifier
    learner: Learner
    held: Rows
    judged: Judged
    tried: tuple[Tried, ...]


def train(
    examples: Examples, seed: int, learners: Sequence[Learner] = LEARNERS, folds: int = FOLDS
) -> Trained:
    """Choose the learner of the least log loss on held-out folds; train it on all examples.

    Groups are never divided between folds. Deterministic by seed. Points are gone through twice
    for each map; O(n p^2 + n p k) in all, and memory for (k, p) sums of each fold.

    Parameters
    ----------
    examples
        Of k >= 2 classes.
    seed
        Draws folds and landmarks.
    learners
        To choose from.
    folds
        2 or more.
    """
    fold_of = dealt_parts(examples.classes, examples.groups, [1 / folds] * folds, seed)
    held = drawn(len(examples), _MOST_JUDGED, seed)
    tried = list[Tried]()
    best, least = None, np.inf
    for gamma in sorted({learner.gamma for learner in learners}):
        kernel = kernel_of(examples.images, gamma, seed) if gamma else None
        sums = sums_of_folds(examples, fold_of, folds, kernel)
        total = sum(sums[1:], sums[0])
        for learner in (learner for learner in learners if learner.gamma == gamma):
            linears = [learner.solver.solve(total - of_fold) for of_fold in sums]
            steepness = _steepness(examples.take(held), fold_of[held], kernel, linears)
            judges = [Classifier(kernel, linear, steepness) for linear in linears]
            judged = _judged(examples.take(held), fold_of[held], judges)
            tried.append(
                Tried(learner.name, float(judged.losses.mean()), float(judged.right.mean()))
            )
            if best is None or tried[-1].log_loss < least:
                least = tried[-1].log_loss
                classifier = Classifier(kernel, learner.solver.solve(total), steepness)
                best = Trained(classifier, learner, held, judged, ())
    assert best is not None  # noqa: S101 - there are learners
    return Trained(best.classifier, best.learner, held, best.judged, tuple(tried))


def sums_of_folds(
    examples: Examples, fold_of: Rows, folds: int, kernel: KernelMap | None = None
) -> list[Sums]:
    """The sums of each fold's examples; those of a fold of number -1 are left out."""
    totals: list[Sums] | None = None
    given = kernel, folds, len(examples.names)
    for _, batch in examples.images.map(_sums_of_batch, examples.classes, fold_of, with_all=given):
        totals = batch if totals is None else [a + b for a, b in zip(totals, batch, strict=True)]
    assert totals is not None  # noqa: S101 - there are examples
    return totals


def _sums_of_batch(
    points: Floats, classes: Rows, fold_of: Rows, kernel: KernelMap | None, folds: int, k: int
) -> list[Sums]:
    mapped = points if kernel is None else kernel.map(points)
    return [Sums.of(mapped[fold_of == fold], classes[fold_of == fold], k) for fold in range(folds)]


def _judged(examples: Examples, fold_of: Rows, judges: Sequence[Classifier]) -> Judged:
    """What the classifier without an example's fold says of it."""
    judged = Judged.empty(len(examples))
    for fold, judge in enumerate(judges):
        positions = np.flatnonzero(fold_of == fold)
        judged.put(positions, judged_by(judge, examples.take(positions)))
    return judged


def out_of_fold(
    examples: Examples, trained: Trained, seed: int, trusted: npt.NDArray[np.bool_]
) -> Judged:
    """What the chosen learner says of every example while it is held out.

    Only `trusted` examples (m,) are trained on.
    """
    fold_of = dealt_parts(examples.classes, examples.groups, [1 / FOLDS] * FOLDS, seed)
    of = trained.classifier
    sums = sums_of_folds(examples, np.where(trusted, fold_of, -1), FOLDS, of.kernel)
    total = sum(sums[1:], sums[0])
    solver = trained.learner.solver
    judges = [
        Classifier(of.kernel, solver.solve(total - of_fold), of.steepness) for of_fold in sums
    ]
    return _judged(examples, fold_of, judges)


def _steepness(
    examples: Examples, fold_of: Rows, kernel: KernelMap | None, linears: Sequence[Linear]
) -> float:
    """What scores are multiplied by, for the least log loss of held-out images."""
    chosen = drawn(len(examples), _MOST_SCORED, 0)
    classes, fold_of = examples.classes[chosen], fold_of[chosen]
    points = examples.images.take(chosen).points()
    mapped = points if kernel is None else kernel.map(points)
    scores = np.empty((len(chosen), len(examples.names)), np.float32)
    for fold, linear in enumerate(linears):
        scores[fold_of == fold] = linear.scores(mapped[fold_of == fold])
    return fitted_steepness(scores, classes)


def fitted_steepness(scores: Floats, classes: Rows) -> float:
    """The factor of (n, k) scores at which the softmax has the least log loss.

    >>> sure = np.array([[2, 0], [2, 0], [2, 0], [0, 2]], np.float32)
    >>> round(fitted_steepness(sure, np.array([0, 0, 1, 1])), 2)
    0.55
    """
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(classes))
    apart = scores.astype(np.float64) - scores[rows, classes][:, None]
    known = apart.max(axis=1) < _FAR  # of a class that the other folds hold
    if not known.any():
        return 1.0
    apart = apart[known]

    def loss(logarithm: float) -> float:
        scaled = apart * np.exp(logarithm)
        most = scaled.max(axis=1)
        losses: Doubles = most + np.log(np.exp(scaled - most[:, None]).sum(axis=1))
        return float(losses.mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-12, 12), method="bounded").x))


def kernel_of(images: PointRows, gamma: float, seed: int) -> KernelMap:
    """The kernel's map with at most a thousand of the images as landmarks."""
    landmarks = images.take(drawn(len(images), _LANDMARKS, seed))
    return KernelMap.of(landmarks.points(), gamma)


def drawn(n: int, most: int, seed: int) -> Rows:
    """At most so many random positions of n, rising."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
