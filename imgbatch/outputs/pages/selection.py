"""The page of a similar or different set."""

from pathlib import Path

from imgbatch.config.schema import Config
from imgbatch.outputs.base import reason_in_words
from imgbatch.outputs.pages.records import ImageGrid, Page, PageImage
from imgbatch.outputs.pages.settings import remarks_section, settings_section
from imgbatch.selection.tags import shared_tags
from imgbatch.types import PickedImage, Selection

_LEADS = {
    "similar": "Images of one kind: the anchor and its nearest neighbours. Without a given anchor"
    " another one is drawn on each request.",
    "different": "Images that differ as much as possible, chosen from a fresh random sample of the"
    " folder.",
}
_SCORES = {
    "similar": "The number is the distance to the anchor: 0 is the same picture, 1 the distance of"
    " a typical pair in this folder.",
    "different": "The number is the distance to the nearest image chosen before: 1 is the distance"
    " of a typical pair in this folder.",
}
_BARS = " A bar splits the squared distance by descriptor: what sets the two images apart."


_TAGS = 4


def selection_page(selection: Selection, config: Config, command: str = "") -> Page:
    """The page of a selection: its images with distances, what decided them, the settings.

    Parameters
    ----------
    selection
        What `Collection.similar` or `Collection.different` returned.
    config
        The settings of the collection.
    command
        The terminal command that gives the same selection; "" shows none.

    Examples
    --------
    >>> import imgbatch
    >>> photos = imgbatch.load("photos")
    >>> selection_page(photos.different(4, seed=7), photos.config).title
    '4 different images of photos'
    """
    chosen = [image for image in selection.images if image.rank > 0]
    scores = [image.score for image in chosen if not image.anchor]
    highlights = [
        (f"{len(chosen):,}", "image picked" if len(chosen) == 1 else "images picked"),
        (f"{selection.indexed:,}", "images to choose from"),
    ]
    if scores:
        to = "to the anchor" if selection.mode == "similar" else "to the nearest one before"
        highlights.append((f"{min(scores):.2f}\u2013{max(scores):.2f}", f"distance {to}"))
    if shared := shared_tags(selection):
        highlights.append((", ".join(shared), "what all have in common"))
    highlights.append((str(selection.seed), "seed, which repeats this set"))
    bars = _BARS if any(image.shares for image in selection.images) else ""
    grid = ImageGrid(
        "The images",
        _SCORES[selection.mode] + bars,
        images=tuple(map(_card, selection.images)),
        score_name="distance",
    )
    noun = "image" if len(chosen) == 1 else "images"
    lead = _LEADS[selection.mode]
    if selection.by:
        reason = reason_in_words(selection)
        lead = f"{reason[0].upper()}{reason[1:]}: the rarest and clearest ones in this folder."
    return Page(
        selection.mode,
        f"{len(chosen):,} {selection.mode} {noun} of {Path(selection.folder).name or 'the root'}",
        lead,
        tuple(highlights),
        (
            grid,
            settings_section(selection.folder, selection.indexed, selection.seed, config),
            *remarks_section(selection.notes, selection.skipped),
        ),
        command,
    )


def _card(image: PickedImage) -> PageImage:
    facts = [*image.pair, f"{image.width:,} \u00d7 {image.height:,}"]
    if image.label and not image.relative.startswith(f"{image.label}/"):
        facts.append(f"class {image.label}")
    if image.note:
        facts.append(image.note)
    if image.all_tags:
        facts.append(", ".join(tag.tag for tag in image.all_tags[:_TAGS]))
    return PageImage(
        image.path,
        image.relative,
        rank=str(image.rank),
        score="" if image.anchor else f"{image.score:.3f}",
        mark="anchor" if image.anchor else "",
        facts=tuple(facts),
        shares=image.shares,
    )
