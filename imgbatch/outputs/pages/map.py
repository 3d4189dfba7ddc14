"""The page of a map: points and pictures to zoom into, to search, and to choose from."""

import base64
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from imgbatch.config.schema import Config
from imgbatch.outputs.drawing import CELL, fitted
from imgbatch.outputs.map_colors import coloring
from imgbatch.outputs.pages.records import FigureRow, FiguresTable, ImageMap, Page
from imgbatch.outputs.pages.settings import remarks_section, settings_section
from imgbatch.outputs.pictures import load_picture
from imgbatch.overview.map import FolderMap
from imgbatch.runners.maps import ThreadMap
from imgbatch.types import Floats, Progress, Rows, View

MOST = 100_000
"""Images on a page, at most; of more, a random part is shown."""
_LARGE, _SMALL, _FEW = 64, 32, 5_000
"""Pixels of a thumbnail in a folder of few images, and of more."""
_SHEET_PX = 1024
_QUALITY = 60
_LEVELS = 65_535
_LEAD = (
    "Images that look alike lie side by side. How far apart islands are, and in which direction,"
    " says little."
)
_TRUST = (
    "Trustworthiness: how far the ten neighbours of an image on the plane are its neighbours in the"
    " feature space (1: all are; 0.5: random). Accuracy: how often the labels of the ten"
    " nearest give an image\u2019s own label."
)


def map_page(shown: FolderMap, config: Config, command: str = "") -> Page:
    """The page of a map.

    Parameters
    ----------
    shown
        What `Collection.map` returned; of more than 100,000 images a random part is on the page.
    config
        The settings of the collection.
    command
        The terminal command that gives the same map; "" shows none.

    Examples
    --------
    >>> import imgbatch
    >>> photos = imgbatch.load("photos")
    >>> map_page(photos.map(), photos.config).count
    24
    """
    total, random = len(shown.files), np.random.default_rng(shown.seed)
    rows = np.arange(total) if total <= MOST else random.choice(total, MOST, replace=False)
    rows = rows[np.argsort(_along_curve(shown.positions[rows]), kind="stable")]
    colors, chosen = coloring(shown), rows.tolist()
    section = ImageMap(
        "Map",
        f"Coloured by {shown.color}. Zoom in for pictures.",
        files=tuple(shown.files[row] for row in chosen),
        names=tuple(shown.names[row] for row in chosen),
        folder=shown.folder,
        positions=shown.positions[rows],
        colors=colors.colors[rows],
        legend=tuple((line.color, line.name, f"{line.images:,}") for line in colors.legend),
    )
    page = map_facts(shown, config, command)
    if len(rows) < total:
        (count, name), *rest = page.highlights
        told = f"{name}, of which {len(rows):,} are on this page"
        page = replace(page, highlights=((count, told), *rest))
    return replace(page, sections=(section, *page.sections))


def map_facts(shown: FolderMap, config: Config, command: str = "") -> Page:
    """The page of a map without the map: what it is of, how far to trust it, the settings."""
    total = len(shown.files)
    by_sample = "" if shown.laid_out == total else f" {shown.laid_out:,} were laid out by t-SNE."
    return Page(
        "map",
        f"Map of {Path(shown.folder).name or 'the root'}",
        f"{_LEAD}{by_sample}",
        ((f"{total:,}", "images"), (f"{len(shown.group_names)}", f"{shown.color}s")),
        (
            _quality(shown),
            settings_section(shown.folder, total, shown.seed, config),
            *remarks_section(shown.notes, ()),
        ),
        command,
    )


def _quality(shown: FolderMap) -> FiguresTable:
    rows = (
        FigureRow(one.name, _figure(one.trustworthiness), random=_figure(one.accuracy))
        for one in shown.quality
    )
    columns = ("laid out by", "trustworthiness", "accuracy")
    text = f"{_TRUST} Measured on {shown.measured:,} images."
    return FiguresTable("How far to trust it", text, columns=columns, rows=tuple(rows))


def _figure(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3f}"


def _along_curve(positions: npt.NDArray[np.float32]) -> Rows:
    """Places along a Z-shaped curve, so that near images share a sheet of thumbnails."""
    cells = (positions * 1023).astype(np.int64)
    along = np.zeros(len(cells), np.int64)
    for bit in range(10):
        along |= ((cells[:, 0] >> bit) & 1) << (2 * bit) | ((cells[:, 1] >> bit) & 1) << (
            2 * bit + 1
        )
    return along


def places_of(positions: Floats) -> bytes:
    """Places (n, 2) from 0 to 1 as a script reads them: little-endian uint16, x and y by turns."""
    return np.rint(positions * _LEVELS).astype("<u2").tobytes()


def map_data(section: ImageMap, config: Config, progress: Progress | None = None) -> Iterator[str]:
    """The JSON of a map in pieces: positions, colours, names, sheets of thumbnails.

    Numbers are little-endian arrays in base64; ``<`` is escaped, so that no name ends the script
    element that holds the data.
    """
    side = _LARGE if section.count <= _FEW else _SMALL
    known = {
        "folder": section.folder,
        "names": section.names,
        "groups": [line[1] for line in section.legend],
        "palette": [line[0] for line in section.legend],
        "colors": _base64(np.asarray(section.colors, np.uint8).tobytes()),
        "positions": _base64(places_of(section.positions)),
        "side": side,
        "columns": _SHEET_PX // side,
    }
    yield json.dumps(known)[:-1].replace("<", "\\u003c")
    sizes = np.zeros((section.count, 2), np.uint8)
    yield ', "sheets": ['
    for number, sheet in enumerate(_sheets(section, config, side, sizes, progress)):
        yield f'{"," * (number > 0)}"{_base64(sheet)}"'
    yield f'], "sizes": "{_base64(sizes.tobytes())}"}}'


def _sheets(
    section: ImageMap, config: Config, side: int, sizes: View, progress: Progress | None
) -> Iterator[bytes]:
    """JPEGs of 1,024 x 1,024 pixels with thumbnails row by row; `sizes` is filled in."""
    columns = _SHEET_PX // side
    each, report = columns**2, progress or (lambda _done, _total: None)

    def small(file: str) -> Image.Image:
        return fitted(load_picture(file, config, side), side, side)

    pictures = ThreadMap(config.index.workers)(small, ((file,) for file in section.files))
    sheet = Image.new("RGB", (_SHEET_PX, _SHEET_PX), CELL)
    for number, picture in enumerate(pictures):
        place = number % each
        sheet.paste(picture, (place % columns * side, place // columns * side))
        sizes[number] = picture.size
        report(number + 1, section.count)
        if place == each - 1 or number == section.count - 1:
            packed = io.BytesIO()
            height = (place // columns + 1) * side
            sheet.crop((0, 0, _SHEET_PX, height)).save(packed, "JPEG", quality=_QUALITY)
            yield packed.getvalue()
            sheet.paste(CELL, (0, 0, _SHEET_PX, _SHEET_PX))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
