"""The structure of image files, as far as it takes to attack it: number fields, and pieces.

A walk stops where a file makes no sense; so it works on files that were mutated already.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Order = Literal["big", "little"]


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a file: where it stands, its bytes, and what it says."""

    start: int
    size: int
    order: Order
    name: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a file that might stand elsewhere: a segment, a chunk, an entry."""

    start: int
    end: int
    name: str


Structure = tuple[list[Number], list[Piece]]
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_MOST_OF_FRAMES = 5
"""Numbers of 4 bytes that begin the chunks of an animated PNG; what a length says may be a lie."""
_SOS = 0xDA
_FRAMES = range(0xC0, 0xC4)
_IN_SCANS = (0x00, 0xFF, *range(0xD0, 0xD8))
"""What follows 0xFF inside coded data: a stuffed zero, filling, restart markers."""


def structure(data: bytes) -> Structure:
    """The number fields and the pieces of a file; none for an unknown format."""
    for magic, walk in (
        (b"\xff\xd8", _jpeg),
        (_PNG_MAGIC, _png),
        (b"RIFF", _webp),
        (b"GIF8", _gif),
        (b"BM", _bmp),
        (b"II", _tiff),
        (b"MM", _tiff),
    ):
        if data.startswith(magic):
            return walk(data)
    return [], []


def with_right_sums(data: bytes) -> bytes:
    """A PNG with right checksums, so that a mutation is not refused for its checksum alone."""
    if not data.startswith(_PNG_MAGIC):
        return data
    fixed = bytearray(data)
    for piece in _png(data)[1]:
        struct.pack_into(
            ">I", fixed, piece.end - 4, zlib.crc32(fixed[piece.start + 4 : piece.end - 4])
        )
    return bytes(fixed)


def _row(start: int, order: Order, *fields: tuple[int, str]) -> Iterator[Number]:
    """Numbers side by side, given by their sizes in bytes and names; without a name, a gap."""
    for size, name in fields:
        if name:
            yield Number(start, size, order, name)
        start += size


def _jpeg(data: bytes) -> Structure:
    numbers, pieces, at = list[Number](), list[Piece](), 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        name = f"segment {marker:02X}"
        numbers.append(Number(at + 2, 2, "big", f"length of {name}"))
        if marker in _FRAMES:
            numbers += _row(at + 4, "big", (1, "bits"), (2, "height"), (2, "width"),
                            (1, "components"), (1, ""), (1, "sampling"))  # fmt: skip
        elif marker == 0xDD:
            numbers.append(Number(at + 4, 2, "big", "restart interval"))
        elif marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            inner, entries = _tiff(data[at + 10 : at + 2 + length])
            numbers += [Number(n.start + at + 10, n.size, n.order, f"EXIF {n.name}") for n in inner]
            pieces += [Piece(p.start + at + 10, p.end + at + 10, p.name) for p in entries]
        end = at + 2 + length
        if marker == _SOS:
            numbers.append(Number(at + 4, 1, "big", "components of the scan"))
            end, name = _end_of_scan(data, end), "scan"
        pieces.append(Piece(at, end, name))
        at = end
    return _inside(numbers, data), [piece for piece in pieces if piece.end <= len(data)]


def _end_of_scan(data: bytes, at: int) -> int:
    """Where the next marker stands behind a scan's coded data."""
    while (at := data.find(b"\xff", at)) >= 0:
        following = data[at + 1 : at + 2]
        if following and following[0] not in _IN_SCANS:
            return at
        at += 2
    return len(data)


def _png(data: bytes) -> Structure:
    numbers, pieces, at = list[Number](), list[Piece](), 8
    while at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        name = kind.decode("latin-1")
        numbers.append(Number(at, 4, "big", f"length of {name}"))
        if kind == b"IHDR":
            numbers += _row(at + 8, "big", (4, "width"), (4, "height"), (1, "bits"), (1, "colour"),
                            (1, "compression"), (1, "filter"), (1, "interlace"))  # fmt: skip
        elif kind in (b"acTL", b"fcTL"):
            numbers += _row(at + 8, "big", *[(4, f"{name} field")] * _MOST_OF_FRAMES)
        if at + 12 + length > len(data):
            break
        pieces.append(Piece(at, at + 12 + length, name))
        at += 12 + length
    return _inside(numbers, data), pieces


