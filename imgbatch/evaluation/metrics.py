"""Figures of sets: pure functions of points, labels and sets of rows.

A metric gives one value for each set, class or image it looks at; the figure is their mean. Sets
are (s, n) int64 rows. Figures of single queries are in `imgbatch.evaluation.rankings`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from imgbatch.annotations.labels import UNLABELLED
from imgbatch.copies.rule import are_copies
from imgbatch.evaluation.intervals import Values
from imgbatch.neighbours.search import neighbour_lists
from imgbatch.types import Floats, Hashes, Rows

_RANK = 10  # the neighbour whose distance says how lonely an image is
_MOST_COMPARED = 5000
_SEED = 20_000_033  # draws the images that outliers are compared with, if not all


@dataclass(frozen=True, slots=True)
class LabelledPoints:
    """The images that sets are drawn from.

    Attributes
    ----------
    points
        (n, d) float32.
    hashes
        (n,) uint64 pHashes, or numbers of groups of near-duplicates.
    labels
        (n,) int64: the number of the class, or `UNLABELLED`.
    duplicate_bits
        The hashes of near-duplicates differ in at most this many bits.
    """

    points: Floats
    hashes: Hashes
    labels: Rows
    duplicate_bits: int = 6

    @property
    def has_classes(self) -> bool:
        """Whether there are at least two classes."""
        return len(np.unique(self.labels[self.labels != UNLABELLED])) > 1


def purity(images: LabelledPoints, sets: Rows) -> Values:
    """Share of each set's other images that are of the class of its first image.

    Sets whose first image has no label give no value.

    Examples
    --------
    >>> labels = np.array([0, 0, 0, 1])
    >>> images = LabelledPoints(np.zeros((4, 2), np.float32), np.zeros(4, np.uint64), labels)
    >>> purity(images, np.array([[0, 1, 3]]))
    array([0.5])
    """
    labels = images.labels[sets[images.labels[sets[:, 0]] != UNLABELLED]]
    same: Values = (labels[:, 1:] == labels[:, :1]).mean(axis=1)
    return same


def classes_reached(images: LabelledPoints, sets: Rows) -> Values:
    """For each class, 1 if a set begins with one of its images, else 0.

    Examples
    --------
    >>> hashes, labels = np.array([0, 1, 255], np.uint64), np.array([0, 0, 1])
    >>> images = LabelledPoints(np.eye(3, dtype=np.float32), hashes, labels)
    >>> classes_reached(images, np.array([[0, 2], [1, 2]]))
    array([1., 0.])
    """
    all_classes = np.unique(images.labels[images.labels != UNLABELLED])
    return np.isin(all_classes, images.labels[sets[:, 0]]).astype(np.float64)


def images_reached(images: LabelledPoints, sets: Rows) -> Values:
    """For each image, 1 if it is in a set, else 0.

    Examples
    --------
    >>> hashes, labels = np.array([0, 1, 255], np.uint64), np.array([0, 0, 1])
    >>> images = LabelledPoints(np.eye(3, dtype=np.float32), hashes, labels)
    >>> images_reached(images, np.array([[0, 2]]))
    array([1., 0., 1.])
    """
    reached = np.zeros(len(images.points))
    reached[sets.ravel()] = 1
    return reached


def classes(images: LabelledPoints, sets: Rows) -> Values:
    """Number of classes in each set.

    Examples
    --------
    >>> hashes, labels = np.array([0, 1, 255], np.uint64), np.array([0, 0, 1])
    >>> images = LabelledPoints(np.eye(3, dtype=np.float32), hashes, labels)
    >>> classes(images, np.array([[0, 1], [0, 2]]))
    array([1., 2.])
    """
    return _each(images.labels[sets], lambda labels: len(np.unique(labels[labels != UNLABELLED])))


def overlap(_images: LabelledPoints, sets: Rows) -> Values:
    """Share of each set but the first that is also in the set before it.

    Examples
    --------
    >>> hashes, labels = np.array([0, 1, 255], np.uint64), np.array([0, 0, 1])
    >>> images = LabelledPoints(np.eye(3, dtype=np.float32), hashes, labels)
    >>> overlap(images, np.array([[0, 1], [1, 2]]))
    array([0.5])
    """
    return np.array([np.isin(later, earlier).mean() for earlier, later in pairwise(sets)])


def near_duplicates(images: LabelledPoints, sets: Rows) -> Values:
    """Number of pairs of near-duplicates in each set.

    Examples
    --------
    >>> hashes, labels = np.array([0, 1, 255], np.uint64), np.array([0, 0, 1])
    >>> images = LabelledPoints(np.eye(3, dtype=np.float32), hashes, labels)
    >>> near_duplicates(images, np.array([[0, 1, 2]]))
    array([1.])
    """

    def count(rows: Rows) -> float:
        alike = are_copies(images.hashes[rows][:, None], images.hashes[rows], images.duplicate_bits)
        return (int(alike.sum()) - len(rows)) / 2

    return _each(sets, count)


def min_distance(images: LabelledPoints, sets: Rows) -> Values:
    """Least distance of two images in each set.

    Examples
    --------
    >>> hashes, labels = np.array([0, 1, 255], np.uint64), np.array([0, 0, 1])
    >>> images = LabelledPoints(np.eye(3, dtype=np.float32), hashes, labels)
    >>> print(f"{min_distance(images, np.array([[0, 1, 2]]))[0]:.3f}")
    1.414
    """
    return _each(sets, lambda rows: float(_distances(images.points[rows]).min()))


def mean_distance(images: LabelledPoints, sets: Rows) -> Values:
    """Mean distance of two images in each set.

    Examples
    --------
    >>> hashes, labels = np.array([0, 1, 255], np.uint64), np.array([0, 0, 1])
    >>> images = LabelledPoints(np.eye(3, dtype=np.float32), hashes, labels)
    >>> print(f"{mean_distance(images, np.array([[0, 1, 2]]))[0]:.3f}")
    1.414
    """
    return _each(sets, lambda rows: float(_distances(images.points[rows]).mean()))


def mean_shift(images: LabelledPoints, sets: Rows) -> Values:
    """Squared distance of each set's mean from the mean of all images; 1 is that of random sets.

    The expected squared distance of a random set of k of n rows is (1/k) (n - k)/(n - 1) times the
    mean squared distance of the rows from their mean (sampling without replacement).

    Examples
    --------
    >>> points = np.array([[0], [1], [2], [3]], np.float32)
    >>> images = LabelledPoints(points, np.zeros(4, np.uint64), np.zeros(4, np.int64))
    >>> balanced, lopsided = mean_shift(images, np.array([[0, 3], [0, 1]]))
    >>> print(f"{balanced:.1f} {lopsided:.1f}")
    0.0 2.4
    """
    centred = images.points - images.points.mean(axis=0, dtype=np.float64)
    total, size = len(centred), sets.shape[1]
    expected = float((centred**2).sum()) / total * (total - size) / max(total - 1, 1) / size
    if expected <= 0:
        return np.zeros(len(sets))
    return _each(sets, lambda rows: float((centred[rows].mean(axis=0) ** 2).sum()) / expected)


def vendi_score(images: LabelledPoints, sets: Rows) -> Values:
    """Effective number of different images in each set, 1..n.

    The exponential of the Shannon entropy of the eigenvalues of K/n, where K holds the cosine
    similarities of the points (Friedman and Dieng, "The Vendi Score", TMLR 2023).

    Examples
    --------
    >>> hashes, labels = np.array([0, 1, 255], np.uint64), np.array([0, 0, 1])
    >>> images = LabelledPoints(np.eye(3, dtype=np.float32), hashes, labels)
    >>> print(f"{vendi_score(images, np.array([[0, 1, 2]]))[0]:.2f}")
    3.00
    """
    return _each(sets, lambda rows: vendi(images.points[rows]))


def vendi(points: Floats) -> float:
    """The Vendi score of (n, d) points under the cosine kernel; a zero point is like no other.

    Examples
    --------
    >>> print(f"{vendi(np.eye(3, dtype=np.float32)):.2f}")
    3.00
    """
    lengths = np.linalg.norm(points.astype(np.float64), axis=1, keepdims=True)
    unit = np.divide(points, lengths, out=np.zeros(points.shape), where=lengths > 0)
    kernel = unit @ unit.T
    np.fill_diagonal(kernel, 1)
    values = np.linalg.eigvalsh(kernel / len(points))
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))


def outlier_percentile(images: LabelledPoints, sets: Rows) -> Values:
    """Mean percentile, 0..100, of each set's images by loneliness: 100 is the loneliest image.

    Loneliness is the distance to the tenth nearest image (Ramaswamy, Rastogi and Shim, SIGMOD
    2000). Percentiles are among all images, or among 5,000 random ones of more.

    Examples
    --------
    >>> points = np.array([*range(11), 99], np.float32)[:, None]
    >>> images = LabelledPoints(points, np.zeros(12, np.uint64), np.zeros(12, np.int64))
    >>> middle, outlier = outlier_percentile(images, np.array([[5], [11]]))
    >>> bool(middle < 50 < outlier)
    True
    """
    n = len(images.points)
    compared = np.arange(n)
    if n > _MOST_COMPARED:
        compared = np.random.default_rng(_SEED).choice(n, _MOST_COMPARED, replace=False)
    reference = np.sort(neighbour_lists(images.points, compared, _RANK)[1][:, -1])
    drawn, position = np.unique(sets, return_inverse=True)
    radii = neighbour_lists(images.points, drawn, _RANK)[1][:, -1][position.ravel()]
    below = np.searchsorted(reference, radii, side="left")
    up_to = np.searchsorted(reference, radii, side="right")
    percentile: Values = (below + up_to).reshape(sets.shape).mean(axis=1) * 50 / len(reference)
    return percentile


def _each(sets: Rows, measure: Callable[[Rows], float]) -> Values:
    return np.array([measure(rows) for rows in sets], np.float64)


def _distances(points: Floats) -> Values:
    """Distances of all pairs of (n, d) points, (n (n - 1) / 2,)."""
    from scipy.spatial.distance import pdist

    distances: Values = pdist(points.astype(np.float64))
    return distances


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of sets.

    Attributes
    ----------
    kind
        The sets it looks at: "similar", "different" or "batches".
    measure
        Computes its values.
    definition
        What it says, in a few words.
    """

    kind: str
    measure: Callable[[LabelledPoints, Rows], Values]
    definition: str
    needs_labels: bool = False


