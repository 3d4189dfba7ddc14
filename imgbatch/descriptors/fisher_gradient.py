"""Shape in detail: Fisher vectors of dense gradients."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import cv2
import numpy as np

from imgbatch.descriptors.fisher import FisherVector, patches, sums_of_four
from imgbatch.types import Floats, View

_SQUARES, _POOLED = 33, 4
"""Maps are 33x33 squares of 4x4 pixels."""
_SCALES = (2, 3, 4)
"""Squares from one cell of a patch to the next."""
_STEP = 2
"""Squares from one patch to the next."""
_FAINT = 100
"""Strengths of gradients, summed over the values of a patch, that count as faint."""
_DIAGONAL = np.float32(0.5**1.5)


class _GradientPatches(FisherVector):
    """Local descriptors of patches of `cells` x `cells` cells, at three scales."""

    cells: ClassVar[int]

    def local_descriptors(self, view: View) -> Floats:
        """Cell by cell, in each cell direction by direction; small patches first, row by row."""
        maps = _directions(view)
        local = np.empty((8 * self.cells**2, self.places.shape[1]), np.float32)
        start = 0
        for scale in _SCALES:
            count = _patches_along(self.cells, scale)
            part = local[:, start : start + count**2]
            stride = 1 if scale % _STEP else _STEP  # no cell of an even scale begins at odd squares
            sums = _sums(_sums(maps, scale + 1, stride, 1), scale + 1, stride, 2)
            shape = (self.cells, self.cells, 8, count, count)
            parts = patches(sums, self.cells, scale // stride, count, _STEP // stride)
            part.reshape(shape)[...] = parts
            start += count**2
        local /= local.sum(axis=0) + _faint(self.cells)
        return np.sqrt(local, out=local)

    @property
    def places(self) -> Floats:
        """(2, n) float32: x and y of the middle of each patch, in -0.5..0.5."""
        return _places(self.cells)


@dataclass(frozen=True)
class FisherGradient(_GradientPatches):
    """Which small gradient patterns the picture holds, and where: a Fisher vector.

    The grey picture is resized to a square without keeping its aspect. Along each of four axes a
    pixel's gradient counts with its projection times the square of its cosine, by sign: eight
    directions. Their strengths are summed up in 33x33 squares of 4x4 pixels. A patch is 2x2 cells,
    2, 3 or 4 squares apart and one square wider; patches lie 2 squares apart. That makes 590 local
    descriptors of 32 values, each the square root of the value's share of the patch's sum. Its
    code compares them with a dictionary, see `FisherVector`. It has no parameters.

    Notes
    -----
    Source: see `FisherVector`; local descriptors like SIFT (Lowe, IJCV 2004), normalised like
    RootSIFT (Arandjelovic and Zisserman, "Three things everyone should know to improve object
    retrieval", CVPR 2012). Departures: 2x2 cells in place of 4x4; no Gaussian window; no clipping,
    and a constant in the sum, so that faint patches stay faint.
    Cost: about 0.4 ms.

    Examples
    --------
    >>> view = np.zeros((90, 120, 3), np.uint8)
    >>> view[:, 60:] = 255  # a step from black to white, to the right
    >>> local = FisherGradient().local_descriptors(view)
    >>> local.shape, local.reshape(4, 8, 590).max(axis=(0, 2)).argmax()  # the first direction
    ((32, 590), np.int64(0))
    >>> len(FisherGradient().describe(view))  # 2 x 32 components x (32 values + x and y)
    2176
    """

    name = "fisher_gradient"
    version = 1
    cells = 2
    pieces = 5


@dataclass(frozen=True)
class FisherSift(_GradientPatches):
    """Which larger gradient patterns the picture holds, and where: a Fisher vector.

    As `FisherGradient`, with patches of 4x4 cells of 8 directions, as SIFT has them. Of the 128
    values of 371 local descriptors 40 principal components are kept. It has no parameters.

    Notes
    -----
    Source and departures: see `FisherGradient`. Cost: about 0.5 ms.

    Examples
    --------
    >>> view = np.zeros((90, 120, 3), np.uint8)
    >>> FisherSift().local_descriptors(view).shape, FisherSift().describe(view).shape
    ((128, 371), (2688,))
    """

    name = "fisher_sift"
    version = 1
    cells = 4
    pieces = 7


def _directions(view: View) -> Floats:
    """(8, 33, 33) float32: strengths of right, right-down, down, left-down, then the opposites.

    Unit: 1/32 of a level of grey from one pixel to the next but one.
    """
    side = _SQUARES * _POOLED
    grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(grey, (side + 2, side + 2), interpolation=cv2.INTER_LINEAR)
    grey = grey.astype(np.float32)
    right, down = grey[1:-1, 2:] - grey[1:-1, :-2], grey[2:, 1:-1] - grey[:-2, 1:-1]
    inverse = right * right + down * down
    inverse += 1
    np.divide(1, inverse, out=inverse)
    axes = (right, down + right, down, down - right)
    rows = np.empty((2, 4, _SQUARES, side), np.float32)
    for signed, unsigned, along in zip(*rows, axes, strict=True):
        strength = along * along
        strength *= along
        strength *= inverse
        sums_of_four(strength.reshape(_SQUARES, _POOLED, side), 1, out=signed)
        np.abs(strength, out=strength)
        sums_of_four(strength.reshape(_SQUARES, _POOLED, side), 1, out=unsigned)
    signed, unsigned = sums_of_four(rows.reshape(2, 4, _SQUARES, _SQUARES, _POOLED), 4)
    sums = np.concatenate([unsigned + signed, unsigned - signed])  # none is below 0
    sums[1::2] *= _DIAGONAL
    return sums


def _sums(maps: Floats, length: int, stride: int, axis: int) -> Floats:
    """Sums of `length` neighbours along an axis of (8, h, w), for every `stride`-th place."""
    turned = maps.swapaxes(0, axis)
    places = len(turned) - length + 1
    sums: Floats = turned[0:places:stride] + turned[1 : 1 + places : stride]
    for number in range(2, length):
        sums += turned[number : number + places : stride]
    return sums.swapaxes(0, axis)


def _patches_along(cells: int, scale: int) -> int:
    """Patches of a scale along each side; the last one reaches the last square."""
    return (_SQUARES - cells * scale - 1) // _STEP + 1


@lru_cache(maxsize=2)
def _places(cells: int) -> Floats:
    parts = []
    for scale in _SCALES:
        starts = _STEP * np.arange(_patches_along(cells, scale))
        middles = (starts + (cells * scale + 1) / 2) / _SQUARES - 0.5
        y, x = np.meshgrid(middles, middles, indexing="ij")
        parts.append(np.stack([x.ravel(), y.ravel()]))
    places: Floats = np.concatenate(parts, axis=1).astype(np.float32)
    places.flags.writeable = False
    return places


@lru_cache(maxsize=2)
def _faint(cells: int) -> Floats:
    """(n,) float32: `_FAINT` in the unit of the sums of each patch."""
    counts = [_patches_along(cells, scale) ** 2 for scale in _SCALES]
    pixels = [((scale + 1) * _POOLED) ** 2 for scale in _SCALES]
    faint: Floats = np.repeat(np.float32(2 * _FAINT) * np.array(pixels, np.float32), counts)
    return faint
