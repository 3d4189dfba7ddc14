"""Pictures inside a page: small JPEGs as data URIs, and bars and charts as coordinates."""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image

from imgbatch.config.schema import Config
from imgbatch.errors import UnreadableImage
from imgbatch.outputs.legend import style_of
from imgbatch.outputs.pictures import read_picture
from imgbatch.types import View

_QUALITY = 75
_CHART_MARGIN, _CHART_WIDTH = 5.0, 170.0


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A picture as a data URI with its size in pixels, or the reason why there is none."""

    uri: str = ""
    width: int = 0
    height: int = 0
    reason: str = ""


def thumbnail(file: str, config: Config) -> Thumbnail:
    """The small picture of an image file, at most ``page.size_px`` wide and high.

    The file is decoded as for the contact sheet: upright, with transparency laid on the
    background. Equal files and settings give equal bytes.

    Examples
    --------
    >>> from imgbatch.config import load_config
    >>> config = load_config().config
    >>> thumbnail("photos/class0/image000.jpg", config).uri[:23]
    'data:image/jpeg;base64,'
    >>> thumbnail("photos/none.jpg", config).reason
    'No such file or directory'
    """
    try:
        view = read_picture(file, config, config.page.size_px)
    except OSError as error:
        return Thumbnail(reason=error.strerror or str(error) or type(error).__name__)
    except UnreadableImage as error:
        return Thumbnail(reason=error.message)
    return encoded(view, config.page.size_px)


def encoded(view: View, side: int) -> Thumbnail:
    """A picture as a small JPEG, at most `side` pixels wide and high.

    >>> import numpy as np
    >>> encoded(np.zeros((100, 200, 3), np.uint8), 64).height
    32
    """
    image = Image.fromarray(view)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return Thumbnail(f"data:image/jpeg;base64,{data}", image.width, image.height)


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a bar that is 100 wide: a descriptor's share of a distance."""

    word: str
    color: str
    start: float
    width: float
    percent: int


def segments(shares: Mapping[str, float]) -> list[Segment]:
    """The pieces of the bar of some shares, in their order; shares of 0 have none.

    Examples
    --------
    >>> [(piece.word, piece.start, piece.width) for piece in segments({"hsv": 0.25, "hog": 0.75})]
    [('colour', 0.0, 25.0), ('shape', 25.0, 75.0)]
    """
    pieces, end = [], 0.0
    for name, share in shares.items():
        start, end = end, end + 100 * share
        if share > 0:
            style = style_of(name)
            width = round(end, 2) - round(start, 2)
            percent = round(100 * share)
            pieces.append(
                Segment(style.word, style.color, round(start, 2), round(width, 2), percent)
            )
    return pieces


def chart_x(share: float) -> float:
    """Where a value between 0 and 1 lies in a chart 180 wide.

    Examples
    --------
    >>> chart_x(0.0), chart_x(0.5), chart_x(1.0)
    (5.0, 90.0, 175.0)
    """
    return round(_CHART_MARGIN + _CHART_WIDTH * min(max(share, 0.0), 1.0), 1)
