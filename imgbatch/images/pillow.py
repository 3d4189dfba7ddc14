"""Files of every format through Pillow: transparency, palettes, 16 bits, CMYK, animations.

Only the decoder of the format that a file's first bytes name is reached.
"""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps
from PIL.ImageFile import ImageFile

from imgbatch.errors import UnreadableImage
from imgbatch.images.formats import HEAD_BYTES, HEIF, HEIF_HINT, NO_IMAGE, format_of
from imgbatch.images.headers import ON_ITS_SIDE, ORIENTATION, ROW_HELD
from imgbatch.images.memory import fits, reserve
from imgbatch.images.quiet import quiet_pillow
from imgbatch.images.rows import Rows, rows_of, unpacked_rows
from imgbatch.images.tiff import Directory, read_directory
from imgbatch.images.view import Decoded, check_pixels, shrink, shrink_factor
from imgbatch.images.webp import read_webp_header, webp_rows
from imgbatch.types import DecodeOptions, View

_STRIP_PIXELS = 250_000
_STRIP_COPIES_BYTES = 16
"""Bytes a pixel of a strip on its way to the view."""
_AVIF_HELD, _HEIF_HELD = 12, 7.5
"""Bytes a pixel, with copies: the decoder's planes, RGBA, and Pillow's picture. Measured."""
_JPEG2000_HELD = 6.5
"""Bytes a sample: OpenJPEG decodes to 32 bits, all of a picture at once. Measured."""
_PPM_IN_PYTHON_HELD = 13
"""Bytes a pixel of a PPM that Pillow does not take as it is, and decodes in Python. Measured."""
_RLE_SHARE = 1000
"""A run-length coded BMP of more pixels for each byte is damaged; 128 are possible in one run."""
_FAX_SHARE = 8
"""A fax of more rows for each byte is damaged; each takes a bit at least (ITU-T T.6)."""
_FAXES = frozenset({"tiff_ccitt", "group3", "group4"})
_LITTLE = 1_000_000
"""Pixels of a BMP, or rows of a fax, that take no time however few bytes there are."""
_FLIPPED_ACROSS, _FLIPPED_DOWN = (2, 3, 7, 8), (3, 4, 6, 7)
"""Orientations whose stored left, or top, is the upright picture's right or lower side."""


def decode_with_pillow(data: bytes, view_px: int, options: DecodeOptions) -> Decoded:
    """Decode an image file. Raises whatever Pillow's codecs raise on bad bytes.

    One picture at a time, since Pillow's limit of pixels belongs to the process.

    Raises
    ------
    UnreadableImage
        The picture is over the limit in megapixels, or would take too much memory; nothing was
        decoded.
    """
    with quiet_pillow():
        large = _large_webp(data, options)
        if large is not None:
            (width, height), rows = large.size, large
        else:
            directory = read_directory(data)
            if directory is not None:  # Pillow reads many tags when it opens a file
                reserve("TIFF", directory.size, len(data), directory.records_bytes())
            with Image.open(io.BytesIO(data), formats=_formats(data)) as image:
                check_pixels(image.width, image.height, options)
                width, height = image.size  # before it is loaded at a smaller scale
                rows = _load(image, data, view_px, directory)
        view = _upright(_small_rgb(rows, view_px, options), rows.orientation)
    # Pillow gives the upright size of a TIFF, of others the stored one.
    if rows.orientation in ON_ITS_SIDE and not rows.turned_first:
        width, height = height, width
    return Decoded(view, width, height)


def _formats(data: bytes) -> tuple[str, ...]:
    """The format of a file, whose decoder is made ready; raises `UnreadableImage` for no format."""
    name = format_of(data[:HEAD_BYTES])
    if name is None:
        raise UnreadableImage(NO_IMAGE)
    if name == "AVIF":
        from PIL import AvifImagePlugin

        AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each worker has one core
    if name == HEIF and HEIF not in Image.OPEN:
        try:
            from pi_heif import register_heif_opener
        except ImportError:
            raise UnreadableImage(f"HEIC is not read without its decoder: {HEIF_HINT}") from None
        register_heif_opener(
            thumbnails=False, aux_images=False, depth_images=False, decode_threads=1
        )
    return (name,)


def _large_webp(data: bytes, options: DecodeOptions) -> Rows | None:
    """A WebP that Pillow has not enough memory for; None for all other files."""
    header = read_webp_header(data)
    if header is None or fits(header.size, len(data), header.pillow_bytes(len(data))):
        return None
    check_pixels(*header.size, options)
    if header.animated:
        reserve("animated WEBP", header.size, len(data), header.pillow_bytes(len(data)))
    reserve("WEBP", header.size, len(data), header.opencv_bytes())
    return webp_rows(data)


