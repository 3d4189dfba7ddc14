"""What search and captions answer: frozen records, for whoever shows them."""

from dataclasses import dataclass, field, replace

from imgbatch.config.schema import Config
from imgbatch.types import ImageRecord, ImageSequence

TEXT, VISUAL = "text", "visual"
"""Why an image was found: its text holds words of the query, or it looks like images whose do."""


@dataclass(frozen=True, slots=True)
class FoundImage:
    """An image that was found by words.

    Attributes
    ----------
    rank
        From 1.
    path
        Absolute path, or URL.
    relative
        Path inside the folder.
    relevance
        0..1, falling with the rank: how far its text is what was asked for, where 1 is a text of
        usual length that holds all words; without a text, the relevance to be expected. With an
        image to be like, times the share of images that look less like it.
    source
        "text" or "visual".
    words
        The words of the query that count for it, the weightiest first.
    texts
        What people know of the image: texts, tags, class.
    record
        Size and remarks.
    """

    rank: int
    path: str
    relative: str
    relevance: float
    source: str
    words: tuple[str, ...]
    texts: tuple[str, ...]
    record: ImageRecord


@dataclass(frozen=True, slots=True, repr=False)
class Found(ImageSequence[FoundImage]):
    """The answer to a search: a sequence of its images, which a notebook shows.

    Attributes
    ----------
    query
        The words that were asked for.
    folder
        Absolute path, or URL.
    images
        In order of rank; fewer than asked for if no others fit.
    language
        Whose stems were compared.
    unknown
        Words of the query that no text holds, with known words that look like each.
    indexed, with_text
        Images to choose from, and how many of these have a text.
    seconds
        Wall time, indexing included.
    notes
        Remarks for the user, one line each.
    config
        Says how `sheet` reads and draws pictures; None means the settings in force.
    """

    query: str
    folder: str
    images: tuple[FoundImage, ...]
    language: str
    unknown: dict[str, tuple[str, ...]]
    indexed: int
    with_text: int
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    config: Config | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return f"<imgbatch.Found: {len(self):,} image{'s' * (len(self) != 1)} for {self.query!r}>"

    def _with(self, images: tuple[FoundImage, ...]) -> "Found":
        return replace(self, images=images)


@dataclass(frozen=True, slots=True)
class ImageCaption:
    """A caption for an image.

    Attributes
    ----------
    text
        As somebody wrote it for another image.
    agreement
        0..1: its mean likeness to the captions, of images that look alike, that are most like it.
    sources
        Paths inside the folder: the image that it was written for, and those that agree most.
    """

    text: str
    agreement: float
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaptionedImage:
    """An image with captions, the one agreed on most first.

    Attributes
    ----------
    path
        Absolute path, or URL.
    relative
        Path inside the folder; the absolute path of an image from elsewhere.
    captions
        One or more.
    texts
        What people wrote of it, if anything.
    """

    path: str
    relative: str
    captions: tuple[ImageCaption, ...]
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Captions:
    """Captions for images of a folder.

    Attributes
    ----------
    folder
        Absolute path, or URL.
    images
        By path, or in the order in which they were asked for.
    learned
        Number of images whose captions were learned from.
    language
        Of these captions.
    seconds
        Wall time, indexing included.
    notes
        Remarks for the user, one line each.
    """

    folder: str
    images: tuple[CaptionedImage, ...]
    learned: int
    language: str
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
