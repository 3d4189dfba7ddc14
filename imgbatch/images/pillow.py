"""Files of every format through Pillow: transparency, palettes, 16 bits, CMYK, animations."""

import io
import threading
import warnings

import numpy as np
from PIL import Image, ImageOps

from imgbatch.images.headers import ON_ITS_SIDE, ORIENTATION
from imgbatch.images.view import Decoded, check_pixels, shrink, shrink_factor
from imgbatch.types import DecodeOptions, View

_STRIP_PIXELS = 1_000_000
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""What Pillow may open: EPS would run Ghostscript, ICO hides the size of the PNG in it."""
_pillow_limits = threading.Lock()
"""Held while `Image.MAX_IMAGE_PIXELS` and the filters of warnings, the process's, are changed."""


def decode_with_pillow(data: bytes, view_px: int, options: DecodeOptions) -> Decoded:
    """Decode an image file. Raises whatever Pillow's codecs raise on bad bytes.

    One picture at a time, since Pillow's limit of pixels belongs to the process.

    Raises
    ------
    UnreadableImage
        The picture is over the limit in megapixels; nothing was decoded.
    """
    with _pillow_limits, warnings.catch_warnings():
        # Our limit is checked below, before any pixel is decoded.
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                check_pixels(image.width, image.height, options)
                width, height = image.size  # before `draft` changes it
                image.draft("RGB", (view_px, view_px))  # JPEG only: decode at a smaller DCT scale
                image.load()
                # Read after loading: Pillow turns a TIFF itself and drops the tag.
                orientation = image.getexif().get(ORIENTATION, 1)
                view = _upright(_small_rgb(image, view_px, options), orientation)
        finally:
            Image.MAX_IMAGE_PIXELS = limit
    if orientation in ON_ITS_SIDE:
        width, height = height, width
    return Decoded(view, width, height)


def _small_rgb(image: Image.Image, view_px: int, options: DecodeOptions) -> View:
    """Convert and shrink strip by strip, since conversions hold several copies of their input."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = Image.fromarray(_to_8_bits(np.asarray(image)))
    factor = shrink_factor(max(image.size), view_px)
    rows = max(1, image.height // factor)
    step = factor * max(1, _STRIP_PIXELS // (factor * image.width))
    strips = [
        shrink(
            _rgb(image.crop((0, top, image.width, min(top + step, image.height))), options), factor
        )
        for top in range(0, rows * factor if factor > 1 else image.height, step)
    ]
    return np.concatenate(strips)[:rows]


def _rgb(image: Image.Image, options: DecodeOptions) -> View:
    """RGB pixels; transparent ones show the background."""
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        over = image.convert("RGBA")
        image = Image.new("RGBA", over.size, (*options.background, 255))
        image.alpha_composite(over)
    return np.asarray(image.convert("RGB"))


def _upright(view: View, orientation: int) -> View:
    if orientation == 1:
        return view
    image = Image.fromarray(view)
    image.getexif()[ORIENTATION] = orientation
    turned: View = np.asarray(ImageOps.exif_transpose(image))
    return turned


def _to_8_bits(deep: np.ndarray) -> View:
    """Bring integer or float samples to 0..255.

    Integers up to 255 stay as they are, those up to 65535 count as 16 bits; floats up to 1 are
    shares of white, up to 255 stay, up to 65535 count as 16 bits. Samples outside these ranges are
    stretched between their extremes.
    """
    if deep.dtype == np.uint16:  # by far the most frequent; a table needs no wide copies
        table: View = np.rint(np.arange(65536) / 257).astype(np.uint8)
        shallow: View = table[deep]
        return shallow
    values = np.nan_to_num(deep.astype(np.float64))
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 65535:
        values, high = values - low, high - low
        scale = 255 / high if high else 0.0
    elif np.issubdtype(deep.dtype, np.floating) and high <= 1:
        scale = 255.0
    else:
        scale = 255 / 65535 if high > 255 else 1.0
    return (values * scale).round().astype(np.uint8)
