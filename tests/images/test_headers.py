"""Reading size and kind from the first bytes of a file."""

from dataclasses import replace

import pytest
from PIL import Image

from imgbatch.images.headers import read_header
from tests.drawing import encode, jpeg, photo, png, turned


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(1, 1), (7, 300), (641, 480)])
def test_a_jpegs_size_is_read_whatever_its_coding(size, mode, progressive):
    header = read_header(jpeg(photo(1, *size).convert(mode), progressive=progressive))
    assert header is not None
    assert (header.format, header.width, header.height, header.plain, header.exif) == (
        "JPEG", *size, True, False,
    )  # fmt: skip


def test_a_cmyk_jpeg_is_not_plain():
    header = read_header(jpeg(photo(1).convert("CMYK")))
    assert header is not None
    assert not header.plain


@pytest.mark.parametrize(
    ("mode", "plain"),
    [("RGB", True), ("L", True), ("RGBA", False), ("LA", False), ("P", False), ("1", False),
     ("I;16", False)],
)  # fmt: skip
def test_a_png_is_plain_if_it_has_8_bits_and_no_transparency(mode, plain):
    image = Image.new(mode, (31, 17)) if mode != "P" else photo(1, 31, 17).quantize(8)
    header = read_header(png(image))
    assert header is not None
    assert (header.format, header.width, header.height, header.plain) == ("PNG", 31, 17, plain)


def test_a_png_with_one_transparent_colour_is_not_plain():
    header = read_header(png(photo(1), transparency=(1, 2, 3)))
    assert header is not None
    assert not header.plain


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_an_exif_block_is_noticed(form):
    image, exif = turned(photo(1), 6)
    header = read_header(encode(image, form, exif=exif))
    assert header is not None
    assert header.exif


@pytest.mark.parametrize("form", ["GIF", "BMP", "TIFF", "WEBP"])
def test_other_formats_have_no_header(form):
    assert read_header(encode(photo(1), form)) is None


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"no image at all"])
def test_too_few_bytes_have_no_header(data):
    assert read_header(data) is None


@pytest.mark.parametrize("make", [jpeg, png])
def test_every_prefix_of_a_file_gives_the_same_header_or_none(make):
    data = make(photo(1, 40, 30))
    whole = read_header(data)
    assert whole is not None
    for end in range(min(len(data), 900)):
        header = read_header(data[:end])
        assert header is None or replace(header, plain=whole.plain) == whole
        assert header is None or whole.plain >= header.plain


def test_a_jpeg_with_fill_bytes_between_its_segments_is_read():
    data = jpeg(photo(1, 40, 30))
    at = data.index(b"\xff\xc0")
    header = read_header(data[:at] + b"\xff\xff\xff" + data[at:])
    assert header is not None
    assert (header.width, header.height) == (40, 30)


@pytest.mark.parametrize("length", [1, 13, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_png_whose_end_claims_a_length_is_not_plain(length):
    data = png(photo(1, 60, 40))
    at = data.index(b"IEND") - 4
    assert read_header(data).plain
    assert not read_header(data[:at] + length.to_bytes(4, "big") + data[at + 4 :]).plain
