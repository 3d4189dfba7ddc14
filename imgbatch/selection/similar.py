"""Images of one kind: a random anchor in a coherent neighbourhood, and those of its kind."""

from dataclasses import dataclass

import numpy as np

from imgbatch.copies.rule import hamming
from imgbatch.neighbours.search import NeighbourSearch, neighbour_lists
from imgbatch.types import Floats, Hashes, Rows

_MOST_POOLED = 2000
"""Neighbour lists are compared among this many at most; beyond, images follow by distance."""


@dataclass(frozen=True, slots=True)
class SimilarOptions:
    """How an anchor and its set are chosen.

    Attributes
    ----------
    tournament
        Rows drawn as anchors; the one with the most coherent neighbourhood wins.
    neighbours
        Size of the neighbourhood whose coherence is measured.
    pool
        Nearest neighbours of an anchor among which neighbour lists are compared (more for large
        sets), so that a request never needs lists over all points.
    candidates_per_pick
        A set of n is chosen among the n times this many nearest. 1: it is the nearest.
    list_length
        Length of the neighbour lists that are compared.
    averaged
        An image's list is averaged with those of this many of its nearest neighbours.
    hashes
        (N,) uint64 pHashes, to leave near-duplicates out; None keeps them.
    duplicate_bits
        Hashes at most this many bits apart are near-duplicates.
    """

    tournament: int = 5
    neighbours: int = 10
    pool: int = 300
    candidates_per_pick: int = 3
    list_length: int = 20
    averaged: int = 5
    hashes: Hashes | None = None
    duplicate_bits: int = 6


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a set is built around: a point; its row if it is one of the points; its pHash."""

    point: Floats
    row: int | None = None
    hash: np.uint64 | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """An anchor and the rows nearest to it, with neighbour lists among themselves.

    rows (m,) and distances (m,) of the others, nearest first. `lists` and `list_distances` (p, k)
    hold, for the anchor (place 0) and the nearest p - 1 others (places 1, ...), the nearest places.
    """

    anchor: Anchor
    rows: Rows
    distances: Floats
    lists: Rows
    list_distances: Floats


def survey(
    search: NeighbourSearch, anchor: Anchor, reach: int, n: int, options: SimilarOptions
) -> Surroundings:
    """Look around an anchor for `reach` others, and compare lists among the pool for a set of n."""
    inside = anchor.row is not None
    rows, distances = search.nearest(anchor.point, reach + inside)
    others = rows != anchor.row if inside else np.ones(len(rows), bool)
    rows, distances = rows[others][:reach], distances[others][:reach]
    pool = min(len(rows), max(options.pool, 10 * n), _MOST_POOLED)
    points = np.concatenate([anchor.point[None], search.points[rows[:pool]]])
    length = max(options.list_length, options.neighbours, options.averaged)
    lists, list_distances = neighbour_lists(points, np.arange(len(points)), length)
    return Surroundings(anchor, rows, distances, lists, list_distances)


def coherence(around: Surroundings, k: int) -> tuple[float, float]:
    """How much an anchor's k neighbours are neighbours of each other; larger is better.

    Returns
    -------
    share, closeness
        The share, 0..1, of the neighbours' own k neighbours that are also the anchor's, and minus
        the distance to the k-th neighbour, to decide ties. In a tight group of more than k + 1
        members the share nears 1; an outlier's neighbours have other friends.

    Notes
    -----
    The shared-neighbour similarity of Jarvis and Patrick, 1973, averaged over a neighbourhood.
    """
    own = around.lists[0, :k]
    if not len(own):
        return 0.0, 0.0
    share = float(np.isin(around.lists[own, :k], own).mean())
    return share, -float(around.list_distances[0, :k][-1])


def choose_anchor(
    search: NeighbourSearch, n: int, options: SimilarOptions, random: np.random.Generator
) -> Anchor:
    """Draw some rows at random and take the one with the most coherent neighbourhood.

    Nearly every row can win, however loose its surroundings, but tight groups win more often. A
    tournament looks at a few neighbourhoods only, where a threshold would need those of all rows.
    """
    total = len(search.points)
    drawn = random.choice(total, min(options.tournament, total), replace=False)
    points = search.points[drawn]
    anchors = [Anchor(point, row) for point, row in zip(points, drawn.tolist(), strict=True)]
    if len(anchors) == 1:
        return anchors[0]
    reach = _reach(n, options)
    search.prefetch(np.stack([anchor.point for anchor in anchors]), reach + 1)
    around = [survey(search, anchor, reach, n, options) for anchor in anchors]
    return max(around, key=lambda one: coherence(one, options.neighbours)).anchor


def similar(
    search: NeighbourSearch, anchor: Anchor, n: int, options: SimilarOptions
) -> tuple[Rows, Floats]:
    """Choose n rows of the anchor's kind.

    The anchor's nearest neighbours are the candidates; those whose neighbour lists share most with
    the anchor's are chosen; near-duplicates of a chosen one are passed over.

    Parameters
    ----------
    search
        The N points.
    anchor
        A row, which then is the first of the set, or a point from outside, which is not in it.
    n
        1 <= n <= N.

    Returns
    -------
    rows, distances
        (n,) int64 and float32: ordered by distance to the anchor, ties by row, but an anchor's own
        row first. Where fewer than n distinct images exist, near-duplicates fill up, so that the
        answer always has n rows.
    """
    total = len(search.points)
    wanted = n - (anchor.row is not None)
    reach = _reach(n, options)
    while True:
        around = survey(search, anchor, min(reach, total), n, options)
        ranked = _rerank(
            around, min(options.candidates_per_pick * wanted, len(around.lists) - 1), options
        )
        kept = mark_distinct(around.rows[ranked], wanted, anchor, options)
        if kept.sum() >= wanted or reach >= total:
            break
        reach *= 4
    chosen = np.concatenate([ranked[kept], ranked[~kept]])[:wanted]
    order = chosen[np.lexsort((around.rows[chosen], around.distances[chosen]))]
    rows, distances = around.rows[order], around.distances[order]
    if anchor.row is None:
        return rows, distances
    return np.append(np.int64(anchor.row), rows), np.append(np.float32(0), distances)


def _reach(n: int, options: SimilarOptions) -> int:
    return max(options.pool, 10 * n)


def _rerank(around: Surroundings, candidates: int, options: SimilarOptions) -> Rows:
    """Places in `around.rows`: the candidates, most in common with the anchor first; then the rest.

    An image's profile counts whom its own and its nearest neighbours' lists name; candidates are
    ranked by the Jaccard similarity of their profile with the anchor's.

    Notes
    -----
    Zhong, Zheng, Cao and Li, "Re-ranking person re-identification with k-reciprocal encoding",
    CVPR 2017. Departures: their reciprocity test and their mixing with the original distance are
    left out, since they gained less than 0.3 points here; local averaging (their query expansion)
    is what pays.
    """
    everyone = np.arange(len(around.rows))
    if candidates < 1:
        return everyone
    size = len(around.lists)
    named = np.zeros((size, size), np.float32)
    np.put_along_axis(named, around.lists[:, : options.list_length], 1, axis=1)
    np.fill_diagonal(named, 1)
    places = np.arange(candidates + 1)
    profiles = named[places] + named[around.lists[places, : options.averaged]].sum(axis=1)
    shared = np.minimum(profiles, profiles[0]).sum(axis=1)
    jaccard = (shared / (2 * profiles[0].sum() - shared))[1:]
    # Candidates stand by distance, and a stable sort keeps that order among equals.
    everyone[:candidates] = np.argsort(-jaccard, kind="stable")
    return everyone


def mark_distinct(
    rows: Rows, n: int, anchor: Anchor, options: SimilarOptions
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Mark, in the order given, up to n rows that copy neither the anchor nor one marked before."""
    if options.hashes is None:
        return np.arange(len(rows)) < n
    kept = np.zeros(len(rows), bool)
    chosen = np.empty(n + 1, np.uint64)
    count = 0
    own = anchor.hash if anchor.row is None else options.hashes[anchor.row]
    if own is not None:
        chosen[0], count = own, 1
    goal = n + count
    for place, candidate in enumerate(options.hashes[rows]):
        if count == goal:
            break
        if not (hamming(chosen[:count], candidate) <= options.duplicate_bits).any():
            kept[place] = True
            chosen[count] = candidate
            count += 1
    return kept
