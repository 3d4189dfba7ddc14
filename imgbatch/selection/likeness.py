"""What images are to be like: a picture in the folder or not, a point, or the mean of several."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from imgbatch.embedding.projection import Projection
from imgbatch.errors import SelectionError
from imgbatch.index.decoder import checked_point
from imgbatch.index.outside import ImageReader, ReadImage
from imgbatch.index.vectors import as_point
from imgbatch.selection.answer import outside_anchor
from imgbatch.selection.similar import Anchor
from imgbatch.types import Floats, PickedImage, View

if TYPE_CHECKING:
    from PIL.Image import Image

    One = str | os.PathLike[str] | Image | npt.NDArray[np.uint8] | Floats
    """A path, a Pillow picture, an array (h, w, 3) or (h, w) of uint8, or a point (p,)."""
    Like = One | Sequence[One]
    """One of these, or several, whose mean point counts."""

HINT = "give `like` a file, or a path inside the image folder"


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """A point that images are to be near.

    Attributes
    ----------
    point
        (p,) float32.
    row
        The row of an image of the folder; None for anything else.
    image
        A picture that is not one of the folder.
    path
        Its file; "" for a picture in memory.
    """

    point: Floats
    row: int | None = None
    image: ReadImage | None = None
    path: str = ""

    @property
    def anchor(self) -> Anchor:
        """The point as the anchor of a set."""
        return Anchor(self.point, self.row, None if self.image is None else self.image.phash)

    @property
    def beside(self) -> tuple[View, View] | None:
        """Miniature and view of a picture that is not in the folder, to know its copies by."""
        return None if self.image is None else (self.image.miniature, self.image.decoded.view)

    @property
    def shown(self) -> tuple[PickedImage, ...]:
        """The picture, if it is a file, as an image of rank 0."""
        if self.image is None or not self.path:
            return ()
        return (outside_anchor(self.path, self.image.decoded),)


@dataclass(frozen=True)
class Places:
    """Finds the point of what images are to be like.

    Attributes
    ----------
    projection
        The images as points.
    row_of_file
        The row of a file of the folder; None for others.
    read_with
        Gives what reads pictures.
    """

    projection: Projection
    row_of_file: Callable[[str], int | None]
    read_with: Callable[[], ImageReader]

    def of(self, like: "Like") -> Likeness:
        """Where it is.

        Raises
        ------
        SelectionError
            It is nothing of that kind, cannot be read, or is a point of another space.
        """
        if not isinstance(like, list | tuple):
            return self._of_one(cast("One", like))
        if not like:
            raise SelectionError("`like` is empty", HINT)
        found = [self._of_one(one) for one in like]
        if len(found) == 1:
            return found[0]
        return Likeness(np.mean([each.point for each in found], axis=0, dtype=np.float32))

    def of_folder(self, like: "Like") -> int | None:
        """The row of a file of the folder; None for anything else."""
        return self.row_of_file(os.fspath(like)) if isinstance(like, str | os.PathLike) else None

    def _of_one(self, like: "One") -> Likeness:
        if isinstance(like, str | os.PathLike):
            return self._of_file(os.fspath(like))
        if isinstance(like, np.ndarray) and like.ndim == 1:
            return Likeness(self.point(like))
        if not isinstance(like, np.ndarray) and not hasattr(like, "convert"):
            raise SelectionError(
                f"`like` is of the type {type(like).__name__}",
                "give a path, a Pillow picture, an array (h, w, 3) of uint8, a point, or a list"
                " of these",
            )
        image = self.read_with().read_picture(cast("Any", like), "`like`")
        return Likeness(image.point(self.projection.space), image=image)

    def _of_file(self, path: str) -> Likeness:
        if (row := self.row_of_file(path)) is not None:
            return Likeness(np.asarray(self.projection.points[row]), row)
        image = self.read_with().read(path, HINT)
        return Likeness(image.point(self.projection.space), image=image, path=path)

    def point(self, given: npt.NDArray[Any]) -> Floats:
        """A point as it was given, checked; a vector of a space of vectors as its point."""
        point = checked_point(given, self.projection.points.shape[1:])
        if not np.isfinite(point).all():
            raise SelectionError("the point holds what is no number", "give a finite one")
        return as_point(point, self.projection.space)
