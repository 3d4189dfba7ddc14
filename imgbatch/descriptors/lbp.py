"""Texture: histograms of uniform local binary patterns."""

from dataclasses import dataclass

import cv2
import numpy as np

from imgbatch.descriptors.base import Codes, Descriptor
from imgbatch.descriptors.cells import cell_numbers
from imgbatch.types import View

_PATTERNS = 59  # 58 uniform patterns of 8 neighbours, and one bin for all others


@dataclass(frozen=True)
class Lbp(Descriptor):
    """Counts of local binary patterns in each cell of a grid, as square roots.

    The pattern of a pixel says which of its eight neighbours on a circle are at least as bright.
    Patterns with at most two changes around the circle (uniform ones: edges, corners, spots) have a
    bin each, all others share a bin; turning a pattern makes another one. The grey picture is
    first shrunk, so that a pattern means the same in all pictures. Counts are shares of the
    picture's pixels, stored as round(255 * sqrt(share)), so that Euclidean distance is the
    Hellinger distance.

    Parameters
    ----------
    longest_px
        Pictures whose longer side exceeds this are shrunk to it first.
    radius_px
        Distance of the eight neighbours, after shrinking.
    grid
        Cells along each side.

    Notes
    -----
    Source: Ojala, Pietikainen and Maenpaa, PAMI 2002; cells, Ahonen, Hadid and Pietikainen, ECCV
    2004; computed by scikit-image's ``local_binary_pattern(..., method="nri_uniform")``.
    Departures: square roots; one radius, since more radii hardly help beside the other
    descriptors (imgbatch/DESIGN.md). Cost: about 0.9 ms, nearly all of it in scikit-image.

    Examples
    --------
    >>> flat = Lbp(grid=1).describe(np.full((100, 100, 3), 128, np.uint8))
    >>> len(flat), round(float(flat.max() / 255) ** 2, 2)  # one pattern, but at the border
    (59, 0.96)
    """

    longest_px: int = 128
    radius_px: int = 1
    grid: int = 2
    name = "lbp"
    version = 1

    @property
    def dim(self) -> int:
        """59 patterns of each cell, row by row."""
        return self.grid**2 * _PATTERNS

    def describe(self, view: View) -> Codes:
        """Count the patterns of each cell; cells of a picture smaller than the grid are empty."""
        from skimage.feature import local_binary_pattern

        grey = _shrunk(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), self.longest_px)
        bins = local_binary_pattern(grey, 8, self.radius_px, "nri_uniform").astype(np.intp)
        bins += cell_numbers(*grey.shape, self.grid).astype(np.intp) * _PATTERNS
        counts = np.bincount(bins.ravel(), minlength=self.dim)
        codes: Codes = np.rint(255 * np.sqrt(counts / grey.size)).astype(np.uint8)
        return codes


def _shrunk(grey: View, longest_px: int) -> View:
    factor = longest_px / max(grey.shape)
    if factor >= 1:
        return grey
    height, width = grey.shape
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small: View = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return small