def _load(image: ImageFile, data: bytes, view_px: int, directory: Directory | None) -> Rows:
    """Decode an opened file, or prepare to unpack its rows, whichever memory allows."""
    size, kind = image.size, image.format or ""
    _check_data(image, len(data))
    image.draft("RGB", (view_px, view_px))  # JPEG only: decode at a smaller DCT scale
    # Rows of a TIFF are cut as they are stored, before the picture is turned.
    width, height = directory.size if directory is not None and all(directory.size) else size
    factor = shrink_factor(max(size), view_px)
    rows_bytes = _STRIP_COPIES_BYTES * width * min(factor, height)
    # A picture that is turned has as many rows as it had columns.
    whole_bytes = rows_bytes + _decoded_bytes(image, len(data)) + ROW_HELD * max(size)
    if directory is not None:
        rows_bytes += directory.records_bytes()
        whole_bytes += directory.records_bytes() + directory.part_bytes()
    if not fits(size, len(data), whole_bytes):
        rows = unpacked_rows(image, data)
        if rows is not None:
            reserve(kind, size, len(data), rows_bytes)
            return rows
    reserve(kind, size, len(data), whole_bytes)
    if image.mode in {"L", "RGB"} and getattr(image, "default_image", False):
        image.seek(1)  # a PNG whose animation does not begin with the picture for old viewers
    image.load()
    return rows_of(image)


def _check_data(image: ImageFile, file_bytes: int) -> None:
    """Refuse what would be decoded for minutes, where most of the data are missing."""
    pixels, rows = image.width * image.height, max(image.size)
    endless = False
    if image.tile and image.tile[0][0] == "bmp_rle":
        endless = pixels > max(_RLE_SHARE * file_bytes, _LITTLE)
    elif image.info.get("compression") in _FAXES:
        endless = rows > max(_FAX_SHARE * file_bytes, _LITTLE)
    if endless:
        raise UnreadableImage("damaged: too little data for the picture's size")


def _decoded_bytes(image: ImageFile, file_bytes: int) -> float:
    """What Pillow takes for the whole picture."""
    pixels = image.width * image.height
    if image.tile and image.tile[0][0] == "bmp_rle":
        return 3.2 * pixels  # bytes that grow, a copy of them, the picture
    if image.format in {"AVIF", HEIF}:
        return (_AVIF_HELD if image.format == "AVIF" else _HEIF_HELD) * pixels
    if image.format == "JPEG2000":
        return _JPEG2000_HELD * len(image.getbands()) * (1 + image.mode.startswith("I;16")) * pixels
    if image.format == "PPM" and image.tile and image.tile[0][0] != "raw":
        return _PPM_IN_PYTHON_HELD * pixels + file_bytes
    copies = 1
    if image.format == "TIFF" and image.getexif().get(ORIENTATION, 1) != 1:
        copies = 2  # Pillow turns it
    if image.format == "PNG" and getattr(image, "is_animated", False):
        copies = 3  # Pillow holds the frame before, and what is under it
    if image.mode in {"1", "L", "P"}:
        return copies * pixels
    return copies * (2 if image.mode.startswith("I;16") else 4) * pixels


def _small_rgb(rows: Rows, view_px: int, options: DecodeOptions) -> View:
    """Convert and shrink strip by strip, since conversions hold several copies of their input."""
    width, height = rows.size
    factor = shrink_factor(max(rows.size), view_px)
    left = width % factor if rows.turned_first and rows.orientation in _FLIPPED_ACROSS else 0
    top = height % factor if rows.turned_first and rows.orientation in _FLIPPED_DOWN else 0
    if min(width, height) < factor:
        left = top = 0
    kept = max(1, height // factor)
    step = factor * max(1, _STRIP_PIXELS // (factor * width))
    deep = rows.mode in {"I", "F"} or rows.mode.startswith("I;16")
    to_8_bits = _scaling(rows, step) if deep else None
    strips = []
    for start in range(top, min(height, top + kept * factor), step):
        strip = rows.cut(start, min(start + step, height))
        if left:
            strip = strip.crop((left, 0, strip.width, strip.height))
        if to_8_bits is not None:
            strip = Image.fromarray(to_8_bits(np.asarray(strip)))
        strips.append(shrink(_rgb(strip, options), factor))
    return np.concatenate(strips)[:kept]


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


def _scaling(rows: Rows, step: int) -> Callable[[np.ndarray], View]:
    """A function that brings the integer or float samples of a picture to 0..255.

    Integers up to 255 stay as they are, those up to 65535 count as 16 bits; floats up to 1 are
    shares of white, up to 255 stay, up to 65535 count as 16 bits. Samples outside these ranges are
    stretched between their extremes.
    """
    kind = np.asarray(rows.cut(0, 1)).dtype
    if kind == np.uint16:  # by far the most frequent; a table needs no wide copies
        table: View = np.rint(np.arange(65536) / 257).astype(np.uint8)
        return lambda samples: table[samples]
    low, high = np.inf, -np.inf
    for start in range(0, rows.size[1], step):
        samples = _finite(np.asarray(rows.cut(start, min(start + step, rows.size[1]))))
        low, high = min(low, float(samples.min())), max(high, float(samples.max()))
    least, scale = 0.0, 1.0
    if low < 0 or high > 65535:
        least, scale = low, 255 / (high - low) if high > low else 0.0
    elif np.issubdtype(kind, np.floating) and high <= 1:
        scale = 255.0
    elif high > 255:
        scale = 255 / 65535
    return lambda samples: ((_finite(samples) - least) * scale).round().astype(np.uint8)


def _finite(samples: np.ndarray) -> np.ndarray:
    if np.issubdtype(samples.dtype, np.integer):
        return samples
    return np.nan_to_num(samples.astype(np.float64))
