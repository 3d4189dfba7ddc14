"""The formats that are read: how their files' names end, and how the files begin.

A new format is a line in `ENDINGS`, one in `_MAGIC`, and what its decoder holds in `images.pillow`.
"""

import os
import re
from functools import cache

HEIF = "HEIF"
ENDINGS: dict[str, tuple[str, ...]] = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "BMP": (".bmp",),
    "TIFF": (".tif", ".tiff"),
    "AVIF": (".avif",),
    "JPEG2000": (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    HEIF: (".heic", ".heif", ".hif"),
}
"""Endings of each format, the usual one first; formats have the names that Pillow gives them."""
_MAGIC = (
    (re.compile(rb"\xff\xd8\xff"), "JPEG"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "PNG"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "WEBP"),
    (re.compile(rb"GIF8[79]a"), "GIF"),
    (re.compile(rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL), "BMP"),
    (re.compile(rb"II[*+]\0|MM\0[*+]|II\0\*|MM\*\0"), "TIFF"),
    (re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"), "JPEG2000"),
    (re.compile(rb"P[1-6][\s#]"), "PPM"),
)
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_MOST_BRANDS = 12
HEAD_BYTES = 16 + 4 * _MOST_BRANDS
"""So many bytes of a file say what it is."""
NO_IMAGE = "not an image in a known format"
"""The reason why such a file cannot be used."""
HEIF_HINT = "pip install 'imgbatch[heic]'"
FORMATS_VERSION = 2
"""Raised whenever a format is added; files that were unreadable are then read once more."""

_KNOWN = frozenset(ending for endings in ENDINGS.values() for ending in endings)


def ending_of(name: str) -> str:
    """How a file's name ends: from the last dot on, in lower case; "" without a dot.

    >>> ending_of("sea/1.JPG"), ending_of("sea.d/1")
    ('.jpg', '')
    """
    ending = os.path.splitext(name)[1].lower()
    return "" if ending == "." else ending


def may_be_image(ending: str) -> bool:
    """Whether a file with such an ending is to be read: one of an image, or none at all.

    >>> may_be_image(".avif"), may_be_image(".txt"), may_be_image("")
    (True, False, True)
    """
    return not ending or (ending in _KNOWN and (ending not in ENDINGS[HEIF] or reads_heif()))


def ends_like_image(name: str) -> bool:
    """Whether a file's name ends like that of an image in any format.

    >>> ends_like_image("sea.heic"), ends_like_image("sea")
    (True, False)
    """
    return ending_of(name) in _KNOWN


def format_of(head: bytes) -> str | None:
    """The format of a file by its first `HEAD_BYTES`; None for what is no image.

    >>> format_of(b"GIF89a"), format_of(b"plain text")
    ('GIF', None)
    """
    if head[4:8] == b"ftyp":
        return _format_by_brands(head)
    return next((name for magic, name in _MAGIC if magic.match(head)), None)


def _format_by_brands(head: bytes) -> str | None:
    """AVIF or HEIF by the brands of the file type box (ISO 14496-12, section 4.3)."""
    end = min(int.from_bytes(head[:4], "big"), HEAD_BYTES)
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, end, 4))}
    if brands & _AVIF_BRANDS:
        return "AVIF"
    return HEIF if brands & _HEIF_BRANDS else None


@cache
def reads_heif() -> bool:
    """Whether the extra `heic` is installed; asked only where there is such a file."""
    from importlib.util import find_spec

    return find_spec("pi_heif") is not None


def formats_text() -> str:
    """Text that changes whenever a file of some format may become readable."""
    return f"formats={FORMATS_VERSION} heif={reads_heif():d}"
