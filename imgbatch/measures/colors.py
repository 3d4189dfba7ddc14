"""Names of colours: which of eleven words people would use for a pixel."""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from imgbatch.measures.quantities import COLOR_NAMES
from imgbatch.types import Floats, View

_Numbers = npt.NDArray[np.uint8]
_PROTOTYPES = {
    "black": ("000000", "1c1c1c", "26201c"),
    "grey": ("4a4a4a", "707070", "969696", "b9b9b9"),
    "white": ("e4e4e4", "ffffff"),
    "red": ("c4121e", "e03030", "8e1420", "5c0f14"),
    "orange": ("f08219", "e0611c", "f5a850"),
    "yellow": ("f4dd1e", "d9b818", "f5ec8c", "b8a212"),
    "green": ("28a03c", "1e5a28", "82aa3c", "5a6e2d", "78c878", "32412a", "2d8c78"),
    "blue": ("1e46c8", "6ea0dc", "142864", "3c78aa", "a0c8eb", "28a0c8"),
    "purple": ("78288c", "503278", "aa82c8", "8c5aaa", "40203e"),
    "pink": ("fa96b4", "e6508c", "fac8d2", "d2197d"),
    "brown": ("784b28", "5a371e", "a06e46", "3c2819", "96462d", "8c6e50"),
}
"""Colours in sRGB that carry a name without doubt, chosen by hand."""
_LEVELS = 32
"""Of each channel, in the table of names."""


@lru_cache(maxsize=1)
def _names() -> _Numbers:
    """(32768,) the name of each colour of 5 bits a channel: that of the nearest prototype."""
    numbers = [number for number, name in enumerate(COLOR_NAMES) for _ in _PROTOTYPES[name]]
    given = "".join(code for name in COLOR_NAMES for code in _PROTOTYPES[name])
    prototypes = _lab(np.frombuffer(bytes.fromhex(given), np.uint8).reshape(-1, 3))
    levels = ((np.arange(_LEVELS) * 8 + 4).astype(np.uint8),) * 3
    cells = _lab(np.stack(np.meshgrid(*levels, indexing="ij"), axis=-1).reshape(-1, 3))
    away = (prototypes**2).sum(axis=1) - 2 * cells @ prototypes.T
    names: _Numbers = np.array(numbers, np.uint8)[away.argmin(axis=1)]
    return names


def _lab(colors: View) -> Floats:
    """(n, 3) sRGB bytes -> (n, 3) CIELAB."""
    lab: Floats = cv2.cvtColor(colors[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    return lab


def color_cells(pictures: View) -> npt.NDArray[np.int64]:
    """(..., 3) RGB bytes -> (...) the number of each pixel's colour of 5 bits a channel.

    >>> color_cells(np.array([[255, 0, 8]], np.uint8)).tolist()
    [31745]
    """
    high = (pictures >> 3).astype(np.int64)
    return high[..., 0] << 10 | high[..., 1] << 5 | high[..., 2]


def color_names(cells: npt.NDArray[np.int64]) -> _Numbers:
    """The position in `COLOR_NAMES` of each colour given by `color_cells`.

    >>> colors = np.array([[200, 20, 20], [250, 250, 250], [90, 160, 220]], np.uint8)
    >>> [COLOR_NAMES[number] for number in color_names(color_cells(colors))]
    ['red', 'white', 'blue']
    """
    return _names()[cells]
