"""Measure pictures while a folder is read: a `Descriptor` whose bytes are quantities."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imgbatch.descriptors.base import Codes, Descriptor
from imgbatch.measures.colors import color_cells, color_names
from imgbatch.measures.quantities import COLOR_NAMES, MEASURED, STORED, as_bytes, as_values
from imgbatch.types import Floats, View

_SIDE_PX = 64
"""Side of the square at which gradients and strokes are looked for."""
_STEP = 3
"""Each third pixel of each third row is taken as a sample of the colours: 22 x 22."""
_EDGE = 24
"""A gradient is strong from this many grey levels a pixel on."""
_SOFT = 12
"""A gradient is weak below this: shading, texture, noise."""
_STROKE = 40
"""Grey levels by which a stroke stands out."""
_BORDER_PX, _BORDER_DE = 2, 10
"""Width of the border, in pixels of the sample, and what counts as its colour."""


@dataclass(frozen=True)
class Measures(Descriptor):
    """Twenty quantities of a picture, from shares of colour names to strokes, a byte each.

    The picture is resized to a square of 64 pixels without keeping its aspect. Lightness, chroma
    and names of colours are counted on each third pixel, gradients and strokes on all. Rules on
    these quantities make tags, see `measures.tags`; they are no part of a feature space.

    Notes
    -----
    Colour names: the nearest of some prototypes in CIELAB. Strokes: black and white top-hats,
    Serra 1982. Cost: about 0.05 ms, in groups.

    Examples
    --------
    >>> view = np.zeros((60, 90, 3), np.uint8)
    >>> view[:, 45:] = 255, 0, 0  # black on the left, red on the right
    >>> values = dict(zip(STORED, Measures().features(Measures().describe(view)[None])[0]))
    >>> round(float(values["black"]), 1), round(float(values["red"]), 1)
    (0.5, 0.5)
    """

    name = MEASURED
    version = 1

    @property
    def dim(self) -> int:
        """One byte a quantity, in the order of `STORED`."""
        return len(STORED)

    def parameters(self) -> dict[str, Any]:
        """The quantities, in the order of their bytes."""
        return {"quantities": list(STORED)}

    def describe(self, view: View) -> Codes:
        """See `describe_many`."""
        codes: Codes = self.describe_many([view])[0]
        return codes

    def describe_many(self, views: Sequence[View]) -> Codes:
        """Measure n pictures at once, as squares of one tall picture: (n, dim)."""
        side = _SIDE_PX
        squares = np.empty((len(views), side, side, 3), np.uint8)
        for view, square in zip(views, squares, strict=True):
            cv2.resize(view, (side, side), dst=square, interpolation=cv2.INTER_LINEAR)
        values = _of_colors(np.ascontiguousarray(squares[:, ::_STEP, ::_STEP])) | _of_shapes(
            squares
        )
        return as_bytes(np.column_stack([values[name] for name in STORED]))

    def features(self, codes: Codes) -> Floats:
        """Bytes (n, dim) -> values (n, dim) float32 in the units of `MEASURES`."""
        return as_values(codes)


def _of_colors(pictures: View) -> dict[str, Floats]:
    """Quantities of colours by name, (n,) each, of pictures (n, side, side, 3)."""
    count, side = pictures.shape[:2]
    pixels = side * side
    cells = color_cells(pictures.reshape(count, pixels, 3))
    lab = cv2.cvtColor(pictures.reshape(count * side, side, 3), cv2.COLOR_RGB2LAB)
    lab = lab.reshape(count, pixels, 3)
    light = _counts(lab[..., 0], 256)
    darkest, lightest = _percentiles(light, 0.05, 0.95)
    chroma = _counts(_chroma()[lab[..., 1], lab[..., 2]], 256)
    colors = _counts(_coarse()[cells], 512)
    levels = np.arange(256, dtype=np.float32)
    names = _counts(color_names(cells), len(COLOR_NAMES) + 1).T / pixels
    return dict(zip(COLOR_NAMES, names, strict=False)) | {
        "lightness": light @ levels / pixels * (100 / 255),
        "contrast": (lightest - darkest) * (100 / 255),
        "chroma": chroma @ levels / pixels,
        "most_chroma": _percentiles(chroma, 0.99)[0],
        "border": _border(lab.reshape(count, side, side, 3)),
        "alike": np.einsum("ij,ij->i", colors, colors) / pixels**2,
    }


def _of_shapes(pictures: View) -> dict[str, Floats]:
    """Quantities of gradients by name, (n,) each; two pixels at each side are not counted."""
    count, side = pictures.shape[:2]
    grey = cv2.cvtColor(pictures.reshape(count * side, side, 3), cv2.COLOR_RGB2GRAY)
    across, down = (
        cv2.convertScaleAbs(cv2.Sobel(grey, cv2.CV_16S, *axis), alpha=1 / 8)
        for axis in ((1, 0), (0, 1))
    )
    gradients = cv2.add(across, down)
    square = np.ones((3, 3), np.uint8)
    strokes = cv2.max(
        cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, square),
        cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, square),
    )

    def share(picked: npt.NDArray[np.bool_]) -> Floats:
        inside = picked.reshape(count, side, side)[:, 2:-2, 2:-2].reshape(count, -1)
        shares: Floats = np.count_nonzero(inside, axis=1) / inside.shape[1]
        return shares

    return {
        "edges": share(gradients >= _EDGE),
        "even": share(gradients == 0),
        "soft": share((gradients > 0) & (gradients < _SOFT)),
        "strokes": share(strokes >= _STROKE),
    }


def _counts(values: npt.NDArray[Any], bins: int) -> Floats:
    """How often each value below `bins` occurs in each row: (n, m) -> (n, bins)."""
    numbers = np.arange(len(values))[:, None] * bins + values
    counts = np.bincount(numbers.ravel(), minlength=len(values) * bins)
    return counts.reshape(-1, bins).astype(np.float32)


def _percentiles(counts: Floats, *shares: float) -> list[Floats]:
    """For each share, (n,) the smallest value up to which it lies of a row's counts."""
    sums = counts.cumsum(axis=1)
    return [(sums < share * sums[:, -1:]).sum(axis=1).astype(np.float32) for share in shares]


