"""Decoding: every kind of picture becomes the same small upright RGB view."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgbatch.errors import UnreadableImage
from imgbatch.images.decode import decode
from imgbatch.images.view import shrink_factor
from imgbatch.types import DecodeOptions
from tests.drawing import chunk, corners, encode, jpeg, photo, png, turned

OPTIONS = DecodeOptions()
PICTURES = Path(__file__).parent / "pictures"
"""Files in formats that nothing here can write."""


def close(view, image, tolerance=6.0):
    expected = np.asarray(image.convert("RGB"), np.float64)
    assert view.shape == expected.shape
    assert np.abs(view - expected).mean() < tolerance
    return True


# ----- formats and modes --------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "JPEG2000", "PPM"])
def test_lossless_formats_give_the_pixels_themselves(form):
    image = photo(3, 100, 70)
    decoded = decode(encode(image, form), OPTIONS)
    assert decoded.view.dtype == np.uint8
    assert np.array_equal(decoded.view, np.asarray(image))
    assert (decoded.width, decoded.height, decoded.note) == (100, 70, "")


@pytest.mark.parametrize(("form", "options"), [
    ("JPEG", {"quality": 95}),
    ("JPEG", {"quality": 95, "progressive": True}),
    ("JPEG", {"quality": 95, "subsampling": 0}),
    ("WEBP", {"quality": 95}),
    ("WEBP", {"lossless": True}),
    ("AVIF", {"quality": 90}),
    ("AVIF", {"quality": 90, "subsampling": "4:4:4"}),
    ("JPEG2000", {"irreversible": True, "no_jp2": True}),
])  # fmt: skip
def test_lossy_formats_come_near_the_pixels(form, options):
    image = photo(3, 100, 70, noise=2)
    assert close(decode(encode(image, form, **options), OPTIONS).view, image)


def test_an_animation_shows_its_first_frame():
    first, second = corners(60, 40), photo(9, 60, 40)
    for form in ("GIF", "WEBP", "PNG", "TIFF", "AVIF"):
        data = encode(first, form, save_all=True, append_images=[second])
        assert close(decode(data, OPTIONS).view, first, 12), form


@pytest.mark.parametrize("mode", ["L", "1", "P"])
def test_grey_bilevel_and_palette_pictures_look_as_pillow_shows_them(mode):
    image = corners().convert(mode)
    assert close(decode(png(image), OPTIONS).view, image, 1)


def test_a_heic_comes_near_the_pixels():
    pytest.importorskip("pi_heif")
    decoded = decode((PICTURES / "corners.heic").read_bytes(), OPTIONS)
    assert (decoded.width, decoded.height) == (96, 64)
    assert close(decoded.view, corners())


def test_a_heic_without_its_decoder_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    with pytest.raises(UnreadableImage, match=re.escape("pip install 'imgbatch[heic]'")):
        decode((PICTURES / "corners.heic").read_bytes(), OPTIONS)


@pytest.mark.parametrize(("head", "samples"), [
    (b"P5 3 1 15\n", bytes([0, 7, 15])),
    (b"P5 3 1 1023\n", np.array([0, 477, 1023], ">u2").tobytes()),
    (b"P2 # by hand\n3 1 15\n", b"0 7 15"),
    (b"P2 3 1 1023\n", b"0 477 1023"),
])  # fmt: skip
def test_samples_of_a_pgm_are_shares_of_its_largest_value(head, samples):
    assert decode(head + samples, OPTIONS).view[0, :, 1].tolist() == [0, 119, 255]


def test_a_pbm_is_black_and_white():
    assert decode(b"P4 8 1\n\xa5", OPTIONS).view[0, :, 0].tolist() == [0, 255] * 2 + [255, 0] * 2


def test_a_cmyk_jpeg_looks_as_pillow_shows_it():
    image = corners().convert("CMYK")
    assert close(decode(jpeg(image), OPTIONS).view, image)


@pytest.mark.parametrize(("form", "top"), [("PNG", 65535), ("TIFF", 65535), ("PNG", 4000)])
def test_16_bit_grey_keeps_its_brightness(form, top):
    deep = np.linspace(0, top, 80 * 60).reshape(60, 80).astype(np.uint16)
    view = decode(encode(Image.fromarray(deep), form), OPTIONS).view
    assert np.abs(view[..., 0].astype(float) - deep / 257).max() <= 0.51
    assert np.array_equal(view[..., 0], view[..., 2])


def test_a_float_tiff_from_0_to_1_spans_black_to_white():
    image = Image.fromarray(np.linspace(0, 1, 256, dtype=np.float32).reshape(1, 256).repeat(3, 0))
    view = decode(encode(image, "TIFF"), OPTIONS, view_px=256).view
    assert np.array_equal(view[0, :, 1], np.arange(256))


@pytest.mark.parametrize("background", [(255, 255, 255), (10, 200, 30)])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_show_the_background(mode, background):
    pixels = np.zeros((40, 60, 4), np.uint8)
    pixels[:, 30:] = 90, 90, 90, 255
    image = Image.fromarray(pixels)
    data = png(image.quantize(4) if mode == "P" else image.convert(mode))
    options = replace(OPTIONS, background=background)
    view = decode(data, options).view
    assert (view[:, :30] == background).all()
    assert (np.abs(view[:, 30:].astype(int) - 90) <= 1).all()


def test_half_transparent_pixels_mix_with_the_background():
    view = decode(png(Image.new("RGBA", (5, 5), (0, 0, 0, 128))), OPTIONS).view
    assert (np.abs(view.astype(int) - 127) <= 1).all()


def test_one_transparent_colour_shows_the_background():
    image = Image.new("RGB", (8, 8), (1, 2, 3))
    assert (decode(png(image, transparency=(1, 2, 3)), OPTIONS).view == 255).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3000, 2), (2, 3000), (257, 255)])
@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "BMP"])
def test_extreme_sizes_work(size, form):
    decoded = decode(encode(photo(1, *size), form), OPTIONS)
    assert (decoded.width, decoded.height) == size
    assert min(decoded.view.shape[:2]) >= 1
    assert decoded.view.shape[2] == 3


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("longer", [127, 128, 255, 256, 1023, 1024, 2100])
def test_the_views_longer_side_is_at_least_the_wish_and_at_most_twice_it(form, longer):
    view = decode(encode(photo(1, longer, longer // 2), form), OPTIONS, view_px=128).view
    assert min(longer, 128) <= max(view.shape[:2]) <= 256


@pytest.mark.parametrize("longer", range(1, 700, 7))
def test_the_shrink_factor_is_the_largest_power_of_two_that_fits(longer):
    fitting = [2**k for k in range(12) if longer // 2**k >= 100] or [1]
    assert shrink_factor(longer, 100) == max(fitting)


def test_a_shrunk_view_is_the_mean_of_whole_blocks():
    image = photo(5, 512, 256)
    view = decode(png(image), OPTIONS, view_px=128).view
    blocks = np.asarray(image, np.float64).reshape(64, 4, 128, 4, 3).mean(axis=(1, 3))
    assert np.abs(view - blocks).max() <= 1


# ----- orientation --------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("form", "mode"), [
    ("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGB"), ("PNG", "RGBA"),
    ("PNG", "P"), ("WEBP", "RGB"), ("TIFF", "RGB"), ("AVIF", "RGB"), ("AVIF", "RGBA"),
])  # fmt: skip
def test_the_view_is_upright_whatever_the_orientation(form, mode, orientation):
    upright = corners()
    stored, exif = turned(upright, orientation)
    stored = stored.quantize(8) if mode == "P" else stored.convert(mode)
    decoded = decode(encode(stored, form, exif=exif), OPTIONS)
    assert (decoded.width, decoded.height) == upright.size
    tolerance = 30 if mode == "P" else 8  # a wrong turn differs by 90 and more
    assert close(decoded.view, upright if mode == "P" else upright.convert(mode), tolerance)


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_large_turned_jpeg_is_upright_too(orientation):
    stored, exif = turned(corners(1200, 800), orientation)
    decoded = decode(jpeg(stored, exif=exif), OPTIONS)
    assert (decoded.width, decoded.height) == (1200, 800)
    assert close(decoded.view, corners(150, 100))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_size_and_view_agree_if_the_exif_chunk_follows_the_pixels(mode):
    stored, exif = turned(corners(), 6)
    data = png(stored.convert(mode))
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    decoded = decode(data[:-12] + chunk(b"eXIf", block) + data[-12:], OPTIONS)
    assert decoded.view.shape[:2] == (decoded.height, decoded.width)


def test_a_nonsensical_orientation_counts_as_none():
    exif = Image.Exif()
    exif[0x0112] = 77
    decoded = decode(jpeg(corners(), exif=exif), OPTIONS)
    assert (decoded.width, decoded.height) == (96, 64)
    assert close(decoded.view, corners())


def test_a_damaged_exif_block_does_not_cost_the_picture():
    stored, exif = turned(corners(), 6)
    data = jpeg(stored, exif=exif)
    at = data.index(b"Exif\0\0")
    decoded = decode(data[: at + 8] + b"\xff" * 12 + data[at + 20 :], OPTIONS)
    assert {decoded.width, decoded.height} == {96, 64}
    assert decoded.view.shape[:2] == (decoded.height, decoded.width)


# ----- names do not matter, nor do repetitions ----------------------------------------------------


@pytest.mark.parametrize("view_px", [32, 128, 512])
def test_decoding_twice_gives_the_same_bytes(view_px):
    for form in ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "JPEG2000"):
        data = encode(photo(2, 900, 700), form)
        first, second = (decode(data, OPTIONS, view_px=view_px) for _ in range(2))
        assert np.array_equal(first.view, second.view)
        assert (first.width, first.height) == (900, 700)


def test_unreadable_is_said_in_one_short_line():
    for data in (b"", b"hello", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 "):
        with pytest.raises(UnreadableImage) as caught:
            decode(data, OPTIONS)
        assert "\n" not in caught.value.message
        assert 5 < len(caught.value.message) < 160
