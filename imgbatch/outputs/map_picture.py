"""A map as a picture: thumbnails that do not overlap, or coloured points with a legend."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageColor, ImageDraw

from imgbatch.config.schema import Config
from imgbatch.outputs.base import WrittenFile
from imgbatch.outputs.drawing import CELL, FAINT, GAP_PX, INK, PAGE, fitted, font, shortened
from imgbatch.outputs.map_colors import Coloring, coloring
from imgbatch.outputs.pictures import load_picture
from imgbatch.outputs.sheet import save_page
from imgbatch.overview.map import FolderMap
from imgbatch.printable import printable
from imgbatch.types import Floats, Rows, View

_SIDE, _TITLE, _LEGEND, _LINE, _MARGIN = 2400, 60, 460, 44, 30  # pixels
_SMALL, _LARGE = 40, 160  # pixels of a thumbnail
_REACH = 2
_STEPS = range(-_REACH, _REACH + 1)
_BESIDE = sorted(((x, y) for x in _STEPS for y in _STEPS), key=lambda step: (np.hypot(*step), step))
_DOT, _QUIET = 3, "#b9bdc4"


def write_map_picture(shown: FolderMap, target: Path, config: Config) -> WrittenFile:
    """Draw the map and write it in the format of the target's ending.

    A coloured map has a point for each image; another one has thumbnails on a grid, each within two
    cells of its place, and small grey points for images without room.

    Parameters
    ----------
    shown
        The map.
    target
        An absolute path that ends in .png, .jpg, .jpeg or .webp.
    config
        Its ``images`` say how files are decoded.
    """
    places = _MARGIN + shown.positions * (_SIDE - 2 * _MARGIN)
    images = len(shown.files)
    if shown.colored:
        groups = coloring(shown)
        field, drawn = _points(places, groups, shown.seed), images
        page = _page(shown, f"{images:,} images by {shown.color}", _LEGEND)
        _draw_legend(page, groups)
    else:
        field, drawn = _thumbnails(shown, places, config)
        page = _page(shown, f"{drawn:,} of {images:,} images as pictures", 0)
    page.paste(field, (GAP_PX, _TITLE))
    save_page(page, target)
    return WrittenFile.of("picture", target, drawn, images)


def on_grid(places: Floats, seed: int) -> tuple[Rows, Rows]:
    """Give places their cell of a grid, or a free one beside it.

    Places are taken in a random order, so that none is preferred; one that finds no free cell
    within two cells of its own is left out.

    Parameters
    ----------
    places
        (n, 2) in cells: 2.5 is the middle of the third one.
    seed
        Of the order.

    Returns
    -------
    rows, cells
        (m,) places that have a cell, rising; (m, 2) its column and line, all different.

    Notes
    -----
    O(n).

    Examples
    --------
    >>> rows, cells = on_grid(np.full((30, 2), 2.5), seed=0)
    >>> len(rows), len(np.unique(cells, axis=0)), cells.min(), cells.max()
    (25, 25, np.int64(0), np.int64(4))
    """
    taken: dict[tuple[int, int], int] = {}
    own = np.floor(places).astype(int)
    for row in np.random.default_rng(seed).permutation(len(places)).tolist():
        column, line = own[row].tolist()
        for right, down in _BESIDE:
            if (cell := (column + right, line + down)) not in taken:
                taken[cell] = row
                break
    rows = np.array(list(taken.values()), np.int64)
    order = np.argsort(rows)
    return rows[order], np.array(list(taken), np.int64).reshape(-1, 2)[order]


def _page(shown: FolderMap, detail: str, beside: int) -> Image.Image:
    page = Image.new("RGB", (_SIDE + 2 * GAP_PX + beside, _SIDE + _TITLE + GAP_PX), PAGE)
    draw, large = ImageDraw.Draw(page), font(26)
    length = large.getlength(detail)
    draw.text((_SIDE + GAP_PX - length, 14), detail, FAINT, large)
    name = printable(Path(shown.folder).name or "the root")
    title = shortened(f"map - {name}", large, _SIDE - length - 60)
    draw.text((GAP_PX, 14), title, INK, large)
    return page


def _thumbnails(shown: FolderMap, places: Floats, config: Config) -> tuple[Image.Image, int]:
    """The pictures on a grid, and how many there are."""
    side = int(np.clip(_SIDE / (1.3 * np.sqrt(len(places))), _SMALL, _LARGE))
    inside = np.float32((_SIDE - side * (2 * _REACH + 1)) / (_SIDE - 2 * _MARGIN))
    places = np.float32(_SIDE / 2) + (places - np.float32(_SIDE / 2)) * inside
    rows, cells = on_grid(places / np.float32(side), shown.seed)
    left_out = np.setdiff1d(np.arange(len(places)), rows)
    field = Image.fromarray(_stamped(places[left_out], [ImageColor.getrgb(_QUIET)], None, _DOT))
    for row, (left, top) in zip(rows.tolist(), (cells * side).tolist(), strict=True):
        picture = fitted(load_picture(shown.files[row], config, side), side - 2, side - 2)
        beside = (side - picture.width) // 2, (side - picture.height) // 2
        field.paste(picture, (left + beside[0], top + beside[1]))
    return field, len(rows)


def _points(places: Floats, groups: Coloring, seed: int) -> Image.Image:
    """A round point for each image, in a random order, so that no group covers the others."""
    order = np.random.default_rng(seed).permutation(len(places))
    size = int(np.clip(_SIDE / (4 * np.sqrt(len(places))), 2, 16))
    palette = [ImageColor.getrgb(line.color) for line in groups.legend]
    return Image.fromarray(_stamped(places[order], palette, groups.colors[order], size))


def _stamped(
    places: Floats,
    palette: Sequence[tuple[int, ...]],
    colors: npt.NDArray[np.integer] | None,
    size: int,
) -> View:
    """White, with a disc of `size` pixels at each place; later ones lie over earlier ones."""
    field = np.full((_SIDE, _SIDE, 3), ImageColor.getrgb(CELL), np.uint8)
    inks = np.array(palette, np.uint8)[np.zeros(len(places), int) if colors is None else colors]
    owner = np.full((_SIDE, _SIDE), -1, np.int64)
    columns, lines = np.rint(places).astype(int).T
    steps = np.arange(size) - (size - 1) / 2
    for dy, dx in ((dy, dx) for dy in steps for dx in steps if np.hypot(dy, dx) <= size / 2):
        # Each disc is as a whole over or under another: the latest owner of a pixel counts.
        at = lines + int(np.floor(dy)), columns + int(np.floor(dx))
        np.maximum.at(owner, at, np.arange(len(places)))
    inside = owner >= 0
    field[inside] = inks[owner[inside]]
    return field


def _draw_legend(page: Image.Image, groups: Coloring) -> None:
    draw, words = ImageDraw.Draw(page), font(22)
    left, right = _SIDE + 3 * GAP_PX, page.width - GAP_PX
    for number, line in enumerate(groups.legend):
        top = _TITLE + number * _LINE
        draw.rectangle((left, top + 4, left + 27, top + 31), fill=line.color)
        count = f"{line.images:,}"
        length = words.getlength(count)
        draw.text((right - length, top + 4), count, FAINT, words)
        name = shortened(printable(line.name), words, right - length - left - 60)
        draw.text((left + 42, top + 4), name, INK, words)
