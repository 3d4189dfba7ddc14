"""The page of near-duplicates: each group side by side, the image worth keeping first."""

from pathlib import Path

from imgbatch.config.schema import Config
from imgbatch.outputs.base import size_in_words
from imgbatch.outputs.duplicates import group_heading
from imgbatch.outputs.pages.records import Facts, ImageGrid, ImageGroups, Page, PageImage
from imgbatch.outputs.pages.settings import remarks_section
from imgbatch.types import DuplicateImage, Duplicates

_LEAD = (
    "Images that show one picture: the same bytes (exact), resized, recompressed or recoloured"
    " (copy), cropped, mirrored, turned or marked (edited), or the same place or object (scene)."
)
_GROUPS = (
    "Each image of a group matches the kept one itself. The number says how far the details of both"
    " agree: 1 is full agreement."
)


def duplicates_page(
    found: Duplicates,
    config: Config,  # noqa: ARG001
    command: str = "",
    shown: slice = slice(None),
) -> Page:
    """The page of a folder's near-duplicates.

    Parameters
    ----------
    found
        What `Collection.duplicates` returned.
    config
        The settings of the collection.
    command
        The terminal command that finds the same; "" shows none.
    shown
        Which groups are shown; all are counted.

    Examples
    --------
    >>> import imgbatch
    >>> photos = imgbatch.load("photos")
    >>> duplicates_page(photos.duplicates(), photos.config).title
    'Near-duplicates in photos'
    """
    groups = tuple(
        ImageGrid(
            group_heading(number, group),
            f"Kept: {group.kept.reason}.",
            images=tuple(_card(image, found) for image in group.images),
            score_name="agreement",
        )
        for number, group in list(enumerate(found.groups, start=1))[shown]
    )
    against = f" and {Path(found.against).name}" if found.against else ""
    return Page(
        "duplicates",
        f"Near-duplicates in {Path(found.folder).name or 'the root'}{against}",
        _LEAD,
        (
            (f"{len(found.groups):,}", "group" if len(found.groups) == 1 else "groups"),
            (f"{found.extra:,}", "images that could go"),
            (f"{found.indexed:,}", "images compared"),
        ),
        (
            ImageGroups("Groups", _GROUPS if groups else "There are none.", groups=groups),
            Facts("What was asked", facts=(("folder", (found.folder,)), ("level", (found.level,)))),
            *remarks_section(found.notes, ()),
        ),
        command,
    )


def _card(image: DuplicateImage, found: Duplicates) -> PageImage:
    facts = [f"{image.width:,} \u00d7 {image.height:,}", size_in_words(image.size)]
    if not image.keep:
        facts.append(image.kind)
    return PageImage(
        image.path,
        image.path if image.keep and found.against else image.relative,
        score="" if image.keep else f"{image.score:.2f}",
        mark="keep" if image.keep else "",
        facts=tuple(facts),
    )
