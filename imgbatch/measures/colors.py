"""Names of colours: which of eleven words people would use for a pixel."""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from imgbatch.measures.quantities import COLOR_NAMES
from imgbatch.types import Floats, View

_Numbers = npt.NDArray[np.uint8]
_PROTOTYPES = {
    "black": ("000000", "1c1c1c"),
    "grey": ("4a4a4a", "707070", "969696", "b9b9b9"),
    "white": ("e4e4e4", "ffffff"),
    "red": ("c4121e", "e03030", "8e1420"),
    "orange": ("f08219", "e0611c", "f59b32"),
    "yellow": ("f4dd1e", "e0bc18", "f5e664"),
    "green": ("28a03c", "1e5a28", "82aa3c", "5a732d", "78c878", "3c5a28"),
    "blue": (
        "1e46c8", "6ea0dc", "142864", "3c78aa", "a0c8eb", "28a0c8", "1414a0", "3c3cb4", "000050",
        "5a64c8", "2828e6",
    ),
    "purple": ("78288c", "501e78", "a064c8", "8c46aa"),
    "pink": ("fa96b4", "e6508c", "fab4c8", "d2197d", "ff00ff"),
    "brown": ("784b28", "5a371e", "a06e46", "3c2819", "96462d"),
    "": (  # cream, beige, skin, lilac, olive, teal and dark tints: most people would name none
        "f5ebd7", "e1cdaa", "cdb48c", "aa9173", "82735f", "f0c8b4", "e1aa91", "c88c73", "f0dce1",
        "b4a0be", "c8c8e1", "6e6482", "af7d87", "70705a", "a0a078", "3c3c28", "2d3728", "5a5f50",
        "3c8278", "8cb4aa", "c3d2c3", "1e1e32", "2d2337", "41465a", "78828c", "aab4be", "2d1e14",
        "3c1414", "5f4b4b", "4b4137", "f08c78", "c8a03c", "8c8246", "6e5a1e", "7878b4", "96a5dc",
    ),
}  # fmt: skip
"""Colours in sRGB that carry a name without doubt, chosen by hand; and some that carry none."""
_LEVELS = 32
"""Of each channel, in the table of names."""


@lru_cache(maxsize=1)
def _names() -> _Numbers:
    """(32768,) the name of each colour of 5 bits a channel: that of the nearest prototype."""
    names = (*COLOR_NAMES, "")
    numbers = [number for number, name in enumerate(names) for _ in _PROTOTYPES[name]]
    given = "".join(code for name in names for code in _PROTOTYPES[name])
    prototypes = _lab(np.frombuffer(bytes.fromhex(given), np.uint8).reshape(-1, 3))
    levels = ((np.arange(_LEVELS) * 8 + 4).astype(np.uint8),) * 3
    cells = _lab(np.stack(np.meshgrid(*levels, indexing="ij"), axis=-1).reshape(-1, 3))
    away = (prototypes**2).sum(axis=1) - 2 * cells @ prototypes.T
    table: _Numbers = np.array(numbers, np.uint8)[away.argmin(axis=1)]
    return table


def _lab(colors: View) -> Floats:
    """(n, 3) sRGB bytes -> (n, 3) CIELAB."""
    lab: Floats = cv2.cvtColor(colors[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    return lab


def color_cells(pictures: View) -> npt.NDArray[np.int16]:
    """(..., 3) RGB bytes -> (...) the number of each pixel's colour of 5 bits a channel.

    >>> color_cells(np.array([[255, 0, 8]], np.uint8)).tolist()
    [31745]
    """
    high = pictures >> 3
    cells = high[..., 0].astype(np.int16)
    for channel in (1, 2):
        cells <<= 5
        cells |= high[..., channel]
    return cells


def color_names(cells: npt.NDArray[np.int16]) -> _Numbers:
    """The position in `COLOR_NAMES` of each colour given by `color_cells`; 11 for no name.

    >>> colors = np.array([[200, 20, 20], [250, 250, 250], [90, 160, 220]], np.uint8)
    >>> [COLOR_NAMES[number] for number in color_names(color_cells(colors))]
    ['red', 'white', 'blue']
    """
    return _names().take(cells)
