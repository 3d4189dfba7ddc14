"""Figures of quality: pure functions of points, labels and sets of rows.

A metric gives one value for each query, set, class or image it looks at. The figure is their mean;
its interval comes from resampling them (`interval`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from imgbatch.copies.rule import hamming
from imgbatch.neighbours.search import neighbour_lists
from imgbatch.types import Floats, Hashes, Rows

Values = npt.NDArray[np.float64]

UNLABELLED = -1
_BLOCK_BYTES = 32_000_000
_RESAMPLES = 1000
_MANY = 20_000
_REFERENCE = 5000
_RADIUS = 10
_SEED = 20_000_033  # of the images that outliers are compared with, where not all


@dataclass(frozen=True, slots=True)
class World:
    """The images that sets were drawn from.

    points (n, d) float32; hashes (n,) uint64 pHashes; labels (n,) int64, the number of the class
    or `UNLABELLED`; near-duplicates differ in at most `duplicate_bits` bits.
    """

    points: Floats
    hashes: Hashes
    labels: Rows
    duplicate_bits: int = 6

    @property
    def labelled(self) -> bool:
        """Whether there are two classes to tell apart."""
        return len(np.unique(self.labels[self.labels != UNLABELLED])) > 1


# ----- single queries -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ranking:
    """Precision at 1 and at 10 and average precision, each (q,) in 0..1, of each query."""

    precision_at_1: Values
    precision_at_10: Values
    average_precision: Values


def rank_queries(points: Floats, labels: Rows, queries: Rows) -> Ranking:
    """Rank all other images by distance to each query; an image of its class is a hit.

    The query itself is taken out before ranking. Precision at k divides by k, or by n - 1 in a
    folder of fewer than k others. Average precision is the mean, over the hits, of the precision at
    each hit's rank (Manning, Raghavan and Schuetze, "Introduction to Information Retrieval", 2008,
    chapter 8), over the whole ranking. Equal distances rank by row. Blocked: O(q n (d + log n))
    time, O(n) memory.

    Parameters
    ----------
    points, labels
        (n, d) float32 and (n,) int64, n >= 2.
    queries
        (q,) rows with a label that at least one other row has, too.
    """
    n = len(points)
    first, ten, average = (np.zeros(len(queries)) for _ in range(3))
    squares = np.einsum("nd,nd->n", points, points)
    ranks = np.arange(1, n)
    step = max(1, _BLOCK_BYTES // (16 * n))
    for start in range(0, len(queries), step):
        some = queries[start : start + step]
        squared = points[some] @ points.T
        squared *= -2
        squared += squares
        squared += squares[some][:, None]
        order = _order(np.maximum(squared, 0), some)
        hits = labels[order] == labels[some][:, None]
        place = slice(start, start + len(some))
        first[place] = hits[:, 0]
        ten[place] = hits[:, :10].mean(axis=1)
        precisions = np.cumsum(hits, axis=1) / ranks
        average[place] = (precisions * hits).sum(axis=1) / hits.sum(axis=1)
    return Ranking(first, ten, average)


def _order(squared: Floats, own: Rows) -> npt.NDArray[np.uint64]:
    """Columns of each row by rising value, ties by column; each row's own column left out.

    The bits of floats >= 0 rise with their value; with the column below them one plain sort of
    whole numbers, several times faster than an `argsort`, does all.
    """
    keys = squared.view(np.uint32).astype(np.uint64) << np.uint64(32)
    keys |= np.arange(squared.shape[1], dtype=np.uint64)
    keys[np.arange(len(own)), own] = np.iinfo(np.uint64).max
    keys.sort(axis=1)
    return keys[:, :-1] & np.uint64(0xFFFFFFFF)


def random_ranking(labels: Rows, queries: Rows) -> tuple[float, float]:
    """What a random ranking is expected to give: precision (at any k), average precision; exact.

    With R hits among m others, a hit at rank k has expected precision (1 + (k-1)(R-1)/(m-1)) / k;
    the mean over k needs only the harmonic number of m.
    """
    m = len(labels) - 1
    sizes = np.bincount(labels[labels != UNLABELLED])
    hits = sizes[labels[queries]] - 1.0
    harmonic = float((1 / np.arange(1, m + 1)).sum())
    average = (harmonic + (m - harmonic) * (hits - 1) / max(1, m - 1)) / m
    return float((hits / m).mean()), float(average.mean())


def usable_queries(labels: Rows) -> Rows:
    """Rows whose class has another member."""
    sizes = np.bincount(labels[labels != UNLABELLED], minlength=1)
    return np.flatnonzero((labels != UNLABELLED) & (sizes[np.maximum(labels, 0)] > 1))


# ----- sets of rows -------------------------------------------------------------------------------


def purity(world: World, sets: Rows) -> Values:
    """Share of each set's other images that are of its first image's class."""
    labels = world.labels[sets[world.labels[sets[:, 0]] != UNLABELLED]]
    same: Values = (labels[:, 1:] == labels[:, :1]).mean(axis=1)
    return same


def classes_reached(world: World, sets: Rows) -> Values:
    """For each class, whether a set begins with one of its images."""
    every = np.unique(world.labels[world.labels != UNLABELLED])
    return np.isin(every, world.labels[sets[:, 0]]).astype(np.float64)


def images_reached(world: World, sets: Rows) -> Values:
    """For each image, whether it is in a set."""
    reached = np.zeros(len(world.points))
    reached[sets.ravel()] = 1
    return reached


def classes(world: World, sets: Rows) -> Values:
    """Number of classes in each set."""
    return _each(world.labels[sets], lambda some: len(np.unique(some[some != UNLABELLED])))


def overlap(_world: World, sets: Rows) -> Values:
    """Share of each set that was in the set before it, too."""
    return np.array([np.isin(later, earlier).mean() for earlier, later in pairwise(sets)])


def near_duplicates(world: World, sets: Rows) -> Values:
    """Number of pairs in each set whose pHashes differ in few bits."""

    def count(rows: Rows) -> float:
        alike = hamming(world.hashes[rows][:, None], world.hashes[rows]) <= world.duplicate_bits
        return (int(alike.sum()) - len(rows)) / 2

    return _each(sets, count)


def min_distance(world: World, sets: Rows) -> Values:
    """Least distance of two images in each set."""
    return _each(sets, lambda rows: float(_distances(world.points[rows]).min()))


def mean_distance(world: World, sets: Rows) -> Values:
    """Mean distance of two images in each set."""
    return _each(sets, lambda rows: float(_distances(world.points[rows]).mean()))


def mean_shift(world: World, sets: Rows) -> Values:
    """Squared distance of each set's mean from that of all, in proportion to random sets' (1).

    A random set of k of n rows has an expected one of (1/k) (n - k)/(n - 1) times the rows' mean
    squared distance from their mean (sampling without replacement).
    """
    centred = world.points - world.points.mean(axis=0, dtype=np.float64)
    total, size = len(centred), sets.shape[1]
    expected = float((centred**2).sum()) / total * (total - size) / max(total - 1, 1) / size
    if expected <= 0:
        return np.zeros(len(sets))
    return _each(sets, lambda rows: float((centred[rows].mean(axis=0) ** 2).sum()) / expected)


def vendi_score(world: World, sets: Rows) -> Values:
    """Effective number of different images in each set, 1..n.

    The exponential of the Shannon entropy of the eigenvalues of K/n, where K holds the cosine
    similarities of the points (Friedman and Dieng, "The Vendi Score", TMLR 2023).
    """
    return _each(sets, lambda rows: vendi(world.points[rows]))


def vendi(points: Floats) -> float:
    """The Vendi score of (n, d) points under the cosine kernel; a zero point is like no other."""
    lengths = np.linalg.norm(points.astype(np.float64), axis=1, keepdims=True)
    unit = np.divide(points, lengths, out=np.zeros(points.shape), where=lengths > 0)
    kernel = unit @ unit.T
    np.fill_diagonal(kernel, 1)
    values = np.linalg.eigvalsh(kernel / len(points))
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))


def outlier_percentile(world: World, sets: Rows) -> Values:
    """Mean percentile, 0..100, of how alone each set's images lie: 100 is the loneliest.

    Loneliness is the distance to the tenth nearest image (Ramaswamy, Rastogi and Shim, SIGMOD
    2000), compared with all images, or with 5,000 random ones.
    """
    n = len(world.points)
    everyone = np.arange(n)
    if n > _REFERENCE:
        everyone = np.random.default_rng(_SEED).choice(n, _REFERENCE, replace=False)
    reference = np.sort(neighbour_lists(world.points, everyone, _RADIUS)[1][:, -1])
    drawn, place = np.unique(sets, return_inverse=True)
    radii = neighbour_lists(world.points, drawn, _RADIUS)[1][:, -1][place.ravel()]
    below = np.searchsorted(reference, radii, side="left")
    up_to = np.searchsorted(reference, radii, side="right")
    percentile: Values = (below + up_to).reshape(sets.shape).mean(axis=1) * 50 / len(reference)
    return percentile


def _each(sets: npt.NDArray[np.int64], measure: Callable[[Rows], float]) -> Values:
    return np.array([measure(one) for one in sets], np.float64)


def _distances(points: Floats) -> Values:
    """Distances of all pairs of (n, d) points, (n (n - 1) / 2,)."""
    from scipy.spatial.distance import pdist

    distances: Values = pdist(points.astype(np.float64))
    return distances


# ----- intervals ----------------------------------------------------------------------------------


def interval(values: Values, random: np.random.Generator) -> tuple[float, float]:
    """95% interval of the mean of (n,) values: bootstrap percentiles of 1,000 resamples.

    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13. Above 20,000 values
    the normal interval, to which it converges, takes its place.
    """
    n = len(values)
    if n > _MANY:
        half = 1.96 * float(values.std()) / np.sqrt(n)
        return float(values.mean() - half), float(values.mean() + half)
    means = [values[random.integers(0, n, n)].mean() for _ in range(_RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of sets: which requests it looks at, how it is computed, and what it says."""

    of: str
    values: Callable[[World, Rows], Values]
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
        "different", overlap, "share of a different set that the set before held, too"
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
        "different", outlier_percentile, "how alone its images lie; 50 is usual, 100 most"
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