@lru_cache(maxsize=1)
def _coarse() -> npt.NDArray[np.int16]:
    """(32768,) the number of each colour of 5 bits a channel among those of 3 bits."""
    cells = np.arange(1 << 15)
    return (cells >> 6 & 448 | cells >> 4 & 56 | cells >> 2 & 7).astype(np.int16)


@lru_cache(maxsize=1)
def _chroma() -> View:
    """(256, 256) chroma of a and b as OpenCV's bytes hold them, rounded."""
    offsets = np.arange(256) - 128
    return np.rint(np.hypot(offsets[:, None], offsets)).astype(np.uint8)


@lru_cache(maxsize=1)
def _ring(side: int) -> npt.NDArray[np.int64]:
    """Positions of each second pixel of the border of a square, row by row."""
    inside = np.zeros((side, side), np.bool_)
    inside[_BORDER_PX:-_BORDER_PX, _BORDER_PX:-_BORDER_PX] = True
    return np.flatnonzero(~inside)[::2]


def _border(lab: View) -> Floats:
    """(n,) the share of the border that is near its median colour."""
    count, side = lab.shape[:2]
    ring = np.ascontiguousarray(lab.reshape(count, -1, 3)[:, _ring(side)].transpose(0, 2, 1))
    median = np.sort(ring, axis=2)[:, :, ring.shape[2] // 2, None]
    away = ring.astype(np.float32) - median
    lightness, a, b = away[:, 0] * (100 / 255), away[:, 1], away[:, 2]
    near = lightness * lightness + a * a + b * b <= _BORDER_DE**2
    shares: Floats = np.count_nonzero(near, axis=1) / near.shape[1]
    return shares
