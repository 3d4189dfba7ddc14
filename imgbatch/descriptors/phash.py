"""Layout: the perceptual hash, which recognises copies of a picture."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from imgbatch.descriptors.base import Codes, Descriptor
from imgbatch.types import Floats, Hashes, View

_SIDE, _KEPT = 32, 8
"""Side of the resized picture, and lowest frequencies kept of each direction."""
_LOBES = 3
"""Lobes of the Lanczos filter."""
_NOISE = 1e-3
"""Frequencies reach a million and are exact to about 1e-8; any nearer to the median equals it."""


@dataclass(frozen=True)
class Phash(Descriptor):
    """64 bits: which of the picture's lowest frequencies are above their median.

    The grey picture is resized to 32x32 (Lanczos) and transformed (two-dimensional DCT); the 8x8
    lowest frequencies are compared with their median, and the 64 bits packed into 8 bytes. The hash
    recognises copies of a picture (resized, recompressed, slightly edited), not similar pictures,
    hence its small default weight. It has no parameters.

    Notes
    -----
    Source: Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010;
    ``imagehash.phash`` of imagehash 4.3. Departures: nothing is rounded between the steps. Resize
    and transform are then linear, and one small matrix for each side does both, in a fifth of the
    time. imagehash rounds and clips to bytes after each pass of the resize: of the 64 bits 0.3
    differ on average, far fewer than between a picture and its half-size copy (figures in
    imgbatch/DESIGN.md). A frequency that differs from the median by rounding errors only counts
    as not above it, so that flat and symmetric pictures hash alike on every machine. Cost: about
    0.02 ms.

    Examples
    --------
    >>> view = np.random.default_rng(0).integers(0, 256, (8, 12, 3)).astype(np.uint8)
    >>> large, half = (cv2.resize(view, (w, w * 2 // 3)) for w in (192, 96))
    >>> codes = Phash().describe_many([large, half])
    >>> int(np.unpackbits(codes[0] ^ codes[1]).sum())  # bits that differ, of 64
    0
    """

    name = "phash"
    version = 2
    dim = 8

    def describe(self, view: View) -> Codes:
        """Hash the picture; the first bit is the highest of the first byte."""
        grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)
        height, width = grey.shape
        frequencies = (_resized_cosines(height) @ grey @ _resized_cosines(width).T).ravel()
        ordered = np.sort(frequencies)
        median = (ordered[31] + ordered[32]) / 2
        return np.packbits(frequencies > median + _NOISE)

    def features(self, codes: Codes) -> Floats:
        """(n, 8) -> (n, 64) of -1 and 1, so that squared distance is 4 times the differing bits."""
        return np.unpackbits(codes, axis=1).astype(np.float32) * 2 - 1


@lru_cache(maxsize=512)
def _resized_cosines(length: int) -> npt.NDArray[np.float64]:
    """(8, length): the lowest frequencies of a row of pixels after it is resized to 32.

    The DCT-II is unscaled, as SciPy defines it. The resize is Pillow's Lanczos filter, which is
    stretched by the reduction.
    """
    steps, targets = np.arange(_KEPT)[:, None], np.arange(_SIDE)
    cosines = 2 * np.cos(np.pi * steps * (2 * targets + 1) / (2 * _SIDE))
    scale = length / _SIDE
    stretch = max(scale, 1.0)
    offsets = (np.arange(length) + 0.5 - (targets[:, None] + 0.5) * scale) / stretch
    near = np.abs(offsets) < _LOBES
    weights = np.zeros(offsets.shape)
    weights[near] = np.sinc(offsets[near]) * np.sinc(offsets[near] / _LOBES)
    weights /= weights.sum(axis=1, keepdims=True)
    resized: npt.NDArray[np.float64] = cosines @ weights
    return resized


def as_integers(codes: Codes) -> Hashes:
    """Hashes (n, 8) uint8 -> (n,) uint64, the first bit highest.

    >>> as_integers(np.array([[0, 0, 0, 0, 0, 0, 1, 2]], np.uint8)).tolist()
    [258]
    """
    return np.ascontiguousarray(codes).view(">u8").astype(np.uint64).reshape(-1)
