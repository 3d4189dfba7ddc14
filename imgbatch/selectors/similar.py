"""Images of one kind: a random anchor in a coherent neighbourhood, and those of its kind."""

from dataclasses import dataclass

import numpy as np

from imgbatch.selectors.duplicates import hamming
from imgbatch.selectors.neighbours import NeighbourLists
from imgbatch.types import Floats, Hashes, Rows

_MOST_RERANKED = 400
"""Above this many candidates a set takes so much of the folder that order hardly matters."""


@dataclass(frozen=True, slots=True)
class SimilarOptions:
    """How `similar` forms a set.

    Attributes
    ----------
    candidates
        Nearest neighbours among which a set of ten is chosen; more for larger sets. 0: the set is
        the nearest neighbours themselves.
    list_length
        Length of the neighbour lists that are compared.
    averaged
        A candidate's list is averaged with those of this many of its nearest neighbours.
    hashes
        (N,) uint64 pHashes, to leave near-duplicates out; None keeps them.
    duplicate_bits
        Hashes at most this many bits apart are near-duplicates.
    """

    candidates: int = 50
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


def coherence(row: int, lists: NeighbourLists, k: int) -> tuple[float, float]:
    """How much the k neighbours of a row are neighbours of each other; larger is better.

    Returns
    -------
    share, closeness
        The share, 0..1, of the neighbours' own k neighbours that are also the row's, and minus the
        distance to the k-th neighbour, to decide ties. In a tight group of more than k + 1 members
        the share nears 1; an outlier's neighbours have other friends.

    Notes
    -----
    The shared-neighbour similarity of Jarvis and Patrick, 1973, averaged over a neighbourhood.
    """
    rows, distances = lists.of([row])
    own = rows[0, :k]
    if not len(own):
        return 0.0, 0.0
    theirs, _ = lists.of(own)
    return float(np.isin(theirs[:, :k], own).mean()), -float(distances[0, :k][-1])


def choose_anchor(
    lists: NeighbourLists, k: int, tournament: int, random: np.random.Generator
) -> int:
    """Draw some rows at random and take the one with the most coherent neighbourhood.

    Every row can be drawn, however loose its surroundings, but tight groups win more often. A
    tournament asks for a few neighbourhoods only, where a threshold would need those of all rows.
    """
    n = len(lists.points)
    drawn = random.choice(n, min(tournament, n), replace=False)
    return max((int(row) for row in drawn), key=lambda row: coherence(row, lists, k))


def similar(
    lists: NeighbourLists, anchor: Anchor, n: int, options: SimilarOptions
) -> tuple[Rows, Floats]:
    """Choose n rows of the anchor's kind.

    The anchor's nearest neighbours are the candidates; those whose neighbourhoods share most with
    the anchor's are chosen; near-duplicates of a chosen one are passed over.

    Parameters
    ----------
    lists
        Neighbour lists of the N points.
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
    total = len(lists.points)
    reach = min(total, max(options.candidates, 2 * n) + 1)
    while True:
        rows, distances = lists.nearest(anchor.point, reach)
        if anchor.row is not None:
            rows, distances = _put_first(anchor.row, rows, distances)
        ranked = (
            _rerank(rows, lists, anchor, options) if options.candidates else np.arange(len(rows))
        )
        kept = _distinct(rows[ranked], n, anchor, options)
        if kept.sum() >= n or reach >= total:
            break
        reach = min(total, 4 * reach)
    chosen = np.concatenate([ranked[kept], ranked[~kept]])[:n]
    first = rows[chosen] != anchor.row
    order = chosen[np.lexsort((rows[chosen], distances[chosen], first))]
    return rows[order], distances[order]


def _put_first(row: int, rows: Rows, distances: Floats) -> tuple[Rows, Floats]:
    """Copies of the anchor are as near as itself; it leads all the same."""
    others = rows != row
    return np.append(np.int64(row), rows[others]), np.append(np.float32(0), distances[others])


def _rerank(rows: Rows, lists: NeighbourLists, anchor: Anchor, options: SimilarOptions) -> Rows:
    """Positions of candidate rows, those with most in common with the anchor first.

    Each candidate's profile counts whom its own and its nearest neighbours' neighbour lists name;
    candidates are ranked by the Jaccard similarity of their profile with the anchor's.

    Notes
    -----
    Zhong, Zheng, Cao and Li, "Re-ranking person re-identification with k-reciprocal encoding",
    CVPR 2017. Departures: their reciprocity test and their mixing with the original distance are
    left out, since they gained less than 0.3 points here; local averaging (their query expansion)
    is what pays.
    """
    if len(rows) > _MOST_RERANKED or lists.k == 0:
        return np.arange(len(rows))
    near, _ = lists.of(rows)
    members = np.column_stack([rows, near[:, : options.averaged]])
    if anchor.row is None:  # its nearest stand for it
        own = np.append(rows[:1], rows[: options.averaged])
        members = np.vstack([own[: members.shape[1]], members])
    named, _ = lists.of(members.ravel())
    named = np.column_stack([members.ravel(), named[:, : options.list_length]])
    ids, columns = np.unique(named, return_inverse=True)
    profiles = np.zeros((len(members), len(ids)), np.float32)
    owners = np.repeat(np.arange(len(members)), named.size // len(members))
    np.add.at(profiles, (owners, columns.ravel()), 1)
    shared = np.minimum(profiles, profiles[0]).sum(axis=1)
    jaccard = (shared / (2 * profiles[0].sum() - shared))[-len(rows) :]
    # The candidates came by distance, and a stable sort keeps that order among equals.
    return np.argsort(-jaccard, kind="stable")


def _distinct(
    rows: Rows, n: int, anchor: Anchor, options: SimilarOptions
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Mark, in the order given, up to n rows that are no near-duplicate of one marked before."""
    if options.hashes is None:
        return np.arange(len(rows)) < n
    kept = np.zeros(len(rows), bool)
    chosen = np.empty(n + 1, np.uint64)
    count = 0
    if anchor.row is None and anchor.hash is not None:
        chosen[0], count = anchor.hash, 1
    goal = n + count
    for place, candidate in enumerate(options.hashes[rows]):
        if count == goal:
            break
        if not (hamming(chosen[:count], candidate) <= options.duplicate_bits).any():
            kept[place] = True
            chosen[count] = candidate
            count += 1
    return kept
