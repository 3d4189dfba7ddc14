"""Colour: HSV histograms of the whole picture and of the cells of a grid."""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np

from imgbatch.descriptors.base import Codes
from imgbatch.types import Floats, View

_CELL_HUES, _CELL_SATURATIONS = 4, 2


@dataclass(frozen=True)
class Hsv:
    """A spatial pyramid of HSV histograms, stored as square roots.

    Each grid cell is counted once; the whole picture's histogram is the sum over the cells, and
    the cells themselves keep coarser bins (at most 4 hues, 2 saturations), which is enough for
    where a colour is. All counts are shares of the picture's pixels, stored as
    round(255 * sqrt(share)): the square root makes Euclidean distance the Hellinger distance,
    which compares histograms much better (Arandjelovic and Zisserman, CVPR 2012, for gradients;
    imgbatch/DESIGN.md for colour), and spends the 8 bits evenly.

    Sources: colour histograms, Swain and Ballard 1991; spatial pyramid, Lazebnik, Schmid and
    Ponce, CVPR 2006. Departures: two levels, coarser colours below. Cost: about 0.08 ms.
    """

    hue_bins: int = 16
    saturation_bins: int = 4
    value_bins: int = 4
    grid: int = 3
    name = "hsv"
    version = 1

    @property
    def dim(self) -> int:
        """Bins of the whole picture, then those of every cell, row by row."""
        hues, saturations = self._cell_bins
        whole = self.hue_bins * self.saturation_bins * self.value_bins
        return whole + self.grid**2 * hues * saturations * self.value_bins

    @property
    def _cell_bins(self) -> tuple[int, int]:
        return (
            _largest_divisor(self.hue_bins, _CELL_HUES),
            _largest_divisor(self.saturation_bins, _CELL_SATURATIONS),
        )

    def parameters(self) -> dict[str, Any]:
        """Bins and grid."""
        return asdict(self)

    def describe(self, view: View) -> Codes:
        """Count the colours of each cell; cells of a picture smaller than the grid are empty."""
        hsv = cv2.cvtColor(view, cv2.COLOR_RGB2HSV)
        height, width = hsv.shape[:2]
        bins = [self.hue_bins, self.saturation_bins, self.value_bins]
        cells = np.zeros((self.grid**2, *bins), np.float32)
        slices = [
            (slice(top, bottom), slice(left, right))
            for top, bottom in pairwise(self._edges(height))
            for left, right in pairwise(self._edges(width))
        ]
        for cell, (rows, columns) in zip(cells, slices, strict=True):
            if hsv[rows, columns].size:
                # OpenCV's hues run from 0 to 179.
                cell[:] = cv2.calcHist(
                    [hsv[rows, columns]], [0, 1, 2], None, bins, [0, 180, 0, 256, 0, 256]
                )
        hues, saturations = self._cell_bins
        split = (-1, hues, bins[0] // hues, saturations, bins[1] // saturations, bins[2])
        coarse = cells.reshape(split).sum(axis=(2, 4))
        counts = np.concatenate([cells.sum(axis=0).ravel(), coarse.ravel()])
        codes: Codes = np.rint(255 * np.sqrt(counts / (height * width))).astype(np.uint8)
        return codes

    def _edges(self, length: int) -> list[int]:
        """Where the cells begin along one side, and where the last one ends."""
        return [-(-cell * length // self.grid) for cell in range(self.grid + 1)]

    def features(self, codes: Codes) -> Floats:
        """(n, dim) -> (n, dim): square roots of shares, 0..1."""
        return np.multiply(codes, 1 / 255, dtype=np.float32)


def _largest_divisor(number: int, most: int) -> int:
    return max(d for d in range(1, most + 1) if number % d == 0)
