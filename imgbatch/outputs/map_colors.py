"""The colours of a map's groups, and the legend that says which is whose."""

from dataclasses import dataclass

import numpy as np

from imgbatch.overview.map import NONE, FolderMap
from imgbatch.types import Rows

COLORS = (
    "#3b6fd4", "#d97706", "#2b8a3e", "#c2255c", "#7b3fc4", "#0e98a8",
    "#7c4a1e", "#e03131", "#7a9a01", "#e64fa8", "#0b5566", "#b58f00",
)  # fmt: skip
"""No two are nearer than 20 in CIELAB; each has a contrast of 3 to 1 with white."""
OTHERS, NOBODY = "#8a8f98", "#c3c7cd"
"""Of groups beyond the colours, and of images without a group."""


@dataclass(frozen=True, slots=True)
class LegendLine:
    """A colour, whose it is, and how many images have it."""

    color: str
    name: str
    images: int


@dataclass(frozen=True, slots=True, eq=False)
class Coloring:
    """Which image has which colour.

    Attributes
    ----------
    legend
        A line for each colour in use.
    colors
        (n,) uint8: each image's line of the legend.
    """

    legend: tuple[LegendLine, ...]
    colors: Rows


def coloring(shown: FolderMap) -> Coloring:
    """A colour for each of the largest groups; all further groups share one, as the legend says.

    Examples
    --------
    >>> import imgbatch
    >>> [line.name for line in coloring(imgbatch.load("photos").map()).legend]
    ['class0', 'class1', 'class2']
    """
    names = shown.group_names
    own = min(len(names), len(COLORS))
    counts = np.bincount(shown.groups[shown.groups != NONE], minlength=len(names))
    lines = [
        LegendLine(color, name, int(count))
        for color, name, count in zip(COLORS, names[:own], counts, strict=False)
    ]
    colors = np.minimum(shown.groups, own)
    if own < len(names):
        further = f"{len(names) - own} other {plural(shown.color)}"
        lines.append(LegendLine(OTHERS, further, int(counts[own:].sum())))
    if (without := int((shown.groups == NONE).sum())) > 0:
        colors = np.where(shown.groups == NONE, len(lines), colors)
        lines.append(LegendLine(NOBODY, f"no {shown.color}", without))
    return Coloring(tuple(lines), colors.astype(np.uint8))


def plural(color: str) -> str:
    """The word for several groups of a kind.

    >>> plural("tag")
    'tags'
    """
    return f"{color}s"
