"""The basket: images set aside on any page, to copy, to save, to hand on."""

import io
import os
import tempfile
from pathlib import Path

from starlette.responses import JSONResponse, Response

from imgbatch.errors import UsageError
from imgbatch.files.cells import row_writer
from imgbatch.files.handout import hand_out
from imgbatch.files.names import number_of
from imgbatch.files.readonly import refuse_inside
from imgbatch.outputs.pages.records import ImageGrid, Page, PageImage
from imgbatch.outputs.pages.write import write_page
from imgbatch.web.asked import Asked, path_named, see_other
from imgbatch.web.saved import LABEL, NAME, TAGS, Cells, joined_tags
from imgbatch.web.screens.base import READ, WRITE, Here, Screen
from imgbatch.web.screens.label import checked_label

_SHOWN = 500
_LISTED = 5_000
"""Paths that are written out on the page."""


def basket(here: Here, asked: Asked) -> Response:
    """What is in it."""
    site = here.site
    paths = _inside(here)
    gone = len(site.basket) - len(paths)
    page = _page(here, paths[:_SHOWN], len(paths))
    return here.render.answer(
        asked.request,
        "basket.html",
        page,
        count=len(paths),
        gone=gone,
        notes=site.basket.notes,
        listed=[site.file_of(path) for path in paths[:_LISTED]],
        can_undo=site.basket.can_undo,
        can_undo_saved=site.saved.can_undo,
        classes=list(site.labels),
        file=site.saved.file,
    )


def report(here: Here, asked: Asked) -> Response:  # noqa: ARG001 - a handler
    """The basket as one HTML file."""
    paths = _inside(here)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "basket.html"
        write_page(_page(here, paths, len(paths)), file, here.site.photos.config)
        return _download(file.read_bytes(), "basket.html", "text/html; charset=utf-8")


def table(here: Here, asked: Asked) -> Response:  # noqa: ARG001 - a handler
    """The basket as rows of CSV, which may be given as metadata; names keep their bytes."""
    lines = io.StringIO(newline="")
    write = row_writer(lines)
    write([NAME, LABEL])
    for path in _inside(here):
        write([path, here.site.label_of(path)])
    data = lines.getvalue().encode(errors="surrogateescape")
    return _download(data, "basket.csv", "text/csv; charset=utf-8")


def copy(here: Here, asked: Asked) -> Response:
    """Copy or link all images into a folder that lies outside the image folder."""
    given = asked.text("folder")
    if not given:
        raise UsageError("no folder was given", "type its path, such as ~/picked, into the field")
    if not given.isprintable():
        raise UsageError(f"the folder is {given[:60]!r}", "give the path of a folder")
    folder = Path(os.path.expanduser(given))
    if not folder.is_absolute():
        raise UsageError(f"{given} is no full path", "begin it with / or ~")
    refuse_inside(folder, here.site.photos.folder, "the folder")
    link = asked.choice("how", ("copy", "link")) == "link"
    files = [here.site.file_of(path) for path in _inside(here)]
    done = hand_out(files, folder, link=link)
    return see_other("/basket", did=f"{done.in_words()}.")


def give(here: Here, asked: Asked) -> Response:
    """Give all images a tag, beside those that they have, or a class."""
    site, paths = here.site, _inside(here)
    if not asked.text("name"):
        raise UsageError("no tag or class was given", "type its name into the field")
    name = checked_label(asked.text("name"))
    changes: dict[str, Cells]
    if asked.choice("what", ("tag", "label")) == "label":
        changes = {path: {LABEL: name} for path in paths}
    elif ";" in name:
        raise UsageError(f"the tag is {name[:40]!r}", "leave out the ;, which stands between tags")
    else:
        changes = {path: {TAGS: joined_tags([*site.tags_of(path), name])} for path in paths}
    if changes:
        site.give(changes)
    done = "tagged" if asked.text("what") != "label" else "labelled"
    return see_other(
        "/basket", did=f"{number_of(len(changes), 'image')} {done} {name}, in {site.saved.file}."
    )


def undo_given(here: Here, asked: Asked) -> Response:  # noqa: ARG001 - a handler
    """Take back the last labels or tags."""
    count = len(here.site.saved.undo())
    did = f"Undone: the last labels or tags of {number_of(count, 'image')}."
    return see_other("/basket", did=did if count else "There is nothing to undo.")


def _inside(here: Here) -> list[str]:
    """The images that are in the index; no other file is ever read, copied or named."""
    records = here.site.photos.records
    return [path for path in here.site.basket.paths if records.row_of(path) is not None]


def _page(here: Here, paths: list[str], count: int) -> Page:
    site = here.site
    images = tuple(
        PageImage(site.file_of(path), path, rank=str(rank))
        for rank, path in enumerate(paths, start=1)
    )
    grid = ImageGrid("Images", images=images, left_out=count - len(images))
    return Page("basket", f"{number_of(count, 'image')} in the basket", sections=(grid,))


def _download(data: bytes, name: str, kind: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=kind, headers=headers)


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
        done = f"The basket was emptied of {number_of(site.basket.clear(), 'image')}."
    elif asked.flag("undo"):
        done = "Undone." if site.basket.undo() else "There is nothing to undo."
    if asked.wants_json:
        return JSONResponse({"images": len(site.basket), "did": done})
    return asked.back(done)


def _paths(here: Here, ids: list[str]) -> list[str]:
    return [path_named(here.site, one) for one in ids]


SCREEN = Screen(
    "Basket",
    "Basket",
    "/basket",
    {
        "/basket": (READ, basket),
        "/basket/change": (WRITE, change),
        "/basket/report.html": (READ, report),
        "/basket/rows.csv": (READ, table),
        "/basket/copy": (WRITE, copy),
        "/basket/give": (WRITE, give),
        "/basket/undo-given": (WRITE, undo_given),
    },
)
