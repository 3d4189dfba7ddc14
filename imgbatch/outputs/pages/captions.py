"""The page of captions: each image with the captions suggested for it."""

from pathlib import Path

from imgbatch.config.schema import Config
from imgbatch.outputs.pages.records import ImageGrid, Page, PageImage
from imgbatch.outputs.pages.settings import remarks_section
from imgbatch.words.results import CaptionedImage, Captions

_LEAD = (
    "Captions that people wrote of other images of the folder: of those of images that look alike,"
    " the one that most others resemble. They are suggestions; often only the kind of scene fits."
)
_SCORE = (
    "The number is the agreement: how much the caption is like the captions nearest to it, 0 to 1."
)


def captions_page(captions: Captions, config: Config, command: str = "") -> Page:  # noqa: ARG001
    """The page of captions.

    Parameters
    ----------
    captions
        What `Collection.caption` returned.
    config
        The settings of the collection.
    command
        The terminal command that gives the same captions; "" shows none.
    """
    count = len(captions.images)
    highlights = (
        (f"{count:,}", "images with a suggestion"),
        (f"{captions.learned:,}", "images whose captions were learned from"),
    )
    images = tuple(map(_card, captions.images))
    grid = ImageGrid("The images", _SCORE, images=images, score_name="agreement")
    return Page(
        "caption",
        f"Captions for {count:,} images of {Path(captions.folder).name or 'the root'}",
        _LEAD,
        highlights,
        (grid, *remarks_section(captions.notes, ())),
        command,
    )


def _card(image: CaptionedImage) -> PageImage:
    first, *others = image.captions
    facts = (first.text, *(f"or: {caption.text}" for caption in others))
    source = f"written of {first.sources[0]}"
    return PageImage(
        image.path, image.relative, score=f"{first.agreement:.2f}", facts=(*facts, source)
    )
