"""The partners of images that seek: each image's best few are kept while cells are visited."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgbatch.types import Floats, Rows


@dataclass(frozen=True, slots=True, eq=False)
class Partners:
    """Images and partners, (e,) arrays with an entry for each two.

    Attributes
    ----------
    images
        Positions in a block.
    rows
        The partners.
    windows
        Numbers of the windows through which they are alike.
    scores
        float32 likenesses.
    """

    images: Rows
    rows: Rows
    windows: Rows
    scores: Floats

    def of(self, chosen: npt.NDArray[np.generic]) -> "Partners":
        """Some of the entries."""
        return Partners(*(getattr(self, name)[chosen] for name in self.__slots__))

    def and_those(self, other: "Partners") -> "Partners":
        """The entries of both."""
        both = ((getattr(self, name), getattr(other, name)) for name in self.__slots__)
        return Partners(*map(np.concatenate, both))

    def best(self, most: int) -> tuple["Partners", Rows]:
        """Each image's best partners, at most `most`, by their best windows; and their ranks."""
        found = self.of(np.lexsort((-self.scores, self.rows, self.images)))
        new = np.diff(found.images, prepend=-1) != 0
        new |= np.diff(found.rows, prepend=-1) != 0
        found = found.of(new)
        found = found.of(np.lexsort((found.rows, -found.scores, found.images)))
        first = np.flatnonzero(np.diff(found.images, prepend=-1))
        lengths = np.diff(first, append=len(found.images))
        ranks = np.arange(len(found.images)) - np.repeat(first, lengths)
        return found.of(ranks < most), ranks[ranks < most]


@dataclass(frozen=True, slots=True, eq=False)
class BestPartners:
    """The best partners so far of a block of images, (b, most) each, the best first.

    `block` are the images' own rows (b,). Where there is no partner yet, the row is -1.
    """

    block: Rows
    rows: Rows
    windows: Rows
    scores: Floats

    @classmethod
    def none(cls, block: Rows, most: int, least: float) -> "BestPartners":
        """No partners yet; those that come are more alike than `least`."""
        nobody = np.full((len(block), most), -1, np.int64)
        scores = np.full(nobody.shape, least, np.float32)
        return cls(block, nobody, nobody.copy(), scores)

    def of(self, images: Rows) -> Partners:
        """The partners of some images of the block."""
        place, rank = np.nonzero(self.rows[images] >= 0)
        at = images[place], rank
        return Partners(at[0], self.rows[at], self.windows[at], self.scores[at])

    def improve(self, images: Rows, windows: Rows, rows: Rows, scores: Floats) -> None:
        """Take partners in that are better than those so far.

        Parameters
        ----------
        images, windows
            (v,) whose view through which window is compared.
        rows
            (m,) with which rows.
        scores
            (v, m) float32.
        """
        better = np.flatnonzero(scores > self.scores[images, -1, None])
        if len(better):
            view, row = np.divmod(better, len(rows))
            taken = scores.reshape(-1)[better]
            found = Partners(images[view], rows[row], windows[view], taken)
            found = found.of(self.block[found.images] != found.rows)
            found = found.and_those(self.of(np.unique(found.images)))
            found, rank = found.best(self.rows.shape[1])
            at = found.images, rank
            self.rows[at], self.windows[at] = found.rows, found.windows
            self.scores[at] = found.scores
