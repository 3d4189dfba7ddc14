"""The bound of a worker's memory: pictures that would take more are refused before decoding."""

from imgbatch.errors import UnreadableImage

_WORKER_BYTES = 70e6
"""A worker with its libraries, and the strips that pictures are shrunk in."""


def most_bytes(pixels: int, file_bytes: int) -> float:
    """Peak of a worker's resident memory while it reads and decodes one file, in bytes.

    400 MB for pictures up to 40 megapixels; for larger ones 150 MB and 6 bytes for each pixel. A
    file of more than 300 MB, which is read as a whole, may take 100 MB more than itself.

    >>> [round(most_bytes(megapixels * 10**6, 0) / 1e6) for megapixels in (1, 40, 100)]
    [400, 400, 750]
    """
    return max(400e6, 150e6 + 6 * pixels, file_bytes + 100e6)


def fits(size: tuple[int, int], file_bytes: int, decoder_bytes: float) -> bool:
    """Whether a picture stays within `most_bytes`.

    Parameters
    ----------
    size
        Width and height in pixels.
    file_bytes
        The size of the file, which is held meanwhile.
    decoder_bytes
        What the decoder takes besides.

    Examples
    --------
    >>> fits((8000, 5000), 10_000_000, decoder_bytes=300e6)
    True
    """
    needed = _WORKER_BYTES + file_bytes + decoder_bytes
    return needed <= most_bytes(size[0] * size[1], file_bytes)


def reserve(kind: str, size: tuple[int, int], file_bytes: int, decoder_bytes: float) -> None:
    """Make room for a picture that is about to be decoded.

    Parameters
    ----------
    kind
        Names the picture in the reason, as "WEBP" does.
    size, file_bytes, decoder_bytes
        As for `fits`.

    Raises
    ------
    UnreadableImage
        The picture does not fit.

    Examples
    --------
    >>> reserve("TIFF", (8000, 5000), 10_000_000, decoder_bytes=100e6)
    """
    if not fits(size, file_bytes, decoder_bytes):
        needed = _WORKER_BYTES + file_bytes + decoder_bytes
        most = most_bytes(size[0] * size[1], file_bytes)
        raise UnreadableImage(
            f"{kind} of {size[0]}x{size[1]}: decoding takes about {needed / 1e6:,.0f} MB, over the "
            f"limit of {most / 1e6:,.0f} MB at this size; save it smaller or in another format"
        )
