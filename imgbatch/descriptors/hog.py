"""Shape: histogram of oriented gradients."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from imgbatch.descriptors.base import Codes, Descriptor
from imgbatch.descriptors.scratch import scratch
from imgbatch.types import Floats, View


@dataclass(frozen=True)
class Hog(Descriptor):
    """Strengths of the gradients of each direction, in the cells of a grid.

    The colour picture is resized to a square window without keeping its aspect. At each pixel the
    channel with the strongest gradient counts. Its strength is added to the histogram of its
    direction, 0 to 360 degrees, in its cell. Each block of 2x2 cells, one cell apart, is
    normalised to length 1, clipped at 0.2 and normalised again (L2-Hys), so that light and contrast
    hardly matter. Values of 0..1 are stored as round(255 * value). Rows must be centred on the data
    set before they are compared, as otherwise what all pictures share outweighs the differences.

    Parameters
    ----------
    window_px
        Side of the square window; a multiple of `cell_px`, at least twice it.
    cell_px
        Side of a cell.
    orientations
        Bins of direction over 360 degrees.

    Notes
    -----
    Source: Dalal and Triggs, CVPR 2005, as OpenCV computes it. Departures: few, large cells and
    signed directions, which describe a whole picture better than the parameters for detecting
    pedestrians (figures in imgbatch/DESIGN.md). OpenCV weights each block by a Gaussian and
    interpolates between cells; scikit-image does neither. Cost: about 0.1 ms in groups.

    Examples
    --------
    >>> view = np.zeros((90, 90, 3), np.uint8)
    >>> view[:, 45:] = 255  # a step from black to white, to the right
    >>> cells = Hog().cells(Hog().describe(view))
    >>> cells.shape, sorted(cells.sum(axis=(0, 1)).argsort()[-2:].tolist())  # around 0 degrees
    ((4, 4, 18), [0, 17])
    """

    window_px: int = 96
    cell_px: int = 24
    orientations: int = 18
    name = "hog"
    version = 1

    @property
    def dim(self) -> int:
        """One byte for each direction of each cell of each block."""
        blocks = self.window_px // self.cell_px - 1
        return blocks * blocks * 4 * self.orientations

    def describe(self, view: View) -> Codes:
        """Resize to the window and compute the histograms."""
        codes: Codes = self.describe_many([view])[0]
        return codes

    def describe_many(self, views: Sequence[View]) -> Codes:
        """Describe n pictures as n windows of one tall picture: (n, dim).

        One call of OpenCV for many windows is a fifth faster, since each call computes the weights
        of a block's pixels anew. Above and below each window lies the row that OpenCV would make
        up there, the mirrored one, so that the bytes are those of `describe`.
        """
        side, count = self.window_px, len(views)
        tall = scratch(count * (side + 2) * side * 3).reshape(count, side + 2, side, 3)
        for view, window in zip(views, tall, strict=True):
            cv2.resize(view, (side, side), dst=window[1:-1], interpolation=cv2.INTER_LINEAR)
        tall[:, 0], tall[:, -1] = tall[:, 2], tall[:, -3]
        corners = [(0, number * (side + 2) + 1) for number in range(count)]
        stacked = tall.reshape(-1, side, 3)
        values = np.asarray(_opencv_hog(self).compute(stacked, locations=corners))
        codes: Codes = np.rint(255 * values).astype(np.uint8)
        return codes.reshape(count, -1)

    def cells(self, codes: Codes) -> Floats:
        """(dim,) -> (rows, columns, orientations) float32: cells, averaged over their blocks."""
        side = self.window_px // self.cell_px
        # OpenCV's blocks, and the cells of a block, run down the columns.
        blocks = self.features(codes).reshape(side - 1, side - 1, 2, 2, self.orientations)
        sums = np.zeros((side, side, self.orientations), np.float32)
        counts = np.zeros((side, side, 1), np.float32)
        for x, y in np.ndindex(2, 2):
            sums[y : y + side - 1, x : x + side - 1] += blocks[:, :, x, y].swapaxes(0, 1)
            counts[y : y + side - 1, x : x + side - 1] += 1
        cells: Floats = sums / counts
        return cells


@lru_cache(maxsize=4)
def _opencv_hog(hog: Hog) -> "cv2.HOGDescriptor":
    window, cell = (hog.window_px, hog.window_px), (hog.cell_px, hog.cell_px)
    block = (2 * hog.cell_px, 2 * hog.cell_px)
    l2_hys, clip, gamma, signed = cv2.HOGDescriptor_L2Hys, 0.2, False, True
    return cv2.HOGDescriptor(
        window, block, cell, cell, hog.orientations, 1, -1, l2_hys, clip, gamma, 64, signed
    )
