"""Layout of colour: a tiny Lab picture."""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from imgbatch.descriptors.base import Codes
from imgbatch.types import Floats, View

_LIGHTNESS = 0.3  # weight of L beside a and b: light changes from picture to picture


@dataclass(frozen=True)
class Thumbnail:
    """The picture in Lab, averaged down to a square of `side_px` without keeping its aspect.

    Stored as the 8-bit Lab of OpenCV (L 0..255, a and b shifted by 128), pixel by pixel; the
    rounding to whole units is that of the picture itself.

    Source: tiny images, Torralba, Fergus and Freeman, PAMI 2008. Departures: 8x8 rather than
    32x32 pixels, which compares layouts instead of edges; Lab with lightness at 0.3. Cost: about
    0.04 ms.
    """

    side_px: int = 8
    name = "thumbnail"
    version = 1

    @property
    def dim(self) -> int:
        """L, a and b of each pixel."""
        return 3 * self.side_px**2

    def parameters(self) -> dict[str, Any]:
        """Side of the small picture."""
        return asdict(self)

    def describe(self, view: View) -> Codes:
        """Shrink, then change to Lab."""
        size = (self.side_px, self.side_px)
        small = cv2.resize(view, size, interpolation=cv2.INTER_AREA)
        codes: Codes = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).ravel()
        return codes

    def features(self, codes: Codes) -> Floats:
        """(n, dim) -> (n, dim): shares of each channel's range, lightness weighted down."""
        values = codes.reshape(len(codes), self.side_px**2, 3).astype(np.float32)
        values *= np.array([_LIGHTNESS, 1, 1], np.float32) / 255
        return values.reshape(len(codes), self.dim)
