"""Pictures in the terminal: two pixels in each character cell, as half blocks of two colours."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image
from rich.cells import cell_len, set_cell_size
from rich.color import Color
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style

from imgbatch.config.schema import Config
from imgbatch.outputs.base import StandardOutput
from imgbatch.outputs.drawing import fitted
from imgbatch.outputs.pictures import load_picture
from imgbatch.outputs.sheet import name_in_folder
from imgbatch.printable import printable
from imgbatch.types import Floats, View

_UPPER_HALF = "\u2580"
_LEAST_COLUMNS, _MOST_COLUMNS = 24, 40
"""Of a picture; a narrower terminal has narrower ones."""
_FIRST_FIXED = 16
"""Of 256 colours, the first ones are the user's own; the others are the same everywhere."""
_DRAWN = ("256", "truecolor")
"""The colour systems in which pictures can be drawn."""


class Ranked(Protocol):
    """An image of an answer."""

    @property
    def rank(self) -> int:
        """From 1; 0 for an anchor from outside the folder."""
        ...

    @property
    def path(self) -> str:
        """Absolute path, or URL."""
        ...

    @property
    def relative(self) -> str:
        """Path to show."""
        ...


def why_not_drawn(console: Console) -> str:
    """Why pictures cannot be drawn on standard output; "" if they can."""
    if not sys.stdout.isatty():
        return "standard output is no terminal"
    if console.no_color:
        return "NO_COLOR is set"
    if console.color_system not in _DRAWN:
        return f"the terminal shows {console.color_system or 'no'} colours, and 256 are needed"
    if console.options.ascii_only:
        return f"the terminal's encoding, {console.encoding}, has no half blocks"
    return ""


def write_pictures(images: Sequence[Ranked], config: Config) -> None:
    """Draw images in a grid as wide as the terminal, each over its rank and its name.

    Pictures are decoded row by row, so that a thousand take no more memory than one row.
    """
    console = StandardOutput()
    side_by_side, columns = grid(console.width, len(images))
    for start in range(0, len(images), side_by_side):
        tiles = [
            Tile(
                load_picture(image.path, config, 2 * _MOST_COLUMNS),
                f"{image.rank} {printable(name_in_folder(image.relative))}",
            )
            for image in images[start : start + side_by_side]
        ]
        console.print(TileRow(tiles, columns))


def grid(width: int, count: int) -> tuple[int, int]:
    """How many of `count` pictures stand side by side, and how many columns each has.

    As many as have 24 columns each with one between them; few pictures have up to 40.

    >>> grid(80, 10), grid(120, 10), grid(120, 2), grid(9, 3)
    ((3, 26), (4, 29), (2, 40), (1, 9))
    """
    side_by_side = max(1, min(count, (width + 1) // (_LEAST_COLUMNS + 1)))
    return side_by_side, max(1, min(_MOST_COLUMNS, (width + 1) // side_by_side - 1))


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """A picture with the line under it."""

    picture: View
    caption: str


@dataclass(frozen=True, slots=True, eq=False)
class TileRow:
    """Pictures side by side, for Rich's console to print; as high as the highest one.

    Attributes
    ----------
    columns
        Of each picture.
    """

    tiles: Sequence[Tile]
    columns: int

    def __rich_console__(self, console: Console, _options: ConsoleOptions) -> RenderResult:
        """The cells, line by line, in the colours that the console has."""
        every_color = console.color_system != "256"
        drawn = [
            half_blocks(tile.picture, self.columns, every_color=every_color) for tile in self.tiles
        ]
        for line in range(max(map(len, drawn))):
            for number, lines in enumerate(drawn):
                yield from _cells(lines[line] if line < len(lines) else [], self.columns)
                if number + 1 < len(drawn):
                    yield Segment(" ")
            yield Segment.line()
        captions = (_shortened(tile.caption, self.columns) for tile in self.tiles)
        yield Segment(" ".join(set_cell_size(text, self.columns) for text in captions).rstrip())
        yield Segment.line()


def half_blocks(picture: View, columns: int, *, every_color: bool) -> list[list[Segment]]:
    """A picture as lines of cells, as large as fits into so many columns and half as many lines.

    Parameters
    ----------
    every_color
        Whether the terminal has 24-bit colours; else the nearest of the 240 fixed ones of 256 are
        taken. Errors are not spread to neighbours, which made noise of so few pixels.

    Examples
    --------
    >>> picture = np.zeros((30, 40, 3), np.uint8)
    >>> lines = half_blocks(picture, 8, every_color=True)
    >>> len(lines), len(lines[0]), lines[0][0].text
    (3, 8, '\u2580')
    """
    small = fitted(picture, columns, columns)
    colors = _true_colors(small) if every_color else _fixed_colors(small)
    return [
        [
            Segment(_UPPER_HALF, Style(color=upper, bgcolor=lower))
            for upper, lower in zip(colors[top], _row_below(colors, top), strict=True)
        ]
        for top in range(0, len(colors), 2)
    ]


def _row_below(colors: list[list[Color]], top: int) -> Sequence[Color | None]:
    """The colours of the lower halves; none below a picture of odd height."""
    return colors[top + 1] if top + 1 < len(colors) else [None] * len(colors[top])


def _true_colors(small: Image.Image) -> list[list[Color]]:
    return [[Color.from_rgb(*pixel) for pixel in row] for row in np.asarray(small).tolist()]


def _fixed_colors(small: Image.Image) -> list[list[Color]]:
    colors = _lab(np.array([fixed_colors()], np.uint8))[0]
    away = _lab(np.asarray(small))[:, :, None] - colors
    nearest = (_FIRST_FIXED + (away**2).sum(axis=3).argmin(axis=2)).tolist()
    return [[Color.from_ansi(number) for number in row] for row in nearest]


def _lab(colors: View) -> Floats:
    """RGB (h, w, 3) in CIE Lab, in which near colours look alike."""
    import cv2  # as slow to import as all else here

    lab: Floats = cv2.cvtColor(colors.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    return lab


def fixed_colors() -> list[tuple[int, int, int]]:
    """(240) RGB of the colours 16 to 255.

    >>> fixed_colors()[0], fixed_colors()[215], fixed_colors()[-1]
    ((0, 0, 0), (255, 255, 255), (238, 238, 238))
    """
    levels = (0, 95, 135, 175, 215, 255)
    cube = [(red, green, blue) for red in levels for green in levels for blue in levels]
    return cube + [(grey, grey, grey) for grey in range(8, 239, 10)]


def _cells(line: Sequence[Segment], columns: int) -> Iterator[Segment]:
    """A line of a picture, with spaces up to the width of its tile."""
    yield from line
    if len(line) < columns:
        yield Segment(" " * (columns - len(line)))


def _shortened(text: str, columns: int) -> str:
    """The text, shortened in the middle to so many columns: names differ at their ends.

    >>> _shortened("1 holidays/norway-0815.jpg", 16)
    '1 holid...15.jpg'
    """
    if cell_len(text) <= columns:
        return text
    for kept in range(len(text) - 1, 1, -1):
        head = (kept + 1) // 2
        shorter = f"{text[:head]}...{text[len(text) - kept + head :]}"
        if cell_len(shorter) <= columns:
            return shorter
    return ""
