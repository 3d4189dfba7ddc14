"""Plain records and the names of arrays."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Progress = Callable[[int, int], None]
"""Called with (items done, items in all) while work goes on."""
Figures = Mapping[str, float]
"""Names and values of a measurement; NaN where there is nothing to measure."""
View = npt.NDArray[np.uint8]
"""A canonical small picture: (h, w, 3) uint8, RGB, upright."""


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One readable image of the collection, as the index knows it.

    ``path`` is relative to the folder, with ``/`` between its parts; bytes that are no valid
    text stand in it as surrogates (as `os.fsdecode` gives them). ``width`` and ``height`` are
    pixels of the upright picture; ``note`` says what is unusual about the file, or is empty.

    Examples
    --------
    >>> ImageRecord("cats/tom.jpg", width=640, height=480).label
    'cats'
    """

    path: str
    width: int
    height: int
    note: str = ""

    @property
    def label(self) -> str:
        """The first-level subfolder, which many data sets use as the class; "" at the top."""
        return self.path.split("/", 1)[0] if "/" in self.path else ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was left out, and the reason, in words a user can act on.

    Examples
    --------
    >>> Skipped("a.jpg", reason="the file is empty").reason
    'the file is empty'
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Known:
    """What people know of an image: its class ("" for none), its tags and its texts."""

    label: str = ""
    tags: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageTag:
    """A tag of an image.

    Attributes
    ----------
    score
        0..1: how clearly the image carries it; 1 for a given tag.
    source
        "given" by metadata, "measured" by a rule, or "learned" from examples.
    """

    tag: str
    score: float
    source: str


@dataclass(frozen=True, slots=True)
class PickedImage:
    """One image of a selection.

    Attributes
    ----------
    rank
        Position in the selection, from 1; an anchor from outside the folder has rank 0.
    path
        Absolute path.
    relative
        Path inside the folder; the absolute path of an anchor from outside.
    score
        The distance that ranks the image, rounded to 4 digits. Similar images: to the anchor.
        Different images: to the nearest image chosen before; for the first image, to the second.
        Distances are Euclidean in the feature space, where the mean squared distance of two images
        is 1.
    width, height
        Pixels of the upright picture.
    label
        The class of the image, or "".
    note
        What is unusual about the file, or "".
    anchor
        Whether the image is the anchor.
    shares
        Each descriptor's share of the squared distance; they sum to 1. Empty if the distance is 0.
    tags, texts
        What metadata say of the image.
    all_tags
        Given, measured and learned tags, the most telling ones first.
    pair
        In a set by tags: the image's two strongest tags, which put it there.

    Examples
    --------
    >>> import imgbatch
    >>> image = imgbatch.load("photos").similar(3, seed=1).images[0]
    >>> image.rank, image.score, image.anchor
    (1, 0.0, True)
    """

    rank: int
    path: str
    relative: str
    score: float
    width: int
    height: int
    label: str = ""
    note: str = ""
    anchor: bool = False
    shares: dict[str, float] = field(default_factory=dict, hash=False)
    tags: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    all_tags: tuple[ImageTag, ...] = ()
    pair: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DecodeOptions:
    """How files become small pictures; see [images] in config.toml."""

    view_px: int = 128
    max_megapixels: float = 100.0
    max_file_megabytes: float = 500.0
    max_seconds: float = 60.0
    min_shown_share: float = 0.5
    background: tuple[int, int, int] = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What reading one file gave.

    ``codes`` maps descriptor fingerprints to bytes; empty if the content was known or unreadable.
    ``content_hash`` is None if the file could not be read at all. ``ctime_ns`` is None for a file
    behind a URL.
    """

    path: str
    size: int
    mtime_ns: int
    content_hash: bytes | None
    width: int = 0
    height: int = 0
    note: str = ""
    error: str | None = None
    known: bool = False
    codes: Mapping[str, bytes] | None = None
    ctime_ns: int | None = None


@dataclass(frozen=True, slots=True)
class DuplicateImage:
    """One image of a group of near-duplicates.

    Attributes
    ----------
    path
        Absolute path, or URL.
    relative
        Path inside its folder.
    keep
        Whether it is the image worth keeping; the first of its group, and no other, is.
    kind
        What it has in common with the kept image: "exact" (the same bytes), "copy" (resized,
        recompressed, recoloured), "edited" (cropped, mirrored, turned, marked) or "scene".
    score
        0..1: how far its details agree with those of the kept image.
    width, height
        Pixels of the upright picture.
    size
        Bytes of the file.
    reason
        Why it is kept; "" for the others.
    """

    path: str
    relative: str
    keep: bool
    kind: str
    score: float
    width: int
    height: int
    size: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Near-duplicates of one image, which comes first.

    Attributes
    ----------
    kind
        The weakest kind of its images.
    images
        Two or more.
    """

    kind: str
    images: tuple[DuplicateImage, ...]

    @property
    def kept(self) -> DuplicateImage:
        """The image worth keeping."""
        return self.images[0]


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The near-duplicates of a folder, or what it shares with another one.

    Attributes
    ----------
    folder
        Absolute path, or URL.
    level
        "exact", "copies", "edited" or "scene": what was looked for.
    groups
        In the order of kinds, the strongest first, then by the kept image's path.
    indexed
        Number of images that were compared.
    against
        The other folder; its images are kept, never moved. "" if there is none.
    seconds
        Wall time.
    notes
        Remarks for the user, one line each.

    Examples
    --------
    >>> import imgbatch
    >>> found = imgbatch.load("photos").duplicates("edited")
    >>> found.level, found.indexed
    ('edited', 24)
    """

    folder: str
    level: str
    groups: tuple[DuplicateGroup, ...]
    indexed: int
    against: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def extra(self) -> int:
        """How many images could go: all but one of each group, or those of `folder`."""
        return sum(len(group.images) - 1 for group in self.groups)
