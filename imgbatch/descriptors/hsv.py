"""Colour: HSV histograms of the whole picture and of the cells of a grid."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from imgbatch.descriptors.base import Codes, Descriptor
from imgbatch.descriptors.cells import cell_numbers
from imgbatch.types import Floats, View

_CELL_HUES, _CELL_SATURATIONS = 4, 2
"""The most hue and saturation bins of a cell's histogram."""
_SAMPLED_PX = 31
"""Pixels counted along the shorter side. A prime, so that no regular pattern matches the sample."""


@dataclass(frozen=True)
class Hsv(Descriptor):
    """Counts of the picture's colours, over all and in each cell of a grid, as square roots.

    The picture is cut into cells, and the pixels of each cell are counted by hue, saturation and
    value. The histogram of the whole picture is the sum of the cells'. The cells' own histograms
    then merge neighbouring bins (at most 4 hues and 2 saturations), which is enough to tell where
    a colour is. All counts are shares of the picture's pixels, stored as round(255 * sqrt(share)).
    The square root makes Euclidean distance the Hellinger distance, which compares histograms
    much better (Arandjelovic and Zisserman, CVPR 2012, for gradients; imgbatch/DESIGN.md for
    colour), and spends the 8 bits evenly.

    Parameters
    ----------
    hue_bins
        Bins of hue for the whole picture, over the full circle.
    saturation_bins
        Bins of saturation for the whole picture.
    value_bins
        Bins of value (brightness), for the whole picture and for the cells.
    grid
        Cells along each side.

    Notes
    -----
    Sources: colour histograms, Swain and Ballard 1991; spatial pyramid, Lazebnik, Schmid and
    Ponce, CVPR 2006. Departures: two levels, with coarser colours on the finer level; an evenly
    spaced sample of the pixels, 31 along the shorter side (precision does not change between all
    pixels and 24). Cost: about 0.04 ms.

    Examples
    --------
    >>> view = np.zeros((60, 90, 3), np.uint8)
    >>> view[:, 45:] = 255, 0, 0  # black on the left, red on the right
    >>> histogram = Hsv().histogram(Hsv().describe(view))
    >>> histogram.shape, round(float(histogram[0, 3, 3]), 2)
    ((16, 4, 4), 0.5)
    """

    hue_bins: int = 16
    saturation_bins: int = 4
    value_bins: int = 4
    grid: int = 3
    name = "hsv"
    version = 2

    @property
    def dim(self) -> int:
        """Bins of the whole picture, then those of each cell, row by row."""
        hues, saturations = self.cell_bins
        whole = self.hue_bins * self.saturation_bins * self.value_bins
        return whole + self.grid**2 * hues * saturations * self.value_bins

    @property
    def cell_bins(self) -> tuple[int, int]:
        """Bins of hue and of saturation in a cell: the largest divisors of the whole's."""
        return (
            _largest_divisor(self.hue_bins, _CELL_HUES),
            _largest_divisor(self.saturation_bins, _CELL_SATURATIONS),
        )

    def describe(self, view: View) -> Codes:
        """Count the colours of each cell; cells of a picture smaller than the grid are empty."""
        height, width = view.shape[:2]
        if (shorter := min(height, width)) > _SAMPLED_PX:
            height, width = height * _SAMPLED_PX // shorter, width * _SAMPLED_PX // shorter
            view = cv2.resize(view, (width, height), interpolation=cv2.INTER_NEAREST)
        hsv = cv2.cvtColor(view, cv2.COLOR_RGB2HSV)
        sizes = [self.grid**2, self.hue_bins, self.saturation_bins, self.value_bins]
        # OpenCV's hues run from 0 to 179. The cell's number is a fourth channel.
        ranges = [0, self.grid**2, 0, 180, 0, 256, 0, 256]
        planes = [hsv, cell_numbers(height, width, self.grid)]
        cells = cv2.calcHist(planes, [3, 0, 1, 2], None, sizes, ranges).reshape(sizes[0], -1)
        levels = np.concatenate([cells.sum(axis=0), (cells @ _merging(self)).ravel()])
        levels *= 1 / (height * width)
        np.sqrt(levels, out=levels)
        levels *= 255
        codes: Codes = np.rint(levels, out=levels).astype(np.uint8)
        return codes

    def histogram(self, codes: Codes) -> Floats:
        """(dim,) -> (hues, saturations, values) float32: shares of the whole picture's pixels."""
        bins = (self.hue_bins, self.saturation_bins, self.value_bins)
        return self.features(codes[: np.prod(bins)]).reshape(bins) ** 2


@lru_cache(maxsize=4)
def _merging(hsv: Hsv) -> Floats:
    """(bins, cell bins) zeros and ones that add up neighbouring hues and saturations."""
    hues, saturations = hsv.cell_bins
    hue = np.repeat(np.eye(hues), hsv.hue_bins // hues, axis=0)
    saturation = np.repeat(np.eye(saturations), hsv.saturation_bins // saturations, axis=0)
    return np.kron(np.kron(hue, saturation), np.eye(hsv.value_bins)).astype(np.float32)


def _largest_divisor(number: int, most: int) -> int:
    return max(d for d in range(1, most + 1) if number % d == 0)
