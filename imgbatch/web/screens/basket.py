"""The basket: images set aside on any page, to copy, to save, to hand on."""

from starlette.responses import JSONResponse, Response

from imgbatch.outputs.pages.records import ImageGrid, Page, PageImage
from imgbatch.web.asked import Asked, image_of
from imgbatch.web.screens.base import READ, WRITE, Here, Screen

_SHOWN = 500


def basket(here: Here, asked: Asked) -> Response:
    """What is in it."""
    site = here.site
    paths = site.basket.paths
    rows = [(path, site.photos.records.row_of(path)) for path in paths[:_SHOWN]]
    images = tuple(
        PageImage(site.path_of(row), path, rank=str(rank))
        for rank, (path, row) in enumerate(rows, start=1)
        if row is not None
    )
    grid = ImageGrid("Images", images=images, left_out=len(paths) - len(images))
    noun = "image" if len(paths) == 1 else "images"
    lead = "Images that you set aside on any page. They stay here until you take them out."
    page = Page("basket", f"{len(paths):,} {noun} in the basket", lead, sections=(grid,))
    return here.render.answer(
        asked.request, "basket.html", page, paths=paths, can_undo=site.basket.can_undo
    )


def change(here: Here, asked: Asked) -> Response:
    """Add, remove, empty, undo; images are named by ids."""
    site = here.site
    done = ""
    if asked.texts("add"):
        count = site.basket.add(_paths(here, asked.texts("add")))
        done = f"{count:,} added to the basket."
    elif asked.texts("remove"):
        count = site.basket.remove(_paths(here, asked.texts("remove")))
        done = f"{count:,} taken out of the basket."
    elif asked.flag("clear"):
        done = f"The basket was emptied of {site.basket.clear():,} images."
    elif asked.flag("undo"):
        done = "Undone." if site.basket.undo() else "There is nothing to undo."
    if asked.wants_json:
        return JSONResponse({"images": len(site.basket), "did": done})
    return asked.back(done)


def _paths(here: Here, ids: list[str]) -> list[str]:
    return [here.site.photos.records[image_of(here.site, one)].path for one in ids]


SCREEN = Screen(
    "Basket", "Basket", "/basket", {"/basket": (READ, basket), "/basket/change": (WRITE, change)}
)
