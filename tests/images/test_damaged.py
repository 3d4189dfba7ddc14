"""Decoding files that are cut off, too large, not pictures at all, or damaged at random."""

import re
import struct
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgbatch.errors import UnreadableImage
from imgbatch.images.decode import decode
from imgbatch.images.generations import generations_of
from imgbatch.images.headers import ORIENTATION
from imgbatch.types import DecodeOptions
from tests import drawing
from tests.drawing import encode, jpeg, photo, png, turned

OPTIONS = DecodeOptions()


def refused(data: bytes, options=OPTIONS) -> str:
    with pytest.raises(UnreadableImage) as caught:
        decode(data, options)
    return caught.value.message


# ----- damaged EXIF blocks ------------------------------------------------------------------------


@pytest.mark.parametrize("read", [lambda data: decode(data, OPTIONS), generations_of])
@pytest.mark.parametrize("most_pixels", [None, 20_000])
def test_what_pillow_warns_of_is_not_shown(read, most_pixels, monkeypatch):
    """A value that lies beyond the end, an entry that is not there; a picture it takes for a bomb."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most_pixels)
    entry = struct.pack("<HHLL", ORIENTATION, 5, 1, 9_999)
    block = b"Exif\0\0II*\0" + struct.pack("<LH", 8, 2) + entry
    data = encode(photo(1, 200, 160), "JPEG", exif=block)
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        read(data)
    assert [str(one.message) for one in shown] == []


# ----- cut-off files ------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(200, 160), (1600, 1200)])
def test_a_jpeg_that_shows_most_of_its_picture_is_used_and_noted(size, mode):
    data = jpeg(photo(1, *size).convert(mode))
    decoded = decode(data[: len(data) * 8 // 10], OPTIONS)
    assert (decoded.width, decoded.height) == size
    assert "cut off" in decoded.note
    assert any(f"{share}%" in decoded.note for share in range(65, 95))


def test_a_progressive_jpeg_that_shows_most_of_its_picture_is_used_and_noted():
    image = photo(1, 400, 300)
    data = jpeg(image, progressive=True)
    decoded = decode(data[: len(data) // 2], OPTIONS, view_px=400)
    assert "cut off" in decoded.note
    assert np.abs(decoded.view - np.asarray(image, float)).mean() < 15


@pytest.mark.parametrize("share", [0.1, 0.3, 0.4])
def test_a_jpeg_that_shows_less_than_half_is_refused_with_the_share(share):
    data = jpeg(photo(1, 400, 300, noise=40))
    message = refused(data[: int(share * len(data))])
    assert message.startswith("cut off: only ")
    assert abs(int(message.split("only ")[1].split("%")[0]) / 100 - share) < 0.08


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_missing_part_is_found_on_whichever_side_the_turn_puts_it(orientation):
    stored, exif = turned(photo(1, 400, 300, noise=40), orientation)
    data = jpeg(stored, exif=exif)
    assert refused(data[: len(data) * 3 // 10]).startswith("cut off: only ")
    kept = decode(data[: len(data) * 7 // 10], OPTIONS)
    assert (kept.width, kept.height) == (400, 300)
    assert any(f"{share}%" in kept.note for share in range(60, 80)), kept.note


def test_a_cut_off_cmyk_jpeg_that_shows_most_of_its_picture_is_used_and_noted():
    data = jpeg(photo(1, 400, 300).convert("CMYK"))
    decoded = decode(data[: len(data) * 9 // 10], OPTIONS)
    assert (decoded.width, decoded.height) == (400, 300)
    assert "cut off" in decoded.note


def test_the_least_share_shown_is_a_setting():
    data = jpeg(photo(1, 400, 300, noise=40))
    part = data[: len(data) * 6 // 10]
    assert "cut off" in decode(part, OPTIONS).note
    strict = replace(OPTIONS, min_shown_share=0.9)
    assert "cut off" in refused(part, strict)


def test_a_jpeg_that_shows_exactly_the_least_share_is_used_and_any_less_refused():
    whole = jpeg(photo(1, 160, 320).convert("L"), restart_marker_rows=1)
    ends = [marker.start() for marker in re.finditer(rb"\xff[\xd0-\xd7]", whole)]
    half = whole[: ends[19]]  # 20 of 40 rows of blocks are there
    decoded = decode(half, replace(OPTIONS, min_shown_share=0.5), view_px=80)
    assert decoded.note == "cut off: 50% of the picture is there"
    with pytest.raises(UnreadableImage, match="cut off: only 50% of the picture is there"):
        decode(half, replace(OPTIONS, min_shown_share=0.5 + 1e-9), view_px=80)


def test_a_jpeg_that_lacks_its_end_marker_only_is_used_and_noted():
    image = photo(1, 200, 160)
    decoded = decode(jpeg(image)[:-2], OPTIONS)
    assert "cut off" in decoded.note
    assert np.abs(decoded.view - np.asarray(image, float)).mean() < 8


def test_a_whole_jpeg_has_no_note_even_if_its_lower_half_is_that_grey():
    pixels = np.full((300, 400, 3), 128, np.uint8)
    pixels[:50] = np.asarray(photo(1, 400, 50))
    assert decode(jpeg(Image.fromarray(pixels)), OPTIONS).note == ""


def test_bytes_behind_the_end_of_a_jpeg_do_not_matter():
    data = jpeg(photo(1))
    assert np.array_equal(decode(data, OPTIONS).view, decode(data + b"x" * 99, OPTIONS).view)


@pytest.mark.parametrize("form", ["PNG", "GIF", "WEBP", "TIFF", "AVIF", "JPEG2000", "PPM"])
def test_other_cut_off_formats_are_refused_with_a_reason(form):
    data = encode(photo(1, 300, 200, noise=60), form)
    message = refused(data[: len(data) // 2])
    assert "cut off" in message or "damaged" in message


# ----- no pictures --------------------------------------------------------------------------------


def test_an_empty_file_is_refused_as_empty():
    assert refused(b"") == "the file is empty"


@pytest.mark.parametrize("data", [
    b"plain text, no image", bytes(1000), b"\x00" * 8, b"%PDF-1.4 ...", b"<svg></svg>",
    b"<html>not found</html>", np.random.default_rng(1).bytes(5000),
])  # fmt: skip
def test_bytes_of_no_image_are_refused_as_no_known_format(data):
    assert refused(data) == "not an image in a known format"


def test_a_postscript_file_is_not_run():
    data = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n"
    assert refused(data) == "not an image in a known format"


@pytest.mark.parametrize("form", ["TGA", "ICO", "PCX", "SGI", "DIB", "DDS"])
def test_formats_that_are_not_promised_are_refused(form):
    """Each decoder that content can reach can be attacked, so only the promised ones are reachable."""
    assert refused(encode(photo(1, 32, 32), form)) == "not an image in a known format"


# ----- bombs --------------------------------------------------------------------------------------

BOMBS = {
    "png": drawing.png_claiming(60_000, 60_000),
    "transparent png": drawing.png_claiming(60_000, 60_000, colour=6),
    "deep png": drawing.png_claiming(60_000, 60_000, colour=0, bits=16),
    "endless png": drawing.png_claiming(2**31 - 1, 2**31 - 1),
    "jpeg": drawing.jpeg_claiming(65_500, 65_500),
    "gif": drawing.gif_claiming(60_000, 60_000),
    "tiff": drawing.tiff_claiming(60_000, 60_000),
    "webp": drawing.webp_claiming(16_000, 16_000),
    "bmp": drawing.bmp_claiming(60_000, 60_000),
    "avif": drawing.avif_claiming(12_000, 12_000),
    "jpeg 2000": drawing.jpeg2000_claiming(60_000, 60_000),
    "ppm": b"P6 60000 60000 255\n",
    "plain ppm": b"P3 60000 60000 255\n",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_by_its_header_with_its_size_and_the_limit(name):
    message = refused(BOMBS[name])
    assert "megapixels" in message
    assert "max_megapixels" in message


def test_the_limit_in_megapixels_is_exact():
    options = replace(OPTIONS, max_megapixels=0.02)
    assert decode(png(photo(1, 200, 100)), options).width == 200
    assert decode(jpeg(photo(1, 200, 100)), options).width == 200
    for make in (png, jpeg, lambda image: encode(image, "GIF")):
        assert "over the limit of 0.02" in refused(make(photo(1, 201, 100)), options)


# ----- random damage ------------------------------------------------------------------------------

VICTIMS = {
    "baseline": jpeg(photo(1, 90, 70)),
    "progressive": jpeg(photo(1, 90, 70), progressive=True),
    "turned": jpeg(photo(1, 90, 70), exif=turned(photo(1), 6)[1]),
    "cmyk": jpeg(photo(1, 90, 70).convert("CMYK")),
    "png": png(photo(1, 60, 40)),
    "palette": png(photo(1, 60, 40).quantize(16)),
    "alpha": png(photo(1, 60, 40).convert("RGBA")),
    "gif": encode(photo(1, 60, 40), "GIF"),
    "webp": encode(photo(1, 60, 40), "WEBP"),
    "bmp": encode(photo(1, 60, 40), "BMP"),
    "tiff": encode(photo(1, 60, 40), "TIFF", compression="tiff_lzw"),
    "avif": encode(photo(1, 60, 40), "AVIF"),
    "jpeg 2000": encode(photo(1, 60, 40), "JPEG2000"),
    "codestream": encode(photo(1, 60, 40), "JPEG2000", no_jp2=True, tile_size=(32, 32)),
    "ppm": encode(photo(1, 60, 40), "PPM"),
    "plain pgm": b"P2 20 10 99\n" + b" ".join(b"%d" % (at % 100) for at in range(200)),
    "heic": (Path(__file__).parent / "pictures" / "corners.heic").read_bytes(),
    "tiff jpeg": encode(photo(1, 60, 40), "TIFF", compression="jpeg"),
}


@pytest.mark.parametrize("name", VICTIMS)
def test_random_damage_gives_a_picture_or_a_reason_and_nothing_else(name):
    random = np.random.default_rng(sorted(VICTIMS).index(name))
    whole = np.frombuffer(VICTIMS[name], np.uint8)
    options = replace(OPTIONS, max_megapixels=4.0)
    outcomes = set()
    for attempt in range(60):
        data = whole.copy()
        end = len(data)
        reach = end if attempt % 2 else min(end, 200)  # headers are a small part of the file
        for at in random.integers(0, reach, random.integers(1, 9)):
            data[at] = random.integers(0, 256)
        if attempt % 3 == 0:
            data = data[: random.integers(1, end)]
        try:
            decoded = decode(data.tobytes(), options)
        except UnreadableImage as error:
            outcomes.add("refused" if error.message else "without a reason")
        else:
            assert decoded.view.dtype == np.uint8
            assert decoded.view.ndim == 3
            assert decoded.view.shape[2] == 3
            assert decoded.width * decoded.height <= 4e6
            outcomes.add("shown")
    assert outcomes <= {"refused", "shown"}
    assert "refused" in outcomes


def test_random_bytes_behind_a_magic_number_are_refused():
    random = np.random.default_rng(5)
    magics = [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"MM\0*",
              b"RIFF\x10\0\0\0WEBPVP8 ", b"\0\0\0\x1cftypavif", b"\0\0\0\x1cftypheic", b"P5 ",
              b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n"]  # fmt: skip
    options = replace(OPTIONS, max_megapixels=4.0)
    for magic in magics:
        for _ in range(25):
            assert refused(magic + random.bytes(int(random.integers(0, 400))), options)


def test_a_picture_that_memory_does_not_hold_is_refused(monkeypatch):
    def exhausted(*_):
        raise MemoryError

    monkeypatch.setattr("imgbatch.images.decode.decode_with_pillow", exhausted)
    assert refused(encode(photo(1), "GIF")) == "decoding needs more memory than there is"
