"""Why images are near or far: distances split by descriptor, and what descriptors saw.

The coordinates of the feature space are those of one descriptor after the other, so the squared
distance of two images is a sum with a part for each descriptor. A map learned from labels mixes the
coordinates; then only the distance before the map splits.
"""

import colorsys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from imgbatch.config.schema import Config
from imgbatch.descriptors import HASH, Codes, Descriptor
from imgbatch.descriptors.hog import Hog
from imgbatch.descriptors.hsv import Hsv
from imgbatch.embedding.space import FeatureSpace
from imgbatch.types import Floats, ImageSequence, View

if TYPE_CHECKING:
    from imagehash import ImageHash

_NO_COLORS = np.empty((0, 1, 3), np.uint8), np.empty((0, 1), np.float32)
_NO_GRADIENTS = np.empty((0, 0, 1), np.float32)


@dataclass(frozen=True, slots=True)
class DescriptorShare:
    """What one descriptor adds to the distance of two images.

    Attributes
    ----------
    weight
        The descriptor's share of a typical pair's squared distance; weights sum to 1.
    squared_distance
        Its part of this pair's squared distance.
    share
        That part in proportion to the whole; shares sum to 1.
    """

    name: str
    weight: float
    squared_distance: float
    share: float

    @property
    def distance(self) -> float:
        """The root of its part: the distance of the two, as far as this descriptor goes."""
        return float(np.sqrt(self.squared_distance))

    @property
    def ratio(self) -> float:
        """The part in proportion to the typical pair's: 0 (equal) to about 2, on average 1."""
        return self.squared_distance / self.weight if self.weight else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class DescribedImage:
    """What descriptors saw of one image; arrays of descriptors that are not used are empty.

    Attributes
    ----------
    path, relative
        The absolute path, and the path to show.
    width, height
        Pixels of the upright picture.
    colors, color_shares
        Histogram bars of stacked segments: (bars, segments, 3) uint8 RGB, (bars, segments) shares.
    gradients
        (rows, columns, orientations) float32: strengths of gradients, from 0 to 360 degrees.
    hash_bits
        (8, 8) bool, the pHash: low frequencies top left.
    differing
        By name of a Fisher vector (16, 16) float32 in 0..1: where the image holds what sets it
        apart from the other image; see `FisherVector.differing`.
    """

    path: str
    relative: str
    width: int
    height: int
    colors: View
    color_shares: Floats
    gradients: Floats
    hash_bits: npt.NDArray[np.bool_]
    differing: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def image_hash(self) -> "ImageHash":
        """The pHash as an object of the library imagehash: ``a - b`` counts differing bits."""
        # Imported here: warm requests split distances by descriptor, but need no imagehash.
        from imagehash import ImageHash

        return ImageHash(self.hash_bits)

    @property
    def phash(self) -> str:
        """The pHash as 16 hexadecimal digits, written as ``str(imagehash.phash(image))`` is."""
        return str(self.image_hash)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Explanation(ImageSequence[DescribedImage]):
    """Why two images of a folder's feature space are near or far: a sequence of the two.

    Attributes
    ----------
    folder
        The folder whose images define the feature space.
    images
        What the descriptors saw of each image.
    distance
        Euclidean; 1 is that of a typical pair of the folder.
    parts
        By falling weight; their squared distances sum to the square of `distance`, or of
        `unlearned_distance` if there is one.
    hash_bits_apart
        0..64: bits in which the pHashes differ.
    unlearned_distance
        That of the points before a map learned from labels; None if points are not learned.
    config
        Says how `sheet` reads pictures; None means the settings in force.
    """

    folder: str
    images: tuple[DescribedImage, DescribedImage]
    distance: float
    parts: tuple[DescriptorShare, ...]
    hash_bits_apart: int
    unlearned_distance: float | None = None
    config: Config | None = None

    def __repr__(self) -> str:
        first, second = (image.relative for image in self.images)
        return f"<imgbatch.Explanation: {first!r} and {second!r}, {self.distance:.3f} apart>"


def squared_by_descriptor(space: FeatureSpace, a: Floats, b: Floats) -> dict[str, float]:
    """The squared distance of two points (p,), split by descriptor; the parts sum to it.

    Learned points do not split: the answer is empty.
    """
    difference = (a - b).astype(np.float64)
    squares = {name: difference[columns] for name, columns in space.columns.items()}
    return {name: float(part @ part) for name, part in squares.items()}


