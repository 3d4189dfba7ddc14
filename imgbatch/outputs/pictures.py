"""The small pictures of tables and sheets."""

from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from imgbatch.config.schema import Config
from imgbatch.errors import UnreadableImage
from imgbatch.files import paths
from imgbatch.images.decode import decode
from imgbatch.images.quiet import quiet_codecs
from imgbatch.types import View

_UNREADABLE = np.full((3, 4, 3), 200, np.uint8)
_SWATCHES = 5


class Pictures:
    """The small pictures of image files, one at a time, and the dominant colours of each.

    A picture is decoded when it is asked for and not kept, so that a hundred thousand take hardly
    more memory than one.

    Parameters
    ----------
    files
        Paths or URLs.
    config
        Its ``images`` say how files are decoded, its ``sheet`` how large a picture is at least.

    Examples
    --------
    >>> from imgbatch.config import load_config
    >>> pictures = Pictures(["photos/no-such-file.jpg"], load_config().config)
    >>> [picture.shape for picture in pictures]  # a grey one
    [(3, 4, 3)]
    >>> pictures.colors()
    [('#c8c8c8',)]
    """

    def __init__(self, files: Sequence[str], config: Config) -> None:
        self._files, self._config = files, config
        self._seen: dict[int, View] = {}
        """What colours are counted in, of each picture that was handed out: 64 pixels wide."""

    def __iter__(self) -> Iterator[View]:
        for number in range(len(self._files)):
            picture = self._load(number)
            self._seen[number] = np.asarray(_reduced(picture))
            yield picture

    def colors(self) -> list[tuple[str, ...]]:
        """The dominant colours of each picture; those not handed out before are decoded for it."""
        numbers = range(len(self._files))
        return [
            dominant_colors(self._seen[number] if number in self._seen else self._load(number))
            for number in numbers
        ]

    def _load(self, number: int) -> View:
        return load_picture(self._files[number], self._config, self._config.sheet.cell_px)


def load_picture(path: str, config: Config, side_px: int) -> View:
    """Decode an image, at least `side_px` long if it is that large; grey if it cannot be read."""
    try:
        return read_picture(path, config, side_px)
    except (OSError, UnreadableImage):
        return _UNREADABLE


def read_picture(path: str, config: Config, side_px: int) -> View:
    """Decode an image, at least `side_px` long if it is that large.

    Raises
    ------
    OSError
        The file cannot be read.
    UnreadableImage
        Its bytes are no picture.
    """
    with quiet_codecs():
        return decode(paths.read(path), config.images.as_options(), view_px=side_px).view


def dominant_colors(picture: View) -> tuple[str, ...]:
    """Up to five colours as ``#rrggbb``, the most frequent first (median cut, Heckbert 1982).

    Examples
    --------
    >>> dominant_colors(np.full((4, 4, 3), 255, np.uint8))
    ('#ffffff',)
    """
    reduced = _reduced(picture).quantize(
        _SWATCHES, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
    )
    palette = reduced.getpalette() or []
    counted = sorted(reduced.getcolors() or [], reverse=True)
    return tuple(
        "#{:02x}{:02x}{:02x}".format(*palette[3 * index : 3 * index + 3])
        for _, index in counted
        if isinstance(index, int)
    )


def _reduced(picture: View) -> Image.Image:
    """At most 64 pixels wide and high; a reduced picture stays as it is."""
    small = Image.fromarray(picture)
    small.thumbnail((64, 64))
    return small
