"""Halves of labelled images: one to learn from, the other to measure on."""

from collections.abc import Sequence

import numpy as np

from imgbatch.types import Rows

Halves = tuple[Rows, Rows]
"""Rising positions of each half."""


def halve(classes: Rows, seed: int | Sequence[int], groups: Rows | None = None) -> Halves:
    """Split images into two random halves, each class in equal parts; rising positions.

    Images of equal numbers in `groups`, such as copies, stay together and count as one, of the
    class of the first: a half must not know the images of the other.

    Examples
    --------
    >>> first, second = halve(np.array([0, 0, 1, 1, 1, 1]), seed=0)
    >>> len(first), len(second)
    (3, 3)
    >>> halve(np.zeros(7, int), seed=0, groups=np.array([5, 6, 6, 6, 7, 7, 8]))
    (array([1, 2, 3, 4, 5]), array([0, 6]))
    """
    random = np.random.default_rng(seed)
    firsts, unit_of = _first_of_groups(np.arange(len(classes)) if groups is None else groups)
    order = random.permutation(len(firsts))
    order = order[np.argsort(classes[firsts[order]], kind="stable")]
    in_first = np.zeros(len(firsts), np.bool_)
    in_first[order[::2]] = True
    return np.flatnonzero(in_first[unit_of]), np.flatnonzero(~in_first[unit_of])


def _first_of_groups(groups: Rows) -> tuple[Rows, Rows]:
    """The rising positions of the first of each group, and for each image the place of its own.

    Examples
    --------
    >>> firsts, place = _first_of_groups(np.array([9, 4, 9, 7]))
    >>> firsts.tolist(), place.tolist()
    ([0, 1, 3], [0, 1, 0, 2])
    """
    _, firsts, group_of = np.unique(groups, return_index=True, return_inverse=True)
    rising = np.sort(firsts)
    return rising, np.searchsorted(rising, firsts[group_of])


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
