"""Pages of `explain`: why two images are near or far, and what is seen and kept of one."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from imgbatch.config.schema import Config
from imgbatch.outputs.describe import kept_in_words, main_colors
from imgbatch.outputs.explain import full_name
from imgbatch.outputs.legend import in_words, style_of
from imgbatch.outputs.pages.records import (
    Chart,
    Facts,
    FigureRow,
    FiguresTable,
    ImageGrid,
    ImageGroups,
    Page,
    PageImage,
)
from imgbatch.outputs.pages.settings import settings_section
from imgbatch.outputs.pages.thumbnails import encoded
from imgbatch.outputs.panels import (
    PANEL,
    PICTURE,
    as_wide_as,
    color_bars,
    highest_bar,
    square_panels,
)
from imgbatch.outputs.pictures import load_picture
from imgbatch.selection.describe import Description
from imgbatch.selection.explain import DescribedImage, Explanation
from imgbatch.types import View

_BARS = (PANEL, PANEL * 3 // 4)
_SCALE = "0 is the same picture, 1 the distance of a typical pair of the folder."
_PARTS = (
    "The squared distance is a sum with a part for each descriptor. Share: of this pair's distance."
    " Weight: the share in a typical pair; a share above it says what sets these two apart."
    " Charts end at the largest value."
)
_LEARNED = "Learned points do not split by descriptor; the distance before learning does."
_COLORS = "Shares of the picture, square-root scale: greys from dark to light, then hues."
_SEEN_ALONE = f"Colours: {_COLORS.lower()} Hash: the lowest frequencies top left."


def explanation_page(explanation: Explanation, config: Config, command: str = "") -> Page:
    """The page of two images: how far apart they are, by which descriptor, and what these saw.

    Parameters
    ----------
    explanation
        What `Collection.explain` returned.
    config
        The settings of the collection.
    command
        The terminal command that explains the same; "" shows none.

    Examples
    --------
    >>> import imgbatch
    >>> photos = imgbatch.load("photos")
    >>> explained = photos.explain(photos.paths[0], photos.paths[1])
    >>> explanation_page(explained, photos.config).title
    'image000.jpg and image003.jpg'
    """
    first, second = explanation.images
    highlights = [(f"{explanation.distance:.3f}", "distance")]
    if explanation.unlearned_distance is not None:
        highlights.append((f"{explanation.unlearned_distance:.3f}", "distance before learning"))
    largest = max(explanation.parts, key=lambda part: part.share)
    if largest.share:
        word = style_of(largest.name).word
        highlights.append((f"{largest.share:.0%}", f"of the squared distance by {word}"))
    highlights.append((f"{explanation.hash_bits_apart} of 64", "bits of the hashes differ"))
    return Page(
        "explain",
        f"{_name(first)} and {_name(second)}",
        f"What makes two images near or far. {_SCALE}",
        tuple(highlights),
        (
            ImageGrid("The images", images=tuple(map(_card, explanation.images))),
            _parts(explanation),
            _seen(*explanation.images, config),
            settings_section(explanation.folder, None, None, config),
        ),
        command,
    )


def description_page(seen: Description, config: Config, command: str = "") -> Page:
    """The page of one image: what its point keeps of the picture, and what descriptors see.

    Parameters
    ----------
    seen
        What `Collection.describe` returned.
    config
        The settings of the collection.
    command
        The terminal command that describes the same; "" shows none.

    Examples
    --------
    >>> import imgbatch
    >>> photos = imgbatch.load("photos")
    >>> description_page(photos.describe(photos.paths[0]), photos.config).title
    'image000.jpg'
    """
    image = seen.image
    picture = load_picture(image.path, config, PICTURE)
    name, kept = _name(image), kept_in_words(seen)
    text = "A linear map, learned from the folder, makes a picture of the image's point again."
    pictures = (
        _card(image),
        _drawn(as_wide_as(seen.little, picture), f"{name} at 32 \u00d7 32 pixels", config),
        _drawn(as_wide_as(seen.kept, picture), f"what the point keeps of {name}", config, kept),
    )
    colors = tuple(f"{color} {share:.0%}" for color, share in main_colors(seen).items())
    facts = (("hash", (image.phash,)), *([("colours", colors)] if colors else []))
    return Page(
        "explain",
        name,
        "What the descriptors see of an image, and what its point in the feature space keeps.",
        ((kept, "of the picture at 32 \u00d7 32 pixels, kept by its point"),),
        (
            ImageGrid("What its point keeps", text, images=pictures),
            ImageGrid("What the descriptors see", _SEEN_ALONE, images=_panels(image, config)),
            Facts("In numbers", facts=facts),
            settings_section(seen.folder, None, None, config),
        ),
        command,
    )


def _parts(explanation: Explanation) -> FiguresTable:
    learned = explanation.unlearned_distance is not None
    longest = max(max(part.share, part.weight) for part in explanation.parts)
    rows = tuple(
        FigureRow(
            full_name(part.name),
            f"{part.share:.0%}",
            f"distance {part.distance:.3f}",
            f"{part.weight:.3f}",
            f"{in_words(part.ratio)}, compared with a typical pair",
            _mark(part.share / longest, part.weight / longest),
        )
        for part in explanation.parts
    )
    text = f"{_PARTS} {_LEARNED}" if learned else _PARTS
    columns = ("descriptor", "share", "weight")
    return FiguresTable("What sets them apart", text, columns, rows, interval_name="")


def _mark(share: float, weight: float) -> Chart:
    return Chart(share, share, share, weight)


def _seen(first: DescribedImage, second: DescribedImage, config: Config) -> ImageGroups:
    """What each descriptor saw: a group for each, both images side by side."""
    pairs = zip(_drawings(first, config, second), _drawings(second, config, first), strict=True)
    groups = tuple(
        ImageGrid(
            word[0].upper() + word[1:],
            f"{detail[0].upper()}{detail[1:]}".rstrip(".") + ".",
            images=(one, other),
        )
        for (word, detail, one), (_, _, other) in pairs
    )
    return ImageGroups("What the descriptors see", groups=groups)


def _panels(image: DescribedImage, config: Config) -> tuple[PageImage, ...]:
    return tuple(card for _, _, card in _drawings(image, config))


def _drawings(
    image: DescribedImage, config: Config, other: DescribedImage | None = None
) -> Iterator[tuple[str, str, PageImage]]:
    """What each descriptor saw of an image: a word for it, a remark, the drawing."""
    name, beside = _name(image), [image] if other is None else [image, other]
    if len(image.color_shares):
        bars = color_bars(image, highest_bar(*beside), _BARS)
        yield "colours", _COLORS, _drawn(bars, f"colours of {name}", config)
    for panel in square_panels(image, load_picture(image.path, config, PICTURE), other):
        drawn = _drawn(panel.content, f"{panel.name} of {name}", config)
        yield panel.name, panel.detail, drawn


def _card(image: DescribedImage) -> PageImage:
    facts = (f"{image.width:,} \u00d7 {image.height:,}",)
    return PageImage(image.path, image.relative, facts=facts)


def _drawn(content: Image.Image, name: str, config: Config, score: str = "") -> PageImage:
    """A picture that is no file."""
    view: View = np.asarray(content)
    return PageImage("", name, score=score, picture=encoded(view, config.page.size_px))


def _name(image: DescribedImage) -> str:
    return Path(image.relative).name
