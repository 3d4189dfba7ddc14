"""Which images to label next: typical ones of each group first, then uncertain and diverse ones.

Sources: Hacohen, Dekel and Weinshall, "Active Learning on a Budget: Opposite Strategies Suit High
and Low Budgets", ICML 2022 (TypiClust), for the first labels; Zhdanov, "Diverse mini-batch Active
Learning", 2019, arXiv 1901.05954, for later ones.
"""

import warnings
from typing import TYPE_CHECKING

import numpy as np

from imgbatch.neighbours.search import squared_lengths
from imgbatch.types import Floats, Rows

if TYPE_CHECKING:
    from sklearn.cluster import KMeans

_TYPICAL_AMONG = 20
"""Neighbours within a group, of which a typical image is near."""
_POOL = 10
"""The least certain images, so many for each to be chosen, are parted into groups."""
_LEAST_WEIGHT = 1e-3
_SMALL, _TRIES = 2_000_000, 4
"""Images times groups up to which k-means is tried several times, and how often."""


def typical_images(points: Floats, labelled: Rows, n: int, seed: int) -> Rows:
    """Images of the largest groups without a label, the most typical one of each.

    As many groups are made as there would be labels. Within a group, the image is chosen whose
    nearest members are nearest to it on average. Deterministic by seed; O(m g p) for g groups.

    Parameters
    ----------
    points
        (m, p) of the images.
    labelled
        (l,) positions of those with a label.
    n
        How many, at most m - l.

    Returns
    -------
    (n,) positions, those of the largest groups first.
    """
    k = min(len(labelled) + n, len(points))
    group_of = _grouped(points, k, seed)
    sizes = np.bincount(group_of, minlength=k)
    covered = np.zeros(k, np.int64)
    np.add.at(covered, group_of[labelled], 1)
    free = np.ones(len(points), np.bool_)
    free[labelled] = False
    chosen = list[int]()
    while len(chosen) < n:
        # Groups with the fewest labels come first, the largest ones among these.
        open_groups = np.flatnonzero(np.bincount(group_of[free], minlength=k))
        group = open_groups[np.lexsort((-sizes[open_groups], covered[open_groups]))[0]]
        members = np.flatnonzero(group_of == group)
        position = int(members[_typicality(points[members], free[members]).argmax()])
        chosen.append(position)
        free[position] = False
        covered[group] += 1
    return np.array(chosen, np.int64)


def _grouped(points: Floats, k: int, seed: int) -> Rows:
    """The number of each point's group, of k groups by k-means."""
    return np.asarray(_fitted(points, k, seed).labels_, np.int64)


def _fitted(points: Floats, k: int, seed: int, weights: Floats | None = None) -> "KMeans":
    """Groups by k-means; of many points and groups, by mini-batches."""
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    small = len(points) * k <= _SMALL
    kind = KMeans if small else MiniBatchKMeans
    with warnings.catch_warnings():  # fewer different points than groups are no fault
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = kind(k, n_init=_TRIES if small else 1, random_state=seed)
        return model.fit(points, sample_weight=weights)


def _typicality(points: Floats, free: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> Floats:
    """How near the nearest members of a group are; minus infinity for images that are not free."""
    k = min(_TYPICAL_AMONG + 1, len(points))
    squares = squared_lengths(points)
    distances = np.maximum(squares[:, None] + squares - 2 * points @ points.T, 0)
    nearest = np.sqrt(np.partition(distances, k - 1, axis=1)[:, :k]).mean(axis=1)
    return np.where(free, -nearest, -np.inf).astype(np.float32)


def uncertain_images(points: Floats, margins: Floats, odds: Floats, n: int, seed: int) -> Rows:
    """Uncertain images that differ: one of each group of the least certain ones.

    The ten times n least certain images are parted into n groups by k-means, in which uncertain
    images weigh more; of each group, the image nearest to its centre is chosen. Deterministic by
    seed; O(n^2 p).

    Parameters
    ----------
    points
        (m, p).
    margins
        (m,) 0..1: by how much the likeliest class leads.
    odds
        (m,) the logarithm of how many times as likely it is as the second one: which of the images
        comes first whose margins are equal, since a model is sure of them.
    n
        At most m.

    Returns
    -------
    (n,) positions, the least certain first.
    """
    order = np.lexsort((odds, margins))
    pool = order[: _POOL * n]
    weights = 1 - margins[pool].astype(np.float32) + np.float32(_LEAST_WEIGHT)
    fitted = _fitted(points[pool], min(n, len(pool)), seed, weights)
    group_of = fitted.labels_
    away = squared_lengths(points[pool] - fitted.cluster_centers_[group_of])
    nearest_first = np.lexsort((away, group_of))
    first = np.diff(group_of[nearest_first], prepend=-1) > 0
    chosen = np.zeros(len(points), np.bool_)
    chosen[pool[nearest_first[first]]] = True
    # Equal points make fewer groups than asked for: the least certain others fill up.
    missing = n - int(np.count_nonzero(chosen))
    chosen[order[~chosen[order]][:missing]] = True
    return order[chosen[order]]
