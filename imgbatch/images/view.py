"""The result of decoding, the limit of its size, and the shrinking that leads to it.

Pictures are shrunk by whole numbers only, so that a view depends on the picture's pixels alone.
"""

from dataclasses import dataclass

import cv2

from imgbatch.errors import UnreadableImage
from imgbatch.types import DecodeOptions, View


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded picture: a small view of it, and facts about its file.

    Attributes
    ----------
    view
        (h, w, 3) uint8 RGB, upright.
    width, height
        Size of the upright original in pixels.
    note
        What is odd about the file, such as that it is cut off; empty if nothing is.
    """

    view: View
    width: int
    height: int
    note: str = ""


def check_pixels(width: int, height: int, options: DecodeOptions) -> None:
    """Raise `UnreadableImage` if a picture of this size is over the limit in megapixels."""
    megapixels = width * height / 1e6
    if megapixels > options.max_megapixels:
        raise UnreadableImage(
            f"{width}x{height} is {megapixels:.1f} megapixels, "
            f"over the limit of {options.max_megapixels:g} (images.max_megapixels)"
        )


def shrink_factor(longer_px: int, least_px: int) -> int:
    """The largest power of two by which `longer_px` shrinks to `least_px` or more; at least 1.

    >>> [shrink_factor(longer, 128) for longer in (100, 255, 256, 1024)]
    [1, 1, 2, 8]
    """
    factor = 1
    while longer_px >= 2 * factor * least_px:
        factor *= 2
    return factor


def shrink(picture: View, factor: int) -> View:
    """Average whole blocks of factor x factor pixels; an incomplete last row or column is cut.

    A whole number is several times faster than a fractional factor, and makes the view
    independent of the picture's exact size.
    """
    if factor == 1:
        return picture
    height, width = picture.shape[:2]
    rows, columns = max(1, height // factor), max(1, width // factor)
    whole = picture[: rows * factor, : columns * factor]
    small: View = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
    return small
