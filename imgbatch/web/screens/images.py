"""All images of the folder, or some of them: chosen by class, tag and words, sorted, in pages."""

from collections.abc import Mapping

import numpy as np
from starlette.responses import Response

from imgbatch.annotations.filters import Filters
from imgbatch.collection import Collection
from imgbatch.files.paths import join
from imgbatch.measures.quantities import MEASURES
from imgbatch.outputs.pages.records import ImageGrid, Page, PageImage
from imgbatch.types import Floats, Rows
from imgbatch.web.asked import Asked
from imgbatch.web.listing import ODD, PATH, RANDOM, SIZE, SORTS, Wanted, oddness, rows_of, values_of
from imgbatch.web.pager import MOST_SHOWN, Pager
from imgbatch.web.screens.base import READ, WRITE, Here, Screen

_SHOWN = 60
_TO_BASKET = 10_000
_MOST_NAMES = 1000
"""Classes or tags that a page offers, the most frequent; others can be typed."""
_TEXT_CHARACTERS = 120
_FORMS = {"share": "{:.1%}", "px": "{:,.0f}", "ratio": "{:.2f}"}
_SORT_WORDS = {
    PATH: "path",
    SIZE: "size in pixels, largest first",
    RANDOM: "random order",
    ODD: "unlike all others first",
    **{name: f"{name.replace('_', ' ')}, highest first" for name in MEASURES},
}


def images(here: Here, asked: Asked) -> Response:
    """One page of the images that pass the filters."""
    site, wanted = here.site, _wanted(asked)
    odd = _oddness(here, wanted)
    size = asked.number("size", _SHOWN, least=1, most=MOST_SHOWN)
    with site.asking() as photos:  # rows and names of one reading of the folder
        rows = site.remembered(wanted, lambda photos: rows_of(photos, wanted, odd))
        pager = Pager.of(asked, _query(wanted, size), len(rows), size)
        cards = _cards(photos, rows[pager.shown], pager.shown.start, wanted, odd)
        total = len(photos)
    chosen = "" if len(rows) == total else f"{len(rows):,} of "
    grid = ImageGrid(pager.heading, images=cards, score_name=wanted.sort.replace("_", " "))
    page = Page(
        "images",
        f"{chosen}{total:,} {'image' if total == 1 else 'images'}",
        sections=(grid,) if cards else (),
        lead="" if cards else "No image passes all of these filters. Take one of them away.",
        command=_command(here, wanted),
    )
    return here.render.answer(
        asked.request,
        "images.html",
        page,
        wanted=wanted,
        names=site.remembered("names", _names),
        sorts=list(_SORT_WORDS.items()),
        pager=pager,
        to_basket=min(len(rows), _TO_BASKET),
    )


def to_basket(here: Here, asked: Asked) -> Response:
    """Put all images of a filter into the basket, those first in the list, up to a limit."""
    site, wanted = here.site, _wanted(asked)
    odd = _oddness(here, wanted)
    with site.asking() as photos:
        rows = site.remembered(wanted, lambda photos: rows_of(photos, wanted, odd))
        paths = [photos.records[row].path for row in rows[:_TO_BASKET].tolist()]
    added = site.basket.add(paths)
    did = f"{added:,} added to the basket."
    if len(rows) > _TO_BASKET:
        did = f"The first {_TO_BASKET:,} of {len(rows):,} images were taken: {did}"
    return asked.back(did)


def _wanted(asked: Asked) -> Wanted:
    filters = Filters(
        *(tuple(dict.fromkeys(asked.texts(name))) for name in ("label", "tag", "without_tag"))
    )
    sort = asked.choice("sort", SORTS)
    seed = asked.number("seed", 0) if sort == RANDOM else 0
    return Wanted(filters, asked.text("words"), sort, asked.flag("reverse"), seed)


def _query(wanted: Wanted, size: int) -> tuple[tuple[str, str], ...]:
    """The address of a list, as pairs; what is as usual is left out."""
    filters = wanted.filters
    pairs = [("label", name) for name in filters.label]
    pairs += [("tag", name) for name in filters.tag]
    pairs += [("without_tag", name) for name in filters.without_tag]
    single = {
        "words": wanted.words,
        "sort": "" if wanted.sort == PATH else wanted.sort,
        "reverse": "1" if wanted.reverse else "",
        "seed": str(wanted.seed or ""),
        "size": "" if size == _SHOWN else str(size),
    }
    return (*pairs, *((name, value) for name, value in single.items() if value))


def _oddness(here: Here, wanted: Wanted) -> Floats | None:
    if wanted.sort != ODD:
        return None
    return here.site.job("oddness", "Each image is compared with others", oddness)


def _names(photos: Collection) -> Mapping[str, list[tuple[str, str]]]:
    """Classes and tags with their numbers of images, the most frequent first; pairs for fields."""
    counts = {"label": photos.metadata.column("labels").counts(), "tag": photos.tagging.counts()}
    offered = {}
    for kind, by_name in counts.items():
        often = sorted(by_name.items(), key=lambda pair: -pair[1])[:_MOST_NAMES]
        offered[kind] = [(name, f"{name} ({count:,})") for name, count in often if count]
    return offered


def _cards(
    photos: Collection, rows: Rows, start: int, wanted: Wanted, odd: Floats | None
) -> tuple[PageImage, ...]:
    scores = [""] * len(rows)
    if wanted.sort in {ODD, *MEASURES} and len(rows):
        if wanted.sort == ODD:
            values = values_of(photos, ODD, odd)[rows]
        else:
            values = photos.tagging.quantities(rows)[wanted.sort]
        scores = [_in_words(wanted.sort, value) for value in values.tolist()]
    cards = []
    for rank, (row, score) in enumerate(zip(rows.tolist(), scores, strict=True), start + 1):
        record, known = photos.records[row], photos.metadata.of_image(row)
        facts = [f"{record.width:,} \u00d7 {record.height:,}"]
        if known.label and not record.path.startswith(f"{known.label}/"):
            facts.append(f"class {known.label}")
        facts += [_cut(text) for text in known.texts[:1]]
        card = PageImage(
            join(photos.folder, record.path), record.path, f"{rank:,}", score, facts=tuple(facts)
        )
        cards.append(card)
    return tuple(cards)


def _in_words(sort: str, value: float) -> str:
    """A value that images are sorted by.

    >>> _in_words("red", 0.254), _in_words("longer_px", 1024.0), _in_words("lightness", 31.25)
    ('25.4%', '1,024', '31.2')
    """
    if np.isnan(value):
        return "not known"
    unit = MEASURES[sort].unit if sort in MEASURES else "ratio"
    return _FORMS.get(unit, "{:.1f}").format(value)


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_CHARACTERS else f"{text[: _TEXT_CHARACTERS - 1]}\u2026"


def _command(here: Here, wanted: Wanted) -> str:
    """What writes the tags of these images; the terminal has no filter by words."""
    if wanted.words:
        return ""
    chosen = wanted.filters
    return here.site.command(
        "tags", label=chosen.label, tag=chosen.tag, without_tag=chosen.without_tag, o="images.csv"
    )


_ROUTES = {"/images": (READ, images), "/images/basket": (WRITE, to_basket)}
SCREEN = Screen("Look", "All images", "/images", _ROUTES)
