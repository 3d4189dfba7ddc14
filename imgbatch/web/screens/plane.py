"""The map: all images on a plane, to look around in and to choose from with a lasso."""

from dataclasses import dataclass, replace

import numpy as np
from starlette.responses import JSONResponse, PlainTextResponse, Response

from imgbatch.collection import Collection
from imgbatch.outputs.map_colors import Coloring, coloring
from imgbatch.outputs.pages.map import map_facts, places_of
from imgbatch.outputs.pages.records import ImageGrid, ImageGroups, ImageMap, Page, PageImage
from imgbatch.overview.map import COLORS
from imgbatch.types import Floats, Progress, Rows
from imgbatch.web.asked import Asked
from imgbatch.web.listing import strings_with
from imgbatch.web.readings import OutdatedError
from imgbatch.web.screens.base import READ, WRITE, Here, Screen
from imgbatch.web.thumbnails import version_of

_DESCRIBED = 700
"""Images that a script may ask names of at once: all that are drawn as pictures."""
_SHOWN_OF_GROUP, _SHOWN_GROUPS = 6, 12


@dataclass(frozen=True, slots=True, eq=False)
class _Map:
    """What is kept of a map: 5 bytes an image, and its page without them."""

    page: Page
    points: bytes
    coloring: Coloring
    typical: tuple[Rows, ...]


def _made(photos: Collection, color: str, seed: int, progress: Progress) -> _Map:
    shown = photos.map(color=color or None, seed=seed, progress=progress)
    colors = coloring(shown)
    points = places_of(shown.positions) + np.asarray(colors.colors, np.uint8).tobytes()
    typical = tuple(
        _middle(shown.positions, np.flatnonzero(colors.colors == line))
        for line in range(min(len(colors.legend), _SHOWN_GROUPS))
    )
    return _Map(map_facts(shown, photos.config), points, colors, typical)


def _middle(positions: Floats, rows: Rows) -> Rows:
    """The images in the middle of a group."""
    apart = np.abs(positions[rows] - np.median(positions[rows], axis=0)).sum(axis=1)
    nearest: Rows = rows[np.argsort(apart, kind="stable")[:_SHOWN_OF_GROUP]]
    return nearest


def _asked_map(here: Here, asked: Asked) -> tuple[_Map, str, int]:
    color, seed = asked.choice("color", ("", *COLORS)), asked.number("seed", 0)

    def work(photos: Collection, progress: Progress) -> _Map:
        return _made(photos, color, seed, progress)

    return here.site.job(("map", color, seed), "The images are laid out", work), color, seed


def map_screen(here: Here, asked: Asked) -> Response:
    """The map, and the middle of each group as a list that says the same."""
    made, color, seed = _asked_map(here, asked)
    command = here.site.command("map", color=color, seed=seed or None)
    legend = tuple((line.color, line.name, f"{line.images:,}") for line in made.coloring.legend)
    plane = ImageMap("Map", "Zoom in for pictures; a click shows an image.", legend=legend)
    sections = (plane, _groups(here, made), *made.page.sections)
    page = replace(made.page, sections=sections, command=command)
    return here.render.answer(
        asked.request, "map.html", page, form={"color": color, "seed": seed},
        stamp=here.site.stamp, query=f"color={color}&seed={seed}&stamp={here.site.stamp}",
    )  # fmt: skip


def _groups(here: Here, made: _Map) -> ImageGroups:
    site = here.site
    groups = [
        ImageGrid(
            f"{line.name}: {line.images:,}",
            images=tuple(
                PageImage(site.path_of(row), site.photos.records[row].path) for row in rows.tolist()
            ),
        )
        for line, rows in zip(made.coloring.legend, made.typical, strict=False)
    ]
    left_out = len(made.coloring.legend) - len(groups)
    text = "Of each colour, the images in the middle."
    return ImageGroups("What lies where", text, groups=tuple(groups), left_out=left_out)


def points(here: Here, asked: Asked) -> Response:
    """Places and colours of all images: x and y as uint16, then a byte for each image."""
    if asked.text("stamp") not in ("", here.site.stamp):
        raise OutdatedError
    made, _, _ = _asked_map(here, asked)
    return Response(made.points, media_type="application/octet-stream")


def names(here: Here, asked: Asked) -> Response:
    """What a script shows of some images: names, and where pictures and more like them are."""
    site = here.site
    described = []
    for row in asked.rows(site, "images", _DESCRIBED).tolist():
        name, path = site.id_of(row), site.photos.records[row].path
        picture = f"/thumbnails/{name}?v={version_of(site.file_of(path))}"
        shown = path.encode(errors="surrogateescape").decode(errors="replace")
        described.append({"name": shown, "link": f"/similar?like={name}", "picture": picture})
    return JSONResponse(described)


def found(here: Here, asked: Asked) -> Response:
    """Rows of images whose path holds some words, whatever their case, as uint32."""
    records = here.site.photos.records
    words = asked.text("words").replace("\0", "")
    held = strings_with(records.paths, records.ends, words) if words else np.zeros(0, np.bool_)
    rows = np.flatnonzero(held).astype("<u4")
    return Response(rows.tobytes(), media_type="application/octet-stream")


def paths(here: Here, asked: Asked) -> Response:
    """The absolute paths of some images, a line each; those that no line can hold are left out."""
    rows = asked.rows(here.site, "images")
    lines = [here.site.path_of(row) for row in rows.tolist()]
    kept = [line for line in lines if "\n" not in line and "\r" not in line]
    data = "".join(f"{line}\n" for line in kept).encode(errors="surrogateescape")
    headers = {"X-Left-Out": str(len(lines) - len(kept))}
    return PlainTextResponse(data, headers=headers)


def to_basket(here: Here, asked: Asked) -> Response:
    """Put chosen images into the basket."""
    site = here.site
    rows = asked.rows(site, "images").tolist()
    count = site.basket.add([site.photos.records[row].path for row in rows])
    did = f"{count:,} added to the basket."
    return JSONResponse({"images": len(site.basket), "did": did})


SCREEN = Screen(
    "Look",
    "Map",
    "/map",
    {
        "/map": (READ, map_screen),
        "/map/points": (READ, points),
        "/map/names": (WRITE, names),
        "/map/found": (READ, found),
        "/map/paths": (WRITE, paths),
        "/map/basket": (WRITE, to_basket),
    },
)
