"""Plain JPEG and PNG files through OpenCV, also JPEG files that are cut off."""

import io

import cv2
import numpy as np
from PIL import Image

from imgbatch.errors import UnreadableImage
from imgbatch.images.headers import ON_ITS_SIDE, ORIENTATION, Header
from imgbatch.images.memory import reserve
from imgbatch.images.quiet import quiet_pillow
from imgbatch.images.view import Decoded, shrink, shrink_factor
from imgbatch.types import DecodeOptions, View

_REDUCED_RGB = {1: cv2.IMREAD_COLOR_RGB, 2: 16 | 256, 4: 32 | 256, 8: 64 | 256}
"""DCT scale -> flags: OpenCV's IMREAD_REDUCED_*, which have no RGB names of their own."""
_UNDECODED = 128  # the grey that libjpeg leaves where the data ended
_UNDECODED_CMYK = 65  # the same grey after OpenCV turns CMYK to RGB
_EOI = b"\xff\xd9"


def decode_with_opencv(
    data: bytes, header: Header, view_px: int, options: DecodeOptions
) -> Decoded | None:
    """Decode a JPEG or PNG file; None if OpenCV cannot.

    A JPEG is decoded at the smallest DCT scale that still fills the view. A JPEG that is cut off
    gets a note with the share of the picture that is there.

    Raises
    ------
    UnreadableImage
        Less of a cut-off picture is there than ``options.min_shown_share``.
    """
    factor = shrink_factor(max(header.width, header.height), view_px)
    dct = min(factor, 8) if header.format == "JPEG" else 1
    picture, note = _pixels(np.frombuffer(data, np.uint8), dct), ""
    if picture is None and header.format == "JPEG":
        picture, note = _cut_off(data, header, dct, options)
    if picture is None:
        return None
    width, height = header.width, header.height
    if header.exif and _lies_on_its_side(data):
        width, height = height, width
    return Decoded(shrink(picture, factor // dct), width, height, note)


def _pixels(buffer: View, dct: int, flags: int = 0) -> View | None:
    try:
        picture: View | None = cv2.imdecode(buffer, _REDUCED_RGB[dct] | flags)
    except cv2.error:
        return None
    return picture


def _cut_off(
    data: bytes, header: Header, dct: int, options: DecodeOptions
) -> tuple[View | None, str]:
    """The picture and a note on it, from a JPEG that ends too early; (None, "") if undecodable.

    With an end marker behind the data, libjpeg decodes what there is and leaves the rest grey.
    """
    reserve("cut-off JPEG", header.size, len(data), header.held_bytes + len(data))
    ended = np.frombuffer(data + _EOI, np.uint8)
    picture = _pixels(ended, dct)
    if picture is None:
        return None, ""
    # The missing part is the lower end of the stored picture; a turned picture has it elsewhere.
    stored = _pixels(ended, dct, cv2.IMREAD_IGNORE_ORIENTATION) if header.exif else picture
    grey = _UNDECODED if header.plain else _UNDECODED_CMYK
    shown = _shown_share(picture if stored is None else stored, grey)
    if shown < options.min_shown_share:
        raise UnreadableImage(f"cut off: only {shown:.0%} of the picture is there")
    if shown < 1:
        return picture, f"cut off: {shown:.0%} of the picture is there"
    return picture, "cut off at the end"


def _shown_share(picture: View, grey: int) -> float:
    """Share of the rows above the flat grey that stands for missing data."""
    shown = (picture != grey).any(axis=(1, 2))
    missing_rows = int(shown[::-1].argmax()) if shown.any() else len(shown)
    return 1 - missing_rows / len(shown)


def _lies_on_its_side(data: bytes) -> bool:
    """Whether a viewer turns the picture by a quarter, as its EXIF block says."""
    try:
        with quiet_pillow(), Image.open(io.BytesIO(data)) as image:
            return image.getexif().get(ORIENTATION, 1) in ON_ITS_SIDE
    except Exception:  # noqa: BLE001 - a damaged EXIF block must not cost the picture
        return False
