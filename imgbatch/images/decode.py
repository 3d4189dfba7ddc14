"""Bytes of a file -> one canonical small RGB picture, or the reason why not.

Two ways lead there. Plain JPEG and PNG, nearly all there is, go through OpenCV, a JPEG at the
smallest DCT scale that still fills the view. All else (transparency, palettes, 16 bits, CMYK, other
formats) goes through Pillow. Both end in whole-number shrinking, so that the view of a picture
depends on its pixels alone.
"""

import contextlib
import io
import os
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageOps

from imgbatch.errors import UnreadableImage
from imgbatch.images.headers import Header, read_header
from imgbatch.types import DecodeOptions, View

DECODING_VERSION = 1
"""Raised whenever the view of some picture changes, so that old descriptors are not used on."""

_REDUCED_RGB = {1: cv2.IMREAD_COLOR_RGB, 2: 16 | 256, 4: 32 | 256, 8: 64 | 256}
"""DCT scale -> flags: OpenCV's IMREAD_REDUCED_*, which have no RGB names of their own."""
_ORIENTATION = 0x0112
_STRIP_PIXELS = 1_000_000
_UNDECODED = 128  # the grey that libjpeg leaves where the data ended
_UNDECODED_CMYK = 65  # the same as OpenCV turns it to RGB
_EOI = b"\xff\xd9"
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""What Pillow may open: EPS would run Ghostscript, ICO hides the size of the PNG in it."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded picture: its small view, and the size in pixels of the upright original."""

    view: View
    width: int
    height: int
    note: str = ""


def decode(data: bytes, options: DecodeOptions, *, view_px: int | None = None) -> Decoded:
    """Decode the bytes of an image file to a small upright RGB view.

    Parameters
    ----------
    data
        The whole file. Its content decides the format, never a name.
    options
        Limits, background and view size.
    view_px
        The longer side of the view is at least this (default: ``options.view_px``) and less than
        twice this; smaller pictures keep their size.

    Returns
    -------
    Decoded
        ``view`` is (h, w, 3) uint8.

    Raises
    ------
    UnreadableImage
        With the reason, one line. Nothing else is ever raised for bad bytes; memory stays within
        about 6 bytes for each pixel of ``options.max_megapixels`` for JPEG, PNG, GIF and BMP,
        and 32 for WebP and TIFF of floats, whose decoders hold several copies.
    """
    if not data:
        raise UnreadableImage("the file is empty")
    wanted = view_px or options.view_px
    header = read_header(data)
    if header is not None:
        _check_pixels(header.width, header.height, options)
        if header.plain:
            fast = _decode_plain(data, header, wanted, options)
            if fast is not None:
                return fast
    try:
        return _decode_with_pillow(data, wanted, options)
    except UnreadableImage:
        raise
    except MemoryError:
        raise UnreadableImage("decoding needs more memory than there is") from None
    except Exception as error:  # noqa: BLE001 - codecs raise anything on bad bytes
        if header is not None and not header.plain:
            part = _decode_plain(data, header, wanted, options)  # Pillow shows no part of a CMYK
            if part is not None and part.note:
                return part
        raise UnreadableImage(_reason(error)) from None


def _check_pixels(width: int, height: int, options: DecodeOptions) -> None:
    megapixels = width * height / 1e6
    if megapixels > options.max_megapixels:
        raise UnreadableImage(
            f"{width}x{height} is {megapixels:.1f} megapixels, "
            f"over the limit of {options.max_megapixels:g} (images.max_megapixels)"
        )


