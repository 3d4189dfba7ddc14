"""Large image files of every format and mode that imgbatch reads, for `memory.py`.

`CASES` maps a name to a function that writes the file, given its path and the picture's size.
"""

import struct
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pictures import photograph
from PIL import Image

ORIENTATION = 0x0112
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
         (0, 1, 1, 2)]  # fmt: skip
Writer = Callable[[Path, int, int], None]


@cache
def photo(width: int, height: int) -> np.ndarray:
    """(height, width, 3) uint8, like a photograph to a compressor."""
    tile = photograph(1, 4000, 3000)
    return np.tile(tile, (-(-height // 3000), -(-width // 4000), 1))[:height, :width].copy()


@cache
def noise(width: int, height: int) -> np.ndarray:
    """(height, width, 3) uint8, which no compressor makes smaller."""
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


@cache
def ramp(width: int, height: int) -> np.ndarray:
    """(height, width) uint8: opaque and transparent parts."""
    return np.tile(np.arange(width) * 255 // width, (height, 1)).astype(np.uint8)


def forget() -> None:
    """Give back the memory of the pictures."""
    for cached in (photo, noise, ramp):
        cached.cache_clear()


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    return exif


def in_mode(mode: str, width: int, height: int, source: Any = photo) -> Image.Image:
    picture = source(width, height)
    grey = picture[..., 0]
    special: dict[str, Callable[[], Any]] = {
        "RGBA": lambda: np.dstack([picture, ramp(width, height)]),
        "LA": lambda: np.dstack([grey, ramp(width, height)]),
        "I;16": lambda: grey.astype(np.uint16) * 257,
        "F": lambda: grey.astype(np.float32) / 255,
        "I": lambda: grey.astype(np.int32) * 257,
        "P": lambda: grey // 8 * 8,
    }
    image = Image.fromarray(special.get(mode, lambda: picture)())
    return image.convert(mode) if image.mode != mode else image


def pillow(form: str, mode: str = "RGB", source: Any = photo, **options: Any) -> Writer:
    """A writer that uses Pillow."""

    def write(path: Path, width: int, height: int) -> None:
        in_mode(mode, width, height, source).save(path, form, **options)

    return write


def animated(form: str, mode: str, **options: Any) -> Writer:
    def write(path: Path, width: int, height: int) -> None:
        first = in_mode(mode, width, height)
        second = first.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        first.save(path, form, save_all=True, append_images=[second], **options)

    return write


def cut_off(writer: Writer) -> Writer:
    def write(path: Path, width: int, height: int) -> None:
        writer(path, width, height)
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size * 8 // 10)

    return write


# ----- what Pillow does not write -----------------------------------------------------------------


def png(samples: np.ndarray, colour: int, bits: int, *, interlaced: bool = False) -> bytes:
    """A PNG of (h, w, channels) big-endian samples, all rows filtered by the row above."""
    height, width = samples.shape[:2]
    steps = ADAM7 if interlaced else [(0, 0, 1, 1)]
    coder, body = zlib.compressobj(1), bytearray()
    for left, top, step_x, step_y in steps:
        rows = np.ascontiguousarray(samples[top::step_y, left::step_x])
        rows = rows.reshape(len(rows), -1).view(np.uint8)
        for start in range(0, len(rows), 256):
            above = rows[start - 1 : start] if start else np.zeros_like(rows[:1])
            part = rows[start : start + 256]
            filtered = part - np.concatenate([above, part[:-1]])
            body += coder.compress(np.insert(filtered, 0, 2, axis=1).tobytes())
    body += coder.flush()
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    chunks = [(b"IHDR", header), (b"IDAT", bytes(body)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def own_png(channels: int, bits: int, *, interlaced: bool = False, source: Any = photo) -> Writer:
    def write(path: Path, width: int, height: int) -> None:
        samples = source(width, height)
        if channels == 4:
            samples = np.dstack([samples, ramp(width, height)])
        if bits == 16:
            samples = samples.astype(">u2") * 257
        path.write_bytes(png(samples, {3: 2, 4: 6}[channels], bits, interlaced=interlaced))

    return write


def tiff(parts: list[bytes], size: tuple[int, int], tags: dict[int, tuple[int, Any]]) -> bytes:
    """An uncompressed TIFF of strips or tiles; tags are (type, value or values) by number."""
    offsets = (8 + np.cumsum([0, *map(len, parts)])).tolist()
    body = b"".join(parts)
    is_tiled = 322 in tags
    tags |= {
        256: (4, size[0]),
        257: (4, size[1]),
        324 if is_tiled else 273: (4, offsets[:-1]),
        325 if is_tiled else 279: (4, [len(part) for part in parts]),
    }
    at = 8 + len(body)
    entries, extra = b"", b""
    behind = at + 2 + 12 * len(tags) + 4
    for tag, (kind, value) in sorted(tags.items()):
        values = value if isinstance(value, list) else [value]
        packed = struct.pack(f"<{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(packed) > 4:
            entries += struct.pack("<HHII", tag, kind, len(values), behind + len(extra))
            extra += packed
        else:
            entries += struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    directory = struct.pack("<H", len(tags)) + entries + bytes(4) + extra
    return b"II*\0" + struct.pack("<I", at) + body + directory


def own_tiff(layout: str, mode: str = "RGB", orientation: int = 1, rows: int = 16) -> Writer:
    """A writer of uncompressed TIFFs in strips, tiles or planes."""

    def write(path: Path, width: int, height: int) -> None:
        picture = photo(width, height)
        if mode == "CMYK":
            picture = np.dstack([255 - picture, ramp(width, height)])
        elif mode == "RGB16":
            picture = picture.astype(np.uint16) * 257
        elif mode == "F":
            picture = picture[..., :1].astype(np.float32) / 255
        elif mode == "I":
            picture = picture[..., :1].astype(np.int32) * 257
        channels = picture.shape[2]
        bits = picture.dtype.itemsize * 8
        tags: dict[int, tuple[int, Any]] = {
            258: (3, [bits] * channels),
            259: (3, 1),
            262: (3, {1: 1, 3: 2, 4: 5}[channels]),
            274: (3, orientation),
            277: (3, channels),
            278: (4, rows),
            339: (3, [{"F": 3, "I": 2}.get(mode, 1)] * channels),
        }
        if layout == "strips":
            parts = [picture[top : top + rows].tobytes() for top in range(0, height, rows)]
        elif layout == "planar":
            tags[284] = (3, 2)
            planes = [picture[..., channel] for channel in range(channels)]
            parts = [p[t : t + rows].tobytes() for p in planes for t in range(0, height, rows)]
        else:
            tags |= {322: (4, 256), 323: (4, 256)}
            del tags[278]
            pad = ((0, -height % 256), (0, -width % 256), (0, 0))
            padded = np.pad(picture, pad)
            parts = [
                padded[top : top + 256, left : left + 256].tobytes()
                for top in range(0, height, 256)
                for left in range(0, width, 256)
            ]
        path.write_bytes(tiff(parts, (width, height), tags))

    return write


def rle_bmp(path: Path, width: int, height: int) -> None:
    """Runs of eight pixels of 256 colours."""
    runs = -(-width // 8)
    lengths = np.full(runs, 8, np.uint8)
    lengths[-1] = width - 8 * (runs - 1)
    rows = np.random.default_rng(2).integers(0, 256, (height, runs), np.uint8)
    pairs = np.dstack([np.tile(lengths, (height, 1)), rows]).reshape(height, -1)
    ends = np.zeros((height, 2), np.uint8)
    body = np.hstack([pairs, ends]).tobytes() + b"\x00\x01"
    palette = np.random.default_rng(3).integers(0, 256, (256, 4), np.uint8).tobytes()
    start = 54 + len(palette)
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(body), 0, 0, 256, 0)
    path.write_bytes(
        struct.pack("<2sIHHI", b"BM", start + len(body), 0, 0, start) + head + palette + body
    )


def bmp32(path: Path, width: int, height: int) -> None:
    picture = np.dstack([photo(width, height), ramp(width, height)])
    path.write_bytes(cv2.imencode(".bmp", picture)[1].tobytes())


CASES: dict[str, Writer] = {
    "jpeg grey": pillow("JPEG", "L", quality=90),
    "jpeg rgb 4:4:4": pillow("JPEG", quality=90, subsampling=0),
    "jpeg rgb 4:2:0": pillow("JPEG", quality=90, subsampling=2),
    "jpeg rgb noise, quality 100": pillow("JPEG", source=noise, quality=100, subsampling=0),
    "jpeg cmyk": pillow("JPEG", "CMYK", quality=90),
    "jpeg progressive 4:2:0": pillow("JPEG", quality=90, progressive=True),
    "jpeg progressive 4:4:4": pillow("JPEG", quality=90, subsampling=0, progressive=True),
    "jpeg progressive cmyk": pillow("JPEG", "CMYK", quality=90, progressive=True),
    "jpeg turned by exif": pillow("JPEG", quality=90, exif=turned()),
    "jpeg cut off": cut_off(pillow("JPEG", quality=90)),
    "jpeg progressive cut off": cut_off(pillow("JPEG", quality=90, progressive=True)),
    "jpeg cmyk cut off": cut_off(pillow("JPEG", "CMYK", quality=90)),
    "png grey": pillow("PNG", "L", compress_level=1),
    "png rgb": pillow("PNG", compress_level=1),
    "png rgb noise": pillow("PNG", source=noise, compress_level=1),
    "png rgba": pillow("PNG", "RGBA", compress_level=1),
    "png rgba noise": pillow("PNG", "RGBA", source=noise, compress_level=1),
    "png grey and alpha": pillow("PNG", "LA", compress_level=1),
    "png palette": pillow("PNG", "P", compress_level=1),
    "png palette, transparent": pillow("PNG", "P", compress_level=1, transparency=8),
    "png 16-bit grey": pillow("PNG", "I;16", compress_level=1),
    "png 16-bit rgb": own_png(3, 16),
    "png 16-bit rgba": own_png(4, 16),
    "png 1-bit": pillow("PNG", "1", compress_level=1),
    "png interlaced rgb": own_png(3, 8, interlaced=True),
    "png interlaced rgba": own_png(4, 8, interlaced=True),
    "png interlaced noise": own_png(3, 8, interlaced=True, source=noise),
    "png rgb with tRNS": pillow("PNG", compress_level=1, transparency=(1, 2, 3)),
    "png turned by exif": pillow("PNG", compress_level=1, exif=turned()),
    "png animated": animated("PNG", "RGB", compress_level=1),
    "webp lossy": pillow("WEBP", quality=80, method=0),
    "webp lossy, alpha": pillow("WEBP", "RGBA", quality=80, method=0),
    "webp lossless": pillow("WEBP", lossless=True, quality=0, method=0),
    "webp lossless, alpha": pillow("WEBP", "RGBA", lossless=True, quality=0, method=0),
    "webp turned by exif": pillow("WEBP", quality=80, method=0, exif=turned()),
    "webp animated": animated("WEBP", "RGB", quality=50, method=0),
    "gif": pillow("GIF", "P"),
    "gif transparent": pillow("GIF", "P", transparency=8),
    "gif interlaced, animated": animated("GIF", "P", interlace=1),
    "bmp 1-bit": pillow("BMP", "1"),
    "bmp 8-bit grey": pillow("BMP", "L"),
    "bmp 8-bit palette": pillow("BMP", "P"),
    "bmp 24-bit": pillow("BMP"),
    "bmp 32-bit": bmp32,
    "bmp rle": rle_bmp,
    "tiff rgb": own_tiff("strips"),
    "tiff rgb, one strip": own_tiff("strips", rows=1_000_000),
    "tiff cmyk": own_tiff("strips", "CMYK"),
    "tiff 16-bit grey": pillow("TIFF", "I;16"),
    "tiff 16-bit rgb": own_tiff("strips", "RGB16"),
    "tiff float32": own_tiff("strips", "F"),
    "tiff int32": own_tiff("strips", "I"),
    "tiff 1-bit g4": pillow("TIFF", "1", compression="group4"),
    "tiff lzw": pillow("TIFF", compression="tiff_lzw"),
    "tiff lzw rgba": pillow("TIFF", "RGBA", compression="tiff_lzw"),
    "tiff lzw 16-bit grey": pillow("TIFF", "I;16", compression="tiff_lzw"),
    "tiff deflate": pillow("TIFF", compression="tiff_adobe_deflate"),
    "tiff deflate, one strip": pillow("TIFF", compression="tiff_adobe_deflate", strip_size=2**30),
    "tiff deflate noise": pillow("TIFF", source=noise, compression="tiff_adobe_deflate"),
    "tiff deflate float32": pillow("TIFF", "F", compression="tiff_adobe_deflate"),
    "tiff deflate int32": pillow("TIFF", "I", compression="tiff_adobe_deflate"),
    "tiff jpeg": pillow("TIFF", compression="jpeg"),
    "tiff tiled": own_tiff("tiles"),
    "tiff planar": own_tiff("planar"),
    "tiff turned": own_tiff("strips", orientation=6),
    "tiff lzw, turned": pillow("TIFF", compression="tiff_lzw", tiffinfo={ORIENTATION: 6}),
    "tiff two pages": animated("TIFF", "RGB", compression="tiff_adobe_deflate"),
}  # fmt: skip
"""What is written, by name; the first word is the format."""
