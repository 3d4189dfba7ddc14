"""Labels that are likely wrong: what a model says of images that it was not trained on.

Source: Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels",
JAIR 2021. Departure: images are ranked by the probability of their label alone; the count of wrong
labels that confident learning estimates was right for one flagged image in five to four.
"""

import numpy as np

from imgbatch.learning.classify import out_of_fold, train
from imgbatch.learning.examples import Examples
from imgbatch.learning.judged import Judged
from imgbatch.types import Rows

_REPEATS = 3
"""Cross-validations with other folds, whose probabilities are averaged."""


def doubted_labels(examples: Examples, seed: int) -> tuple[Judged, Rows]:
    """What held-out models say of all examples, and their order, the most doubtful label first.

    Images are in the order of the probability of their label, rising. Deterministic by seed.
    """
    trained = train(examples, seed)
    judged = [out_of_fold(examples, trained, seed + repeat) for repeat in range(_REPEATS)]
    mean = _mean(judged)
    return mean, np.lexsort((np.arange(len(examples)), mean.of_given))


def _mean(judged: list[Judged]) -> Judged:
    """Probabilities averaged; the class is what the first one gives."""
    of_given = np.mean([one.of_given for one in judged], axis=0).astype(np.float32)
    first = judged[0]
    return Judged(first.given, first.predicted, first.confidence, of_given)
