"""Near-duplicates: rows whose 64-bit perceptual hashes differ in a few bits only.

Pairs are found by multi-index hashing (Norouzi, Punjani & Fleet, CVPR 2012): if two hashes differ
in at most `m` bits and are cut into `m + 1` bands, one band at least is equal in both (with `m + 2`
bands, two are), so that only rows equal in a band have to be compared. Our departures: equal hashes
are taken together first and are chained instead of paired, so that 100,000 copies of one picture
give 99,999 pairs; and comparisons and pairs in a bucket are limited, which bounds time and
memory on hashes that crowd together.
"""

from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

HASH_BITS = 64
MAX_COMPARISONS = 200  # of one hash with those after it in one bucket
MAX_PARTNERS = 16  # found in one bucket, after which a hash is not compared further
_LARGE = 1 << 13  # rows in a group from which on the buckets of one band get too full
_COUNT_IN_C = getattr(np, "bitwise_count", None)  # numpy 2


def hamming(
    a: npt.NDArray[np.uint64] | np.uint64, b: npt.NDArray[np.uint64] | np.uint64
) -> npt.NDArray[np.uint8]:
    """Count the bits in which hashes differ.

    Parameters
    ----------
    a, b
        uint64 hashes of any shapes that broadcast together.

    Returns
    -------
    uint8 array of the broadcast shape, 0..64.
    """
    differing = np.bitwise_xor(a, b, dtype=np.uint64)
    if _COUNT_IN_C is not None:
        return np.asarray(_COUNT_IN_C(differing), np.uint8)
    return _count_bits(np.asarray(differing))


def near_duplicate_pairs(
    hashes: npt.NDArray[np.uint64],
    max_bits: int = 6,
    within: npt.NDArray[np.int64] | None = None,
) -> npt.NDArray[np.int64]:
    """Find the pairs of rows whose hashes differ in at most `max_bits` bits.

    Parameters
    ----------
    hashes
        (n,) uint64.
    max_bits
        0..31; the work grows with it.
    within
        (n,) integers or None: pairs are sought only among rows of the same number.

    Returns
    -------
    (p, 2) int64 rows, the lower one first, sorted, each pair once. Rows of *equal* hash are chained
    in the order of their rows (a-b, b-c, not a-c), and only the first of them is paired with other
    hashes: the connected components are those of all pairs.

    Notes
    -----
    O(n log n) for hashes that spread. Complete unless more than `MAX_COMPARISONS` different hashes
    share a band, or one of them has more than `MAX_PARTNERS` pairs there: of such a crowd each hash
    is compared with the next ones in numerical order only. With the default 6 bits that is at most
    28 * 200 comparisons and 28 * 16 pairs a row.
    """
    n = len(hashes)
    group = np.zeros(n, np.int64) if within is None else within
    order = np.lexsort((hashes, group))
    same = (np.diff(hashes[order]) == 0) & (np.diff(group[order]) == 0)
    chained = np.column_stack((order[:-1][same], order[1:][same]))
    if max_bits == 0 or n == 0:
        return _unique_pairs([chained], n)
    first = order[np.concatenate(([True], ~same))]  # one row of each hash, sorted by group and hash
    distinct, group = hashes[first], group[first]
    group = np.cumsum(np.concatenate(([0], np.diff(group) != 0)))
    equal_bands = 2 if np.bincount(group).max() > _LARGE else 1
    found = _unique_pairs([chained], n)
    for mask in _band_masks(max_bits + equal_bands, equal_bands):
        found = _unique_pairs([found, first[_equal_under(mask, distinct, group, max_bits)]], n)
    return found


def _band_masks(bands: int, equal_bands: int) -> list[np.uint64]:
    """Masks of every choice of `equal_bands` bands, of the 64 bits cut into `bands`."""
    edges = [round(i * HASH_BITS / bands) for i in range(bands + 1)]
    one = [(1 << high) - (1 << low) for low, high in pairwise(edges)]
    return [np.uint64(sum(chosen)) for chosen in combinations(one, equal_bands)]


def _equal_under(
    mask: np.uint64,
    hashes: npt.NDArray[np.uint64],
    group: npt.NDArray[np.int64],
    max_bits: int,
) -> npt.NDArray[np.int64]:
    """Pairs within `max_bits` among the hashes of a group that are equal under the mask."""
    masked = hashes & mask
    order = np.lexsort((masked, group))
    masked, hashes, group = masked[order], hashes[order], group[order]
    start = np.arange(len(order))
    partners = np.zeros(len(order), np.int64)
    found = []
    for step in range(1, MAX_COMPARISONS + 1):
        start = start[start + step < len(order)]
        after = start + step
        alike = (masked[start] == masked[after]) & (group[start] == group[after])
        alike &= partners[start] < MAX_PARTNERS
        start, after = start[alike], after[alike]  # rows whose bucket reaches this far
        if not len(start):
            break
        near = hamming(hashes[start], hashes[after]) <= max_bits
        partners[start[near]] += 1
        found.append(np.column_stack((order[start[near]], order[after[near]])))
    return np.concatenate(found) if found else np.empty((0, 2), np.int64)


def _unique_pairs(found: list[npt.NDArray[np.int64]], n: int) -> npt.NDArray[np.int64]:
    pairs = np.sort(np.concatenate(found), axis=1)
    code = np.unique(pairs[:, 0] * n + pairs[:, 1])
    return np.column_stack((code // max(n, 1), code % max(n, 1)))


def _count_bits(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """Sum the bits of each word in ever wider fields (numpy 1 has no `bitwise_count`)."""
    u = np.uint64
    words = words - ((words >> u(1)) & u(0x5555555555555555))
    words = (words & u(0x3333333333333333)) + ((words >> u(2)) & u(0x3333333333333333))
    words = (words + (words >> u(4))) & u(0x0F0F0F0F0F0F0F0F)
    words = words + (words >> u(8))
    words = words + (words >> u(16))
    words = words + (words >> u(32))
    return (words & u(127)).astype(np.uint8)
