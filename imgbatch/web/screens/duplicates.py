"""Near-duplicates, group by group: which image of each is kept, and what could go."""

from dataclasses import replace

from starlette.responses import Response

from imgbatch.collection import Collection
from imgbatch.outputs.pages.duplicates import duplicates_page
from imgbatch.types import DuplicateGroup, Duplicates, Progress
from imgbatch.web.asked import Asked, image_of, see_other
from imgbatch.web.pager import Pager
from imgbatch.web.screens.base import READ, WRITE, Here, Screen

_GROUPS = 20
_MOST_IMAGES = 200
_TOLD = (
    ("edited", "cropped, mirrored, turned, marked, too"),
    ("exact", "equal files"),
    ("copies", "resized, recompressed, recoloured, too"),
    ("scene", "the same place or object, too"),
)
_LEVELS = tuple(level for level, _ in _TOLD)
_KEYS = (("z", "enlarge an image; arrows then stay in its group"), ("x", "put it into the basket"))


def duplicates(here: Here, asked: Asked) -> Response:
    """A page of groups; ``keep`` names images that are kept in place of the usual choice."""
    level, kept = asked.choice("level", _LEVELS), asked.texts("keep")
    found, kept = _chosen(here, _found(here, level), kept)
    query = (("level", level), *(("keep", one) for one in kept))
    pages = Pager.of(asked, query, len(found.groups), _GROUPS)
    command = here.site.command("duplicates", level=level)
    page = duplicates_page(found, here.site.photos.config, command, pages.shown).first(_MOST_IMAGES)
    return here.render.answer(
        asked.request,
        "duplicates.html",
        page,
        level=level,
        levels=_TOLD,
        pages=pages,
        kept=kept,
        extra=len(_extra(found)),
        keys=_KEYS,
        move=here.site.command("duplicates", level=level, move_to="DIR", apply=True),
    )


def collect(here: Here, asked: Asked) -> Response:
    """Put all images that could go into the basket, and take out those that are kept."""
    level = asked.choice("level", _LEVELS)
    found, _ = _chosen(here, _found(here, level), asked.texts("keep"))
    extra = _extra(found)
    here.site.basket.add(extra, without=(group.kept.relative for group in found.groups))
    return see_other("/basket", did=f"The basket holds the {len(extra):,} images that could go.")


def _extra(found: Duplicates) -> list[str]:
    """What could go, by path inside the folder; another picture of a scene is no duplicate."""
    images = (one for group in found.groups for one in group.images)
    return [one.relative for one in images if not one.keep and one.kind != "scene"]


def _found(here: Here, level: str) -> Duplicates:
    def work(photos: Collection, _: Progress) -> Duplicates:
        return photos.duplicates(level)

    return here.site.job(("duplicates", level), "Images are compared", work)


def _chosen(here: Here, found: Duplicates, kept: list[str]) -> tuple[Duplicates, list[str]]:
    """The groups with the user's choice, the last one of each group, and the names of these."""
    if not kept:
        return found, []
    records, groups = here.site.photos.records, list(found.groups)
    group_of = {one.relative: n for n, group in enumerate(groups) for one in group.images}
    chosen = dict[int, str]()
    for name in kept:
        number = group_of.get(records[image_of(here.site, name)].path)
        if number is not None:
            chosen[number] = name
    for number, name in chosen.items():
        groups[number] = _keeping(groups[number], records[image_of(here.site, name)].path)
    return replace(found, groups=tuple(groups)), list(chosen.values())


def _keeping(group: DuplicateGroup, path: str) -> DuplicateGroup:
    """The group with another image first, which is kept."""
    former, images = group.kept, {one.relative: one for one in group.images}
    if path == former.relative:
        return group
    new = images.pop(path)
    reason = f"you chose it; the numbers compare with {former.relative}"
    kept = replace(new, keep=True, kind=former.kind, score=former.score, reason=reason)
    images[former.relative] = replace(former, keep=False, kind=new.kind, score=new.score, reason="")
    return replace(group, images=(kept, *images.values()))


SCREEN = Screen(
    "Curate",
    "Duplicates",
    "/duplicates",
    {"/duplicates": (READ, duplicates), "/duplicates/collect": (WRITE, collect)},
)
