"""Similar and different sets: another one at a click, and more like an image."""

from starlette.responses import Response

from imgbatch.outputs.pages.selection import selection_page
from imgbatch.seeds import draw_seed
from imgbatch.web.asked import MOST_IMAGES, Asked, see_other
from imgbatch.web.screens.base import READ, Here, Screen

_BY = ("", "tags")


def similar(here: Here, asked: Asked) -> Response:
    """Images of one kind: around a drawn image, or around that of ``like``."""
    site, like = here.site, asked.image(here.site, "like")
    n, by, seed = _wanted(here, asked)
    duplicates = asked.flag("duplicates")
    if seed is None and like is None:
        return _drawn(asked)
    with site.asking() as photos:
        path = None if like is None else site.path_of(like)
        picked = photos.similar(n, like=path, seed=seed, keep_duplicates=duplicates, by=by or None)
    command = site.command(
        "similar", n=n, like=path, seed=None if path else picked.seed, by=by,
        keep_duplicates=duplicates,
    )  # fmt: skip
    page = selection_page(picked, photos.config, command)
    form = {"n": n, "by": by, "duplicates": duplicates, "like": asked.text("like")}
    return here.render.answer(
        asked.request, "pick.html", page, form=form, mode="similar", next_seed=draw_seed()
    )


def different(here: Here, asked: Asked) -> Response:
    """Images that differ as much as possible."""
    n, by, seed = _wanted(here, asked)
    duplicates = asked.flag("duplicates")
    if seed is None:
        return _drawn(asked)
    with here.site.asking() as photos:
        picked = photos.different(n, seed=seed, keep_duplicates=duplicates, by=by or None)
    command = here.site.command("different", n=n, seed=seed, by=by, keep_duplicates=duplicates)
    page = selection_page(picked, photos.config, command)
    form = {"n": n, "by": by, "duplicates": duplicates, "like": ""}
    return here.render.answer(
        asked.request, "pick.html", page, form=form, mode="different", next_seed=draw_seed()
    )


def _wanted(here: Here, asked: Asked) -> tuple[int, str, int | None]:
    most = min(len(here.site.photos), MOST_IMAGES)
    n = asked.number("n", min(10, most), least=1, most=most)
    seed = asked.number("seed", 0) if asked.text("seed") else None
    return n, asked.choice("by", _BY), seed


def _drawn(asked: Asked) -> Response:
    """The same address with a new seed, so that every set can be kept and come back to."""
    kept = {name: value for name, value in asked.values.items() if value and name != "did"}
    return see_other(asked.request.url.path, **kept | {"seed": draw_seed()})


SCREENS = (
    Screen("Pick", "Similar", "/similar", {"/similar": (READ, similar)}),
    Screen("Pick", "Different", "/different", {"/different": (READ, different)}),
)
