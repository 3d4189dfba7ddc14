"""Bytes of a file -> one canonical small RGB picture, or the reason why not.

Plain JPEG and PNG files, nearly all there are, go through OpenCV. Everything else (transparency,
palettes, 16 bits, CMYK, other formats) goes through Pillow. Both end in the same shrinking, so that
the view of a picture depends on its pixels alone.
"""

from imgbatch.errors import UnreadableImage
from imgbatch.images.headers import MOST_SCANS, Header, read_header
from imgbatch.images.memory import fits, reserve
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
        With the reason, in one line. Bad bytes raise nothing else. A picture that would take more
        memory than `imgbatch.images.memory.most_bytes` is refused before it is decoded.

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
    if header is not None and _may_use_opencv(header, len(data), options):
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


def _may_use_opencv(header: Header, file_bytes: int, options: DecodeOptions) -> bool:
    """Whether OpenCV is to decode a JPEG or PNG; refuse those that nothing is to decode."""
    check_pixels(header.width, header.height, options)
    if header.scans > MOST_SCANS:
        raise UnreadableImage(
            f"a JPEG of more than {MOST_SCANS} scans would take too long; about a dozen are usual"
        )
    if header.format == "PNG" and not fits(header.size, file_bytes, header.held_bytes):
        return False  # Pillow takes less memory for a PNG
    reserve(f"JPEG of {header.scans} scans", header.size, file_bytes, header.held_bytes)
    return header.plain


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    if "cannot identify image file" in text:
        return "damaged: it begins like an image, and its header cannot be read"
    if "truncated" in text.lower() or "unexpected end" in text.lower():
        return "cut off: the picture data is incomplete"
    return f"damaged: {text[:120] or type(error).__name__}"
