"""Pictures that tests draw, and the bytes of image files made from them."""

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

OLD = 1_600_000_000
ORIENTATION = 0x0112


def photo(seed: int = 0, width: int = 120, height: int = 90, noise: int = 12) -> Image.Image:
    """A colour gradient with shapes and noise; each seed gives another picture."""
    random = np.random.default_rng(seed)
    corners = random.integers(0, 256, (2, 2, 3)).astype(np.uint8)
    picture = Image.fromarray(corners).resize((width, height), Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(picture)
    for _ in range(4):
        x, y = random.integers(0, width), random.integers(0, height)
        side = int(random.integers(2, max(3, min(width, height) // 2)))
        color = tuple(int(c) for c in random.integers(0, 256, 3))
        shape = draw.ellipse if random.random() < 0.5 else draw.rectangle
        shape((int(x), int(y), int(x) + side, int(y) + side), fill=color)
    grain = random.integers(-noise, noise + 1, (height, width, 3))
    return Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8))


def corners(width: int = 96, height: int = 64) -> Image.Image:
    """Red, green, blue and yellow quarters; each of the eight orientations looks different."""
    pixels = np.zeros((height, width, 3), np.uint8)
    half_y, half_x = height // 2, width // 2
    pixels[:half_y, :half_x] = 200, 30, 30
    pixels[:half_y, half_x:] = 30, 200, 30
    pixels[half_y:, :half_x] = 30, 30, 200
    pixels[half_y:, half_x:] = 220, 220, 40
    return Image.fromarray(pixels)


def encode(image: Image.Image, form: str, **options: object) -> bytes:
    """The bytes of an image file in a format that Pillow knows by this name."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def jpeg(image: Image.Image, **options: object) -> bytes:
    return encode(image, "JPEG", **({"quality": 90} | options))


def png(image: Image.Image, **options: object) -> bytes:
    return encode(image, "PNG", **options)


def turned(image: Image.Image, orientation: int) -> tuple[Image.Image, Image.Exif]:
    """Pixels and an EXIF block that make a viewer show `image` upright."""
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return (image if undo is None else image.transpose(undo)), exif


def chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk of a PNG file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def avif_claiming(width: int, height: int) -> bytes:
    data = bytearray(encode(photo(1, 16, 16), "AVIF"))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", width, height)
    return bytes(data)


def jpeg2000_claiming(width: int, height: int, *, only: str = "") -> bytes:
    """Sizes stand twice in the file; `only` "box" or "stream" leaves the other as it is."""
    data = bytearray(encode(photo(1, 16, 16), "JPEG2000"))
    if only != "stream":
        at = data.index(b"ihdr") + 4
        data[at : at + 8] = struct.pack(">II", height, width)
    if only != "box":
        at = data.index(b"\xff\x51") + 6
        data[at : at + 8] = struct.pack(">II", width, height)
    return bytes(data)


def png_claiming(width: int, height: int, colour: int = 2, bits: int = 8) -> bytes:
    """A PNG of a few bytes whose header claims this size."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def jpeg_claiming(width: int, height: int) -> bytes:
    """A small JPEG whose header claims this size."""
    data = bytearray(jpeg(photo(1, 16, 16)))
    at = data.index(b"\xff\xc0")
    struct.pack_into(">HH", data, at + 5, height, width)
    return bytes(data)


def gif_claiming(width: int, height: int) -> bytes:
    data = bytearray(encode(photo(1, 16, 16).quantize(4), "GIF"))
    struct.pack_into("<HH", data, 6, width, height)
    return bytes(data)


def tiff_claiming(width: int, height: int) -> bytes:
    """An uncompressed TIFF that claims this size and ends after its directory."""
    tags = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (277, 3, 1, 1),
        (278, 4, 1, height),
        (279, 4, 1, 16),
    ]
    body = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<I", 24) + bytes(16) + body + bytes(4)


def webp_claiming(width: int, height: int) -> bytes:
    """A small lossless WebP whose header claims this size (14 bits for each side)."""
    data = bytearray(encode(photo(1, 16, 16), "WEBP", lossless=True))
    at = data.index(b"VP8L") + 9
    bits = int.from_bytes(data[at : at + 4], "little") & ~((1 << 28) - 1)
    data[at : at + 4] = (bits | (width - 1) | (height - 1) << 14).to_bytes(4, "little")
    return bytes(data)


def bmp_claiming(width: int, height: int) -> bytes:
    data = bytearray(encode(photo(1, 16, 16), "BMP"))
    struct.pack_into("<ii", data, 18, width, height)
    return bytes(data)


def settle(folder: Path) -> None:
    """Date every file back; an index reads files again that changed a moment ago."""
    for number, path in enumerate(sorted(folder.rglob("*"))):
        if path.is_file() and not path.is_symlink():
            os.utime(path, (OLD + number, OLD + number))


def write_photos(folder: Path, count: int, *, classes: int = 1, seed: int = 0) -> list[str]:
    """Write small JPEG photos, in a subfolder for each class, and date them back; return their names."""
    names = []
    for number in range(count):
        name = f"image{number:03}.jpg"
        if classes > 1:
            name = f"class{number % classes}/{name}"
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(jpeg(photo(1000 * seed + number)))
        names.append(name)
    settle(folder)
    return sorted(names)
