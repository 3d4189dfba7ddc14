"""What problems are looked for in: all that is known of the images, by row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgbatch.types import Floats, Rows


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest others of some images.

    Attributes
    ----------
    rows
        (m,) rows of the images, rising.
    near
        (m, k) rows of their nearest others among these images, nearest first.
    """

    rows: Rows
    near: Rows


@dataclass(frozen=True)
class Evidence:
    """All that is known of n images.

    Attributes
    ----------
    sizes
        (n, 2): width and height in pixels.
    quantities
        (n,) values of each measured quantity, by name; NaN where it was not measured.
    labels, splits
        The class and the split of each image, "" for none; empty if none are known.
    copies
        Groups of rows that show one picture.
    near
        Neighbours of all images, or of a random sample.
    notes
        What is odd about a file, by row: that it is cut off.
    path
        The path of a row inside the folder.
    """

    sizes: npt.NDArray[np.int32]
    quantities: Mapping[str, Floats]
    labels: Sequence[str]
    splits: Sequence[str]
    copies: Sequence[Rows]
    near: Neighbours
    notes: Mapping[int, str]
    path: Callable[[int], str]

    def __len__(self) -> int:
        return len(self.sizes)
