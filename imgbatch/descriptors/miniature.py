"""The picture itself as a few grey pixels, by which copies of it are recognised."""

from dataclasses import dataclass

import cv2

from imgbatch.descriptors.base import Codes, Descriptor
from imgbatch.types import View

SIDE_PX = 32
"""Side of the square; `imgbatch.copies` is made for this size."""


@dataclass(frozen=True)
class Miniature(Descriptor):
    """The picture in grey, averaged down to 32x32 pixels without keeping its aspect.

    It is computed for every image: `imgbatch.copies` aligns two of them and looks whether their
    details agree. As a part of a feature space it compares layouts of light.

    Notes
    -----
    Source: tiny images, Torralba, Fergus and Freeman, PAMI 2008. Departures: grey, and averaged
    rather than interpolated. Cost: about 0.02 ms.

    Examples
    --------
    >>> import numpy as np
    >>> view = np.full((60, 90, 3), 200, np.uint8)
    >>> Miniature().describe(view)[:3].tolist()
    [200, 200, 200]
    """

    name = "miniature"
    version = 1

    @property
    def dim(self) -> int:
        """One byte a pixel, row by row."""
        return SIDE_PX**2

    def describe(self, view: View) -> Codes:
        """Change to grey, then average."""
        grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)
        size = (SIDE_PX, SIDE_PX)
        codes: Codes = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).ravel()
        return codes