def shares(space: FeatureSpace, a: Floats, b: Floats) -> dict[str, float]:
    """Each descriptor's share of the squared distance of two points.

    Empty if they are equal, or if points are learned.
    """
    squares = squared_by_descriptor(space, a, b)
    total = sum(squares.values())
    return {name: round(part / total, 6) for name, part in squares.items()} if total else {}


def shares_of_set(
    space: FeatureSpace, points: Floats, anchor: Floats | None
) -> list[dict[str, float]]:
    """For each point of a set, the shares of its distance to the point it was ranked by.

    With an anchor, that point is the anchor. Without, it is the nearest point before it, and for
    the first point the second. O(n^2 d) without an anchor.
    """
    if anchor is not None:
        return [shares(space, point, anchor) for point in points]
    split = []
    for rank, point in enumerate(points):
        earlier = points[:rank] if rank else points[1:2]
        away = earlier - point
        nearest = np.einsum("nd,nd->n", away, away).argmin() if len(earlier) else None
        split.append({} if nearest is None else shares(space, point, earlier[nearest]))
    return split


def explain(
    folder: str,
    space: FeatureSpace,
    images: Sequence[DescribedImage],
    points: Sequence[Floats],
    unlearned: Sequence[Floats],
) -> Explanation:
    """Say why two images are as far apart as they are.

    Parameters
    ----------
    folder, space
        The folder, and its feature space.
    images, points
        What descriptors saw of each of the two, and its (p,) point.
    unlearned
        The points before a learned map; the same points if there is none.
    """
    squares = squared_by_descriptor(space.unlearned, *unlearned)
    split_distance = float(np.sqrt(sum(squares.values())))
    split = shares(space.unlearned, *unlearned)
    parts = [
        DescriptorShare(name, space.shares[name], square, split.get(name, 0.0))
        for name, square in squares.items()
    ]
    parts.sort(key=lambda part: -part.weight)
    bits_apart = int(images[0].image_hash - images[1].image_hash)
    both = images[0], images[1]
    if space.learned is None:
        return Explanation(folder, both, split_distance, tuple(parts), bits_apart)
    distance = float(np.linalg.norm(points[0] - points[1]))
    return Explanation(folder, both, distance, tuple(parts), bits_apart, split_distance)


def hash_bits(codes: Codes) -> npt.NDArray[np.bool_]:
    """(8,) bytes of a pHash -> (8, 8) bits: low frequencies top left."""
    return np.unpackbits(codes).reshape(8, 8).astype(bool)


def describe_image(
    paths: tuple[str, str],
    size: tuple[int, int],
    view: View,
    descriptors: Mapping[str, Descriptor],
    codes: Mapping[str, Codes],
    other: Mapping[str, Codes],
) -> DescribedImage:
    """What the descriptors saw of an image, beside another one.

    Parameters
    ----------
    paths
        The absolute path, and the path to show.
    size
        Width and height of the original in pixels.
    view
        What the descriptors were given of it.
    descriptors, codes, other
        The descriptors, the (dim,) bytes of the image, and those of the other image, by name.
    """
    from imgbatch.descriptors.fisher import FisherVector  # of no use to most requests

    hsv, hog = descriptors.get("hsv"), descriptors.get("hog")
    bars = color_bars(hsv.histogram(codes["hsv"])) if isinstance(hsv, Hsv) else _NO_COLORS
    gradients = hog.cells(codes["hog"]) if isinstance(hog, Hog) else _NO_GRADIENTS
    differing = {
        name: descriptor.differing(view, codes[name], other[name])
        for name, descriptor in descriptors.items()
        if isinstance(descriptor, FisherVector)
    }
    return DescribedImage(*paths, *size, *bars, gradients, hash_bits(codes[HASH]), differing)


def color_bars(histogram: Floats) -> tuple[View, Floats]:
    """An HSV histogram (hues, saturations, values) as bars of stacked, coloured segments.

    The first bars are the greys from dark to light, one segment each: pale colours by their value,
    and everything nearly black. Then follows a bar for each hue, with a segment for each saturation
    and value. A histogram with a single bin of saturation or of value has no greys.

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
