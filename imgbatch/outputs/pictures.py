"""The small pictures of tables and sheets."""

import numpy as np
from PIL import Image

from imgbatch.config.schema import Config
from imgbatch.errors import UnreadableImage
from imgbatch.files import paths
from imgbatch.images.decode import decode
from imgbatch.images.quiet import quiet_codecs
from imgbatch.types import Selection, View

_UNREADABLE = np.full((3, 4, 3), 200, np.uint8)
_SWATCHES = 5


def load_pictures(selection: Selection, config: Config) -> tuple[View, ...]:
    """Decode each selected image, large enough for the sheet; grey if it cannot be read now."""
    with quiet_codecs():
        return tuple(_load(image.path, config, config.sheet.cell_px) for image in selection.images)


def load_picture(path: str, config: Config, side_px: int) -> View:
    """Decode an image, at least `side_px` long if it is that large; grey if it cannot be read."""
    with quiet_codecs():
        return _load(path, config, side_px)


def _load(path: str, config: Config, side_px: int) -> View:
    try:
        return decode(paths.read(path), config.images.as_options(), view_px=side_px).view
    except (OSError, UnreadableImage):
        return _UNREADABLE


def dominant_colors(picture: View) -> tuple[str, ...]:
    """Up to five colours as ``#rrggbb``, the most frequent first (median cut, Heckbert 1982).

    Examples
    --------
    >>> dominant_colors(np.full((4, 4, 3), 255, np.uint8))
    ('#ffffff',)
    """
    small = Image.fromarray(picture)
    small.thumbnail((64, 64))
    reduced = small.quantize(_SWATCHES, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette = reduced.getpalette() or []
    counted = sorted(reduced.getcolors() or [], reverse=True)
    return tuple(
        "#{:02x}{:02x}{:02x}".format(*palette[3 * index : 3 * index + 3])
        for _, index in counted
        if isinstance(index, int)
    )
