"""Large WebP pictures through OpenCV: Pillow holds four copies of a picture, OpenCV two.

Both use libwebp, so that the pixels are the same to the bit.
"""

import struct
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from imgbatch.images.headers import ORIENTATION
from imgbatch.images.rows import Rows

_ALPHA, _ANIMATION = 0x10, 0x02
"""Flags of the extended format."""
_PILLOW_HELD = 16.4
_OPENCV_HELD, _OPENCV_ALPHA_HELD = 7.1, 8.1
"""Bytes a pixel. Lossy pictures without transparency take 6."""


@dataclass(frozen=True, slots=True)
class WebpHeader:
    """Width, height and kind of a WebP."""

    size: tuple[int, int]
    alpha: bool
    animated: bool

    def pillow_bytes(self, file_bytes: int) -> float:
        """What Pillow takes to decode it beside the file: pictures, and copies of the file."""
        return _PILLOW_HELD * self.size[0] * self.size[1] + 2 * file_bytes

    def opencv_bytes(self) -> float:
        """What OpenCV takes to decode it beside the file."""
        held = _OPENCV_ALPHA_HELD if self.alpha else _OPENCV_HELD
        return held * self.size[0] * self.size[1]


def read_webp_header(data: bytes) -> WebpHeader | None:
    """Header of a WebP (RFC 9649, section 2); None for other formats and for damaged headers.

    >>> import cv2, numpy as np
    >>> data = cv2.imencode(".webp", np.zeros((40, 60, 3), np.uint8))[1].tobytes()
    >>> read_webp_header(data)
    WebpHeader(size=(60, 40), alpha=False, animated=False)
    """
    if len(data) < 30 or data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return WebpHeader((width & 0x3FFF, height & 0x3FFF), alpha=False, animated=False)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        size = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        return WebpHeader(size, alpha=bool(bits >> 28 & 1), animated=False)
    if kind == b"VP8X":
        flags = data[20]
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return WebpHeader((width, height), bool(flags & _ALPHA), bool(flags & _ANIMATION))
    return None


def webp_rows(data: bytes) -> Rows:
    """Decode a WebP that is not animated.

    Raises
    ------
    ValueError
        The file is damaged.
    """
    try:
        stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        stored = None
    if stored is None:
        raise ValueError("the WebP picture cannot be decoded")
    mode, order = ("RGBA", [2, 1, 0, 3]) if stored.shape[2] == 4 else ("RGB", [2, 1, 0])
    height, width = stored.shape[:2]
    return Rows(
        (width, height),
        mode,
        lambda top, end: Image.fromarray(stored[top:end, :, order]),
        _orientation(data),
    )


def _orientation(data: bytes) -> int:
    """The orientation as Pillow finds it, in the file's EXIF or XMP."""
    holder = Image.new("L", (1, 1))
    at = 12
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if kind in {b"EXIF", b"XMP "}:
            holder.info[kind.decode().strip().lower()] = data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    return int(holder.getexif().get(ORIENTATION, 1))
