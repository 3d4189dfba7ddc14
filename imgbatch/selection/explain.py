"""Why images are near or far: distances split by descriptor, and what descriptors saw."""

import colorsys
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from imgbatch.descriptors import ALWAYS, Codes, Descriptor
from imgbatch.descriptors.hog import Hog
from imgbatch.descriptors.hsv import Hsv
from imgbatch.embedding.space import FeatureSpace
from imgbatch.types import DescribedImage, DescriptorShare, Explanation, Floats, View

_COLOURLESS = np.empty((0, 1, 3), np.uint8), np.empty((0, 1), np.float32)


def squared_by_descriptor(space: FeatureSpace, one: Floats, other: Floats) -> dict[str, float]:
    """The squared distance of two points, split by descriptor; the parts add up to it."""
    away = (one - other).astype(np.float64)
    return {name: float(away[part] @ away[part]) for name, part in space.columns.items()}


def shares(space: FeatureSpace, one: Floats, other: Floats) -> dict[str, float]:
    """Each descriptor's share of the squared distance of two points; empty if they are equal."""
    squares = squared_by_descriptor(space, one, other)
    total = sum(squares.values())
    return {name: round(part / total, 6) for name, part in squares.items()} if total else {}


def shares_of_set(
    space: FeatureSpace, points: Floats, anchor: Floats | None
) -> list[dict[str, float]]:
    """For each point of a set, the shares of its distance to what it is compared with.

    With an anchor, that is the anchor; without, the nearest point before it, and for the first
    point the second. O(n^2 d) without an anchor.
    """
    if anchor is not None:
        return [shares(space, point, anchor) for point in points]
    found = []
    for place, point in enumerate(points):
        earlier = points[:place] if place else points[1:2]
        away = earlier - point
        nearest = np.einsum("nd,nd->n", away, away).argmin() if len(earlier) else None
        found.append({} if nearest is None else shares(space, point, earlier[nearest]))
    return found


def explain(
    folder: str,
    space: FeatureSpace,
    weights: Mapping[str, float],
    looks: tuple[DescribedImage, DescribedImage],
    points: tuple[Floats, Floats],
) -> Explanation:
    """Put together why two images are as far apart as they are.

    Parameters
    ----------
    weights
        By descriptor, of any sum; those of descriptors outside the space do not matter.
    looks, points
        What descriptors saw of each image, and its (p,) point.
    """
    squares = squared_by_descriptor(space, *points)
    distance = float(np.sqrt(sum(squares.values())))
    split = shares(space, *points)
    total = sum(weights[name] for name in squares)
    parts = [
        DescriptorShare(name, weights[name] / total, square, split.get(name, 0.0))
        for name, square in squares.items()
    ]
    parts.sort(key=lambda part: -part.weight)
    apart = int((looks[0].hash_bits != looks[1].hash_bits).sum())
    return Explanation(folder, looks, distance, tuple(parts), apart)


def hash_bits(codes: Codes) -> npt.NDArray[np.bool_]:
    """(8,) bytes of a pHash -> (8, 8) bits: low frequencies top left."""
    return np.unpackbits(codes).reshape(8, 8).astype(bool)


def look(
    place: tuple[str, str],
    size: tuple[int, int],
    descriptors: Mapping[str, Descriptor],
    codes: Mapping[str, Codes],
) -> DescribedImage:
    """What the descriptors saw of an image.

    Parameters
    ----------
    place
        Its absolute path, and the path to show.
    size
        Width and height of the original in pixels.
    codes
        (dim,) bytes by descriptor.
    """
    hsv, hog = descriptors.get("hsv"), descriptors.get("hog")
    colors, color_shares = (
        color_bars(hsv.histogram(codes["hsv"])) if isinstance(hsv, Hsv) else _COLOURLESS
    )
    gradients = hog.cells(codes["hog"]) if isinstance(hog, Hog) else np.empty((0, 0, 1), np.float32)
    return DescribedImage(*place, *size, colors, color_shares, gradients, hash_bits(codes[ALWAYS]))


def color_bars(histogram: Floats) -> tuple[View, Floats]:
    """An HSV histogram (hues, saturations, values) as bars of stacked, coloured segments.

    First the greys from dark to light, one segment each: pale colours by their value, and all that
    is nearly black. Then a bar for each hue, with a segment for each saturation and value. With a
    single bin of saturation or value nothing is held for grey.

    Returns
    -------
    colors, shares
        (bars, segments, 3) uint8 RGB of the middle of each bin, and (bars, segments) float32.
    """
    hues, saturations, values = histogram.shape
    grey = np.zeros(histogram.shape, bool)
    if saturations > 1 and values > 1:
        grey[:, 0, :] = grey[:, :, 0] = True
    greys = np.where(grey, histogram, 0).sum(axis=(0, 1))
    segments = saturations * values
    shares = np.zeros((values + hues, segments), np.float32)
    colors = np.zeros((values + hues, segments, 3), np.uint8)
    shares[:values, 0] = greys
    colors[:values, 0] = np.rint(255 * (np.arange(values)[:, None] + 0.5) / values)
    shares[values:] = np.where(grey, 0, histogram).reshape(hues, segments)
    for hue, saturation, value in np.ndindex(hues, saturations, values):
        rgb = colorsys.hsv_to_rgb(
            (hue + 0.5) / hues, (saturation + 0.5) / saturations, (value + 0.5) / values
        )
        colors[values + hue, saturation * values + value] = np.rint(255 * np.array(rgb))
    return colors, shares
