"""Memory: pictures up to the bound are read within it, larger ones are refused before decoding."""

import re
import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from imgbatch.errors import UnreadableImage
from imgbatch.images.decode import decode
from imgbatch.images.memory import fits, most_bytes, reserve
from imgbatch.runners.base import GIVE_BACK
from imgbatch.types import DecodeOptions
from tests import drawing
from tests.drawing import chunk, encode, jpeg, photo, turned
from tests.peaks import ON_LINUX, peak_of_decoding

OPTIONS = DecodeOptions()
WIDTH, HEIGHT = 7999, 5000
MP = 10**6


def refused(data: bytes) -> str:
    with pytest.raises(UnreadableImage) as caught:
        decode(data, OPTIONS)
    return caught.value.message


# ----- the bound ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("pixels", "file_bytes", "most"), [
    (1, 1, 400e6), (40 * MP, 300 * MP, 400e6), (100 * MP, 1, 750e6), (MP, 450 * MP, 550e6),
])  # fmt: skip
def test_the_bound_is_400_mb_or_grows_with_pixels_or_with_the_file(pixels, file_bytes, most):
    assert most_bytes(pixels, file_bytes) == most


def test_what_fits_exactly_is_read_and_one_byte_more_is_refused_with_size_need_and_bound():
    size, room = (4000, 3000), 400e6 - 70e6 - 12e6
    assert fits(size, 12 * MP, room)
    reserve("TIFF", size, 12 * MP, room)
    assert not fits(size, 12 * MP, room + 1)
    with pytest.raises(UnreadableImage) as caught:
        reserve("TIFF", size, 12 * MP, room + 100e6)
    assert caught.value.message.startswith("TIFF of 4000x3000: decoding takes about 500 MB")
    assert "limit of 400 MB" in caught.value.message


# ----- large files are read within it -------------------------------------------------------------


def noise(channels: int) -> np.ndarray:
    """Bytes that no compressor makes smaller, without the cost of drawing all of them."""
    tile = np.random.default_rng(1).integers(0, 256, (500, WIDTH, channels), np.uint8)
    return np.tile(tile, (HEIGHT // 500, 1, 1))


def ramp() -> np.ndarray:
    return np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))


def as_colours() -> Image.Image:
    return Image.fromarray(np.dstack([ramp(), ramp()[:, ::-1], 255 - ramp()]))


def by_pillow(
    draw: Callable[[], Image.Image], form: str, **options: object
) -> Callable[[Path], None]:
    return lambda path: draw().save(path, form, **options)


def png_of_noise(channels: int) -> Callable[[Path], None]:
    stored = [cv2.IMWRITE_PNG_COMPRESSION, 0]
    return lambda path: path.write_bytes(cv2.imencode(".png", noise(channels), stored)[1].tobytes())


LARGE = {
    "progressive jpeg": by_pillow(as_colours, "JPEG", progressive=True, subsampling=0),
    "png": png_of_noise(3),
    "transparent png": png_of_noise(4),
    "webp": by_pillow(as_colours, "WEBP", method=0),
    "gif": by_pillow(lambda: Image.fromarray(ramp()).convert("P"), "GIF"),
    "32-bit bmp": by_pillow(lambda: Image.fromarray(noise(4)), "BMP"),
    "float tiff": by_pillow(lambda: Image.fromarray(ramp().astype(np.float32) / 255), "TIFF"),
    "ppm": by_pillow(as_colours, "PPM"),
    "turned tiff": by_pillow(as_colours, "TIFF", tiffinfo={274: 6}),
}
"""Pictures of 40 megapixels, each decoded in a way of its own."""


@pytest.mark.slow
@ON_LINUX
@pytest.mark.parametrize("name", LARGE)
def test_a_picture_of_40_megapixels_is_read_within_400_mb(tmp_path, name):
    LARGE[name](tmp_path / "large")
    peak = peak_of_decoding(tmp_path / "large")
    assert peak.reasons == [""]
    assert peak.peak_mb <= 400


@pytest.mark.slow
@ON_LINUX
@pytest.mark.parametrize(("form", "size", "options"), [
    ("AVIF", (6000, 4500), {"subsampling": "4:4:4", "speed": 10}),
    ("JPEG2000", (4600, 3600), {}),
])  # fmt: skip
def test_formats_whose_decoders_take_more_are_read_within_400_mb_up_to_a_smaller_size(
    tmp_path, form, size, options
):
    as_colours().resize(size).save(tmp_path / "large", form, **options)
    peak = peak_of_decoding(tmp_path / "large")
    assert peak.reasons == [""]
    assert peak.peak_mb <= 400


