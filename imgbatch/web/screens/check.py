"""Labels that are likely wrong, one at a time, beside the nearest images of both classes."""

from starlette.responses import Response

from imgbatch.collection import Collection
from imgbatch.errors import UsageError
from imgbatch.learning.results import Asked as AskedImages
from imgbatch.learning.results import AskedImage
from imgbatch.outputs.pages.records import ImageGrid, Page, PageImage
from imgbatch.types import Progress
from imgbatch.web.asked import Asked, see_other
from imgbatch.web.saved import LABEL
from imgbatch.web.screens.base import READ, WRITE, Here, Screen
from imgbatch.web.screens.label import COMING, checked_label
from imgbatch.web.wording import undone

CHECKED = "checked"
"""A column of the saved table: labels that a person has looked at are not asked for again."""
_MOST = 500
_LEAST_CLASSES = 2
_NOT_YET = (
    "Nothing can be doubted yet: labels of two classes are needed. The screen Label is the place to"
    " give them."
)
_KEYS = (
    ("Enter", "take the label that the model would give"),
    ("k", "keep the label"),
    ("1 to 9, 0", "give one of the first ten classes"),
    ("c", "type the name of a class"),
    ("Backspace", "undo the last answer"),
)


def check(here: Here, asked: Asked) -> Response:
    """The most doubtful label that nobody has looked at."""
    site = here.site
    if len(site.labels) < _LEAST_CLASSES:
        return here.render.answer(asked.request, "screen.html", Page("check", "Check", _NOT_YET))
    doubted = _doubted(here)
    path = asked.path(site, "image")
    left = [one for one in doubted.images if not site.saved.of(one.relative, CHECKED)]
    if path is not None:
        first = [one for one in doubted.images if one.relative == path]
        left = [*first, *(one for one in left if one.relative != path)]
    page = Page(
        "check",
        "Labels to doubt",
        highlights=(
            (f"{len(left):,}", "doubted and not looked at"),
            (f"{doubted.labelled:,}", f"of {len(site.photos):,} images have a label"),
        ),
        sections=_evidence(here, left[0]) if left else (),
        command=site.command("label check", n=_MOST),
    )
    return here.render.answer(
        asked.request,
        "check.html",
        page,
        coming=left[: COMING + 1],
        classes=[(name, site.labels.get(name, 0)) for name in site.labelling.classes],
        given=site.label_of(left[0].relative) if left else "",
        file=site.saved.file,
        keys=_KEYS,
    )


def answer(here: Here, asked: Asked) -> Response:
    """Keep a label, or give another one."""
    path = asked.path(here.site, "image")
    if path is None:
        raise UsageError("no image is named", "answer for an image of the page")
    name, former = checked_label(asked.text("label")), here.site.label_of(path)
    here.site.give({path: {LABEL: name, CHECKED: "yes"}})
    did = f"{path} stays {name}." if name == former else f"{path}: {name}, not {former}."
    return see_other("/check", did=did)


def change(here: Here, asked: Asked) -> Response:
    """Undo the last answer, or doubt anew with the labels that were given since."""
    if asked.flag("again"):
        here.site.checked_at = here.site.saved.version
        return see_other("/check")
    paths = here.site.saved.undo()
    row = here.site.photos.records.row_of(paths[0]) if len(paths) == 1 else None
    image = None if row is None else here.site.id_of(row)
    return see_other("/check", image=image, did=undone(paths))


def _doubted(here: Here) -> AskedImages:
    """What was doubted when it was last asked: answers since then do not change the order."""
    site = here.site
    if site.checked_at is None:
        site.checked_at = site.saved.version

    def work(photos: Collection, _: Progress) -> AskedImages:
        from imgbatch.learning.asking import check_labels

        return check_labels(photos.labelling, _MOST)

    key = ("check", site.checked_at)
    return site.lasting_job(key, "Models look at all labels, each without the image", work)


def _evidence(here: Here, image: AskedImage) -> tuple[ImageGrid, ...]:
    """The nearest images of both classes."""
    records, site = here.site.photos.records, here.site
    grids = []
    for name, paths in image.evidence.items():
        rows = [row for path in paths if (row := records.row_of(path)) is not None]
        images = tuple(PageImage(site.path_of(row), records[row].path) for row in rows)
        grids.append(ImageGrid(f"Nearest images labelled {name}", images=images))
    return tuple(grids)


SCREEN = Screen(
    "Curate",
    "Check",
    "/check",
    {
        "/check": (READ, check),
        "/check/answer": (WRITE, answer),
        "/check/change": (WRITE, change),
    },
)