def _decode_plain(
    data: bytes, header: Header, wanted: int, options: DecodeOptions
) -> Decoded | None:
    """Decode through OpenCV; None if it cannot."""
    factor = shrink_factor(max(header.width, header.height), wanted)
    dct = min(factor, 8) if header.format == "JPEG" else 1
    buffer = np.frombuffer(data, np.uint8)
    turned = header.exif and _is_turned(data)
    picture, note = _opencv(buffer, dct), ""
    if picture is None:
        if header.format != "JPEG":
            return None
        # Cut off in the middle: with an end marker libjpeg shows what there is.
        ended = np.frombuffer(data + _EOI, np.uint8)
        picture = _opencv(ended, dct)
        if picture is None:
            return None
        # What is missing lies below in the stored picture, elsewhere in an upright one.
        stored = _opencv(ended, dct, cv2.IMREAD_IGNORE_ORIENTATION) if header.exif else picture
        grey = _UNDECODED if header.plain else _UNDECODED_CMYK
        shown = _shown_share(picture if stored is None else stored, grey)
        if shown < options.min_shown_share:
            raise UnreadableImage(f"cut off: only {shown:.0%} of the picture is there")
        note = (
            f"cut off: {shown:.0%} of the picture is there" if shown < 1 else "cut off at the end"
        )
    width, height = header.width, header.height
    if turned:
        width, height = height, width
    return Decoded(_shrink(picture, factor // dct), width, height, note)


def _opencv(buffer: View, dct: int, flags: int = 0) -> View | None:
    try:
        picture: View | None = cv2.imdecode(buffer, _REDUCED_RGB[dct] | flags)
    except cv2.error:
        return None
    return picture


def shrink_factor(longer_px: int, wanted_px: int) -> int:
    """Largest power of two that leaves at least `wanted_px` of `longer_px`."""
    factor = 1
    while longer_px >= 2 * factor * wanted_px:
        factor *= 2
    return factor


def _shrink(picture: View, factor: int) -> View:
    """Average whole blocks of factor x factor pixels; an incomplete last row or column is cut.

    The same factor everywhere is several times faster than a fractional one, and makes the view
    independent of the picture's exact size.
    """
    if factor == 1:
        return picture
    height, width = picture.shape[:2]
    rows, columns = max(1, height // factor), max(1, width // factor)
    whole = picture[: max(rows * factor, 1), : max(columns * factor, 1)]
    small: View = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
    return small


def _shown_share(picture: View, grey: int) -> float:
    """Share of the rows above the flat grey that stands for missing data."""
    missing = (picture == grey).all(axis=(1, 2))
    return 1.0 - float(np.argmin(missing[::-1]) if not missing.all() else len(missing)) / len(
        missing
    )


def _is_turned(data: bytes) -> bool:
    """Whether EXIF lays the picture on its side."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
    except Exception:  # noqa: BLE001 - a damaged EXIF block must not cost the picture
        return False


_pillow_limits = threading.Lock()


def _decode_with_pillow(data: bytes, wanted: int, options: DecodeOptions) -> Decoded:
    with _pillow_limits, warnings.catch_warnings():
        # Our own limit is checked below, before any pixel is decoded.
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                _check_pixels(image.width, image.height, options)
                width, height = image.size  # before `draft` changes it
                image.draft("RGB", (wanted, wanted))  # JPEG only: decode at a smaller DCT scale
                image.load()
                # Asked after loading: Pillow turns a TIFF itself and drops the tag.
                orientation = image.getexif().get(_ORIENTATION, 1)
                view = _upright(_small_rgb(image, wanted, options), orientation)
        finally:
            Image.MAX_IMAGE_PIXELS = limit
    if orientation in (5, 6, 7, 8):
        width, height = height, width
    return Decoded(view, width, height)


def _small_rgb(image: Image.Image, wanted: int, options: DecodeOptions) -> View:
    """Convert and shrink strip by strip, since conversions hold several copies of their input."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = Image.fromarray(_to_8_bits(np.asarray(image)))
    factor = shrink_factor(max(image.size), wanted)
    rows = max(1, image.height // factor)
    step = factor * max(1, _STRIP_PIXELS // (factor * image.width))
    strips = [
        _shrink(
            _rgb(image.crop((0, top, image.width, min(top + step, image.height))), options), factor
        )
        for top in range(0, rows * factor if factor > 1 else image.height, step)
    ]
    return np.concatenate(strips)[:rows]


def _rgb(image: Image.Image, options: DecodeOptions) -> View:
    """RGB pixels, with what is transparent laid on the background."""
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        over = image.convert("RGBA")
        image = Image.new("RGBA", over.size, (*options.background, 255))
        image.alpha_composite(over)
    return np.asarray(image.convert("RGB"))


def _upright(view: View, orientation: int) -> View:
    if orientation == 1:
        return view
    image = Image.fromarray(view)
    image.getexif()[_ORIENTATION] = orientation
    turned: View = np.asarray(ImageOps.exif_transpose(image))
    return turned


def _to_8_bits(deep: np.ndarray) -> View:
    """Bring integer or float samples to 0..255.

    Whole numbers up to 65535 are taken for 16 bits, floats up to 1 for shares of white; whatever
    lies outside is stretched between its own extremes.
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
        scale = 255 / 65535 if high > 255 or deep.dtype == np.uint16 else 1.0
    return (values * scale).round().astype(np.uint8)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    if "cannot identify image file" in text:
        return "not an image in a known format"
    if "truncated" in text.lower() or "unexpected end" in text.lower():
        return "cut off: the picture data is incomplete"
    return f"damaged: {text[:120] or type(error).__name__}"


_quiet_lock = threading.Lock()
_quiet_depth = 0
_quiet_saved = -1


@contextlib.contextmanager
def quiet_codecs() -> Iterator[None]:
    """Keep what libjpeg, libpng and libtiff write to the process's standard error off the screen.

    They write to file descriptor 2 themselves, past `sys.stderr`; so the descriptor is pointed at
    the null device meanwhile. What is wrong with a file is reported by `decode` instead.
    """
    global _quiet_depth, _quiet_saved  # noqa: PLW0603 - the descriptor is the process's, too
    with _quiet_lock:
        _quiet_depth += 1
        if _quiet_depth == 1:
            _quiet_saved = _point_stderr_at_null()
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_depth -= 1
            if _quiet_depth == 0 and _quiet_saved >= 0:
                os.dup2(_quiet_saved, 2)
                os.close(_quiet_saved)


def _point_stderr_at_null() -> int:
    """Return a copy of the old descriptor 2, or -1 where there is none."""
    try:
        saved = os.dup(2)
    except OSError:
        return -1
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    return saved
