"""How often a picture was saved: what its file tells of cameras, compression, earlier compression.

JPEG rounds the frequencies of 8x8 blocks to multiples of steps. A picture that is decoded, edited
and saved again keeps traces of the first steps: the histogram of its own, finer steps is not
smooth, but has gaps. See Popescu and Farid, "Statistical Tools for Digital Forensics", 2004.
"""

import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from imgbatch.images.headers import MOST_SCANS, Header, read_header
from imgbatch.images.memory import fits
from imgbatch.images.quiet import quiet_pillow
from imgbatch.types import Floats, View

_BLOCK = 8
_MOST_PX = 1024
"""Of larger pictures, a part of this many pixels in the middle is looked at along each side."""
_LEAST_PX = 64
_FREQUENCIES = ((0, 1), (1, 0), (1, 1), (2, 0), (0, 2), (1, 2), (2, 1), (3, 0), (0, 3))
"""Low ones, but the mean: they have large values in every picture, and smooth histograms."""
_STEPS = 64
_LEAST_VALUES = 100
_CAMERA_TAGS = (0x010F, 0x0110)
"""EXIF: who made the camera, and its model."""


@dataclass(frozen=True, slots=True)
class Generations:
    """What a file tells of its picture's past.

    Attributes
    ----------
    camera
        Its EXIF block names a camera.
    coarseness
        Sum of a JPEG's 64 steps of brightness; 0 for a PNG; None for other formats.
    traces
        How far the histograms of frequencies are from smooth, 0 if they are; see `traces_in`.
    """

    camera: bool = False
    coarseness: int | None = None
    traces: float = 0.0


def generations_of(data: bytes) -> Generations:
    """Read what the bytes of an image file tell; damaged ones tell nothing.

    >>> generations_of(b"no picture")
    Generations(camera=False, coarseness=None, traces=0.0)
    """
    header = read_header(data)
    if header is None:
        return Generations()
    camera, table = False, np.ones((_BLOCK, _BLOCK), np.float32)
    if header.format == "JPEG":
        try:
            with quiet_pillow(), Image.open(io.BytesIO(data)) as image:
                exif, steps = image.getexif(), image.quantization[0]  # type: ignore[attr-defined]
                camera = any(str(exif.get(tag, "")).strip() for tag in _CAMERA_TAGS)
                table = np.reshape(steps, (_BLOCK, _BLOCK)).astype(np.float32)
        except Exception:  # noqa: BLE001 - codecs raise anything on bad bytes
            return Generations()
    grey = _grey(data, header)
    traces = 0.0 if grey is None else traces_in(grey, np.maximum(table, 1))
    return Generations(camera, int(table.sum()) if header.format == "JPEG" else 0, traces)


def _grey(data: bytes, header: Header) -> View | None:
    """The brightness of a plain picture at full size; None for others, and for too large ones."""
    if not header.plain or header.scans > MOST_SCANS:
        return None
    if not fits(header.size, len(data), header.held_bytes):
        return None
    flags = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        grey: View | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None
    return grey


def traces_in(grey: View, table: Floats) -> float:
    """How strong the traces of an earlier compression are.

    Blocks are looked for where they begin now, and where they would begin if the picture had been
    mirrored since. The figure is the mean second difference of the histograms of the frequencies'
    steps, as a share of all values, above what chance makes of a smooth histogram.

    Parameters
    ----------
    grey
        (h, w) uint8.
    table
        (8, 8) the steps of the file's own compression; 1 where there is none.

    Returns
    -------
    Below 0.1 for most pictures saved once, up to 4 for those saved again with finer steps.
    """
    (height, width), most = grey.shape, _MOST_PX
    top = max(height - most, 0) // 2 // _BLOCK * _BLOCK
    left = max(width - most, 0) // 2 // _BLOCK * _BLOCK
    return max(
        _gaps(grey[top + y :, left + x :][:most, :most], table)
        for y in {0, height % _BLOCK}
        for x in {0, width % _BLOCK}
    )


def _gaps(grey: View, table: Floats) -> float:
    height, width = (side // _BLOCK * _BLOCK for side in grey.shape)
    if min(height, width) < _LEAST_PX:
        return 0.0
    blocks = grey[:height, :width].reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK)
    waves = _waves()
    values = np.einsum("ui,aibj,vj->uvab", waves, blocks.astype(np.float32), waves, optimize=True)
    found = list[float]()
    for y, x in _FREQUENCIES:
        steps = np.rint(np.abs(values[y, x].reshape(-1)) / table[y, x]).astype(np.int64)
        counts = np.bincount(steps, minlength=_STEPS)[1:_STEPS].astype(np.float64)
        if counts.sum() >= _LEAST_VALUES:
            bends = np.abs(np.diff(counts, 2)).sum()
            # The mean size of a normal variable of this variance, 1 + 4 + 1 times a count.
            by_chance = 0.8 * np.sqrt(6 * np.maximum(counts[1:-1], 0.5)).sum()
            found.append(float((bends - by_chance) / counts.sum()))
    return max(0.0, float(np.mean(found))) if found else 0.0


def _waves() -> Floats:
    """(4, 8) float32: the four lowest cosines of a block, as JPEG has them."""
    u, i = np.arange(4)[:, None], np.arange(_BLOCK)
    waves = np.sqrt(2 / _BLOCK) * np.cos((2 * i + 1) * u * np.pi / (2 * _BLOCK))
    waves[0] /= np.sqrt(2)
    return np.asarray(waves, np.float32)
