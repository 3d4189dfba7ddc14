"""Images of one kind: a random anchor in a coherent neighbourhood, and its nearest neighbours."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgbatch.selectors.duplicates import hamming
from imgbatch.selectors.neighbours import NeighbourGraph, nearest
from imgbatch.types import Floats, Hashes, Rows

_BLOCK_ROWS = 4096
_SPARE = 10
"""Neighbours looked at beyond n at first, in case some are near-duplicates."""


def coherence(graph: NeighbourGraph) -> Floats:
    """How much the neighbours of each point are neighbours of each other.

    The mean, over a point's k neighbours, of the share of their k neighbours that are also the
    point's own; (n,) float32 in 0..1. In a tight group of more than k+1 members it nears 1; an
    outlier's neighbours have other friends. O(n k^3) comparisons in blocks.

    Source: the shared-neighbour similarity of Jarvis and Patrick, 1973, averaged over the
    neighbourhood. Departure: used to accept or refuse anchors, not to link points.
    """
    n, k = graph.rows.shape
    result = np.zeros(n, np.float32)
    if k == 0:
        return result
    for start in range(0, n, _BLOCK_ROWS):
        own = graph.rows[start : start + _BLOCK_ROWS]
        theirs = graph.rows[own]
        shared = np.zeros(theirs.shape, bool)
        for column in range(k):
            shared |= theirs == own[:, column, None, None]
        result[start : start + len(own)] = shared.mean(axis=(1, 2))
    return result


def choose_anchor(coherences: Floats, share: float, random: np.random.Generator) -> int:
    """Draw a row uniformly among the most coherent share of all (0 < share <= 1)."""
    count = max(1, round(share * len(coherences)))
    best = np.argsort(-coherences, kind="stable")[:count]
    return int(random.choice(np.sort(best)))


@dataclass(frozen=True, slots=True)
class SimilarOptions:
    """What `similar` should know besides the points.

    Attributes
    ----------
    hashes
        (N,) uint64 pHashes, to leave near-duplicates out; None keeps them.
    duplicate_bits
        Hashes at most this many bits apart are near-duplicates.
    anchor_row
        The anchor's row if it is one of the points.
    anchor_hash
        The hash of an anchor that is not, so that its copies are left out.
    large
        Number of points above which `nearest` changes its method, not its answer.
    """

    hashes: Hashes | None = None
    duplicate_bits: int = 6
    anchor_row: int | None = None
    anchor_hash: np.uint64 | None = None
    large: int = 50_000


def similar(
    points: Floats,
    anchor: Floats,
    n: int,
    options: SimilarOptions,
) -> tuple[Rows, Floats]:
    """The n rows nearest to an anchor point, near-duplicates of nearer ones left out.

    Parameters
    ----------
    points, anchor
        (N, d) and (d,) float32, finite.
    n
        1 <= n <= N.
    options
        What is known of the anchor, and what counts as a near-duplicate.

    Returns
    -------
    rows, distances
        (n,) int64 and float32, nearest first, ties by row; an anchor that is one of the points
        comes first in any case. Where fewer than n distinct images exist, near-duplicates fill up
        the end, so the answer always has n rows.
    """
    reach = n if options.hashes is None else n + _SPARE
    while True:
        rows, distances = nearest(points, anchor, reach, large=options.large)
        if options.anchor_row is not None:
            rows, distances = _put_first(options.anchor_row, rows, distances)
        if options.hashes is None:
            return rows[:n], distances[:n]
        kept = _distinct(options.hashes[rows], n, options.anchor_hash, options.duplicate_bits)
        if kept.sum() >= n or reach >= len(points):
            break
        reach *= 4
    order = np.concatenate([np.flatnonzero(kept), np.flatnonzero(~kept)])[:n]
    return rows[order], distances[order]


def _put_first(row: int, rows: Rows, distances: Floats) -> tuple[Rows, Floats]:
    """Copies of the anchor are as near as itself; it leads all the same."""
    others = rows != row
    return np.append(np.int64(row), rows[others]), np.append(np.float32(0), distances[others])


def _distinct(
    hashes: Hashes, n: int, anchor_hash: np.uint64 | None, duplicate_bits: int
) -> npt.NDArray[np.bool_]:
    """Mark, nearest first, up to n hashes that are no near-duplicate of one marked before."""
    kept = np.zeros(len(hashes), bool)
    chosen = np.empty(n + 1, np.uint64)
    count = 0
    if anchor_hash is not None:
        chosen[0], count = anchor_hash, 1
    goal = n + count
    for place, candidate in enumerate(hashes):
        if count == goal:
            break
        if not (hamming(chosen[:count], candidate) <= duplicate_bits).any():
            kept[place] = True
            chosen[count] = candidate
            count += 1
    return kept