@pytest.mark.slow
@ON_LINUX
def test_what_large_pictures_took_is_given_back_afterwards(tmp_path):
    """glibc may otherwise keep the whole bitmap, behind what the first file left."""
    whole = jpeg(photo(1, 3000, 2500, noise=60).convert("CMYK"), quality=95)
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) * 9 // 10])
    LARGE["32-bit bmp"](tmp_path / "32-bit.bmp")
    files = tmp_path / "cut.jpg", tmp_path / "32-bit.bmp", tmp_path / "32-bit.bmp"
    peak = peak_of_decoding(*files, env=GIVE_BACK)
    assert set(peak.reasons) == {""}
    assert peak.peak_mb <= 400
    assert peak.held_mb <= 120


# ----- larger ones are refused --------------------------------------------------------------------


def progressive_claiming(mode: str, side: int) -> bytes:
    data = bytearray(jpeg(photo(1, 16, 16).convert(mode), progressive=True, subsampling=0))
    at = data.index(b"\xff\xc2")
    data[at + 5 : at + 9] = side.to_bytes(2, "big") * 2
    return bytes(data)


def animated_webp_claiming(width: int, height: int) -> bytes:
    frames = [photo(1, 16, 16), photo(2, 16, 16)]
    data = bytearray(encode(frames[0], "WEBP", save_all=True, append_images=frames[1:]))
    data[24:30] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(data)


@pytest.mark.parametrize(("data", "words"), [
    (progressive_claiming("CMYK", 9900), "JPEG of 18 scans of 9900x9900"),
    (drawing.webp_claiming(9900, 9900), "WEBP of 9900x9900"),
    (animated_webp_claiming(6000, 5000), "animated WEBP of 6000x5000"),
    (drawing.avif_claiming(6000, 5000), "AVIF of 6000x5000"),
    (drawing.jpeg2000_claiming(5000, 5000), "JPEG2000 of 5000x5000"),
    (b"P5 6000 6000 1023\n", "PPM of 6000x6000"),
])  # fmt: skip
def test_a_picture_whose_decoder_would_take_more_is_refused_with_both_figures(data, words):
    message = refused(data)
    assert message.startswith(words)
    assert re.search(r"takes about [\d,]+ MB, over the limit of \d+ MB", message)


def test_a_progressive_jpeg_with_fewer_colours_of_the_same_size_is_read():
    assert decode(progressive_claiming("L", 9900), OPTIONS).width == 9900


# ----- sizes that a file declares and does not hold -----------------------------------------------


def tiff(tags: dict[int, tuple[int, int, int]], data: bytes, *again: tuple[int, ...]) -> bytes:
    """A TIFF of these tags (type, count, value or offset); `data` is at offset 8.

    `again` are further entries, of tags that may be there before.
    """
    entries = [(tag, *entry) for tag, entry in sorted(tags.items())] + [*again]
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    start = struct.pack("<4sI", b"II*\0", 8 + len(data))
    return start + data + struct.pack("<H", len(entries)) + packed + bytes(4)


def tags_of_lzw(width: int, height: int) -> dict[int, tuple[int, int, int]]:
    return {256: (4, 1, width), 257: (4, 1, height), 258: (3, 1, 8), 259: (3, 1, 5), 262: (3, 1, 1),
            273: (4, 1, 8), 277: (3, 1, 1), 278: (4, 1, height), 279: (4, 1, 99)}  # fmt: skip


def rle_bmp(width: int, height: int, body: bytes) -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(body), 0, 0, 256, 0)
    start = 54 + 1024
    return struct.pack("<2sIII", b"BM", start + len(body), 0, start) + head + bytes(1024) + body


