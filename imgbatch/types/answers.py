"""Answers of a collection that show themselves: a selection of images, an epoch's batches."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar, overload

from imgbatch.shown import Shown
from imgbatch.types.records import PickedImage, Rows, Skipped


class HasPath(Protocol):
    """An image of an answer."""

    @property
    def path(self) -> str:
        """Absolute path, or URL."""
        ...


_FIRST_BATCHES, _FIRST_IMAGES = 4, 10
"""What is shown of an epoch: so many batches, and so many images of each."""
_Image = TypeVar("_Image", bound=HasPath)


class ImageSequence(Shown, Sequence[_Image]):
    """An answer that is a sequence of its images, and shows them.

    Attributes
    ----------
    images
        In their order.
    """

    __slots__ = ()
    images: tuple[_Image, ...]

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[_Image]:
        return iter(self.images)

    @overload
    def __getitem__(self, place: int) -> _Image: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[_Image]: ...
    def __getitem__(self, place: int | slice) -> _Image | Sequence[_Image]:
        if isinstance(place, slice):
            return self._with(self.images[place])
        return self.images[place]

    @property
    def paths(self) -> tuple[str, ...]:
        """The absolute path, or URL, of each image."""
        return tuple(image.path for image in self.images)

    def _with(self, images: tuple[_Image, ...]) -> Sequence[_Image]:
        """What a slice is: an answer of the same kind, where one can have any number of images."""
        return images


@dataclass(frozen=True, slots=True, repr=False)
class Selection(ImageSequence[PickedImage]):
    """The answer to one request: a sequence of its images, which a notebook shows.

    A slice is a selection of the images in it; its seed still repeats the whole set.

    Attributes
    ----------
    mode
        "similar" or "different".
    seed
        Repeats this set on the same files with the same config and version.
    images
        In order of rank. With an anchor from outside the folder, the anchor is rank 0 and not
        counted in n.
    skipped
        Files of the folder that could not be used.
    indexed
        Number of images the selection could choose from.
    seconds
        Wall time of the request, indexing included.
    notes
        Remarks for the user, one line each.
    by
        "tags" if the images were chosen by their two strongest tags, else "".
    config
        The `Config` that says how `sheet` reads and draws pictures; None means the one in force.

    Examples
    --------
    >>> import imgbatch
    >>> picked = imgbatch.load("photos").different(4, seed=7)
    >>> picked
    <imgbatch.Selection of 4 different images, seed 7>
    >>> [image.rank for image in picked[:2]], len(picked.paths)
    ([1, 2], 4)
    >>> picked.sheet().save("different.png")
    """

    mode: str
    seed: int
    folder: str
    images: tuple[PickedImage, ...]
    skipped: tuple[Skipped, ...] = ()
    indexed: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    by: str = ""
    config: object = field(default=None, compare=False)

    def __repr__(self) -> str:
        many = f"{len(self):,} {self.mode} image{'s' * (len(self) != 1)}"
        return f"<imgbatch.Selection of {many}, seed {self.seed}>"

    def _with(self, images: tuple[PickedImage, ...]) -> "Selection":
        return replace(self, images=images)


@dataclass(frozen=True, slots=True, repr=False)
class Batches(Shown, Sequence[Rows]):
    """One epoch's batches: a sequence of arrays of row numbers, every row in exactly one.

    Attributes
    ----------
    rows
        (b,) int64 row numbers of each batch.
    seed, epoch
        Repeat these batches on the same files with the same config and version.
    first_paths
        Absolute paths of the first images of the first batches, which `sheet` and notebooks show.
    config
        As of `Selection`.

    Examples
    --------
    >>> import numpy as np
    >>> batches = Batches((np.array([2, 0]), np.array([1])), seed=1, epoch=0)
    >>> len(batches), batches[0].tolist()
    (2, [2, 0])
    >>> batches
    <imgbatch.Batches: 2 of 3 images, seed 1, epoch 0>
    """

    rows: tuple[Rows, ...]
    seed: int
    epoch: int
    first_paths: tuple[tuple[str, ...], ...] = field(default=(), compare=False)
    config: object = field(default=None, compare=False)

    def showing(self, path_of: Callable[[int], str], config: object) -> "Batches":
        """The same with `config` and the paths to show, given by row."""
        first = (rows[:_FIRST_IMAGES].tolist() for rows in self.rows[:_FIRST_BATCHES])
        paths = tuple(tuple(map(path_of, rows)) for rows in first)
        return replace(self, first_paths=paths, config=config)

    def __repr__(self) -> str:
        images = sum(map(len, self.rows))
        return (
            f"<imgbatch.Batches: {len(self):,} of {images:,} images, "
            f"seed {self.seed}, epoch {self.epoch}>"
        )

    def __iter__(self) -> Iterator[Rows]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, number: int) -> Rows: ...
    @overload
    def __getitem__(self, number: slice) -> tuple[Rows, ...]: ...
    def __getitem__(self, number: int | slice) -> Rows | tuple[Rows, ...]:
        return self.rows[number]
