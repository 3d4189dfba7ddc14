"""Shape: histogram of oriented gradients."""

import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from imgbatch.descriptors.base import Codes
from imgbatch.types import Floats, View


@dataclass(frozen=True)
class Hog:
    """OpenCV's HOG of the colour picture, resized to a square window without keeping its aspect.

    At each pixel the channel with the strongest gradient counts; orientations are signed (0 to 360
    degrees); blocks are 2x2 cells, one cell apart, L2-Hys. Values lie in 0..1 and are stored as
    round(255 * value). Rows must be centred on the data set before they are compared: uncentred,
    what all pictures share drowns what differs.

    Source: Dalal and Triggs, CVPR 2005. Departures: few, large cells and signed orientations,
    which describe a whole picture better than the pedestrian detector's parameters (figures in
    imgbatch/DESIGN.md). OpenCV weights each block by a Gaussian and interpolates between cells,
    scikit-image does neither. Cost: about 0.1 ms, in groups.
    """

    window_px: int = 96
    cell_px: int = 24
    orientations: int = 18
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
        codes: Codes = self.describe_many([view])[0]
        return codes

    def describe_many(self, views: Sequence[View]) -> Codes:
        """Describe views as windows of one tall picture: (n, h, w, 3) -> (n, dim).

        OpenCV computes the weights of a block's pixels anew in each call, a fifth of the time.
        Each window has the row beyond its edge that OpenCV would make up there: the mirrored one.
        """
        side, count = self.window_px, len(views)
        tall = _memory(count * (side + 2) * side * 3).reshape(count, side + 2, side, 3)
        for view, window in zip(views, tall, strict=True):
            cv2.resize(view, (side, side), dst=window[1:-1], interpolation=cv2.INTER_LINEAR)
        tall[:, 0], tall[:, -1] = tall[:, 2], tall[:, -3]
        places = [(0, number * (side + 2) + 1) for number in range(count)]
        stacked = tall.reshape(-1, side, 3)
        values = np.asarray(_opencv_hog(self).compute(stacked, locations=places))
        codes: Codes = np.rint(255 * values).astype(np.uint8)
        return codes.reshape(count, -1)

    def features(self, codes: Codes) -> Floats:
        """(n, dim) -> (n, dim), values as the HOG gave them."""
        return np.multiply(codes, 1 / 255, dtype=np.float32)

    def cells(self, codes: Codes) -> Floats:
        """(dim,) -> (rows, columns, orientations): each cell, averaged over the blocks it is in."""
        side = self.window_px // self.cell_px
        # OpenCV goes down the columns, of blocks as of the cells in them.
        blocks = self.features(codes).reshape(side - 1, side - 1, 2, 2, self.orientations)
        sums = np.zeros((side, side, self.orientations), np.float32)
        counts = np.zeros((side, side, 1), np.float32)
        for x, y in np.ndindex(2, 2):
            sums[y : y + side - 1, x : x + side - 1] += blocks[:, :, x, y].swapaxes(0, 1)
            counts[y : y + side - 1, x : x + side - 1] += 1
        cells: Floats = sums / counts
        return cells


_kept = threading.local()


def _memory(size: int) -> View:
    """(size,) bytes to write to, the same for each call of a thread.

    Freeing it lets the C library give memory back to the system, and faulting it in again costs
    more than is gained.
    """
    if getattr(_kept, "bytes", np.empty(0)).size < size:
        _kept.bytes = np.empty(size, np.uint8)
    memory: View = _kept.bytes[:size]
    return memory


@lru_cache(maxsize=4)
def _opencv_hog(hog: Hog) -> "cv2.HOGDescriptor":
    window, cell = (hog.window_px, hog.window_px), (hog.cell_px, hog.cell_px)
    block = (2 * hog.cell_px, 2 * hog.cell_px)
    l2_hys, clip, gamma, signed = cv2.HOGDescriptor_L2Hys, 0.2, False, True
    return cv2.HOGDescriptor(
        window, block, cell, cell, hog.orientations, 1, -1, l2_hys, clip, gamma, 64, signed
    )
