"""Bytes of a file -> one canonical small RGB picture, or the reason why not.

Plain JPEG and PNG files, nearly all there are, go through OpenCV. Everything else (transparency,
palettes, 16 bits, CMYK, other formats) goes through Pillow. Both end in the same shrinking, so that
the view of a picture depends on its pixels alone.
"""

from imgbatch.errors import UnreadableImage
from imgbatch.images.headers import read_header
from imgbatch.images.opencv import decode_with_opencv
from imgbatch.images.pillow import decode_with_pillow
from imgbatch.images.view import Decoded, check_pixels
from imgbatch.types import DecodeOptions

DECODING_VERSION = 1
"""Raised whenever the view of any picture changes, so that stored descriptors are made anew."""


def decode(data: bytes, options: DecodeOptions, *, view_px: int | None = None) -> Decoded:
    """Decode the bytes of an image file to a small upright RGB view.

    Deterministic: equal bytes and options give equal views.

    Parameters
    ----------
    data
        The whole file. Its content decides the format; its name plays no part.
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
        With the reason, in one line. Bad bytes raise nothing else. Memory stays within about 6
        bytes for each pixel of ``options.max_megapixels`` for JPEG, PNG, GIF and BMP, and 32 for
        WebP and TIFF of floats, whose decoders hold several copies.

    Examples
    --------
    >>> import cv2, numpy as np
    >>> data = cv2.imencode(".png", np.zeros((400, 600, 3), np.uint8))[1].tobytes()
    >>> decoded = decode(data, DecodeOptions(view_px=128))
    >>> decoded.width, decoded.height, decoded.view.shape
    (600, 400, (100, 150, 3))
    """
    if not data:
        raise UnreadableImage("the file is empty")
    view_px = view_px or options.view_px
    header = read_header(data)
    if header is not None:
        check_pixels(header.width, header.height, options)
        if header.plain:
            plain = decode_with_opencv(data, header, view_px, options)
            if plain is not None:
                return plain
    try:
        return decode_with_pillow(data, view_px, options)
    except UnreadableImage:
        raise
    except MemoryError:
        raise UnreadableImage("decoding needs more memory than there is") from None
    except Exception as error:  # noqa: BLE001 - codecs raise anything on bad bytes
        if header is not None and header.format == "JPEG" and not header.plain:
            # Pillow shows no part of a cut-off CMYK picture; OpenCV does.
            part = decode_with_opencv(data, header, view_px, options)
            if part is not None and part.note:
                return part
        raise UnreadableImage(_reason(error)) from None


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    if "cannot identify image file" in text:
        return "not an image in a known format"
    if "truncated" in text.lower() or "unexpected end" in text.lower():
        return "cut off: the picture data is incomplete"
    return f"damaged: {text[:120] or type(error).__name__}"
