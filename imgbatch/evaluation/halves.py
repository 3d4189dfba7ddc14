"""Halves of labelled images: one to learn from, the other to measure on."""

from collections.abc import Sequence

import numpy as np

from imgbatch.types import Rows

Halves = tuple[Rows, Rows]
"""Rising positions of each half."""


def halve(classes: Rows, seed: int | Sequence[int]) -> Halves:
    """Split images into two random halves, each class in equal parts; rising positions.

    Examples
    --------
    >>> first, second = halve(np.array([0, 0, 1, 1, 1, 1]), seed=0)
    >>> len(first), len(second)
    (3, 3)
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(classes))
    order = order[np.argsort(classes[order], kind="stable")]
    return np.sort(order[::2]), np.sort(order[1::2])


def halve_classes(classes: Rows, seed: int | Sequence[int]) -> Halves:
    """Split images by their classes: each half has all images of a random half of the classes.

    Examples
    --------
    >>> classes = np.array([7, 7, 8, 9, 9, 9, 5])
    >>> first, second = halve_classes(classes, seed=0)
    >>> sorted({*classes[first].tolist(), *classes[second].tolist()})
    [5, 7, 8, 9]
    >>> set(classes[first]) & set(classes[second])
    set()
    """
    drawn = np.random.default_rng(seed).permutation(np.unique(classes))
    chosen = np.isin(classes, drawn[: len(drawn) // 2])
    return np.flatnonzero(chosen), np.flatnonzero(~chosen)
