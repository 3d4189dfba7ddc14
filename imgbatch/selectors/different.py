"""Images that differ: greedy k-center on a fresh random sample without its outliers."""

from dataclasses import dataclass

import numpy as np

from imgbatch.selectors.duplicates import hamming
from imgbatch.selectors.neighbours import distances_to
from imgbatch.types import Floats, Hashes, Rows


@dataclass(frozen=True, slots=True)
class SampleOptions:
    """Which images a request looks at; see [different] in config.toml."""

    share: float
    min_per_pick: int
    most: int
    outlier_share: float


def draw_sample(radii: Floats, n: int, options: SampleOptions, random: np.random.Generator) -> Rows:
    """A random sample of rows, in random order, without its sparsest share.

    radii (N,) float32: the distance to the k-th neighbour, large where data is sparse. At least n
    rows are returned. Sampling makes every request anew and bounds outliers: a region that holds
    a share e of the images is missed with probability (1 - e)^m.
    """
    total = len(radii)
    wanted = max(round(options.share * total), options.min_per_pick * n)
    size = min(total, max(n, min(wanted, options.most)))
    sample = random.permutation(total)[:size].astype(np.int64)
    kept = max(n, size - round(options.outlier_share * size))
    dense = np.sort(np.argsort(radii[sample], kind="stable")[:kept])
    return sample[dense]


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
        before, for the first row the distance to the second (0 if alone). Ties go to the lowest
        row. Any prefix answers a smaller n. If distinct images run out, near-duplicates follow.

    Notes
    -----
    Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985: at most twice the
    optimal radius on what it is given. O(n m d) time, O(m) memory. Departure: near-duplicates are
    masked, so that the guarantee holds for what remains.
    """
    rows = np.zeros(n, np.int64)
    distances = np.zeros(n, np.float32)
    nearest = np.full(len(points), np.inf, np.float32)
    masked = np.zeros(len(points), bool)
    chosen = np.zeros(len(points), bool)
    for rank in range(n):
        if rank:
            open_rows = ~(masked | chosen)
            if not open_rows.any():
                open_rows = ~chosen
            row = int(np.argmax(np.where(open_rows, nearest, -1)))
            rows[rank], distances[rank] = row, nearest[row]
        row = int(rows[rank])
        chosen[row] = True
        np.minimum(nearest, distances_to(points, points[row]), out=nearest)
        if hashes is not None:
            masked |= hamming(hashes, hashes[row]) <= duplicate_bits
    if n > 1:
        distances[0] = distances[1]
    return rows, distances
