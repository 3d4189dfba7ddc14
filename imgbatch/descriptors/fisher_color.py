"""Local colour: Fisher vectors of small patches of Lab colours."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from imgbatch.descriptors.fisher import FisherVector, patches, sums_of_four
from imgbatch.types import Floats, View

_CELLS, _PIXELS, _PATCH = 16, 4, 4
"""The picture has 16x16 cells of 4x4 pixels, a patch 4x4 cells."""
_ALONG = _CELLS - _PATCH + 1
"""Patches along each side."""
_LIGHTNESS = 0.5  # weight of L beside a and b: light changes from picture to picture
_ZERO = np.array([0, 128, 128], np.float32)
_UNITS = np.array(2 * [_LIGHTNESS / 255, 0.01, 0.01], np.float32)[:, None, None]
"""OpenCV's 8-bit Lab has L in 0..255 and a, b shifted by 128; a hundredth of a, b is 1 here."""


@dataclass(frozen=True)
class FisherColor(FisherVector):
    """Which patches of colours the picture holds, and where: a Fisher vector.

    The picture is resized to 64x64 pixels without keeping its aspect and cut into cells of 4x4
    pixels. Mean and standard deviation of the Lab channels, with lightness at one half, describe a
    cell. A patch is 4x4 neighbouring cells: 169 local descriptors of 96 values, of which 24
    principal components are kept. Its code compares them with a dictionary, see `FisherVector`. It
    has no parameters.

    Notes
    -----
    Source: see `FisherVector`; means and deviations of the cells of a patch are the colour
    descriptors of Perronnin, Sanchez and Mensink 2010. Departures: Lab in place of RGB; one scale.
    Cost: about 0.15 ms.

    Examples
    --------
    >>> view = np.full((90, 120, 3), 255, np.uint8)
    >>> FisherColor().local_descriptors(view)[:6, 0].tolist()  # means and deviations of L, a, b
    [0.5, 0.0, 0.0, 0.0, 0.0, 0.0]
    >>> len(FisherColor().describe(view))  # 2 x 32 components x (24 values + x and y)
    1664
    """

    name = "fisher_color"
    version = 1
    pieces = 1

    def local_descriptors(self, view: View) -> Floats:
        """Cell by cell, in each cell means of L, a, b, then deviations; patches row by row."""
        side = _CELLS * _PIXELS
        small = cv2.resize(view, (side, side), interpolation=cv2.INTER_LINEAR)
        lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
        sums, squares = _cell_sums(lab), _cell_sums(lab * lab)  # whole numbers, hence exact
        pixels = _PIXELS**2
        maps = np.empty((6, _CELLS, _CELLS), np.float32)
        maps[:3] = (sums / pixels - _ZERO).transpose(2, 0, 1)
        maps[3:] = (np.sqrt(squares * pixels - sums * sums) / pixels).transpose(2, 0, 1)
        maps *= _UNITS
        local: Floats = patches(maps, _PATCH, 1, _ALONG, 1).reshape(-1, _ALONG**2)
        return local

    @property
    def places(self) -> Floats:
        """(2, n) float32: x and y of the middle of each patch, in -0.5..0.5."""
        return _places()


def _cell_sums(values: Floats) -> Floats:
    """(64, 64, 3) -> (16, 16, 3)."""
    rows = sums_of_four(values.reshape(_CELLS, _PIXELS, -1), 1)
    return sums_of_four(rows.reshape(_CELLS, _CELLS, _PIXELS, 3), 2)


@lru_cache(maxsize=1)
def _places() -> Floats:
    middles = (np.arange(_ALONG) + _PATCH / 2) / _CELLS - 0.5
    y, x = np.meshgrid(middles, middles, indexing="ij")
    places: Floats = np.stack([x.ravel(), y.ravel()]).astype(np.float32)
    places.flags.writeable = False
    return places
