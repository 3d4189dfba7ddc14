"""Images that differ: greedy k-center on a fresh random sample without its outliers."""

from dataclasses import dataclass

import numpy as np

from imgbatch.copies.rule import hamming
from imgbatch.neighbours.search import distances_to, neighbour_lists
from imgbatch.types import Floats, Hashes, Rows


@dataclass(frozen=True, slots=True)
class DifferentOptions:
    """How `different` forms a set.

    Attributes
    ----------
    sample_per_pick
        The random sample holds this many images for each one asked for.
    outlier_share
        The sparsest share of the sample is left out.
    smoothing
        Points are averaged with this many neighbours before they are compared, so that a picture
        stands for its kind; 0 compares the pictures themselves.
    most_pooled
        In a larger folder, neighbours are looked for among this many random images only.
    hashes
        (N,) uint64 pHashes: near-duplicates of a chosen row are not chosen; None allows them.
    duplicate_bits
        Hashes at most this many bits apart are near-duplicates.
    """

    sample_per_pick: int = 10
    outlier_share: float = 0.1
    smoothing: int = 10
    most_pooled: int = 100_000
    hashes: Hashes | None = None
    duplicate_bits: int = 6


def different(
    points: Floats, n: int, options: DifferentOptions, random: np.random.Generator
) -> tuple[Rows, Floats]:
    """Choose n rows that differ as much as possible.

    A fresh random sample makes every request anew, and bounds outliers: a region that holds a
    share e of the images is missed with probability (1 - e)^m by a sample of m. Its sparsest
    images, by the distance to their last neighbour, are dropped; the rest is smoothed and covered
    by `k_center`, beginning with a random row. Of near-duplicates one at most is drawn, unless
    fewer than n distinct images exist.

    Parameters
    ----------
    points
        (N, d) float32, finite.
    n
        1 <= n <= N.

    Returns
    -------
    rows, distances
        (n,) int64 and float32 in the order of choice; a distance is that, between the pictures
        themselves, to the nearest row chosen before; for the first, to the second (0 if alone).
    """
    rows, smooth = smoothed_sample(points, n, options, random)
    hashes = None if options.hashes is None else options.hashes[rows]
    chosen, _ = k_center(smooth, n, hashes=hashes, duplicate_bits=options.duplicate_bits)
    return rows[chosen], gaps(points[rows[chosen]])


def smoothed_sample(
    points: Floats, n: int, options: DifferentOptions, random: np.random.Generator
) -> tuple[Rows, Floats]:
    """A fresh sample without outliers: (m,) rows, m >= n, and their smooth points (m, d)."""
    most = min(len(points), options.sample_per_pick * n)
    drawn, distinct = _draw(len(points), max(most, options.most_pooled), most, options, random)
    if distinct < n and len(drawn) < len(points):  # hardly anything but copies: look at all
        drawn, distinct = _draw(len(points), len(points), most, options, random)
    size = max(n, distinct)
    if len(drawn) < len(points):
        # In the order of rows, since that is how memory is read fastest; the sample stays in front.
        drawn[size:].sort()
        world, sample = np.take(points, drawn, axis=0), np.arange(size)
    else:
        world, sample = points, drawn[:size]
    near, distances = neighbour_lists(world, sample, max(1, options.smoothing))
    if near.shape[1]:
        kept = max(n, size - round(options.outlier_share * size))
        dense = np.sort(np.argsort(distances[:, -1], kind="stable")[:kept])
        sample, near = sample[dense], near[dense]
    smooth = _smooth(world, sample, near[:, : options.smoothing])
    rows = sample if world is points else drawn[sample]
    return rows, smooth


def _draw(
    total: int, pool: int, most: int, options: DifferentOptions, random: np.random.Generator
) -> tuple[Rows, int]:
    """Draw `pool` of all rows in random order, or all if they are no more.

    Up to `most` that copy none before them stand in front; says how many these are.
    """
    few = pool < total
    drawn = random.choice(total, pool, replace=False) if few else random.permutation(total)
    drawn = drawn.astype(np.int64, copy=False)
    if options.hashes is None:
        return drawn, most
    front: list[int] = []
    taken = np.empty(most, np.uint64)
    for place, row in enumerate(drawn):
        if len(front) == most:
            break
        candidate = options.hashes[row]
        copied = hamming(taken[: len(front)], candidate) <= options.duplicate_bits
        if not copied.any():
            taken[len(front)] = candidate
            front.append(place)
    return np.concatenate([drawn[front], np.delete(drawn, front)]), len(front)


def _smooth(points: Floats, rows: Rows, near: Rows) -> Floats:
    """Each row's point, averaged with its neighbours weighted by cosine similarity (at least 0).

    The database-side augmentation of Arandjelovic and Zisserman, CVPR 2012, at unit length.
    """
    own = points[rows]
    weights = np.maximum(np.einsum("nd,nkd->nk", own, points[near]), 0)
    mixed = own + np.einsum("nk,nkd->nd", weights, points[near])
    lengths = np.linalg.norm(mixed, axis=1, keepdims=True)
    smooth: Floats = np.divide(mixed, lengths, out=np.zeros_like(mixed), where=lengths > 0)
    return smooth


def gaps(points: Floats) -> Floats:
    """Distance of each point to the nearest earlier one; of the first, to the second."""
    gaps = np.zeros(len(points), np.float32)
    for place in range(1, len(points)):
        gaps[place] = distances_to(points[:place], points[place]).min()
    if len(points) > 1:
        gaps[0] = gaps[1]
    return gaps


def k_center(
    points: Floats,
    n: int,
    *,
    hashes: Hashes | None = None,
    duplicate_bits: int = 6,
) -> tuple[Rows, Floats]:
    """Choose n rows by farthest-first traversal, beginning with row 0.

    Parameters
    ----------
    points
        (m, d) float32, finite, m >= n >= 1.
    hashes
        (m,) uint64 pHashes: near-duplicates of a chosen row are not chosen; None allows them.
    duplicate_bits
        Hashes at most this many bits apart are near-duplicates.

    Returns
    -------
    rows, distances
        (n,) int64 and float32 in the order of choice; a distance is that to the nearest row chosen
        before, infinite for the first. Ties go to the lowest row. Any prefix answers a smaller n.
        If distinct images run out, near-duplicates follow.

    Notes
    -----
    Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985: at most twice the
    optimal radius on what it is given. O(n m d) time, O(m) memory. Departure: near-duplicates are
    masked, so that the guarantee holds for what remains.
    """
    rows = np.zeros(n, np.int64)
    distances = np.full(n, np.inf, np.float32)
    gap = np.full(len(points), np.inf, np.float32)
    masked = np.zeros(len(points), bool)
    chosen = np.zeros(len(points), bool)
    for rank in range(n):
        if rank:
            free = ~(masked | chosen)
            if not free.any():
                free = ~chosen
            rows[rank] = np.argmax(np.where(free, gap, -1))
            distances[rank] = gap[rows[rank]]
        row = int(rows[rank])
        chosen[row] = True
        np.minimum(gap, distances_to(points, points[row]), out=gap)
        if hashes is not None:
            masked |= hamming(hashes, hashes[row]) <= duplicate_bits
    return rows, distances
