"""What the directory of a TIFF claims, read before a library trusts it."""

import struct
from dataclasses import dataclass, field

from imgbatch.errors import UnreadableImage

BITS, SAMPLES, PLANES = 258, 277, 284
_WIDTH, _LENGTH, _ROWS_PER_STRIP, _STRIP_OFFSETS = 256, 257, 278, 273
_TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS = 322, 323, 324
_MAGICS = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}
_VALUE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4,
                16: 8, 17: 8, 18: 8}  # fmt: skip
"""By type of value."""
_WHOLE_NUMBERS = {3: "H", 4: "I", 16: "Q"}
_SHARED_BYTES = 1_000_000
"""Tags may share this much of a file; honest ones share a resolution or two."""
_RECORD_BYTES = 400
"""What Pillow holds for each strip or tile of a file that is not compressed."""
_NUMBER_BYTES = 40
"""What Python holds for a number of a tag."""


@dataclass(frozen=True, slots=True)
class Directory:
    """The first directory of a TIFF.

    Attributes
    ----------
    counts
        How many numbers each tag has that the file can hold; tags of bytes are left out.
    firsts
        The first number of each tag of whole numbers; the largest one of a tag that is there twice,
        since libraries do not agree on which of them counts.
    """

    counts: dict[int, int] = field(default_factory=dict)
    firsts: dict[int, int] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int]:
        """Stored width and height; 0 where they are missing."""
        return self.firsts.get(_WIDTH, 0), self.firsts.get(_LENGTH, 0)

    def part_bytes(self) -> int:
        """The size of one strip or tile, which is read as a whole.

        One tag of tiles makes tiles of strips; libtiff then has no strip end with the picture.
        """
        width, length = self.size
        columns = self.firsts.get(_TILE_WIDTH, width)
        rows = self.firsts.get(_ROWS_PER_STRIP, length)
        if not self.firsts.keys() & {_TILE_WIDTH, _TILE_LENGTH}:
            rows = min(rows, length)
        rows = self.firsts.get(_TILE_LENGTH, rows)
        bits = self.firsts.get(BITS, 1) * self.firsts.get(SAMPLES, 1)
        return rows * columns * bits // 8

    def records_bytes(self) -> int:
        """What Pillow holds of the tags, above all to know where the strips or tiles are."""
        parts = self.counts.get(_STRIP_OFFSETS, 0) + self.counts.get(_TILE_OFFSETS, 0)
        return parts * _RECORD_BYTES + sum(self.counts.values()) * _NUMBER_BYTES


def read_directory(data: bytes) -> Directory | None:
    """The first directory of a TIFF; None for other formats and for damaged beginnings.

    Raises
    ------
    UnreadableImage
        Its tags claim more bytes than the file has; libraries would copy the same ones for each.

    Examples
    --------
    >>> import io
    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.new("L", (60, 40)).save(file, "TIFF")
    >>> read_directory(file.getvalue()).part_bytes()
    2400
    """
    order = _MAGICS.get(data[:4])
    if order is None:
        return None
    is_big = b"+" in data[2:4]
    place, number, entry = ("8xQ", "Q", "HHQ8s") if is_big else ("4xI", "H", "HHI4s")
    directory, claimed = Directory(), 0
    try:
        (at,) = struct.unpack_from(order + place, data)
        (entries,) = struct.unpack_from(order + number, data, at)
        at += struct.calcsize(order + number)
        step = struct.calcsize(order + entry)
        for start in range(at, at + min(entries, len(data)) * step, step):
            tag, kind, count, inline = struct.unpack_from(order + entry, data, start)
            size, value_at = _VALUE_BYTES.get(kind, 0) * count, start + step - len(inline)
            if size > len(inline):
                (value_at,) = struct.unpack(order + ("Q" if is_big else "I"), inline)
                claimed += max(0, min(size, len(data) - value_at))
            if size > count:
                directory.counts[tag] = min(count, len(data))
            if kind in _WHOLE_NUMBERS and count:
                values = struct.unpack_from(order + _WHOLE_NUMBERS[kind], data, value_at)
                directory.firsts[tag] = max(values[0], directory.firsts.get(tag, 0))
    except struct.error:  # the file ends here, or a value lies outside of it
        return directory
    if claimed > len(data) + _SHARED_BYTES:
        raise UnreadableImage(
            f"damaged: its tags claim {claimed / 1e6:,.0f} MB, more than the whole file has"
        )
    return directory
