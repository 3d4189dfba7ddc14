"""A tag learned from examples: a linear score that ranks the other images, and how far to trust it.

The examples are told from random images of the folder. Where metadata say of other images that they
do not have the tag, the score is tried on examples that it was not trained on; only from a score on
at which nearly all of these are right is a tag given unasked.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgbatch.types import Floats, Rows

LEAST_EXAMPLES = 3
_FOLDS = 5
_ALPHA = 0.1
"""Strength of the ridge, beside a typical squared distance of 1 and weights that sum to 2."""
_SEED = 20_000_033
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Trust:
    """How a score did on images that it was not trained on.

    Attributes
    ----------
    threshold
        The score from which on the tag is given unasked; infinite if it never is.
    right, given
        Of `given` held-out images at or above the threshold, `right` have the tag.
    low, high
        95% interval of the precision there (Wilson 1927); 0 and 1 if nothing was held out.
    """

    threshold: float
    right: int
    given: int
    low: float
    high: float


NO_TRUST = Trust(np.inf, 0, 0, 0.0, 1.0)
"""Where nothing is known of images without the tag."""


def ridge_scores(positives: Floats, others: Floats, asked: Floats, alpha: float = _ALPHA) -> Floats:
    """Scores of images by a class-balanced ridge: about 1 for the tag, -1 for other images.

    Examples and others weigh the same in all, whatever their numbers. Deterministic; O((m + r) p^2
    + n p) for m examples, r others, n asked, p dimensions.

    Parameters
    ----------
    positives, others, asked
        (m, p), (r, p), (n, p) points; m, r >= 1.

    Returns
    -------
    (n,) float32.

    Examples
    --------
    >>> tag, other = np.array([[1.0, 0]], np.float32), np.array([[0, 1.0]], np.float32)
    >>> scores = ridge_scores(tag, other, np.concatenate([tag, other]))
    >>> bool(scores[0] > 0.5), bool(scores[1] < -0.5)
    (True, True)
    """
    from sklearn.linear_model import Ridge

    points = np.concatenate([positives, others])
    targets = np.repeat([1.0, -1.0], [len(positives), len(others)])
    weights = np.repeat([1 / len(positives), 1 / len(others)], [len(positives), len(others)])
    model = Ridge(alpha=alpha, solver="cholesky").fit(points, targets, sample_weight=weights)
    return np.asarray(asked @ model.coef_.astype(np.float32) + model.intercept_, np.float32)


def drawn_others(n: int, examples: Rows, count: int, random: np.random.Generator) -> Rows:
    """Random rows of n, none of them an example; at most `count`, rising."""
    free = np.setdiff1d(np.arange(n), examples)
    return np.sort(random.choice(free, min(count, len(free)), replace=False))


def learned_scores(points: Floats, positives: Floats, examples: Rows, against: int) -> Floats:
    """The score of every image of a folder: (n,) float32.

    Parameters
    ----------
    points
        (n, p) of the folder.
    positives
        (m, p) points of the examples, which may lie in the folder or not.
    examples
        Rows of those that lie in it.
    against
        Random images that stand for all others.
    """
    others = drawn_others(len(points), examples, against, np.random.default_rng(_SEED))
    return ridge_scores(positives, np.asarray(points[others]), np.asarray(points))


def trust_of(points: Floats, known: Rows, has_tag: Bools, against: int, precision: float) -> Trust:
    """Try a tag on held-out images, in five folds, and find from which score on it is trusted.

    The threshold is the lowest one at which the lower end of the 95% interval of the precision is
    at least `precision`; so 35 images, all of them right, are the fewest for 0.9.

    Parameters
    ----------
    points
        (n, p) of the folder.
    known
        (k,) rows of which is known whether they have the tag.
    has_tag
        (k,) whether they do.
    """
    from scipy.stats import binomtest

    random = np.random.default_rng(_SEED)
    if has_tag.sum() < _FOLDS or has_tag.all():
        return NO_TRUST
    folds = random.permutation(len(known)) % _FOLDS
    scores = np.empty(len(known), np.float32)
    for fold in range(_FOLDS):
        held, trained = folds == fold, folds != fold
        positives = known[trained & has_tag]
        excluded = np.union1d(known[held], known[has_tag])
        others = drawn_others(len(points), excluded, against, random)
        if not len(positives) or not len(others) or not held.any():
            return NO_TRUST
        trained_on, against_these = np.asarray(points[positives]), np.asarray(points[others])
        scores[held] = ridge_scores(trained_on, against_these, np.asarray(points[known[held]]))
    best = NO_TRUST
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum(has_tag[order])
    for given in range(1, len(order) + 1):
        if given < len(order) and scores[order[given]] == scores[order[given - 1]]:
            continue
        # The bound is below the share itself, so that most candidates need no test.
        if right[given - 1] < precision * given:
            continue
        interval = binomtest(int(right[given - 1]), given).proportion_ci(method="wilson")
        if interval.low >= precision:
            # Halfway to the next lower one, as those that are told apart best lie far above.
            threshold = float(scores[order[given - 1 : given + 1]].mean())
            best = Trust(threshold, int(right[given - 1]), given, interval.low, interval.high)
    return best
