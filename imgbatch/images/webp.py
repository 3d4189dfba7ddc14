"""Large WebP pictures through OpenCV: Pillow holds four copies of a picture, OpenCV two.

Both use libwebp, so that the pixels are the same to the bit.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from imgbatch.images.headers import ORIENTATION
from imgbatch.images.rows import Rows

_ALPHA, _ANIMATION = 0x10, 0x02
"""Flags of the extended format."""
_PILLOW_HELD = 16.4
_LOSSY_HELD, _LOSSLESS_HELD, _ALPHA_HELD = 6.1, 7.1, 8.1
"""Bytes a pixel, in OpenCV: a picture and its copy, or a picture and the decoder's own."""


@dataclass(frozen=True, slots=True)
class WebpHeader:
    """Width, height and kind of a WebP."""

    size: tuple[int, int]
    alpha: bool = False
    lossless: bool = False
    animated: bool = False

    def pillow_bytes(self, file_bytes: int) -> float:
        """What Pillow takes to decode it beside the file: pictures, and copies of the file."""
        return _PILLOW_HELD * self.size[0] * self.size[1] + 2 * file_bytes

    def opencv_bytes(self) -> float:
        """What OpenCV takes to decode it beside the file."""
        held = _ALPHA_HELD if self.alpha else _LOSSLESS_HELD if self.lossless else _LOSSY_HELD
        return held * self.size[0] * self.size[1]


def read_webp_header(data: bytes) -> WebpHeader | None:
    """Header of a WebP (RFC 9649, section 2); None for other formats and for damaged headers.

    >>> import io
    >>> file = io.BytesIO()
    >>> Image.new("RGB", (60, 40)).save(file, "WEBP")
    >>> read_webp_header(file.getvalue())
    WebpHeader(size=(60, 40), alpha=False, lossless=False, animated=False)
    """
    if len(data) < 30 or data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return WebpHeader((width & 0x3FFF, height & 0x3FFF))
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        size = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        return WebpHeader(size, alpha=bool(bits >> 28 & 1), lossless=True)
    if kind == b"VP8X":
        flags = data[20]
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        lossless = any(kind == b"VP8L" for kind, _ in _chunks(data))
        return WebpHeader((width, height), bool(flags & _ALPHA), lossless, bool(flags & _ANIMATION))
    return None


def _chunks(data: bytes) -> Iterator[tuple[bytes, slice]]:
    """The kind of each chunk, and where its content is."""
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], slice(at + 8, at + 8 + size)
        at += 8 + size + size % 2


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
    for kind, content in _chunks(data):
        if kind in {b"EXIF", b"XMP "}:
            holder.info[kind.decode().strip().lower()] = data[content]
    return int(holder.getexif().get(ORIENTATION, 1))
