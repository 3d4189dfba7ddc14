"""Texts and pictures as vectors of one space, to be compared, or handed to other programs."""

from collections.abc import Sequence
from dataclasses import dataclass

from imgbatch.types import Floats
from imgbatch.words.maps import WordMaps
from imgbatch.words.text_index import TextIndex
from imgbatch.words.visual import stem_counts


@dataclass(frozen=True)
class SharedSpace:
    """The space that a folder's texts and pictures share, by canonical correlation.

    A text and the picture that it tells of lie near each other: the product of their vectors, which
    have length 1, is the cosine of their angle. Source: see `words.maps`.

    Attributes
    ----------
    index
        The folder's stems.
    maps
        The maps; they lead from texts and from points to the space.
    """

    index: TextIndex
    maps: WordMaps

    @property
    def dimensions(self) -> int:
        """Number of columns of a vector, at most 128."""
        return int(self.maps.image_axes.shape[1])

    def of_texts(self, texts: Sequence[str]) -> Floats:
        """Each of t texts: (t, k) float32 of length 1; zeros where no word of it was learned."""
        return self.maps.correlated_texts(stem_counts(self.index, texts))

    def of_points(self, points: Floats) -> Floats:
        """Pictures, by points (n, p) of the folder's space: (n, k) float32 of length 1."""
        return self.maps.correlated(points)
