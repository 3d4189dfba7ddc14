"""Images of one kind: an anchor image, and the images around it that share its neighbours.

Distance alone does not find one kind of image: at the rim of a cluster, images of a wider cluster
beside it may be nearer. Two images of one kind also have the same images around them. So sets are
formed in three steps:

1. `choose_anchor` draws a few images and takes the one whose neighbours are most neighbours of each
   other (`coherence`).
2. `similar` takes the anchor's nearest images as candidates, and ranks them by how much of their
   neighbourhoods they share with the anchor.
3. It takes the first n, and passes over near-duplicates.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgbatch.copies.rule import OUTSIDE_ROW, CopiesAmong, first_apart, first_distinct
from imgbatch.neighbours.search import NeighbourSearch, neighbour_lists
from imgbatch.types import Floats, Hashes, Rows

_MOST_POOLED = 2000
"""Neighbour lists are computed for at most this many images; the rest is ranked by distance."""


@dataclass(frozen=True, slots=True)
class SimilarOptions:
    """How an anchor and its set are chosen.

    Attributes
    ----------
    tournament
        Number of random images; the one with the most coherent neighbourhood becomes the anchor.
    neighbours
        Number of neighbours whose coherence is measured.
    pool
        Neighbour lists are computed among this many nearest images of the anchor (among 10n for a
        set of n, if that is more), so that no request needs lists of all images.
    candidates_per_pick
        A set of n is chosen among the n times this many nearest images. 1 gives the nearest images.
    list_length
        Length of the neighbour lists that are compared.
    averaged
        An image's list is averaged with the lists of this many of its nearest neighbours.
    hashes
        (N,) uint64 pHashes, to leave out near-duplicates; None keeps them.
    duplicate_bits
        Hashes at most this many bits apart are near-duplicates, if `copies` is None.
    copies
        Tells near-duplicates among some rows; `OUTSIDE_ROW` stands for an anchor from outside. Rows
        of equal hashes are near-duplicates without being asked about.
    """

    tournament: int = 5
    neighbours: int = 10
    pool: int = 300
    candidates_per_pick: int = 3
    list_length: int = 20
    averaged: int = 5
    hashes: Hashes | None = None
    duplicate_bits: int = 6
    copies: CopiesAmong | None = None


@dataclass(frozen=True, slots=True)
class Anchor:
    """The image that a set is built around.

    `row` is None for an image from outside the folder, `hash` is only needed for such an image, to
    leave out its near-duplicates.
    """

    point: Floats
    row: int | None = None
    hash: np.uint64 | None = None


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """An anchor, the rows nearest to it, and the neighbour lists among the nearest of these.

    Attributes
    ----------
    rows, distances
        (m,) the other rows, nearest first, and their distances to the anchor.
    lists, list_distances
        (1 + p, k) neighbour lists, nearest first, among the anchor (number 0) and the p nearest
        rows (numbers 1 to p, in the order of `rows`). They hold these numbers, not rows.
    """

    anchor: Anchor
    rows: Rows
    distances: Floats
    lists: Rows
    list_distances: Floats


def neighbourhood(
    search: NeighbourSearch, anchor: Anchor, size: int, n: int, options: SimilarOptions
) -> Neighbourhood:
    """Find the `size` rows nearest to an anchor, and neighbour lists good for a set of n."""
    inside = anchor.row is not None
    rows, distances = search.nearest(anchor.point, size + inside)
    others = rows != anchor.row if inside else np.ones(len(rows), bool)
    rows, distances = rows[others][:size], distances[others][:size]
    pool = min(len(rows), _pool_size(n, options), _MOST_POOLED)
    points = np.concatenate([anchor.point[None], search.points[rows[:pool]]])
    length = max(options.list_length, options.neighbours, options.averaged)
    lists, list_distances = neighbour_lists(points, np.arange(len(points)), length)
    return Neighbourhood(anchor, rows, distances, lists, list_distances)


def coherence(around: Neighbourhood, k: int) -> tuple[float, float]:
    """How much an anchor's k neighbours are neighbours of each other; larger is better.

    Returns
    -------
    share
        0 to (k - 1) / k: the share of the entries in the neighbours' own lists that the anchor's
        list holds, too. A group of k + 1 images apart from all others reaches (k - 1) / k. An
        outlier is low, since its neighbours are not neighbours of each other.
    closeness
        Minus the distance to the k-th neighbour. It decides between equal shares.

    Notes
    -----
    The shared-neighbour similarity of Jarvis and Patrick, 1973, averaged over a neighbourhood.
    """
    nearest = around.lists[0, :k]
    if not len(nearest):
        return 0.0, 0.0
    share = float(np.isin(around.lists[nearest, :k], nearest).mean())
    return share, -float(around.list_distances[0, :k][-1])


def choose_anchor(
    search: NeighbourSearch, n: int, options: SimilarOptions, random: np.random.Generator
) -> Anchor:
    """Draw some rows at random and take the one with the most coherent neighbourhood.

    Nearly every row can win, however loose its neighbourhood, but tight groups win more often. A
    tournament computes a few neighbourhoods only; a threshold on coherence would need all of them.

    Examples
    --------
    >>> points = np.array([[0], [1], [2], [50], [90]], np.float32)
    >>> options = SimilarOptions(tournament=5, neighbours=2)
    >>> choose_anchor(NeighbourSearch(points), 3, options, np.random.default_rng(0)).row
    1
    """
    total = len(search.points)
    drawn = random.choice(total, min(options.tournament, total), replace=False)
    points = search.points[drawn]
    anchors = [Anchor(point, row) for point, row in zip(points, drawn.tolist(), strict=True)]
    if len(anchors) == 1:
        return anchors[0]
    size = _pool_size(n, options)
    search.prefetch(np.stack([anchor.point for anchor in anchors]), size + 1)
    neighbourhoods = [neighbourhood(search, anchor, size, n, options) for anchor in anchors]
    return max(neighbourhoods, key=lambda around: coherence(around, options.neighbours)).anchor


def similar(
    search: NeighbourSearch, anchor: Anchor, n: int, options: SimilarOptions
) -> tuple[Rows, Floats]:
    """Choose n rows of the anchor's kind.

    The anchor's nearest neighbours are the candidates. Those whose neighbour lists share most with
    the anchor's are chosen; near-duplicates of the anchor or of a chosen row are passed over.

    Parameters
    ----------
    search
        The N points.
    anchor
        One of the points, which then is the first of the set, or a point from outside, which is
        not in the set.
    n
        1 <= n <= N.

    Returns
    -------
    rows, distances
        (n,) int64 and float32: ordered by distance to the anchor, ties by row, but the anchor's own
        row is always first. If fewer than n distinct images exist, near-duplicates fill up the set.

    Notes
    -----
    Deterministic. O(N d) for the neighbours if they are found in one pass, and O(p^2 d) for the
    lists among a pool of p (300, or 10n up to 2,000).

    Examples
    --------
    >>> points = np.array([[0], [1], [2], [50], [90]], np.float32)
    >>> search, anchor = NeighbourSearch(points), Anchor(points[1], row=1)
    >>> rows, distances = similar(search, anchor, 3, SimilarOptions())
    >>> rows, distances
    (array([1, 0, 2]), array([0., 1., 1.], dtype=float32))
    """
    total = len(search.points)
    wanted = n - (anchor.row is not None)
    size = _pool_size(n, options)
    while True:
        around = neighbourhood(search, anchor, min(size, total), n, options)
        candidates = min(options.candidates_per_pick * wanted, len(around.lists) - 1)
        ranked = _rank(around, candidates, options)
        kept = distinct_mask(around.rows[ranked], wanted, anchor, options)
        if kept.sum() >= wanted or size >= total:
            break
        size *= 4  # so many near-duplicates are near that the set is not full
    chosen = np.concatenate([ranked[kept], ranked[~kept]])[:wanted]
    order = chosen[np.lexsort((around.rows[chosen], around.distances[chosen]))]
    rows, distances = around.rows[order], around.distances[order]
    if anchor.row is None:
        return rows, distances
    return np.append(np.int64(anchor.row), rows), np.append(np.float32(0), distances)


def _pool_size(n: int, options: SimilarOptions) -> int:
    return max(options.pool, 10 * n)


def _rank(around: Neighbourhood, candidates: int, options: SimilarOptions) -> Rows:
    """Positions in `around.rows`, best first: the candidates re-ranked, then the rest by distance.

    An image's profile counts how often its own list and the lists of its nearest neighbours name
    each other image. Candidates are ranked by the Jaccard similarity of their profile with the
    anchor's.

    Notes
    -----
    Zhong, Zheng, Cao and Li, "Re-ranking person re-identification with k-reciprocal encoding",
    CVPR 2017. Departures: their reciprocity test and their mixing with the original distance are
    left out, since they gained less than 0.3 points here; local averaging (their query expansion)
    is what pays.
    """
    ranked = np.arange(len(around.rows))
    if candidates < 1:
        return ranked
    size = len(around.lists)
    named = np.zeros((size, size), np.float32)
    np.put_along_axis(named, around.lists[:, : options.list_length], 1, axis=1)
    np.fill_diagonal(named, 1)
    compared = np.arange(candidates + 1)  # the anchor and the candidates
    profiles = named[compared] + named[around.lists[compared, : options.averaged]].sum(axis=1)
    shared = np.minimum(profiles, profiles[0]).sum(axis=1)
    jaccard = (shared / (2 * profiles[0].sum() - shared))[1:]
    # Candidates come by distance, and a stable sort keeps that order among equals.
    ranked[:candidates] = np.argsort(-jaccard, kind="stable")
    return ranked


def distinct_mask(
    rows: Rows, n: int, anchor: Anchor, options: SimilarOptions
) -> npt.NDArray[np.bool_]:
    """True for the first n rows that are near-duplicates neither of the anchor nor of each other.

    If near-duplicates are allowed, these are the first n rows.
    """
    if options.hashes is None:
        return np.arange(len(rows)) < n
    anchor_hash = anchor.hash if anchor.row is None else options.hashes[anchor.row]
    mask = np.zeros(len(rows), bool)
    if options.copies is None:
        mask[first_distinct(options.hashes[rows], n, options.duplicate_bits, anchor_hash)] = True
        return mask
    keys = options.hashes[rows].tolist()
    row = OUTSIDE_ROW if anchor.row is None else anchor.row
    taken = None if anchor_hash is None else (row, int(anchor_hash))
    mask[first_apart(rows, keys, n, options.copies, taken)] = True
    return mask
