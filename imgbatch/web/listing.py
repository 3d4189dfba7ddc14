"""Which images a list shows, and in which order: rows, found and sorted as arrays."""

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from imgbatch.annotations.filters import Filters, filtered_rows
from imgbatch.collection import Collection
from imgbatch.errors import LabelError, SelectionError, UsageError
from imgbatch.measures.quantities import MEASURES
from imgbatch.types import Floats, Progress, Rows

PATH, SIZE, RANDOM, ODD = "path", "size", "random", "odd"
SORTS = (PATH, SIZE, RANDOM, ODD, *MEASURES)
"""What images are sorted by: one of these, or a measured quantity."""
_SAMPLE, _NEAR = 512, 5
_BLOCK_ROWS = 8192


@dataclass(frozen=True, slots=True)
class Wanted:
    """The images of a list.

    Attributes
    ----------
    filters
        Classes and tags.
    words
        All of them stand in the path or in the texts of an image, whatever the case of letters.
    sort
        One of `SORTS`. Sizes, quantities and odd images begin with the largest value.
    reverse
        The other way round; images without a value stay last.
    seed
        Of the random order.
    """

    filters: Filters = field(default_factory=Filters)
    words: str = ""
    sort: str = PATH
    reverse: bool = False
    seed: int = 0


def rows_of(photos: Collection, wanted: Wanted, odd: Floats | None = None) -> Rows:
    """The rows of the wanted images, in their order; none if no image passes.

    Takes O(n log n) for n images, without a string for any of them.

    Parameters
    ----------
    photos
        The folder.
    wanted
        Which images.
    odd
        (n,) of `oddness`; needed to sort by it.

    Raises
    ------
    LabelError
        No image has a class or a tag of this name.
    UsageError
        The quantity to sort by was not measured.

    Examples
    --------
    >>> import imgbatch
    >>> photos = imgbatch.load("photos")
    >>> rows_of(photos, Wanted(Filters(label=("class1",)), words="IMAGE001")).tolist()
    [8]
    """
    rows = _passing(photos, wanted.filters)
    for word in wanted.words.replace("\0", " ").split():
        if len(rows):
            rows = rows[_holding(photos, word)[rows]]
    return _sorted(photos, rows, wanted, odd)


def _passing(photos: Collection, filters: Filters) -> Rows:
    if not filters:
        return np.arange(len(photos))
    try:
        return filtered_rows(photos.metadata, filters, photos.tagging)
    except LabelError:
        raise
    except SelectionError:  # the names are known, and no image has them all
        return np.zeros(0, np.int64)


def _holding(photos: Collection, word: str) -> npt.NDArray[np.bool_]:
    """(n,) whether a word stands in the path or in a text of each image."""
    found = strings_with(photos.records.paths, photos.records.ends, word)
    texts = photos.metadata.column("texts")
    if len(texts.codes):
        said = strings_with(texts.strings, texts.string_ends, word)[texts.codes]
        found[np.repeat(np.arange(len(texts)), texts.lengths)[said]] = True
    return found


def strings_with(
    packed: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64], word: str
) -> npt.NDArray[np.bool_]:
    """Which of many packed strings hold a word, whatever the case of its letters.

    Letters beyond ASCII are found as they are given, and with all of them small or large, or the
    first one large.

    Parameters
    ----------
    packed
        (bytes,) all strings in UTF-8, one after the other.
    ends
        (s,) where each ends.
    word
        Without a NUL.

    Returns
    -------
    (s,) of bool.

    Examples
    --------
    >>> strings = [b"sea.jpg", "Éa/SEA.jpg".encode(), b"x"]
    >>> packed = np.frombuffer(b"".join(strings), np.uint8)
    >>> ends = np.cumsum([len(string) for string in strings])
    >>> [strings_with(packed, ends, word).tolist() for word in ("Sea", "éA/", "gÉ")]
    [[True, True, False], [False, True, False], [False, False, False]]
    """
    found = np.zeros(len(ends), np.bool_)
    if not len(ends):
        return found
    # A NUL between any two keeps what ends one and begins the next from being found.
    joined = np.insert(packed, ends[:-1], 0).tobytes().lower()
    beyond = ends + np.arange(len(ends))
    forms = {word, word.lower(), word.upper(), word.capitalize()}
    for form in {form.encode("utf-8", "surrogateescape").lower() for form in forms}:
        matches = re.finditer(re.escape(form), joined)
        places = np.fromiter((match.start() for match in matches), np.int64)
        found[np.searchsorted(beyond, places, side="right")] = True
    return found


def _sorted(photos: Collection, rows: Rows, wanted: Wanted, odd: Floats | None) -> Rows:
    if wanted.sort == PATH:
        return rows[::-1] if wanted.reverse else rows
    if wanted.sort == RANDOM:
        return np.random.default_rng(wanted.seed).permutation(rows)
    values = values_of(photos, wanted.sort, odd)[rows]
    order = np.argsort(values if wanted.reverse else -values, kind="stable")  # NaN stays last
    return rows[order]


def values_of(
    photos: Collection, sort: str, odd: Floats | None = None
) -> npt.NDArray[np.floating[Any]]:
    """(n,) what images are sorted by; see `rows_of`."""
    if sort == SIZE:
        width, height = photos.records.sizes.T.astype(np.float64)
        pixels: npt.NDArray[np.float64] = width * height
        return pixels
    values: Floats | None = odd if sort == ODD else photos.quantities()[sort]
    if values is None or (len(values) and np.isnan(values).all()):
        hint = "imgbatch tags --blur measures it" if sort == "sharpness" else "sort by another"
        raise UsageError(f"{sort.replace('_', ' ')} is not known of any image", hint)
    return values


def oddness(photos: Collection, progress: Progress) -> Floats:
    """How far each image lies from the others: (n,) float32, 1 is the distance of a typical pair.

    It is the distance to the fifth nearest of 512 images, drawn at random, always the same ones. So
    it takes O(n) in place of O(n^2), and tells what lies alone from what has its like.
    """
    points, n = photos.points, len(photos)
    drawn = np.sort(np.random.default_rng(0).choice(n, min(n, _SAMPLE), replace=False))
    near = np.asarray(points[drawn])
    place = min(_NEAR, len(drawn) - 1)
    odd = np.zeros(n, np.float32)
    for start in range(0, n if place else 0, _BLOCK_ROWS):
        block = np.asarray(points[start : start + _BLOCK_ROWS])
        squares = (block**2).sum(axis=1)[:, None] + (near**2).sum(axis=1) - 2 * block @ near.T
        own = np.flatnonzero((drawn >= start) & (drawn < start + len(block)))
        squares[drawn[own] - start, own] = np.inf
        nearest = np.partition(squares, place - 1, axis=1)[:, place - 1]
        odd[start : start + len(block)] = np.sqrt(np.maximum(nearest, 0))
        progress(min(start + _BLOCK_ROWS, n), n)
    return odd
