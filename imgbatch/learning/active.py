"""Which images to label next: typical ones of each group first, then uncertain and diverse ones.

Sources: Hacohen, Dekel and Weinshall, "Active Learning on a Budget: Opposite Strategies Suit High
and Low Budgets", ICML 2022 (TypiClust), for the first labels; Ash et al., "Deep Batch Active
Learning by Diverse, Uncertain Gradient Lower Bounds", ICLR 2020 (BADGE), for later ones, with
points weighted by uncertainty in place of gradients.
"""

import warnings

import numpy as np

from imgbatch.neighbours.search import squared_lengths
from imgbatch.types import Floats, Rows

_TYPICAL_AMONG = 20
"""Neighbours within a group, of which a typical image is near."""
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
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    small = len(points) * k <= _SMALL
    kind = KMeans if small else MiniBatchKMeans
    with warnings.catch_warnings():  # fewer different points than groups are no fault
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = kind(k, n_init=_TRIES if small else 1, random_state=seed).fit(points)
    return np.asarray(fitted.labels_, np.int64)


def _typicality(points: Floats, free: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> Floats:
    """How near the nearest members of a group are; minus infinity for images that are not free."""
    k = min(_TYPICAL_AMONG + 1, len(points))
    squares = squared_lengths(points)
    distances = np.maximum(squares[:, None] + squares - 2 * points @ points.T, 0)
    nearest = np.sqrt(np.partition(distances, k - 1, axis=1)[:, :k]).mean(axis=1)
    return np.where(free, -nearest, -np.inf).astype(np.float32)


def uncertain_images(points: Floats, margins: Floats, n: int, seed: int) -> Rows:
    """Uncertain images that differ: k-means++ seeding, weighted by uncertainty.

    The first is the least certain one; each next is drawn with a probability in proportion to the
    square of its uncertainty, times its distance from the nearest image chosen.

    Parameters
    ----------
    points
        (m, p).
    margins
        (m,) 0..1: by how much the likeliest class leads.
    n
        At most m.

    Returns
    -------
    (n,) positions in the order in which they were drawn.
    """
    weights = (1 - margins.astype(np.float64)) ** 2
    random = np.random.default_rng(seed)
    squares = squared_lengths(points)
    nearest = np.full(len(points), np.inf)
    chosen = [int(margins.argmin())]
    while len(chosen) < n:
        last = points[chosen[-1]]
        distances = np.maximum(squares - 2 * points @ last + last @ last, 0)
        nearest = np.minimum(nearest, distances)
        nearest[chosen] = 0
        sums = np.cumsum(weights * nearest)
        if sums[-1] > 0:
            chosen.append(int(np.searchsorted(sums, random.random() * sums[-1], side="right")))
        else:  # all others are equal to one that was chosen
            rest = np.setdiff1d(np.argsort(margins, kind="stable"), chosen, assume_unique=True)
            chosen.append(int(rest[0]))
    return np.array(chosen, np.int64)
