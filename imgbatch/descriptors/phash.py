"""Layout: the perceptual hash, which recognises copies of one picture."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from imgbatch.descriptors.base import Codes
from imgbatch.types import Floats, Hashes, View

_SIDE, _KEPT = 32, 8


@dataclass(frozen=True)
class Phash:
    """The 64 bits of ``imagehash.phash``, bit for bit, packed into 8 bytes.

    Grey, Lanczos to 32x32, two-dimensional DCT, the 8x8 lowest frequencies against their median.
    The same operations as imagehash in the same order, since a bit flips on the last digit of a
    near-tie; written out here to spare its wrappers. It finds copies of a picture (resized,
    recompressed, slightly edited), not similar pictures, hence its small default weight.

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
        from scipy.fftpack import dct

        grey = Image.fromarray(view).convert("L")
        pixels = np.asarray(grey.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS))
        frequencies = dct(dct(pixels, axis=0), axis=1)[:_KEPT, :_KEPT].ravel()
        # np.median of 64 values, without its checks.
        middle = np.partition(frequencies, (31, 32))[31:33]
        return np.packbits(frequencies > (middle[0] + middle[1]) / 2)

    def features(self, codes: Codes) -> Floats:
        """(n, 8) -> (n, 64) of -1 and 1, so that squared distance counts differing bits."""
        return np.unpackbits(codes, axis=1).astype(np.float32) * 2 - 1


def as_integers(codes: Codes) -> Hashes:
    """(n, 8) uint8 hashes -> (n,) uint64, first bit highest."""
    return np.ascontiguousarray(codes).view(">u8").astype(np.uint64).reshape(-1)
