"""Texture: histograms of uniform local binary patterns."""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from imgbatch.descriptors.base import Codes, cell_of_each_pixel
from imgbatch.types import Floats, View

_PATTERNS = 59  # 58 uniform patterns of 8 neighbours, and one bin for all others


@dataclass(frozen=True)
class Lbp:
    """Uniform local binary patterns (8 neighbours, not rotation invariant) in the cells of a grid.

    The grey picture is first shrunk to `longest_px`, so that a pattern means the same in all
    pictures. Patterns are scikit-image's ``local_binary_pattern(..., method="nri_uniform")``;
    shares of the picture's pixels are stored as round(255 * sqrt(share)), so that Euclidean
    distance is the Hellinger distance.

    Source: Ojala, Pietikainen and Maenpaa, PAMI 2002; cells, Ahonen, Hadid and Pietikainen, ECCV
    2004. Departures: square roots; one radius, since more scales hardly help beside the other
    descriptors (imgbatch/DESIGN.md). Cost: about 0.9 ms, nearly all of it in scikit-image.
    """

    longest_px: int = 128
    radius_px: int = 1
    grid: int = 2
    name = "lbp"
    version = 1

    @property
    def dim(self) -> int:
        """59 patterns of every cell, row by row."""
        return self.grid**2 * _PATTERNS

    def parameters(self) -> dict[str, Any]:
        """Size, radius and grid."""
        return asdict(self)

    def describe(self, view: View) -> Codes:
        """Count the patterns of each cell; cells of a picture smaller than the grid are empty."""
        from skimage.feature import local_binary_pattern

        grey = _shrunk(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), self.longest_px)
        patterns = local_binary_pattern(grey, 8, self.radius_px, "nri_uniform").astype(np.intp)
        bins = cell_of_each_pixel(*grey.shape, self.grid) * _PATTERNS + patterns
        counts = np.bincount(bins.ravel(), minlength=self.dim)
        codes: Codes = np.rint(255 * np.sqrt(counts / grey.size)).astype(np.uint8)
        return codes

    def features(self, codes: Codes) -> Floats:
        """(n, dim) -> (n, dim): square roots of shares, 0..1."""
        return np.multiply(codes, 1 / 255, dtype=np.float32)


def _shrunk(grey: View, longest_px: int) -> View:
    factor = longest_px / max(grey.shape)
    if factor >= 1:
        return grey
    height, width = grey.shape
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small: View = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return small