PNG_HEAD = encode(photo(1, 16, 16), "PNG")[:33]
TILED = {tag: entry for tag, entry in tags_of_lzw(999, 999).items() if tag not in {273, 278, 279}}
HOSTILE = {
    "bmp of one long row": rle_bmp(10**8, 1, b"\x01\x01\0\0\0\x01"),
    "bmp of skipped rows": rle_bmp(1, 10**8, b"\0\x02\0\xff" * 9),
    "tiff of huge tiles": tiff(
        TILED | {322: (4, 1, 30_000), 323: (4, 1, 30_000), 324: (4, 1, 8), 325: (4, 1, 99)}, bytes(99)
    ),
    "tiff of tiles without a height": tiff(
        tags_of_lzw(64, 48) | {277: (3, 1, 4), 278: (4, 1, 10_000), 322: (4, 1, 40_640)}, bytes(9999)
    ),
    "turned tiff of one row": tiff(
        tags_of_lzw(99_000_000, 1) | {259: (3, 1, 1), 262: (3, 1, 5), 274: (3, 1, 5), 277: (3, 1, 4)}
        | {258: (3, 4, 8)}, bytes((8, 0) * 4) + bytes(9999)
    ),
    "tiff of two widths": tiff(
        tags_of_lzw(99_000_000, 1) | {259: (3, 1, 1), 262: (3, 1, 2), 277: (3, 1, 3), 258: (3, 3, 8)},
        bytes((8, 0) * 3) + bytes(9999),
        (256, 4, 1, 1),
    ),
    "fax of many rows": tiff(tags_of_lzw(3, 30_000_000) | {258: (3, 1, 1), 259: (3, 1, 3)}, bytes(99)),
    "tiff whose tags share a megabyte": tiff(
        tags_of_lzw(99, 99) | {5000 + number: (7, 10**6, 8) for number in range(2000)}, bytes(10**6)
    ),
    "tiff of a strip that is not there": tiff(tags_of_lzw(999, 999) | {279: (4, 1, 2**32 - 1)}, bytes(99)),
    "tiff of strips that are not there": tiff(
        tags_of_lzw(999, 999) | {273: (4, 2**30, 8), 279: (4, 2**30, 8)}, bytes(99)
    ),
    "tiff of a million strips": tiff(
        tags_of_lzw(999, 999) | {259: (3, 1, 1), 273: (4, 10**6, 8), 278: (4, 1, 1), 279: (4, 10**6, 8)},
        bytes(4 * 10**6),
    ),
    "tiff of a long colour map": tiff(
        tags_of_lzw(999, 999) | {262: (3, 1, 3), 320: (3, 20 * 10**6, 8)}, bytes(40 * 10**6)
    ),
    "animated webp of a large canvas": animated_webp_claiming(9900, 9900),
    "jpeg 2000 of a large stream": drawing.jpeg2000_claiming(9000, 9000, only="stream"),
    "jpeg 2000 of a large box": drawing.jpeg2000_claiming(3000, 3000, only="box"),
    "ppm of no samples": b"P6 900 900 255\n",
    "plain ppm of one sample": b"P3 900 900 255\n1",
    "lossless webp": drawing.webp_claiming(9900, 9900),
    "webp of a large canvas": encode(photo(1, 16, 16), "WEBP", exif=turned(photo(1), 6)[1]).replace(
        b"\x0f\0\0\x0f\0\0", b"\x0f\x27\0\x0f\x27\0", 1
    ),
    "webp of a long chunk": encode(photo(1, 16, 16), "WEBP")[:16] + b"\xf0\xff\xff\xff" + bytes(99),
    "gif of a frame beyond its canvas": drawing.gif_claiming(16, 16).replace(
        b",\0\0\0\0\x10\0\x10\0", b",\xff\xff\xff\xff\xff\xff\xff\xff", 1
    ),
    "png whose end comes before its long data": PNG_HEAD + chunk(b"IEND", b"")
    + b"\x80\0\0\0IDAT" + bytes(999),
    "png of two headers": PNG_HEAD + drawing.png_claiming(1, 99_000_000)[8:],
    "png of one column": drawing.png_claiming(1, 99_000_000),
    "grey png of one column": drawing.png_claiming(1, 99_000_000, colour=0),
    "transparent png of one column": drawing.png_claiming(1, 99_000_000, colour=6),
    "ppm of one column": b"P6 1 99000000 255\n",
    "jpeg 2000 of one column": drawing.jpeg2000_claiming(1, 99_000_000),
    "tiff of one column": tiff(tags_of_lzw(1, 99_000_000), bytes(99)),
    "bmp of many colours": encode(photo(1, 16, 16).convert("P"), "BMP")[:46] + b"\xff" * 99,
}  # fmt: skip


@ON_LINUX
def test_a_small_file_that_declares_huge_sizes_takes_little_memory(tmp_path):
    files = []
    for name, data in HOSTILE.items():
        files.append(tmp_path / name)
        files[-1].write_bytes(data)
    peak = peak_of_decoding(*files)
    assert [name for name, why in zip(HOSTILE, peak.reasons, strict=True) if not why] == []
    assert peak.peak_mb < 150


def test_tags_that_claim_more_than_their_file_are_named_as_the_reason():
    message = refused(HOSTILE["tiff whose tags share a megabyte"])
    assert message == "damaged: its tags claim 2,000 MB, more than the whole file has"
