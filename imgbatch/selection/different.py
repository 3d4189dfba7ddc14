"""Images that differ: a random sample without its outliers, covered by images far from each other.

The images of a folder that are farthest from each other are its oddities, and always the same. So
sets are formed in four steps:

1. Draw a fresh random sample, ten times as large as the set: every request answers anew.
2. Drop the sparsest tenth of the sample: outliers.
3. Average each point with its neighbours, so that an image stands for its kind.
4. Cover the sample by greedy k-center (`k_center`): begin with a random image, and always add the
   one that is farthest from all chosen before.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgbatch.copies.rule import CopiesAmong, are_copies, first_distinct
from imgbatch.neighbours.search import distances_to, neighbour_lists
from imgbatch.types import Floats, Hashes, Rows


@dataclass(frozen=True, slots=True)
class DifferentOptions:
    """How `different` forms a set.

    Attributes
    ----------
    sample_per_pick
        The random sample holds this many images for each image asked for.
    outlier_share
        0..1; this share of the sample, the sparsest images, is left out.
    smoothing
        Points are averaged with this many neighbours before they are compared, so that an image
        stands for its kind; 0 compares the images themselves.
    most_pooled
        In a larger folder, neighbours are searched among this many random images only.
    hashes
        (N,) uint64 pHashes, by which near-duplicates are left out of the sample; None allows them.
    duplicate_bits
        Hashes at most this many bits apart are near-duplicates.
    copies
        Tells near-duplicates among some rows more exactly: a set with some is chosen again.
    """

    sample_per_pick: int = 10
    outlier_share: float = 0.1
    smoothing: int = 10
    most_pooled: int = 100_000
    hashes: Hashes | None = None
    duplicate_bits: int = 6
    copies: CopiesAmong | None = None


def different(
    points: Floats, n: int, options: DifferentOptions, random: np.random.Generator
) -> tuple[Rows, Floats]:
    """Choose n rows that differ as much as possible.

    A fresh random sample makes every set a new one, and bounds outliers: a region that holds a
    share e of the images is missed with probability (1 - e)^m by a sample of m. The sample's
    sparsest images, by the distance to their last neighbour, are dropped; the rest is smoothed and
    covered by `k_center`, beginning with a random row. At most one of several near-duplicates is
    drawn, unless fewer than n distinct images exist.

    Parameters
    ----------
    points
        (N, d) float32, finite.
    n
        1 <= n <= N.
    options
        See `DifferentOptions`.
    random
        Decides the sample and the first row.

    Returns
    -------
    rows, distances
        (n,) int64 and float32 in the order of choice. A distance is measured between the images
        themselves, to the nearest row chosen before; for the first row, to the second (0 if alone).

    Notes
    -----
    Deterministic for given points, options and `random`. O(s (m + n) d) for a sample of s = 10n and
    a pool of m = min(N, `most_pooled`).

    Examples
    --------
    >>> points = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1], [-1, 0], [-1, 0.1]], np.float32)
    >>> options = DifferentOptions(outlier_share=0, smoothing=1)
    >>> rows, distances = different(points, 3, options, np.random.default_rng(0))
    >>> sorted((rows // 2).tolist())
    [0, 1, 2]
    """
    rows, smooth = smoothed_sample(points, n, options, random)
    hashes = None if options.hashes is None else options.hashes[rows]
    chosen = distinct_k_center(smooth, n, rows, options, hashes)
    return rows[chosen], gaps(points[rows[chosen]])


def distinct_k_center(
    smooth: Floats, n: int, rows: Rows, options: DifferentOptions, hashes: Hashes | None
) -> Rows:
    """Positions that `k_center` chooses, chosen again until they hold no near-duplicates.

    Only chosen rows are asked about, as they are far from each other and hardly ever copies. Of
    two copies the later one is barred.
    """
    barred = np.zeros(len(smooth), bool)
    while True:
        chosen, _ = k_center(
            smooth, n, hashes=hashes, duplicate_bits=options.duplicate_bits, barred=barred
        )
        if options.copies is None:
            return chosen
        later = chosen[np.unique(options.copies(rows[chosen])[:, 1])]
        if barred[later].all():  # distinct images have run out, or there are no copies
            return chosen
        barred[later] = True


def smoothed_sample(
    points: Floats, n: int, options: DifferentOptions, random: np.random.Generator
) -> tuple[Rows, Floats]:
    """A fresh sample without outliers: (m,) rows, m >= n, and their smooth points (m, d)."""
    most = min(len(points), options.sample_per_pick * n)
    drawn, distinct = _draw(len(points), max(most, options.most_pooled), most, options, random)
    if distinct < n and len(drawn) < len(points):  # the pool holds hardly anything but copies
        drawn, distinct = _draw(len(points), len(points), most, options, random)
    size = max(n, distinct)
    if len(drawn) < len(points):
        # The pool is read in the order of rows, which is fastest; the sample stays in front.
        drawn[size:].sort()
        pool, sample = np.take(points, drawn, axis=0), np.arange(size)
    else:
        pool, sample = points, drawn[:size]
    near, distances = neighbour_lists(pool, sample, max(1, options.smoothing))
    if near.shape[1]:
        kept = max(n, size - round(options.outlier_share * size))
        dense = np.sort(np.argsort(distances[:, -1], kind="stable")[:kept])
        sample, near = sample[dense], near[dense]
    smooth = _smooth(pool, sample, near[:, : options.smoothing])
    rows = sample if pool is points else drawn[sample]
    return rows, smooth


def _draw(
    total: int, size: int, most: int, options: DifferentOptions, random: np.random.Generator
) -> tuple[Rows, int]:
    """Draw `size` of `total` rows in random order (all, if there are no more).

    Returns
    -------
    rows, distinct
        The rows. The first `distinct` of them, at most `most`, are no copies of each other.
    """
    fewer = size < total
    drawn = random.choice(total, size, replace=False) if fewer else random.permutation(total)
    drawn = drawn.astype(np.int64, copy=False)
    if options.hashes is None:
        return drawn, most
    # Hashes are read one by one, since the search ends long before the last of them.
    hashes = (options.hashes[row] for row in drawn)
    front = first_distinct(hashes, most, options.duplicate_bits)
    return np.concatenate([drawn[front], np.delete(drawn, front)]), len(front)


def _smooth(points: Floats, rows: Rows, near: Rows) -> Floats:
    """Each row's point plus its neighbours, weighted by their dot product with it (at least 0).

    The database-side augmentation of Arandjelovic and Zisserman, CVPR 2012. The sums are scaled
    to length 1.
    """
    centres = points[rows]
    neighbours = points[near]
    weights = np.maximum(np.einsum("nd,nkd->nk", centres, neighbours), 0)
    mixed = centres + np.einsum("nk,nkd->nd", weights, neighbours)
    lengths = np.linalg.norm(mixed, axis=1, keepdims=True)
    smooth: Floats = np.divide(mixed, lengths, out=np.zeros_like(mixed), where=lengths > 0)
    return smooth


def gaps(points: Floats) -> Floats:
    """Distance of each point to the nearest earlier point; of the first, to the second."""
    distances = np.zeros(len(points), np.float32)
    for rank in range(1, len(points)):
        distances[rank] = distances_to(points[:rank], points[rank]).min()
    if len(points) > 1:
        distances[0] = distances[1]
    return distances


def k_center(
    points: Floats,
    n: int,
    *,
    hashes: Hashes | None = None,
    duplicate_bits: int = 6,
    barred: npt.NDArray[np.bool_] | None = None,
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
    barred
        (m,) True for rows that are only chosen when no others are left; row 0 is chosen anyway.

    Returns
    -------
    rows, distances
        (n,) int64 and float32 in the order of choice. A distance is that to the nearest row chosen
        before, infinite for the first row. Ties go to the lowest row. The first k rows are the
        answer for n = k. If distinct images run out, near-duplicates follow.

    Notes
    -----
    Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985: at most twice the
    optimal radius on what it is given. O(n m d) time, O(m) memory. Departure: near-duplicates are
    masked, so that the guarantee holds for what remains.

    Examples
    --------
    >>> points = np.array([[0], [1], [10], [6]], np.float32)
    >>> rows, distances = k_center(points, 3)
    >>> rows, distances
    (array([0, 2, 3]), array([inf, 10.,  4.], dtype=float32))
    """
    rows = np.zeros(n, np.int64)
    distances = np.full(n, np.inf, np.float32)
    gap = np.full(len(points), np.inf, np.float32)
    masked = np.zeros(len(points), bool) if barred is None else barred.copy()
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
            masked |= are_copies(hashes, hashes[row], duplicate_bits)
    return rows, distances
