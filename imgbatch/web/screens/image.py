"""One image: all that is known of it, what is nearest to it, and where to go on."""

import os
from datetime import UTC, datetime

import numpy as np
from starlette.responses import Response

from imgbatch.collection import Collection
from imgbatch.outputs.base import size_in_words
from imgbatch.outputs.pages.records import ImageGrid, Page, PageImage
from imgbatch.types import Hashes, PickedImage, Progress, Rows
from imgbatch.web.asked import Asked, MissingError
from imgbatch.web.screens.base import READ, Here, Screen

_NEAREST = 8
_MOST_COPIES = 200
_NEAR = (
    "The number is the distance: 0 is the same picture, 1 the distance of a typical pair in this"
    " folder. A bar splits its square by descriptor."
)


def image(here: Here, asked: Asked) -> Response:
    """The picture, what is known of it, and its nearest others."""
    site, row = here.site, asked.image(here.site, "id")
    if row is None:
        raise MissingError("An address of this page names an image; every card leads to its own.")
    path = site.path_of(row)
    copies = _copies(here, row) if asked.flag("copies") else None
    with site.asking() as photos:
        record, known = photos.records[row], photos.metadata.of_image(row)
        (tags,) = photos.tagging.of_rows(np.array([row]))
        n = min(_NEAREST + 1, len(photos))
        near = photos.similar(n, like=path, keep_duplicates=True).images[1:]
    sections = [ImageGrid("Nearest", _NEAR, tuple(map(_card, near)), "distance")] if near else []
    if copies is not None:
        sections.insert(0, _copies_section(here, copies))
    page = Page(
        "image",
        record.path.rpartition("/")[2],
        sections=tuple(sections),
        command=site.command("similar", n=n, like=path, keep_duplicates=True),
    )
    last = len(site.photos) - 1
    return here.render.answer(
        asked.request,
        "image.html",
        page,
        id=site.id_of(row),
        file=path,
        record=record,
        known=known,
        tags=tags,
        state=_state(path),
        before=site.id_of(row - 1) if row else "",
        after=site.id_of(row + 1) if row < last else "",
        copies=copies is not None,
    )


def _copies(here: Here, row: int) -> Rows:
    """The rows of an image's near-duplicates."""

    def work(photos: Collection, _: Progress) -> Hashes:
        return photos.copy_groups

    groups = here.site.job("copies", "Near-duplicates are looked for", work)
    rows: Rows = np.flatnonzero(groups == groups[row])
    return np.delete(rows, rows.searchsorted(row))


def _copies_section(here: Here, rows: Rows) -> ImageGrid:
    site, shown = here.site, rows[:_MOST_COPIES].tolist()
    cards = tuple(PageImage(site.path_of(row), site.photos.records[row].path) for row in shown)
    text = "Copies, also resized, cropped, turned or marked ones." if shown else "There are none."
    return ImageGrid("Near-duplicates", text, cards, left_out=len(rows) - len(cards))


def _card(image: PickedImage) -> PageImage:
    return PageImage(
        image.path, image.relative, str(image.rank - 1), f"{image.score:.3f}", shares=image.shares
    )


def _state(path: str) -> str:
    """What the disk says of a file now."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return "The file is gone, or cannot be read."
    changed = datetime.fromtimestamp(status.st_mtime, UTC).astimezone()
    return f"{size_in_words(status.st_size)}, changed {changed:%Y-%m-%d %H:%M}"


SCREEN = Screen("", "Image", "/image", {"/image": (READ, image)})