def _webp(data: bytes) -> Structure:
    numbers, pieces, at = [Number(4, 4, "little", "length of RIFF")], list[Piece](), 12
    while at + 8 <= len(data):
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        name = kind.decode("latin-1").strip()
        numbers.append(Number(at + 4, 4, "little", f"length of {name}"))
        if kind == b"VP8X":
            numbers += _row(at + 8, "little", (4, "flags"), (3, "width"), (3, "height"))
        elif kind == b"VP8 ":
            numbers += _row(at + 8, "little", (3, "frame"), (3, ""), (2, "width"), (2, "height"))
        elif kind == b"VP8L":
            numbers += _row(at + 9, "little", (4, "width and height"))
        elif kind == b"ANMF":
            fields = ("left", "top", "width", "height", "milliseconds")
            numbers += _row(at + 8, "little", *((3, f"frame's {field}") for field in fields))
        end = at + 8 + length + length % 2
        pieces.append(Piece(at, end, name))
        at = end
    return numbers, [piece for piece in pieces if piece.end <= len(data)]


def _gif(data: bytes) -> Structure:
    numbers = [*_row(6, "little", (2, "width"), (2, "height"), (1, "flags"))]
    pieces = list[Piece]()
    at = 13 + _table_bytes(data, 10)
    while at + 2 <= len(data) and data[at] in (0x21, 0x2C):
        start, picture = at, data[at] == 0x2C
        if picture:
            names = ("left", "top", "frame's width", "frame's height")
            numbers += _row(at + 1, "little", *((2, name) for name in names), (1, "flags"))
            at += 10 + _table_bytes(data, at + 9)
            numbers.append(Number(at, 1, "little", "LZW code size"))
            at += 1
        else:
            at += 2
        while at < len(data) and data[at]:
            numbers.append(Number(at, 1, "little", "length of a block"))
            at += 1 + data[at]
        at += 1
        pieces.append(Piece(start, at, "picture" if picture else "extension"))
    return _inside(numbers, data), [piece for piece in pieces if piece.end <= len(data)]


def _table_bytes(data: bytes, flags_at: int) -> int:
    """The size of a GIF's colour table."""
    flags = data[flags_at] if flags_at < len(data) else 0
    return 3 << (1 + (flags & 7)) if flags & 0x80 else 0


def _bmp(data: bytes) -> Structure:
    fields = [
        (2, ""), (4, "file size"), (4, ""), (4, "offset of pixels"), (4, "header size"),
        (4, "width"), (4, "height"), (2, "planes"), (2, "bits"), (4, "compression"),
        (4, "picture size"), (4, ""), (4, ""), (4, "colours"), (4, "important colours"),
        *[(4, "mask")] * 4,
    ]  # fmt: skip
    return _inside([*_row(0, "little", *fields)], data), []


def _tiff(data: bytes) -> Structure:
    order: Order = "little" if data[:2] == b"II" else "big"
    big = data[2:4] in (b"+\0", b"\0+")
    offset_at, offset_bytes, count_bytes = (8, 8, 8) if big else (4, 4, 2)
    entry_bytes = 20 if big else 12
    numbers = [Number(offset_at, offset_bytes, order, "offset of the directory")]
    pieces, seen = list[Piece](), set[int]()
    at = int.from_bytes(data[offset_at : offset_at + offset_bytes], order)
    while 0 < at < len(data) - count_bytes and at not in seen:
        seen.add(at)
        entries = int.from_bytes(data[at : at + count_bytes], order)
        numbers.append(Number(at, count_bytes, order, "number of entries"))
        at += count_bytes
        for _ in range(min(entries, (len(data) - at) // entry_bytes)):
            tag = int.from_bytes(data[at : at + 2], order)
            numbers += _row(at, order, (2, f"tag {tag}"), (2, f"type of tag {tag}"),
                            (offset_bytes, f"count of tag {tag}"),
                            (offset_bytes, f"value of tag {tag}"))  # fmt: skip
            pieces.append(Piece(at, at + entry_bytes, f"tag {tag}"))
            at += entry_bytes
        numbers.append(Number(at, offset_bytes, order, "offset of the next directory"))
        at = int.from_bytes(data[at : at + offset_bytes], order)
    return _inside(numbers, data), pieces


def _inside(numbers: list[Number], data: bytes) -> list[Number]:
    return [number for number in numbers if number.start + number.size <= len(data)]
