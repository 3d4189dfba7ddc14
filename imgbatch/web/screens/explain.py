"""Why two images are near or far, and what the descriptors keep of one."""

from starlette.responses import Response

from imgbatch.collection import Collection
from imgbatch.outputs.pages.explanation import description_page, explanation_page
from imgbatch.outputs.pages.records import Page
from imgbatch.seeds import draw_seed
from imgbatch.types import Progress
from imgbatch.web.asked import Asked, see_other
from imgbatch.web.screens.base import READ, Here, Screen

_NEAREST, _OF_BASKET = 8, 8


def explain(here: Here, asked: Asked) -> Response:
    """Two images side by side; or one, with others to compare it with; a random one if none."""
    site = here.site
    a, b = asked.image(site, "a"), asked.image(site, "b")
    if a is None:
        first = draw_seed() % len(site.photos) if b is None else b
        return see_other("/explain", a=site.id_of(first))
    page = _one(here, a) if b is None else _two(here, a, b)
    others = [] if b is not None else _to_compare(here, a)
    return here.render.answer(
        asked.request, "explain.html", page, others=others,
        a=site.id_of(a), b="" if b is None else site.id_of(b),
    )  # fmt: skip


def _one(here: Here, row: int) -> Page:
    """What is kept of an image; learning what points keep takes a second, once."""
    site, path = here.site, here.site.path_of(row)
    site.job("decoder", "What points keep of pictures is learned", _learn)
    with site.asking() as photos:
        seen = photos.describe(path)
    return description_page(seen, photos.config, site.explain_command(path))


def _learn(photos: Collection, _: Progress) -> bool:
    return photos.decoder is not None


def _two(here: Here, a: int, b: int) -> Page:
    files = here.site.path_of(a), here.site.path_of(b)
    with here.site.asking() as photos:
        explanation = photos.explain(*files)
    return explanation_page(explanation, photos.config, here.site.explain_command(*files))


def _to_compare(here: Here, row: int) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Images to choose a second one from: a heading, and for each its file, name, address."""
    site, records = here.site, here.site.photos.records
    in_basket = [records.row_of(path) for path in site.basket.paths[:_OF_BASKET]]
    basket = [other for other in in_basket if other is not None and other != row]
    with site.asking() as photos:
        n = min(_NEAREST + 1, len(photos))
        near = photos.similar(n, like=site.path_of(row), keep_duplicates=True).images[1:]
    nearest = [site.row_of_file(image.path) for image in near]
    groups = (("Compare it with a near one", nearest), ("Or with one of the basket", basket))
    return [
        (
            heading,
            [
                (
                    site.path_of(one),
                    records[one].path,
                    f"/explain?a={site.id_of(row)}&b={site.id_of(one)}",
                )
                for one in rows
                if one is not None
            ],
        )
        for heading, rows in groups
        if rows
    ]


SCREEN = Screen("Look", "Explain", "/explain", {"/explain": (READ, explain)})
