"""Points of several classes around a centre each, as examples to learn from."""

import numpy as np

from imgbatch.learning.examples import Examples, PointRows
from imgbatch.neighbours.parts import MemoryPart
from imgbatch.runners.maps import map_serially


def cloud(n, k, apart=2.0, seed=0, dimensions=8):
    """(n, d) points of k classes, and the class of each."""
    random = np.random.default_rng(seed)
    classes = np.arange(n) % k
    centres = random.normal(size=(k, dimensions)) * apart
    points = (centres[classes] + random.normal(size=(n, dimensions))).astype(np.float32)
    return points, classes


def examples_of(points, classes, groups=None, parts=1, names=None):
    """Examples of all points, in so many parts."""
    groups = np.arange(len(points)) if groups is None else groups
    of_parts = tuple(MemoryPart.of(part) for part in np.array_split(points, parts))
    names = names or tuple(f"class{number}" for number in range(int(classes.max()) + 1))
    images = PointRows(of_parts, np.arange(len(points)), map_serially)
    return Examples(images, classes, groups, names)
