"""Colour: HSV histograms of the whole picture and of horizontal bands."""

from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imgbatch.descriptors.base import Codes
from imgbatch.types import Floats, View


@dataclass(frozen=True)
class Hsv:
    """HSV histograms in a spatial pyramid of horizontal bands, stored as square roots.

    One pass counts quantised HSV triples for each band; the histogram of the whole picture is
    their sum. Counts are normalised to sum 1 in each band and stored as round(255 * sqrt(share)):
    the square root makes Euclidean distance the Hellinger distance, which compares histograms much
    better (Arandjelovic and Zisserman, "Three things everyone should know", CVPR 2012, for
    gradients; the facts in DESIGN.md for colour), and spends the 8 bits evenly.

    Sources: HSV histograms, Swain and Ballard 1991; spatial pyramid, Lazebnik, Schmid, Ponce,
    CVPR 2006. Departures: bands instead of a grid, since photographs are layered from sky to
    ground but seldom from left to right; hard bins in storage, hue softened on reading.
    Cost: about 0.06 ms for a 150x120 view.
    """

    hue_bins: int = 16
    saturation_bins: int = 4
    value_bins: int = 4
    bands: int = 3
    name = "hsv"
    version = 1

    @property
    def dim(self) -> int:
        """One byte for each bin of each band."""
        return self.bands * self._bins

    @property
    def _bins(self) -> int:
        return self.hue_bins * self.saturation_bins * self.value_bins

    def parameters(self) -> dict[str, Any]:
        """Bins and bands."""
        return asdict(self)

    def describe(self, view: View) -> Codes:
        """Count the bins of each band; a picture with fewer rows than bands repeats rows."""
        hsv = cv2.cvtColor(view, cv2.COLOR_RGB2HSV)
        hue, saturation, value = _tables(self.hue_bins, self.saturation_bins, self.value_bins)
        bins = hue[hsv[..., 0]]
        bins += saturation[hsv[..., 1]]
        bins += value[hsv[..., 2]]
        height = len(bins)
        edges = [band * height // self.bands for band in range(self.bands + 1)]
        counts = np.stack(
            [
                np.bincount(
                    bins[min(top, height - 1) : max(bottom, top + 1)].ravel(), minlength=self._bins
                )
                for top, bottom in zip(edges[:-1], edges[1:], strict=True)
            ]
        )
        shares = counts / counts.sum(axis=1, keepdims=True)
        return np.rint(255 * np.sqrt(shares)).astype(np.uint8).ravel()

    def features(self, codes: Codes) -> Floats:
        """(n, dim) -> (n, (1 + bands) * bins): the whole picture's histogram, then each band's."""
        shares = (codes.astype(np.float32) / 255) ** 2
        bands = shares.reshape(
            -1, self.bands, self.hue_bins, self.saturation_bins * self.value_bins
        )
        soft = np.einsum("hk,nbks->nbhs", self._soft_hue, bands)
        levels = np.concatenate([soft.mean(axis=1, keepdims=True) * self.bands, soft], axis=1)
        return np.sqrt(levels).reshape(len(codes), -1)

    @cached_property
    def _soft_hue(self) -> Floats:
        """Circular smoothing over neighbouring hues, so that a bin's edge does not divide."""
        middle = np.eye(self.hue_bins, dtype=np.float32)
        sides = np.roll(middle, 1, axis=0) + np.roll(middle, -1, axis=0)
        return np.asarray(0.6 * middle + 0.2 * sides, dtype=np.float32)


@lru_cache(maxsize=8)
def _tables(hue: int, saturation: int, value: int) -> tuple[npt.NDArray[np.int64], ...]:
    """For each channel byte, its bin's share of the flat bin index. OpenCV's hues are 0..179."""
    steps = np.arange(256)
    return (
        np.minimum(steps * hue // 180, hue - 1) * saturation * value,
        (steps * saturation // 256) * value,
        steps * value // 256,
    )
