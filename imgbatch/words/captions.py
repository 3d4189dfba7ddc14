"""Captions by consensus: of the captions of images that look alike, the one most others resemble.

Source: Devlin et al. 2015, "Exploring nearest neighbor approaches for image captioning".
Departures: neighbours are those of canonical correlation, which finds better ones than points;
captions are compared by the cosine of rare sequences of stems, and captions of one image do not
vote for each other.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from imgbatch.types import Floats, Rows
from imgbatch.words.maps import WordMaps
from imgbatch.words.neighbours import nearest
from imgbatch.words.tokens import Stemmer

if TYPE_CHECKING:
    import scipy.sparse as sp

LONGEST = 4
"""Words of a sequence, at most."""
_NEIGHBOURS, _VOTES = 50, 125
"""Images whose captions are compared, and the most similar captions that vote for each."""
_NEIGHBOURS_OF_ONE, _VOTES_OF_ONE = 100, 30
"""The same where most images have a single caption."""
_LEAST_NEIGHBOURS, _NEIGHBOUR_SHARE = 10, 0.05
"""Of few images fewer are neighbours: a twentieth of them, but at least ten."""
_SOURCES = 5


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A caption for an image.

    Attributes
    ----------
    text
        As somebody wrote it for another image.
    agreement
        0..1: its mean likeness to the captions that are the most like it.
    sources
        Rows of the image that it was written for, and of those whose captions resemble it most.
    """

    text: str
    agreement: float
    sources: tuple[int, ...]


@dataclass(frozen=True)
class CaptionBank:
    """The captions of some images, ready to be compared.

    Attributes
    ----------
    rows
        (m,) int64 rows of the images.
    captions
        The captions of each.
    maps, placed
        The maps, and where the images lie in the space (m, k) that words and pictures share.
    stemmer
        Of the language.
    """

    rows: Rows
    captions: Sequence[tuple[str, ...]]
    maps: WordMaps
    placed: Floats
    stemmer: Stemmer

    @cached_property
    def texts(self) -> list[str]:
        """All captions, image by image."""
        return [text for of_image in self.captions for text in of_image]

    @cached_property
    def owners(self) -> Rows:
        """(c,) the image of each caption, as a position in `rows`."""
        return np.repeat(np.arange(len(self.rows)), [len(texts) for texts in self.captions])

    @cached_property
    def ends(self) -> Rows:
        """(m,) where the captions of each image end."""
        return np.cumsum([len(texts) for texts in self.captions])

    @cached_property
    def vectors(self) -> "sp.csr_array":
        """(c, s) a row for each caption; the product of two rows is their likeness, 0..1."""
        return caption_vectors([self.stemmer.stems(text) for text in self.texts], self.owners)

    @property
    def _settings(self) -> tuple[int, int]:
        single = len(self.texts) < 2 * len(self.rows)
        near, votes = (_NEIGHBOURS_OF_ONE, _VOTES_OF_ONE) if single else (_NEIGHBOURS, _VOTES)
        return min(near, max(_LEAST_NEIGHBOURS, int(_NEIGHBOUR_SHARE * len(self.rows)))), votes

    def neighbours(self, points: Floats, left_out: Sequence[int] | None = None) -> list[Rows]:
        """The images that look most like each of u others, given by points (u, p).

        They are positions in `rows`, the nearest first.

        `left_out` names for each a row that is not taken, as an image is no neighbour of its own.
        """
        count = min(self._settings[0] + 1, len(self.rows))
        near, squared = nearest(self.maps.correlated(points), self.placed, count)
        found = []
        for number in range(len(points)):
            positions = near[number][np.argsort(squared[number], kind="stable")].astype(np.int64)
            if left_out is not None:
                positions = positions[self.rows[positions] != left_out[number]]
            found.append(positions[: self._settings[0]])
        return found

    def suggest(self, neighbours: Rows, count: int) -> list[Suggestion]:
        """The captions of some images (positions in `rows`) on which these agree most, best first.

        Captions of equal words are suggested once. O(c^2 w) time for c captions of w words.
        """
        starts = self.ends[neighbours] - [len(self.captions[place]) for place in neighbours]
        chosen = np.concatenate(
            [np.arange(a, b) for a, b in zip(starts, self.ends[neighbours], strict=True)]
        )
        rows = self.vectors[chosen]
        likeness = np.asarray((rows @ rows.T).todense())
        owners = self.owners[chosen]
        likeness[owners[:, None] == owners] = 0
        votes = max(1, min(self._settings[1], len(chosen) // 2))
        agreement = -np.partition(-likeness, votes - 1, axis=1)[:, :votes].mean(1)
        suggestions, seen = list[Suggestion](), set[str]()
        for place in np.argsort(-agreement.round(6), kind="stable").tolist():
            text = self.texts[chosen[place]]
            words = " ".join(self.stemmer.stems(text))
            if words in seen:
                continue
            seen.add(words)
            sources = self._sources(owners, likeness[place], int(owners[place]))
            suggestions.append(Suggestion(text, float(agreement[place]), sources))
            if len(suggestions) == count:
                break
        return suggestions

    def _sources(self, owners: Rows, likeness: Floats, own: int) -> tuple[int, ...]:
        order = owners[np.argsort(-likeness, kind="stable")].tolist()
        images = list(dict.fromkeys((own, *order)))
        return tuple(int(self.rows[place]) for place in images[:_SOURCES])


def sequences(words: Sequence[str]) -> Counter[tuple[str, ...]]:
    """How often each sequence of one to four words stands in a text.

    >>> sequences(["a", "dog", "a"])[("a",)], len(sequences(["a", "dog", "a"]))
    (2, 5)
    """
    return Counter(
        tuple(words[start : start + size])
        for size in range(1, LONGEST + 1)
        for start in range(len(words) - size + 1)
    )


def caption_vectors(captions: Sequence[Sequence[str]], owners: Rows) -> "sp.csr_array":
    """Captions, as lists of words, as rows whose product is their likeness.

    It is the mean, over one to four words, of the cosines of their sequences, each weighted by its
    count and by the logarithm of the images over those whose captions hold it.

    Parameters
    ----------
    owners
        (c,) int64, rising: the image of each caption.

    Returns
    -------
    vectors
        (c, s) float32 in compressed form.
    """
    import scipy.sparse as sp

    places: dict[tuple[str, ...], int] = {}
    numbers, counts, ends = list[int](), list[int](), [0]
    for words in captions:
        for sequence, count in sequences(words).items():
            numbers.append(places.setdefault(sequence, len(places)))
            counts.append(count)
        ends.append(len(numbers))
    columns = np.asarray(numbers, np.int64)
    of_caption = np.repeat(np.arange(len(captions)), np.diff(ends))
    pairs = np.unique(owners[of_caption] * max(len(places), 1) + columns)
    held = np.bincount(pairs % max(len(places), 1), minlength=len(places))
    images = max(len(np.unique(owners)), 1)
    weights = np.asarray(counts) * np.log(images / np.maximum(held, 1))[columns]
    sizes = np.fromiter(map(len, places), np.int64, len(places))[columns]
    squares = np.bincount(of_caption * LONGEST + sizes - 1, weights**2, len(captions) * LONGEST)
    lengths = np.sqrt(squares * LONGEST)[of_caption * LONGEST + sizes - 1]
    data = (weights / np.maximum(lengths, 1e-12)).astype(np.float32)
    return sp.csr_array((data, columns, ends), (len(captions), len(places)))
