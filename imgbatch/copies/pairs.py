"""All pairs of near-duplicates in a set of images, without comparing every image with every other.

The method is multi-index hashing (Norouzi, Punjani & Fleet, CVPR 2012). Two hashes that differ in
at most m bits are cut into m + 1 bands: the differing bits cannot touch every band, so at least one
band is equal in both. (With m + 2 bands, two are.) So only rows that are equal in a band have to be
compared; such rows form a bucket.

Our departures: equal hashes are joined first, and are chained instead of paired, so that 100,000
copies of one picture give 99,999 pairs. Also, the comparisons and the pairs of a bucket are
limited, which bounds time and memory if hashes crowd together.
"""

from itertools import combinations, pairwise

import numpy as np

from imgbatch.copies.rule import HASH_BITS, are_copies
from imgbatch.types import Hashes, Rows

MAX_COMPARISONS = 200  # of a hash with the hashes after it in its bucket
MAX_PARTNERS = 16  # after this many pairs in a bucket, a hash is not compared further
_LARGE = 1 << 13  # from this many rows in a group, the buckets of a single band get too full


def near_duplicate_pairs(hashes: Hashes, max_bits: int = 6, within: Rows | None = None) -> Rows:
    """Find the pairs of rows whose hashes differ in at most `max_bits` bits.

    Parameters
    ----------
    hashes
        (n,) uint64.
    max_bits
        0..31; the work grows with it.
    within
        (n,) integers, or None. Only rows with the same number are paired.

    Returns
    -------
    (p, 2) int64 rows, the lower row first, sorted, each pair once. Rows of *equal* hash are chained
    in the order of their rows (a-b, b-c, not a-c), and only the first of them is paired with other
    hashes: the connected components are the same as those of all pairs.

    Notes
    -----
    O(n log n) for hashes that spread. All pairs are found unless more than `MAX_COMPARISONS`
    different hashes share a bucket, or a hash has more than `MAX_PARTNERS` pairs in it: then a hash
    is compared only with those that follow it in numerical order. With the default 6 bits, a row
    takes part in at most 28 * 200 comparisons and 28 * 16 pairs.

    Examples
    --------
    >>> near_duplicate_pairs(np.array([0b0000, 0b0001, 2**40 - 1], np.uint64), max_bits=1)
    array([[0, 1]])
    """
    n = len(hashes)
    group = np.zeros(n, np.int64) if within is None else within
    order = np.lexsort((hashes, group))
    same = (np.diff(hashes[order]) == 0) & (np.diff(group[order]) == 0)
    chained = np.column_stack((order[:-1][same], order[1:][same]))
    if max_bits == 0 or n == 0:
        return _unique_pairs([chained], n)
    first = order[np.concatenate(([True], ~same))]  # a row of each hash, by group and hash
    distinct, group = hashes[first], group[first]
    group = np.cumsum(np.concatenate(([0], np.diff(group) != 0)))
    equal_bands = 2 if np.bincount(group).max() > _LARGE else 1
    pairs = _unique_pairs([chained], n)
    for mask in _band_masks(max_bits + equal_bands, equal_bands):
        pairs = _unique_pairs([pairs, first[_pairs_under(mask, distinct, group, max_bits)]], n)
    return pairs


def _band_masks(bands: int, equal_bands: int) -> list[np.uint64]:
    """Masks of every choice of `equal_bands` bands, of the 64 bits cut into `bands`."""
    edges = [round(i * HASH_BITS / bands) for i in range(bands + 1)]
    masks = [(1 << high) - (1 << low) for low, high in pairwise(edges)]
    return [np.uint64(sum(chosen)) for chosen in combinations(masks, equal_bands)]


def _pairs_under(mask: np.uint64, hashes: Hashes, group: Rows, max_bits: int) -> Rows:
    """Pairs within `max_bits`, among hashes of the same group that are equal under the mask."""
    masked = hashes & mask
    order = np.lexsort((masked, group))
    masked, hashes, group = masked[order], hashes[order], group[order]
    start = np.arange(len(order))
    partners = np.zeros(len(order), np.int64)
    pairs = []
    for step in range(1, MAX_COMPARISONS + 1):
        start = start[start + step < len(order)]
        after = start + step
        alike = (masked[start] == masked[after]) & (group[start] == group[after])
        alike &= partners[start] < MAX_PARTNERS
        start, after = start[alike], after[alike]  # rows whose bucket reaches this far
        if not len(start):
            break
        near = are_copies(hashes[start], hashes[after], max_bits)
        partners[start[near]] += 1
        pairs.append(np.column_stack((order[start[near]], order[after[near]])))
    return np.concatenate(pairs) if pairs else np.empty((0, 2), np.int64)


def _unique_pairs(lists: list[Rows], n: int) -> Rows:
    """The pairs of all lists, the lower row first, sorted, each once."""
    pairs = np.sort(np.concatenate(lists), axis=1)
    code = np.unique(pairs[:, 0] * n + pairs[:, 1])
    return np.column_stack((code // max(n, 1), code % max(n, 1)))
