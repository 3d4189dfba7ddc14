"""A picture as rows, so that few of them are ever held in more than one form.

Rows are cut from a picture that is decoded as a whole or, where that would take too much memory,
unpacked from a file that is not compressed.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from PIL import BmpImagePlugin, Image, TiffImagePlugin
from PIL.ImageFile import ImageFile

from imgbatch.images.headers import ORIENTATION
from imgbatch.images.tiff import BITS, PLANES, SAMPLES

_UNPACKED_MODES = frozenset({"RGB", "RGBA", "CMYK", "LAB", "I", "F", "I;16", "I;16B"})
"""Modes that take several bytes a pixel and have no palette."""
_IN_PLANES = 2


@dataclass(frozen=True, slots=True)
class Rows:
    """A picture as it is stored.

    Attributes
    ----------
    size
        Width and height in pixels.
    mode
        Pillow's name for the kind of pixels.
    cut
        Gives the rows from one to another; the last is not included.
    orientation
        How the picture has to be turned to be upright, as EXIF numbers it.
    turned_first
        Shrinking leaves out the rows and columns that it would leave out of the upright picture.
    """

    size: tuple[int, int]
    mode: str
    cut: Callable[[int, int], Image.Image]
    orientation: int = 1
    turned_first: bool = False


def rows_of(image: Image.Image) -> Rows:
    """Rows of a loaded picture."""
    # Read after loading: Pillow turns a TIFF itself and drops the tag.
    orientation = image.getexif().get(ORIENTATION, 1)
    return Rows(
        image.size, image.mode, lambda top, end: image.crop((0, top, image.width, end)), orientation
    )


def unpacked_rows(image: ImageFile, data: bytes) -> Rows | None:
    """Rows of an opened BMP or TIFF whose pixels are not compressed; None for others.

    Raises
    ------
    OSError
        While rows are cut: the file ends before its pixels do.
    """
    tiles = _tiles(image) if image.mode in _UNPACKED_MODES else []
    if not tiles or len({tile.box for tile in tiles}) < len(tiles):
        return None
    width, height = max(tile.box[2] for tile in tiles), max(tile.box[3] for tile in tiles)
    tops = [tile.box[1] for tile in tiles]
    tallest = max(tile.box[3] - tile.box[1] for tile in tiles)

    def cut(top: int, end: int) -> Image.Image:
        rows = Image.new(image.mode, (width, end - top))
        for tile in tiles[bisect_right(tops, top - tallest) : bisect_left(tops, end)]:
            first, last = max(top, tile.box[1]), min(end, tile.box[3])
            if first < last:
                part = tile.unpack(data, image.mode, first, last)
                rows.paste(part, (tile.box[0], first - top))
        return rows

    orientation = image.getexif().get(ORIENTATION, 1)
    return Rows((width, height), image.mode, cut, orientation, turned_first=True)


@dataclass(frozen=True, slots=True)
class _Tile:
    """A rectangle of pixels that lie in a file row after row.

    `box` is left, top, right and bottom; `step` is -1 if the lowest row comes first.
    """

    box: tuple[int, int, int, int]
    offset: int
    raw_mode: str
    row_bytes: int
    step: int

    def unpack(self, data: bytes, mode: str, first: int, last: int) -> Image.Image:
        """The tile's part of the rows from `first` to `last`, which is not included."""
        left, top, right, bottom = self.box
        skipped = first - top if self.step == 1 else bottom - last
        start = self.offset + skipped * self.row_bytes
        stored = data[start : start + (last - first) * self.row_bytes]
        arguments = self.raw_mode, self.row_bytes, self.step
        try:
            return Image.frombytes(mode, (right - left, last - first), stored, "raw", arguments)
        except ValueError:
            raise OSError("image file is truncated") from None


def _tiles(image: ImageFile) -> list[_Tile]:
    """The tiles of an opened file, from top to bottom; none if it is compressed or in planes."""
    bits = 0
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        if image.tag_v2.get(PLANES, 1) == _IN_PLANES:
            return []
        samples, of_each = image.tag_v2.get(SAMPLES, 1), tuple(image.tag_v2.get(BITS, (1,)))
        bits = sum(of_each * samples if len(of_each) == 1 else of_each[:samples])
    elif not isinstance(image, BmpImagePlugin.BmpImageFile):
        return []
    tiles = []
    for codec, box, offset, arguments in image.tile:
        if codec != "raw" or box is None or not isinstance(arguments, tuple):
            return []
        raw_mode, row_bytes, step = arguments
        row_bytes = row_bytes or ((box[2] - box[0]) * bits + 7) // 8
        tiles.append(_Tile(box, offset, raw_mode, row_bytes, step))
    return sorted(tiles, key=lambda tile: (tile.box[1], tile.box[0]))
