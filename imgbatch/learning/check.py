"""Labels that are likely wrong: what models say of images that they were not trained on.

Source: Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels",
JAIR 2021: labels that held-out models contradict are left out, and models are trained anew without
them. Departure: images are ranked by the probability of their label alone.
"""

import numpy as np
import numpy.typing as npt

from imgbatch.learning.classify import Trained, out_of_fold, train
from imgbatch.learning.examples import Examples
from imgbatch.learning.judged import Judged
from imgbatch.types import Rows

_REPEATS = 3
"""Cross-validations with other folds, whose probabilities are averaged."""
_SURE = 0.5
"""The probability of another class from which on a label is not trained on the second time."""


def doubted_labels(examples: Examples, seed: int) -> tuple[Judged, Rows]:
    """What held-out models say of all examples, and their order, the most doubtful label first.

    Images are in the order of the probability of their label, rising. Deterministic by seed.
    """
    everyone = np.ones(len(examples), np.bool_)
    first = _held_out(examples, train(examples, seed), seed, everyone)
    trusted = first.right | (first.confidence <= _SURE)
    if len(np.unique(examples.classes[trusted])) < len(examples.names):
        trusted = everyone  # no class may be lost
    trained = train(examples.take(np.flatnonzero(trusted)), seed)
    judged = _held_out(examples, trained, seed, trusted)
    return judged, np.lexsort((np.arange(len(examples)), judged.of_given))


def _held_out(
    examples: Examples, trained: Trained, seed: int, trusted: npt.NDArray[np.bool_]
) -> Judged:
    """The mean of several cross-validations; the class is what the first one gives."""
    judged = [out_of_fold(examples, trained, seed + repeat, trusted) for repeat in range(_REPEATS)]
    of_given = np.mean([one.of_given for one in judged], axis=0).astype(np.float32)
    first = judged[0]
    return Judged(first.given, first.predicted, first.confidence, of_given)
