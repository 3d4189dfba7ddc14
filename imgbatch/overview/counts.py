"""Plain counts: formats, sizes, shapes, classes, and what is telling about some of the images."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from imgbatch.overview.results import Classes, Count, Spread
from imgbatch.types import Rows

_SQUARE, _PANORAMA = 1.1, 2.0
"""Longer over shorter side: below the first a square, from the second on a panorama."""
_SAME = {"jpeg": "jpg", "tif": "tiff"}
_TELLING = 3
_PERCENTILES = (0, 5, 50, 95, 100)


def counted(counts: Mapping[str, int], total: int) -> tuple[Count, ...]:
    """Counts with their shares of a total, the most frequent first, ties by name.

    >>> counted({"png": 1, "jpg": 3}, 4)[0]
    Count(name='jpg', images=3, share=0.75)
    """
    order = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Count(name, count, count / max(total, 1)) for name, count in order if count)


def formats(paths: Iterable[str], total: int) -> tuple[Count, ...]:
    """Images by the ending of their names.

    >>> [(one.name, one.images) for one in formats(["a.JPG", "b.jpeg", "c"], 3)]
    [('jpg', 2), ('none', 1)]
    """
    return counted(Counter(map(_format, paths)), total)


def _format(path: str) -> str:
    stem, _, ending = path.rpartition("/")[2].rpartition(".")
    return _SAME.get(ending.lower(), ending.lower()) if stem else "none"


def spread(values: npt.NDArray[np.float64] | Rows) -> Spread:
    """How some numbers are spread.

    >>> spread(np.array([1, 2, 3]))
    Spread(least=1.0, low=1.1, median=2.0, high=2.9, most=3.0)
    """
    return Spread(*(round(float(value), 4) for value in np.percentile(values, _PERCENTILES)))


def spreads(sizes: npt.NDArray[np.int32], file_bytes: Rows) -> dict[str, Spread]:
    """How widths, heights, megapixels, bytes and aspects of (n, 2) sizes are spread."""
    width, height = sizes.astype(np.float64).T
    values = {
        "width": width,
        "height": height,
        "megapixels": width * height / 1e6,
        "bytes": file_bytes,
        "aspect": width / height,
    }
    return {name: spread(numbers) for name, numbers in values.items()}


def shapes(sizes: npt.NDArray[np.int32]) -> tuple[Count, ...]:
    """Images by the shape of their frame.

    >>> [one.name for one in shapes(np.array([[10, 10], [30, 10], [10, 15]], np.int32))]
    ['panorama', 'portrait', 'square']
    """
    width, height = sizes.astype(np.float64).T
    longer = np.maximum(width, height) / np.minimum(width, height)
    square, panorama = longer < _SQUARE, longer >= _PANORAMA
    usual = ~square & ~panorama
    counts = {
        "landscape": usual & (width > height),
        "portrait": usual & (width < height),
        "square": square,
        "panorama": panorama,
    }
    return counted({name: int(which.sum()) for name, which in counts.items()}, len(sizes))


def balance(counts: Mapping[str, int], total: int) -> Classes | None:
    """The classes, from how many of `total` images each has; None without classes.

    The balance is Pielou's evenness (1966).

    >>> balance({"cats": 3, "dogs": 3}, 7)
    Classes(counts=(Count(name='cats', images=3, share=0.42857142857142855), \
Count(name='dogs', images=3, share=0.42857142857142855)), unlabelled=1, balance=1.0)
    """
    if not counts:
        return None
    labelled = sum(counts.values())
    entropy = -sum(count / labelled * math.log(count / labelled) for count in counts.values())
    even = entropy / math.log(len(counts)) if len(counts) > 1 else 1.0
    return Classes(counted(counts, total), total - labelled, round(even, 4))


def telling(
    inside: Mapping[str, int], members: int, shares: Mapping[str, float]
) -> tuple[Count, ...]:
    """What is more frequent among some images than in the folder, the most telling first.

    Names are ranked by their share s among the members and S in the folder: s log(s / S), what
    each adds to the divergence of both.

    Parameters
    ----------
    inside
        How many of the members have each name.
    members
        How many there are.
    shares
        Shares in the folder.

    >>> telling({"blue": 3, "dark": 1}, 4, {"blue": 0.3, "dark": 0.5})
    (Count(name='blue', images=3, share=0.75),)
    """
    gains = {}
    for name, count in inside.items():
        share = count / members
        if share > shares[name]:
            gains[name] = share * math.log(share / shares[name])
    best = sorted(gains, key=lambda name: (-gains[name], name))[:_TELLING]
    return tuple(Count(name, inside[name], inside[name] / members) for name in best)
