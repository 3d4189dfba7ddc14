"""Good image files of every kind that is read, from which mutants are made.

Pillow and OpenCV write them, from samples and from small drawn pictures; what neither writes
(interlaced PNGs, tiled TIFFs) is put together here.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL
from PIL import Image

_HEIC = Path(__file__).resolve().parents[2] / "tests" / "images" / "pictures" / "corners.heic"
_TIMES_HEIC = 20
"""As often as a format of which there are many files."""
_SIDE_PX = 96
_LARGE_PX = 640
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))  # fmt: skip  # noqa: E501
_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class Seed:
    """A good image file; the name says its kind and has the right ending."""

    name: str
    data: bytes


def make_seeds(samples: Path) -> list[Seed]:
    """All seeds, always the same ones with the same libraries."""
    photos = [_small(path) for path in sorted(samples.rglob("*.jp*g"))[::40]]
    pictures = [*photos, _drawn(_SIDE_PX, 64), _drawn(37, 53)]
    seeds = list[Seed]()
    for number, picture in enumerate(pictures):
        seeds += [Seed(f"{name}-{number}.{ending}", data) for name, ending, data in _kinds(picture)]
    large = _drawn(_LARGE_PX, 480)
    seeds += [Seed("large.jpg", _saved(large, "JPEG", quality=60)),
              Seed("large-progressive.jpg", _saved(large, "JPEG", quality=60, progressive=True)),
              Seed("large.png", _saved(large.quantize(8).convert("RGB"), "PNG")),
              Seed("large.webp", _saved(large, "WEBP", quality=40)),
              Seed("one.png", _saved(_drawn(1, 1), "PNG")),
              Seed("thin.jpg", _saved(_drawn(300, 2), "JPEG"))]  # fmt: skip
    if find_spec("pi_heif"):  # which has no encoder: this one lies among the tests
        seeds += [Seed("heif-corners.heic", _HEIC.read_bytes())] * _TIMES_HEIC
    return seeds


def _small(path: Path) -> Image.Image:
    with Image.open(path) as image:
        image.thumbnail((_SIDE_PX, _SIDE_PX))
        return image.convert("RGB")


def _drawn(width: int, height: int) -> Image.Image:
    """Soft colours, edges, and a little grain."""
    random = np.random.default_rng(width * height)
    corners = random.integers(0, 256, (3, 3, 3)).astype(np.uint8)
    pixels = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    pixels[height // 3 : height // 2, width // 4 :] = (20, 200, 90)
    grain = random.integers(-6, 7, pixels.shape)
    return Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8))


def _saved(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def _kinds(picture: Image.Image) -> Iterator[tuple[str, str, bytes]]:
    """One picture in every kind of file: name of the kind, ending, bytes."""
    yield from (("jpeg-" + name, "jpg", data) for name, data in _jpegs(picture))
    yield from (("png-" + name, "png", data) for name, data in _pngs(picture))
    yield from (("webp-" + name, "webp", data) for name, data in _webps(picture))
    yield from (("gif-" + name, "gif", data) for name, data in _gifs(picture))
    yield from (("bmp-" + name, "bmp", data) for name, data in _bmps(picture))
    yield from (("tiff-" + name, "tif", data) for name, data in _tiffs(picture))
    yield from (("avif-" + name, "avif", data) for name, data in _avifs(picture))
    yield from _jpeg_2000s(picture)
    yield from _plain(picture)


def _jpegs(picture: Image.Image) -> Iterator[tuple[str, bytes]]:
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    exif[0x010F] = "a camera"
    exif.get_ifd(0x8769)[0x9003] = "2020:01:01 00:00:00"
    for name, mode, options in (
        ("baseline", "RGB", {}),
        ("444", "RGB", {"subsampling": 0, "quality": 95}),
        ("progressive", "RGB", {"progressive": True}),
        ("restarts", "RGB", {"restart_marker_blocks": 2}),
        ("grey", "L", {}),
        ("grey-progressive", "L", {"progressive": True}),
        ("cmyk", "CMYK", {}),
        ("cmyk-progressive", "CMYK", {"progressive": True}),
        ("exif", "RGB", {"exif": exif}),
        ("exif-progressive", "RGB", {"exif": exif, "progressive": True}),
        ("icc", "RGB", {"icc_profile": bytes(400), "comment": b"words"}),
    ):
        yield name, _saved(picture.convert(mode), "JPEG", **options)
    yield "mpo", _saved(picture, "MPO", save_all=True, append_images=[picture.rotate(90)])


def _pngs(picture: Image.Image) -> Iterator[tuple[str, bytes]]:
    alpha = picture.convert("RGBA")
    alpha.putalpha(picture.convert("L"))
    exif = Image.Exif()
    exif[_ORIENTATION] = 8
    for name, image, options in (
        ("rgb", picture, {}),
        ("grey", picture.convert("L"), {}),
        ("one-bit", picture.convert("1"), {}),
        ("palette", picture.quantize(200), {}),
        ("palette-4", picture.quantize(4), {"bits": 2}),
        ("palette-clear", picture.quantize(16), {"transparency": 3}),
        ("clear-colour", picture, {"transparency": (20, 200, 90)}),
        ("rgba", alpha, {}),
        ("grey-alpha", alpha.convert("LA"), {}),
        ("grey-16", Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257), {}),
        ("exif", picture, {"exif": exif}),
        ("icc", picture, {"icc_profile": bytes(400), "dpi": (72, 72)}),
        ("animated", picture, {"save_all": True, "append_images": [picture.rotate(90)]}),
    ):
        yield name, _saved(image, "PNG", **options)
    pixels = np.asarray(picture)[:, :, ::-1]
    yield "rgb-16", cv2.imencode(".png", pixels.astype(np.uint16) * 257)[1].tobytes()
    yield "rgba-16", cv2.imencode(".png", np.dstack([pixels, pixels[:, :, :1]]).astype(np.uint16) * 257)[1].tobytes()  # fmt: skip  # noqa: E501
    yield "interlaced", _interlaced(np.asarray(picture))


def _interlaced(pixels: np.ndarray) -> bytes:
    """An Adam7 PNG, whose seven passes hold ever more of the pixels."""
    height, width = pixels.shape[:2]
    passes = [pixels[y::dy, x::dx] for x, y, dx, dy in _ADAM7]
    lines = b"".join(b"\0" + row.tobytes() for part in passes if part.size for row in part)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def _webps(picture: Image.Image) -> Iterator[tuple[str, bytes]]:
    alpha = picture.convert("RGBA")
    alpha.putalpha(picture.convert("L"))
    exif = Image.Exif()
    exif[_ORIENTATION] = 3
    yield "lossy", _saved(picture, "WEBP")
    yield "lossless", _saved(picture, "WEBP", lossless=True)
    yield "alpha", _saved(alpha, "WEBP")
    yield "alpha-lossless", _saved(alpha, "WEBP", lossless=True)
    yield "exif", _saved(picture, "WEBP", exif=exif)
    yield "animated", _saved(picture, "WEBP", save_all=True, append_images=[picture.rotate(90)])


def _gifs(picture: Image.Image) -> Iterator[tuple[str, bytes]]:
    yield "plain", _saved(picture.quantize(128), "GIF")
    yield "sequential", _saved(picture.quantize(16), "GIF", interlace=0)
    yield "clear", _saved(picture.quantize(16), "GIF", transparency=2)
    yield (
        "animated",
        _saved(
            picture.quantize(64),
            "GIF",
            save_all=True,
            append_images=[picture.rotate(90).quantize(64)],
        ),
    )


def _bmps(picture: Image.Image) -> Iterator[tuple[str, bytes]]:
    for mode in ("RGB", "L", "1", "P", "RGBA"):
        yield mode.lower(), _saved(picture.convert(mode), "BMP")


def _tiffs(picture: Image.Image) -> Iterator[tuple[str, bytes]]:
    grey = np.asarray(picture.convert("L"))
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        yield compression, _saved(picture, "TIFF", compression=compression)
    for compression in ("group3", "group4", "tiff_ccitt"):
        yield compression, _saved(picture.convert("1"), "TIFF", compression=compression)
    # Older versions of Pillow write YCbCr, and cannot read it.
    recent = ("YCbCr",) if PIL.__version__ >= "13" else ()
    for mode in ("L", "1", "P", "RGBA", "CMYK", "LAB", *recent, "LA"):
        image = picture.quantize(64) if mode == "P" else picture.convert("RGB")
        image = image if mode == "P" else _converted(image, mode)
        yield mode.lower(), _saved(image, "TIFF")
    yield "grey-16", _saved(Image.fromarray(grey.astype(np.uint16) * 257), "TIFF")
    yield "integers", _saved(Image.fromarray(grey.astype(np.int32) * 1000), "TIFF")
    yield "floats", _saved(Image.fromarray(grey.astype(np.float32) / 255), "TIFF")
    yield (
        "floats-lzw",
        _saved(Image.fromarray(grey.astype(np.float32) / 255), "TIFF", compression="tiff_lzw"),
    )
    yield "pages", _saved(picture, "TIFF", save_all=True, append_images=[picture.rotate(90)])
    yield "big", _saved(picture, "TIFF", big_tiff=True)
    yield "turned", _saved(picture, "TIFF", tiffinfo={_ORIENTATION: 6})
    yield "rgb-16", cv2.imencode(".tiff", np.asarray(picture).astype(np.uint16) * 257)[1].tobytes()
    yield "tiled", _tiled(grey)


def _avifs(picture: Image.Image) -> Iterator[tuple[str, bytes]]:
    alpha = picture.convert("RGBA")
    alpha.putalpha(picture.convert("L"))
    exif = Image.Exif()
    exif[_ORIENTATION] = 3
    yield "colour", _saved(picture, "AVIF", speed=10)
    yield "alpha", _saved(alpha, "AVIF", speed=10)
    yield "exif", _saved(picture, "AVIF", speed=10, exif=exif)
    yield "animated", _saved(picture, "AVIF", speed=10, save_all=True, append_images=[alpha])


def _jpeg_2000s(picture: Image.Image) -> Iterator[tuple[str, str, bytes]]:
    for mode in ("RGB", "L", "RGBA"):
        image = picture.convert(mode)
        yield f"jpeg2000-{mode.lower()}", "jp2", _saved(image, "JPEG2000")
        yield f"jpeg2000-{mode.lower()}-bare", "j2k", _saved(image, "JPEG2000", no_jp2=True)
    yield (
        "jpeg2000-lossy",
        "jp2",
        _saved(picture, "JPEG2000", irreversible=True, quality_mode="rates", quality_layers=[20]),
    )


def _plain(picture: Image.Image) -> Iterator[tuple[str, str, bytes]]:
    """Bitmaps, grey and colour, of bytes, of text, and of 16 bits."""
    for mode, ending in (("RGB", "ppm"), ("L", "pgm"), ("1", "pbm")):
        yield f"plain-{mode.lower()}", ending, _saved(picture.convert(mode), "PPM")
    grey = np.asarray(picture.convert("L"))
    head = f"{grey.shape[1]} {grey.shape[0]}\n".encode()
    words = " ".join(map(str, grey.reshape(-1).tolist())).encode()
    yield "plain-text", "pgm", b"P2\n# words\n" + head + b"255\n" + words
    wide = (grey.astype(np.uint16) * 257).byteswap().tobytes()
    yield "plain-16", "pgm", b"P5\n" + head + b"65535\n" + wide


def _converted(image: Image.Image, mode: str) -> Image.Image:
    if mode == "LAB":  # Pillow converts to it only with profiles
        return Image.frombytes("LAB", image.size, image.tobytes())
    return image.convert(mode)


def _tiled(grey: np.ndarray) -> bytes:
    """A big-endian TIFF of tiles of 16x16 pixels, not compressed."""
    height, width = grey.shape
    rows, columns = -(-height // 16), -(-width // 16)
    padded = np.zeros((rows * 16, columns * 16), np.uint8)
    padded[:height, :width] = grey
    tiles = padded.reshape(rows, 16, columns, 16).swapaxes(1, 2).reshape(-1, 256)
    count, entries_at = len(tiles), 8
    offsets_at = entries_at + 2 + 10 * 12 + 4
    sizes_at, tiles_at = offsets_at + 4 * count, offsets_at + 8 * count
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8 << 16), (259, 3, 1, 1 << 16),
               (262, 3, 1, 1 << 16), (277, 3, 1, 1 << 16), (322, 4, 1, 16), (323, 4, 1, 16),
               (324, 4, count, offsets_at), (325, 4, count, sizes_at)]  # fmt: skip
    directory = b"".join(struct.pack(">HHII", *entry) for entry in entries)
    offsets = b"".join(struct.pack(">I", tiles_at + 256 * number) for number in range(count))
    return (
        b"MM\0*" + struct.pack(">IH", entries_at, len(entries)) + directory + bytes(4)
        + offsets + struct.pack(">I", 256) * count + tiles.tobytes()
    )  # fmt: skip
