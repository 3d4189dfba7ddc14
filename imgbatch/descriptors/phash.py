"""Layout: the perceptual hash, which recognises copies of one picture."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from imgbatch.descriptors.base import Codes
from imgbatch.types import Floats, Hashes, View

_SIDE, _KEPT = 32, 8
_NEAR_TIE = 1e-3
"""Frequencies reach a million and are exact to about 1e-9 either way."""


@dataclass(frozen=True)
class Phash:
    """The 64 bits of ``imagehash.phash``, bit for bit, packed into 8 bytes.

    Grey, Lanczos to 32x32, two-dimensional DCT, the 8x8 lowest frequencies against their median.
    The frequencies come from two small matrix products, ten times as fast as a transform of all;
    where one is so near the median that the last digits decide (flat pictures), they are computed
    again just as imagehash does. It finds copies of a picture (resized, recompressed, slightly
    edited), not similar pictures, hence its small default weight.

    Source: Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010;
    imagehash 4.3. Cost: about 0.1 ms.
    """

    name = "phash"
    version = 1
    dim = 8

    def parameters(self) -> dict[str, Any]:
        """None: the hash is defined by imagehash."""
        return {}

    def describe(self, view: View) -> Codes:
        """Hash the view; the first bit is the highest of the first byte."""
        grey = Image.fromarray(view).convert("L")
        pixels = np.asarray(grey.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS))
        cosines = _cosines()
        frequencies = (cosines @ pixels @ cosines.T).ravel()
        middle = np.partition(frequencies, (31, 32))[31:33]
        median = (middle[0] + middle[1]) / 2
        if np.abs(frequencies - median).min() < _NEAR_TIE:
            frequencies = _frequencies_of_imagehash(pixels)
            median = np.median(frequencies)
        return np.packbits(frequencies > median)

    def features(self, codes: Codes) -> Floats:
        """(n, 8) -> (n, 64) of -1 and 1, so that squared distance counts differing bits."""
        return np.unpackbits(codes, axis=1).astype(np.float32) * 2 - 1


@lru_cache(maxsize=1)
def _cosines() -> npt.NDArray[np.float64]:
    """(8, 32): the lowest frequencies of the unscaled DCT-II, as SciPy defines it."""
    steps, places = np.arange(_KEPT)[:, None], np.arange(_SIDE)
    return 2 * np.cos(np.pi * steps * (2 * places + 1) / (2 * _SIDE))


def _frequencies_of_imagehash(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    from scipy.fftpack import dct

    frequencies: npt.NDArray[np.float64] = dct(dct(pixels, axis=0), axis=1)
    return frequencies[:_KEPT, :_KEPT].ravel()


def as_integers(codes: Codes) -> Hashes:
    """(n, 8) uint8 hashes -> (n,) uint64, first bit highest."""
    return np.ascontiguousarray(codes).view(">u8").astype(np.uint64).reshape(-1)
