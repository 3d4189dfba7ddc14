"""Sets by tags: images that agree in their two strongest tags, or of which no two share a pair."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from imgbatch.errors import SelectionError
from imgbatch.neighbours.search import NeighbourSearch
from imgbatch.selection.different import gaps, k_center
from imgbatch.selection.similar import Anchor, SimilarOptions, choose_anchor, similar
from imgbatch.selection.tag_pairs import (
    NO_PAIR,
    different_pairs,
    largest_group,
    one_pair,
    pairs_of,
    strongest_tags,
)
from imgbatch.selection.tags import FolderTags
from imgbatch.types import Floats, Hashes, PickedImage, Rows

_CANDIDATES_PER_PICK = 2
"""A different set of n is chosen among this many times n random images."""


@dataclass(frozen=True, slots=True, eq=False)
class TagPairs:
    """The pairs of tags of n images.

    Attributes
    ----------
    names
        All tags.
    strongest
        (n, 2) numbers of each image's two strongest tags; `NO_PAIR` twice for none.
    copies
        (n,) equal numbers are near-duplicates.
    holder
        Who holds the images, in words, such as a folder's path.
    """

    names: Sequence[str]
    strongest: Rows
    copies: Rows
    holder: str

    def reason(self, row: int) -> tuple[str, ...]:
        """The names of an image's pair, in the order of the tags.

        >>> TagPairs(("blue", "dark"), np.array([[1, 0]]), np.zeros(1, np.int64), "").reason(0)
        ('blue', 'dark')
        """
        return tuple(self.names[tag] for tag in sorted(self.strongest[row].tolist()))


def tag_pairs_of(tags: FolderTags, copies: Hashes | None, holder: str) -> TagPairs:
    """The two strongest tags of each image; `copies` is None if near-duplicates are allowed."""
    table, counts = tags.table(), tags.counts()
    strongest = strongest_tags(table.scores, [counts[name] for name in table.names], tags.total)
    groups = np.arange(len(strongest)) if copies is None else copies.astype(np.int64)
    return TagPairs(table.names, strongest, groups, holder)


def explained(
    images: tuple[PickedImage, ...], rows: Rows, pairs: TagPairs
) -> tuple[PickedImage, ...]:
    """The images with the pairs of tags that put them into the set."""
    named = zip(images, rows.tolist(), strict=True)
    return tuple(replace(image, pair=pairs.reason(row)) for image, row in named)


def similar_by_tags(
    points: Floats,
    pairs: TagPairs,
    n: int,
    options: SimilarOptions,
    random: np.random.Generator,
    anchor: int | None = None,
) -> tuple[Rows, Floats]:
    """Choose n images that agree in their two strongest tags: a similar set of one pair's images.

    A pair is drawn, unless the anchor is given; among the images that have it, anchor and set are
    chosen as without tags. None of them are near-duplicates.

    Parameters
    ----------
    points
        (N, d) float32.
    pairs
        Of the N images.
    n
        At least 1.
    options
        How an anchor and its set are chosen; without hashes, as there are no near-duplicates left.
    random
        Decides the pair and the anchor.
    anchor
        A row to be the anchor.

    Returns
    -------
    rows, distances
        As of `similar`.

    Raises
    ------
    SelectionError
        The anchor has no pair, or no n distinct images share one; the message tells the largest n.
    """
    numbers = pairs_of(pairs.strongest)
    if anchor is not None and numbers[anchor] == NO_PAIR:
        raise SelectionError(
            "the anchor has fewer than two tags", "give another `like`, or leave `by` out"
        )
    rows = one_pair(numbers, pairs.copies, n, random, anchor)
    if not len(rows):
        of_anchor = "" if anchor is None else " with the anchor"
        if anchor is None:
            largest = largest_group(numbers, pairs.copies)
        else:
            largest = len(one_pair(numbers, pairs.copies, 1, random, anchor))
        words = f"agree{of_anchor} in their two strongest tags"
        raise _too_few(n, largest, pairs.holder, words)
    search = NeighbourSearch(np.asarray(points[rows]))
    if anchor is None:
        chosen = choose_anchor(search, n, options, random)
    else:
        position = int(np.searchsorted(rows, anchor))
        chosen = Anchor(search.points[position], position)
    positions, distances = similar(search, chosen, n, options)
    return rows[positions], distances


def different_by_tags(
    points: Floats, pairs: TagPairs, n: int, random: np.random.Generator
) -> tuple[Rows, Floats]:
    """Choose n images of which no two have the same two strongest tags.

    A random image stands for each pair, frequent pairs tending to come first. The first 2n are
    covered by `k_center`, so that the n images differ beyond their tags. None are near-duplicates.

    Parameters
    ----------
    points, pairs, n, random
        As for `similar_by_tags`.

    Returns
    -------
    rows, distances
        As of `different`.

    Raises
    ------
    SelectionError
        There are not so many pairs; the message tells the largest n.
    """
    rows = different_pairs(pairs_of(pairs.strongest), pairs.copies, n, random)
    if len(rows) < n:
        words = "differ in their two strongest tags"
        raise _too_few(n, len(rows), pairs.holder, words)
    rows = rows[: _CANDIDATES_PER_PICK * n]
    chosen, _ = k_center(np.asarray(points[rows]), n)
    rows = rows[chosen]
    return rows, gaps(np.asarray(points[rows]))


def _too_few(n: int, largest: int, holder: str, words: str) -> SelectionError:
    if not largest:
        return SelectionError(f"no image of {holder} has two tags", "leave `by` out")
    return SelectionError(
        f"n is {n}, but at most {largest} images of {holder} {words}", f"give 1 to {largest}"
    )
