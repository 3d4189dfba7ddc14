"""Results in a notebook: text, and HTML with small pictures; and their sheets as Pillow pictures.

`shown.Shown` calls `sheet` and `bundle`. A new kind of result needs an entry for each.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import singledispatch
from pathlib import Path

import numpy as np
from PIL import Image

from imgbatch.config import load_config
from imgbatch.config.schema import Config
from imgbatch.outputs.base import Result
from imgbatch.outputs.batches import side_px
from imgbatch.outputs.describe import draw_description
from imgbatch.outputs.explain import draw_explanation
from imgbatch.outputs.legend import in_words, style_of
from imgbatch.outputs.pages.thumbnails import Thumbnail, encoded
from imgbatch.outputs.pages.write import environment
from imgbatch.outputs.pictures import Pictures, load_picture
from imgbatch.outputs.search import found_cell, sheet_title, why_in_words
from imgbatch.outputs.sheet import Cell, Grid, draw_page, draw_selection, name_in_folder
from imgbatch.selection.describe import Description
from imgbatch.selection.explain import Explanation
from imgbatch.shown import Shown
from imgbatch.types import Batches, Selection, View
from imgbatch.words.results import Found

MOST_PICTURES = 24
"""In a notebook, whose file holds them: about 100 kB in all."""
_SIDE_PX = 128
_AS_FILE = Path("sheet.png")
"""Sheets that are not written are as large as those written in this format."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A small picture with its caption; the whole `name` is shown to whoever points at it."""

    picture: Thumbnail
    name: str
    detail: str = ""

    @property
    def caption(self) -> str:
        """The name after that of its folder."""
        return name_in_folder(self.name)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a notebook shows of a result.

    Attributes
    ----------
    heading
        One line.
    rows
        Pictures, with a heading for each row; "" for none.
    columns, facts
        A table: its headings, which may be missing, and its rows.
    left_out
        Number of pictures that are not shown.
    """

    heading: str
    rows: Sequence[tuple[str, Sequence[Tile]]]
    columns: Sequence[str] = ()
    facts: Sequence[Sequence[str]] = ()
    left_out: int = 0


def bundle(result: Shown) -> dict[str, str]:
    """A result as text and as HTML, by MIME type; all text is escaped, and there is no script.

    Pictures are JPEGs of 128 pixels at most as data URIs, 24 of them at most.
    """
    config = _config_of(result)
    html = environment(config).get_template("notebook.html").render(shown=_summary(result, config))
    return {"text/plain": repr(result), "text/html": html}


def sheet(result: Shown) -> Image.Image:
    """The contact sheet of a result; see `Shown.sheet`."""
    return _sheet(result, _config_of(result))


def _config_of(result: Shown) -> Config:
    """The settings that the result came from; for one made by hand, those in force."""
    config = getattr(result, "config", None)
    return config if isinstance(config, Config) else load_config().config


# ----- sheets -------------------------------------------------------------------------------------


@singledispatch
def _sheet(result: Shown, config: Config) -> Image.Image:
    raise NotImplementedError(f"{type(result).__name__} has no entry here")


@_sheet.register
def _(picked: Selection, config: Config) -> Image.Image:
    result = Result(picked, Pictures(picked.paths, config))
    grid = Grid.fitting(len(picked.images), config.sheet, _AS_FILE)
    return draw_selection(result, grid)


@_sheet.register
def _(found: Found, config: Config) -> Image.Image:
    grid = Grid.fitting(len(found), config.sheet, _AS_FILE)
    cells = (found_cell(image, config) for image in found.images[: grid.shown])
    return draw_page(cells, sheet_title(found), grid)


@_sheet.register
def _(batches: Batches, config: Config) -> Image.Image:
    rows = batches.first_paths
    columns = max((len(row) for row in rows), default=1)
    grid = Grid(columns, sum(map(len, rows)), side_px(columns, config.sheet))
    cells = (
        Cell(load_picture(path, config, config.sheet.cell_px), name_in_folder(path))
        for row in rows
        for path in row
    )
    return draw_page(cells, _first(batches), grid)


@_sheet.register
def _(explanation: Explanation, config: Config) -> Image.Image:
    return draw_explanation(explanation, config)


@_sheet.register
def _(seen: Description, config: Config) -> Image.Image:
    return draw_description(seen, config)


# ----- notebooks ----------------------------------------------------------------------------------


@singledispatch
def _summary(result: Shown, config: Config) -> Summary:
    raise NotImplementedError(f"{type(result).__name__} has no entry here")


@_summary.register
def _(picked: Selection, config: Config) -> Summary:
    tiles = [
        Tile(
            _thumbnail(image.path, config),
            image.relative,
            "anchor" if image.anchor else f"{image.score:.3f}",
        )
        for image in picked.images[:MOST_PICTURES]
    ]
    chosen = f"{len(picked):,} {picked.mode} of {picked.indexed:,} images"
    heading = f"{chosen} in {picked.folder}, seed {picked.seed}"
    return Summary(heading, [("", tiles)], left_out=len(picked) - len(tiles))


@_summary.register
def _(found: Found, config: Config) -> Summary:
    tiles = [
        Tile(_thumbnail(image.path, config), image.relative, why_in_words(image))
        for image in found.images[:MOST_PICTURES]
    ]
    heading = f"{len(found):,} of {found.indexed:,} images in {found.folder} for: {found.query}"
    return Summary(heading, [("", tiles)], left_out=len(found) - len(tiles))


@_summary.register
def _(batches: Batches, config: Config) -> Summary:
    shown = list[tuple[str, list[Tile]]]()
    most = MOST_PICTURES // max(1, len(batches.first_paths))
    for number, paths in enumerate(batches.first_paths, start=1):
        tiles = [Tile(_thumbnail(path, config), path) for path in paths[:most]]
        shown.append((f"batch {number}", tiles))
    return Summary(_first(batches), shown)


@_summary.register
def _(explanation: Explanation, config: Config) -> Summary:
    tiles = _tiles(((image.path, image.relative) for image in explanation.images), config)
    heading = f"distance {explanation.distance:.3f} (0: the same, 1: a typical pair of the folder)"
    columns = ("descriptor", "share of the squared distance", "against a typical pair")
    facts = [
        (style_of(part.name).word, f"{part.share:.0%}", in_words(part.ratio))
        for part in explanation.parts
    ]
    return Summary(heading, [("", tiles)], columns, facts)


@_summary.register
def _(seen: Description, config: Config) -> Summary:
    image = seen.image
    tiles = [
        *_tiles([(image.path, image.relative)], config),
        Tile(_enlarged(seen.little, image.width, image.height), "at 32 x 32 pixels"),
        Tile(_enlarged(seen.kept, image.width, image.height), "what its point keeps"),
    ]
    facts = [
        ("pixels", f"{image.width} x {image.height}"),
        ("kept", f"{seen.psnr:.1f} dB"),
        ("hash", image.phash),
    ]
    return Summary(f"what is kept of {image.relative}", [("", tiles)], facts=facts)


def _first(batches: Batches) -> str:
    images = sum(map(len, batches))
    return (
        f"the first {len(batches.first_paths)} of {len(batches):,} batches of {images:,} images,"
        f" seed {batches.seed}, epoch {batches.epoch}"
    )


def _tiles(images: Iterable[tuple[str, str]], config: Config) -> list[Tile]:
    return [Tile(_thumbnail(path, config), name) for path, name in images]


def _thumbnail(path: str, config: Config) -> Thumbnail:
    return encoded(load_picture(path, config, _SIDE_PX), _SIDE_PX)


def _enlarged(little: View, width: int, height: int) -> Thumbnail:
    """A picture in little with the proportions of the original."""
    scale = _SIDE_PX / max(width, height, 1)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    large = Image.fromarray(little).resize(size, Image.Resampling.BICUBIC)
    return encoded(np.asarray(large), _SIDE_PX)
