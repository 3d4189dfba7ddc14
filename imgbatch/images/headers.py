"""Format, size and kind of a JPEG or PNG, read from its headers without decoding it.

Pillow reads the same, but takes a tenth of the time of describing a small image. So the headers of
JPEG and PNG, which make up nearly every data set, are read here, those of other formats by Pillow.
"""

import re
import struct
from dataclasses import dataclass

ORIENTATION = 0x0112
"""The EXIF tag of a picture's orientation, 1 to 8."""
ON_ITS_SIDE = (5, 6, 7, 8)
"""Orientations whose stored width is the upright picture's height."""
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_START_OF_FRAME = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB})
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA})
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_NO_MARKER = frozenset({0x00, 0xFF})
_LAST = frozenset({0xD9, 0xDA})
_APP1, _SCAN, _END = 0xE1, b"\xff\xda", b"\xff\xd9"
_MARKER = re.compile(rb"\xff[^\x00\xff]")
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xff\x01\xd0-\xd8]")
"""Among the bytes of a scan, 0xFF is followed by 0x00 or by the number of a restart."""
MOST_SCANS = 100
"""Progressive JPEGs have about a dozen scans. Each costs time however few its bytes are."""
_PNG_HELD = 6.1
"""Bytes a pixel: OpenCV's picture and the copy that Python gets."""
ROW_HELD = 8
"""Bytes a row: decoders keep where each begins, which counts for pictures of a few columns."""
_NOT_PLAIN = (b"tRNS", b"acTL", b"IHDR")
"""Chunks of a PNG with transparency, of an animated one, and of one with a second header."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of a file says of its picture.

    Attributes
    ----------
    format
        "JPEG" or "PNG".
    width, height
        Stored size in pixels, before any rotation by EXIF.
    plain
        The picture has 8 bits of grey or RGB and no transparency: OpenCV decodes it as it is.
    exif
        The file has an EXIF block, so that the picture may have to be turned.
    scans
        Scans of a JPEG, counted up to one more than `MOST_SCANS`; 1 for a PNG.
    held_bytes
        What OpenCV's decoder holds of the whole picture at once.
    """

    format: str
    width: int
    height: int
    plain: bool
    exif: bool
    scans: int = 1
    held_bytes: float = 0.0

    @property
    def size(self) -> tuple[int, int]:
        """Stored width and height."""
        return self.width, self.height


def read_header(data: bytes) -> Header | None:
    """Header of a JPEG or PNG; None for other formats and for damaged headers.

    >>> import cv2, numpy as np
    >>> data = cv2.imencode(".jpg", np.zeros((40, 60, 3), np.uint8))[1].tobytes()
    >>> read_header(data)
    Header(format='JPEG', width=60, height=40, plain=True, exif=False, scans=1, held_bytes=0.0)
    """
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data)
    if data.startswith(_PNG_MAGIC):
        return _png(data)
    return None


def _jpeg(data: bytes) -> Header | None:
    """Walk the markers (ITU T.81, annex B) up to the first scan.

    Bytes between segments that are no marker are passed over, as decoders do; such a picture is
    not plain.
    """
    at, end, exif, plain = 2, len(data) - 9, False, True
    frame, frame_at = 0, 0
    while at < end:
        marker = data[at + 1]
        if data[at] != 0xFF or marker in _NO_MARKER:
            found = _MARKER.search(data, at)
            between = data[at : found.start() if found else end]
            plain = plain and (frame > 0 or not between.strip(b"\xff"))  # 0xFF may fill up
            at += len(between)
        elif marker in _STANDALONE:
            at += 2
        elif marker in _LAST:
            break
        else:
            if marker in _START_OF_FRAME and not frame:
                frame, frame_at = marker, at + 4
            exif = exif or (marker == _APP1 and data[at + 4 : at + 8] == b"Exif")
            at += 2 + (data[at + 2] << 8) + data[at + 3]
    if not frame:
        return None
    bits, height, width, channels = struct.unpack_from(">BHHB", data, frame_at)
    if not width or not height:
        return None
    plain = plain and bits == 8 and channels in (1, 3)
    # A frame in one scan is decoded row by row; the coefficients of others are held together.
    if frame not in _PROGRESSIVE and (at >= end or data[at + 4] >= channels):
        return Header("JPEG", width, height, plain, exif)
    held = width * height * _coefficient_bytes(data[frame_at + 6 : frame_at + 6 + 3 * channels])
    return Header("JPEG", width, height, plain, exif, _count_scans(data, at), held)


def _coefficient_bytes(components: bytes) -> float:
    """Bytes a pixel of all DCT coefficients, two bytes each, given a frame's components."""
    factors = components[1::3]  # across in the upper half of a byte, down in the lower one
    across, down = [byte >> 4 for byte in factors], [byte & 15 for byte in factors]
    blocks = sum(x * y for x, y in zip(across, down, strict=True))
    return 2 * blocks / max(1, max(across, default=1) * max(down, default=1))


def _count_scans(data: bytes, at: int) -> int:
    """Scans from the marker at `at` up to the end of the picture, at most `MOST_SCANS` + 1."""
    scans = data.count(_SCAN)  # fast; also counts what looks like a scan elsewhere
    if scans <= MOST_SCANS:
        return scans
    scans = 0
    while scans <= MOST_SCANS and (found := _MARKER_IN_SCAN.search(data, at)):
        if found[0] == _END:
            break
        scans += found[0] == _SCAN
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    return scans


def _png(data: bytes) -> Header | None:
    """Read IHDR and the kinds of all chunks (PNG specification, section 11).

    An eXIf chunk may also follow the picture data. A picture with a chunk that is longer than the
    rest of the file is not plain, since OpenCV takes as much memory as a chunk declares. Nor is a
    picture that ends before its data begin: OpenCV reads on, past the end. Nor is an animated one:
    of a damaged animation, OpenCV shows memory that nobody has written to. Of two headers, OpenCV
    makes room for the second one.
    """
    if len(data) < 33 or data[12:16] != b"IHDR":
        return None
    width, height, bits, colour = struct.unpack_from(">IIBB", data, 16)
    if not width or not height:
        return None
    plain, exif, begun, at = bits == 8 and colour in (0, 2), False, False, 33
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind == b"IEND":
            plain = plain and begun and length == 0
            break
        begun = begun or kind == b"IDAT"
        plain = plain and kind not in _NOT_PLAIN
        exif = exif or kind == b"eXIf"
        at += 12 + length
    plain = plain and at <= len(data)
    held = (_PNG_HELD * width + ROW_HELD) * height
    return Header("PNG", width, height, plain, exif, held_bytes=held)
