"""Layout: the perceptual hash, which recognises copies of one picture."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imgbatch.descriptors.base import Codes
from imgbatch.types import Floats, Hashes, View

_SIDE, _KEPT = 32, 8
_LOBES = 3
_NOISE = 1e-3
"""Frequencies reach a million and are exact to about 1e-8: closer to the median is on it."""


@dataclass(frozen=True)
class Phash:
    """The 64 bits of ``imagehash.phash`` but for its roundings, packed into 8 bytes.

    Grey, Lanczos to 32x32, two-dimensional DCT, the 8x8 lowest frequencies against their median.
    Resizing and transform are linear, so one small matrix for each side does both at once, in a
    fifth of the time. imagehash rounds and clips to bytes after each pass of the resize: of 64 bits
    0.3 differ on average, far fewer than between a picture and its half-size copy (figures in
    imgbatch/DESIGN.md). Frequencies that only rounding tells from the median count as not above
    it, so that flat and symmetric pictures hash alike on every machine. The hash finds copies of
    a picture (resized, recompressed, slightly edited), not similar pictures, hence its small
    default weight.

    Source: Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010;
    imagehash 4.3. Cost: about 0.02 ms.
    """

    name = "phash"
    version = 2
    dim = 8

    def parameters(self) -> dict[str, Any]:
        """None: the hash is defined by imagehash."""
        return {}

    def describe(self, view: View) -> Codes:
        """Hash the view; the first bit is the highest of the first byte."""
        grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)
        height, width = grey.shape
        frequencies = (_resized_cosines(height) @ grey @ _resized_cosines(width).T).ravel()
        ordered = np.sort(frequencies)
        median = (ordered[31] + ordered[32]) / 2
        return np.packbits(frequencies > median + _NOISE)

    def features(self, codes: Codes) -> Floats:
        """(n, 8) -> (n, 64) of -1 and 1, so that squared distance counts differing bits."""
        return np.unpackbits(codes, axis=1).astype(np.float32) * 2 - 1


@lru_cache(maxsize=512)
def _resized_cosines(length: int) -> npt.NDArray[np.float64]:
    """(8, length): the lowest frequencies of a row of pixels after it is resized to 32.

    The DCT-II is unscaled, as SciPy defines it; the resize is Pillow's Lanczos filter, which is
    stretched by the reduction.
    """
    steps, places = np.arange(_KEPT)[:, None], np.arange(_SIDE)
    cosines = 2 * np.cos(np.pi * steps * (2 * places + 1) / (2 * _SIDE))
    scale = length / _SIDE
    stretch = max(scale, 1.0)
    offsets = (np.arange(length) + 0.5 - (places[:, None] + 0.5) * scale) / stretch
    near = np.abs(offsets) < _LOBES
    weights = np.zeros(offsets.shape)
    weights[near] = np.sinc(offsets[near]) * np.sinc(offsets[near] / _LOBES)
    weights /= weights.sum(axis=1, keepdims=True)
    found: npt.NDArray[np.float64] = cosines @ weights
    return found


def as_integers(codes: Codes) -> Hashes:
    """(n, 8) uint8 hashes -> (n,) uint64, first bit highest."""
    return np.ascontiguousarray(codes).view(">u8").astype(np.uint64).reshape(-1)
