"""Reading the folder again: images that came, changed or went while the page was open."""

from starlette.responses import Response

from imgbatch.web.asked import Asked, see_other
from imgbatch.web.jobs import WorkingError
from imgbatch.web.screens.base import READ, WRITE, Here, Screen


def read(here: Here, asked: Asked) -> Response:
    """Begin to read it, and show how far that is."""
    site = here.site
    before = site.reads
    try:
        site.reading()
    except WorkingError:
        return see_other("/folder/reading", before=str(before), back=asked.text("back", "/"))
    return asked.back(_done(here))


def reading(here: Here, asked: Asked) -> Response:
    """How far it is; then back to the page from which it was begun."""
    site = here.site
    if site.reads == asked.number("before", 0) and site.is_reading:
        site.reading()
    return asked.back(_done(here))


def _done(here: Here) -> str:
    report = here.site.photos.report
    told = f"The folder was read: {len(here.site.photos):,} images"
    return f"{told}, {report.read:,} of them new or changed." if report.read else f"{told}."


SCREEN = Screen(
    "", "Folder", "/folder", {"/folder/read": (WRITE, read), "/folder/reading": (READ, reading)}
)
