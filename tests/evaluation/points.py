"""Random labelled points, in clusters by class."""

import numpy as np

from imgbatch.annotations.labels import UNLABELLED
from imgbatch.evaluation.metrics import LabelledPoints


def labelled_points(
    n: int = 60, classes: int = 5, seed: int = 0, unlabelled: int = 0
) -> LabelledPoints:
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, n)
    points = random.normal(size=(n, 6)) + 2 * np.eye(classes, 6)[labels]
    labels[:unlabelled] = UNLABELLED
    hashes = random.integers(0, 2**63, n).astype(np.uint64)
    return LabelledPoints(points.astype(np.float32), hashes, labels.astype(np.int64))
