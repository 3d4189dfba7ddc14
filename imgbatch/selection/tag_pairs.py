"""Pairs of tags: which two tags are strongest of an image, and who shares them.

An image's strongest tags are those that set it apart in its folder: clear, and rare. A tag's
strength is its score times log(N / count), where `count` of the folder's N images carry it: the
weighting of words in documents (tf-idf, Sparck Jones 1972). The two strongest tags, in any order,
are the image's pair. Images with fewer than two tags have none, and are in no set by tags.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from imgbatch.types import Rows

if TYPE_CHECKING:
    from scipy.sparse import csr_array

NO_PAIR = -1
_SCORE_DIGITS = 4
"""Scores are shown, and compared, with so many digits."""


def strongest_tags(scores: "csr_array", counts: Sequence[int], total: int) -> Rows:
    """The two strongest tags of each image.

    Parameters
    ----------
    scores
        (n, T): how clearly each image carries each tag; not stored where it does not.
    counts
        How many images of the folder carry each tag.
    total
        How many images the folder has.

    Returns
    -------
    (n, 2) int64 numbers of tags, the stronger one first, ties by number; `NO_PAIR` twice for an
    image with fewer than two tags.

    Notes
    -----
    O(s log s) for s stored scores.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> scores = csr_array([[1, 1, 0.5], [1, 0, 0.5], [1, 0, 0]])
    >>> strongest_tags(scores, counts=[3, 1, 2], total=3).tolist()
    [[1, 2], [2, 0], [-1, -1]]
    """
    lengths = np.diff(scores.indptr)
    rarity = np.log(total / np.maximum(counts, 1))
    rows = np.repeat(np.arange(len(lengths)), lengths)
    clearness = np.round(scores.data.astype(np.float64), _SCORE_DIGITS)
    strengths = clearness * rarity[scores.indices]
    order = np.lexsort((scores.indices, -strengths, rows))  # by row, then strength, then tag
    strongest = np.full((len(lengths), 2), NO_PAIR, np.int64)
    eligible = np.flatnonzero(lengths >= 2)
    first = scores.indptr[eligible]
    for place in (0, 1):
        strongest[eligible, place] = scores.indices[order[first + place]]
    return strongest


def pairs_of(strongest: Rows) -> Rows:
    """(n,) a number for each image's pair of tags, in any order; `NO_PAIR` for none.

    >>> pairs_of(np.array([[1, 2], [-1, -1], [2, 1]])).tolist()
    [0, -1, 0]
    """
    pairs = np.full(len(strongest), NO_PAIR, np.int64)
    has = strongest[:, 0] != NO_PAIR
    pairs[has] = np.unique(np.sort(strongest[has], axis=1), axis=0, return_inverse=True)[1].ravel()
    return pairs


def largest_group(pairs: Rows, copies: Rows) -> int:
    """The most images that share a pair and are no copies of each other: the largest similar set.

    >>> largest_group(np.array([0, 0, 0, 1, -1, -1]), np.array([5, 5, 6, 7, 8, 9]))
    2
    """
    sizes = np.bincount(pairs[_distinct(pairs, copies)])
    return int(sizes.max(initial=0))


def one_pair(
    pairs: Rows, copies: Rows, n: int, random: np.random.Generator, anchor: int | None = None
) -> Rows:
    """All images of one pair that at least n distinct images share.

    Parameters
    ----------
    pairs
        (N,) the pair of each image, or `NO_PAIR`.
    copies
        (N,) equal numbers are copies; of those of one pair, one is taken.
    n
        At least so many images.
    random
        Draws the pair, each as often as it has distinct images.
    anchor
        An image whose pair is taken, and that is among the images.

    Returns
    -------
    At least n rows, rising; none if there are not so many.

    Examples
    --------
    >>> pairs, copies = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 2, 2, 3])
    >>> one_pair(pairs, copies, 2, np.random.default_rng(0), anchor=3).tolist()
    [3, 4]
    """
    rows = _distinct(pairs, copies)
    if anchor is None:
        sizes = np.bincount(pairs[rows])
        possible = rows[sizes[pairs[rows]] >= n]
        if not len(possible):
            return possible
        drawn = int(pairs[random.choice(possible)])
        sharing: Rows = rows[pairs[rows] == drawn]
        return sharing
    rows = rows[(pairs[rows] == pairs[anchor]) & (copies[rows] != copies[anchor])]
    rows = np.sort(np.append(rows, anchor))
    return rows if len(rows) >= n else rows[:0]


def _distinct(pairs: Rows, copies: Rows) -> Rows:
    """Rows that have a pair; of copies that share it, the first one."""
    rows = np.flatnonzero(pairs != NO_PAIR)
    keys = np.column_stack((pairs[rows], copies[rows]))
    return rows[np.sort(np.unique(keys, axis=0, return_index=True)[1])]


def different_pairs(pairs: Rows, copies: Rows, n: int, random: np.random.Generator) -> Rows:
    """Images of which no two share a pair or are copies: n or more, or as many as there can be.

    A random image of each pair is taken, in random order, unless a copy of it was. Where that gives
    fewer than n, because the pairs of copies differ, a maximum matching of pairs and groups of
    copies gives as many as possible.

    Parameters
    ----------
    pairs, copies
        As for `one_pair`.
    n
        How many are wanted.
    random
        Decides which image stands for a pair, and the order.

    Returns
    -------
    Rows in random order, in which an image of a frequent pair tends to come first. Fewer than n
    only if no n images can be found.

    Notes
    -----
    Hopcroft and Karp 1973 (scipy). O(N log N), and O(E sqrt(V)) for a matching.

    Examples
    --------
    >>> pairs, copies = np.array([0, 0, 1, 2]), np.array([0, 1, 0, 3])
    >>> rows = different_pairs(pairs, copies, 3, np.random.default_rng(0))
    >>> sorted(rows.tolist())  # 1, since 0 and 2 are copies of each other
    [1, 2, 3]
    """
    rows = random.permutation(np.flatnonzero(pairs != NO_PAIR))
    firsts = rows[np.sort(np.unique(pairs[rows], return_index=True)[1])]
    chosen = firsts[np.sort(np.unique(copies[firsts], return_index=True)[1])]
    return chosen if len(chosen) >= n else _matched(pairs, copies, rows)


def _matched(pairs: Rows, copies: Rows, rows: Rows) -> Rows:
    """Some of the rows, as many as possible, of which no two share a pair or are copies."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    if not len(rows):
        return rows
    # Numbers in the order of `rows`, which is random, so that the matching is another each time.
    pair_of, copy_of = (_numbered(numbers[rows]) for numbers in (pairs, copies))
    edges, firsts = np.unique(np.column_stack((pair_of, copy_of)), axis=0, return_index=True)
    # SciPy before 1.15 matches by indices of 32 bits alone.
    ends = tuple(edges.T.astype(np.int32))
    linked = csr_array((np.ones(len(edges), np.int8), ends))
    partner = maximum_bipartite_matching(linked, perm_type="column")
    matched: Rows = np.sort(firsts[partner[edges[:, 0]] == edges[:, 1]])
    return rows[matched]


def _numbered(values: Rows) -> Rows:
    """(m,) 0, 1, ... for equal values, in the order in which they appear."""
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.ravel()]