METRICS: dict[str, Metric] = {
    "similar_purity": Metric(
        "similar",
        purity,
        "share of a similar set's others that are of the anchor's class",
        needs_labels=True,
    ),
    "similar_classes_reached": Metric(
        "similar",
        classes_reached,
        "share of the classes that came up as an anchor",
        needs_labels=True,
    ),
    "similar_images_reached": Metric(
        "similar", images_reached, "share of the images that came up in some similar set"
    ),
    "similar_near_duplicates": Metric(
        "similar", near_duplicates, "pairs of near-duplicates in a similar set"
    ),
    "similar_mean_distance": Metric(
        "similar", mean_distance, "mean distance of two images in a similar set"
    ),
    "different_classes": Metric(
        "different", classes, "classes in a set of different images", needs_labels=True
    ),
    "different_overlap": Metric(
        "different", overlap, "share of a different set that is also in the set before it"
    ),
    "different_near_duplicates": Metric(
        "different", near_duplicates, "pairs of near-duplicates in a different set"
    ),
    "different_min_distance": Metric(
        "different", min_distance, "least distance of two images in a different set"
    ),
    "different_mean_distance": Metric(
        "different", mean_distance, "mean distance of two images in a different set"
    ),
    "different_vendi_score": Metric(
        "different", vendi_score, "effective number of different images in such a set"
    ),
    "different_outlier_percentile": Metric(
        "different",
        outlier_percentile,
        "percentile of its images by loneliness; 50 is usual",
    ),
    "different_images_reached": Metric(
        "different", images_reached, "share of the images that came up in some such set"
    ),
    "batches_mean_shift": Metric(
        "batches",
        mean_shift,
        "squared distance of a dealt batch's mean from that of all images, random batches = 1",
    ),
    "batches_classes": Metric("batches", classes, "classes in a dealt batch", needs_labels=True),
    "batches_near_duplicates": Metric(
        "batches", near_duplicates, "pairs of near-duplicates in a dealt batch"
    ),
    "batches_min_distance": Metric(
        "batches", min_distance, "least distance of two images in a dealt batch"
    ),
}
"""Every figure of sets. A new one: its function and an entry here."""
