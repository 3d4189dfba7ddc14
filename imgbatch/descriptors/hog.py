"""Shape: histogram of oriented gradients."""

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from imgbatch.descriptors.base import Codes
from imgbatch.types import Floats, View

_STORED_MAX = 0.5
"""Largest value that is stored. L2-Hys clips at 0.2 before the last normalisation, so that only
blocks with fewer than six strong bins pass this, by little."""


@dataclass(frozen=True)
class Hog:
    """OpenCV's HOG of the grey picture, resized to a square window without keeping its aspect.

    Blocks of 2x2 cells, one cell apart, L2-Hys. Rows must be centred on the data set before they
    are compared: uncentred, what all pictures share drowns what differs (measured: precision at 10
    of 35% against 54%). Stored as round(255 * value / 0.5).

    Source: Dalal and Triggs, CVPR 2005; OpenCV's implementation weights each block by a Gaussian
    and interpolates between cells, scikit-image's does neither. Cost: about 0.17 ms.
    """

    window_px: int = 128
    cell_px: int = 16
    orientations: int = 9
    name = "hog"
    version = 1

    @property
    def dim(self) -> int:
        """One byte for each orientation of each cell of each block."""
        blocks = self.window_px // self.cell_px - 1
        return blocks * blocks * 4 * self.orientations

    def parameters(self) -> dict[str, Any]:
        """Window, cell and orientations."""
        return asdict(self)

    def describe(self, view: View) -> Codes:
        """Resize to the window and compute the gradients' histograms."""
        grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)
        window = (self.window_px, self.window_px)
        square = cv2.resize(grey, window, interpolation=cv2.INTER_LINEAR)
        values = np.asarray(_opencv_hog(self).compute(square))
        codes: Codes = cv2.convertScaleAbs(values, alpha=255 / _STORED_MAX).ravel()
        return codes

    def features(self, codes: Codes) -> Floats:
        """(n, dim) -> (n, dim), values as the HOG gave them."""
        return codes.astype(np.float32) * np.float32(_STORED_MAX / 255)


@lru_cache(maxsize=4)
def _opencv_hog(hog: Hog) -> "cv2.HOGDescriptor":
    window, cell = (hog.window_px, hog.window_px), (hog.cell_px, hog.cell_px)
    block = (2 * hog.cell_px, 2 * hog.cell_px)
    return cv2.HOGDescriptor(window, block, cell, cell, hog.orientations)
