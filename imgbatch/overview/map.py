"""The map of a folder: positions on a plane, groups to colour by, and how far to trust it."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imgbatch.annotations.labels import labels_of
from imgbatch.annotations.metadata import Metadata
from imgbatch.config.schema import Config
from imgbatch.embedding.map2d import NEIGHBOURS, SAMPLE, Map2d, map_of, plane_neighbours
from imgbatch.embedding.projection import Projection
from imgbatch.errors import LabelError, SelectionError
from imgbatch.files import paths
from imgbatch.index.kept_map import KeptMap
from imgbatch.index.opened import OpenedIndex
from imgbatch.index.portable import PortableSpace
from imgbatch.overview.groups import find_groups
from imgbatch.seeds import checked_seed
from imgbatch.selection.picker import Picker
from imgbatch.types import Floats, Progress, Rows
from imgbatch.version import __version__

COLORS = ("label", "tag", "cluster")
"""What points may be coloured by."""
NONE = -1
"""The group of an image that belongs to none."""
_BLOCK_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class MapQuality:
    """How well one way to lay the images out keeps neighbours together.

    Attributes
    ----------
    name
        "map", "PCA" or "all dimensions".
    trustworthiness
        0.5 (random) to 1, of 10 neighbours; see `embedding.map2d.trustworthiness`. NaN for folders
        that are too small.
    accuracy
        Share of labelled images whose label is the most frequent one of their 10 nearest others;
        NaN without labels.
    """

    name: str
    trustworthiness: float
    accuracy: float


@dataclass(frozen=True, slots=True, eq=False)
class FolderMap:
    """The images of a folder on a plane.

    Attributes
    ----------
    folder
        Absolute path, or URL.
    files, names
        Absolute path and path inside the folder of each image, by row.
    labels
        The class of each image; "" for none.
    positions
        (n, 2) float32, x and y from 0 to 1. Near images are alike; directions mean nothing.
    color
        What `groups` are: "label", "tag" (the most telling tag of an image) or "cluster".
    group_names
        Names of groups, the largest first.
    groups
        (n,) the group of each image; -1 for none.
    quality
        Of the map, of principal components, and of the feature space itself.
    measured
        How many images the quality was measured on.
    laid_out
        How many images t-SNE laid out; the others were placed beside the nearest of them.
    seed
        Repeats the map.
    colored
        Whether the user chose the colour: pictures then show points in place of thumbnails.
    """

    folder: str
    files: Sequence[str]
    names: Sequence[str]
    labels: Sequence[str]
    positions: Floats
    color: str
    group_names: tuple[str, ...]
    groups: Rows
    quality: tuple[MapQuality, ...]
    measured: int
    laid_out: int
    seed: int
    seconds: float
    notes: tuple[str, ...] = ()
    colored: bool = False

    def group_of(self, row: int) -> str:
        """The name of an image's group; "" for none."""
        number = int(self.groups[row])
        return "" if number == NONE else self.group_names[number]


def check_color(color: str | None) -> None:
    """Check by what a map is to be coloured; None leaves the choice to the map.

    Raises
    ------
    SelectionError
        There is no such way.

    Examples
    --------
    >>> check_color("tag")
    """
    if color not in {None, *COLORS}:
        raise SelectionError(f"color {color!r} was given", f"give one of {', '.join(COLORS)}")


@dataclass(frozen=True)
class Mapping:
    """Maps an opened index.

    Attributes
    ----------
    config, opened, picker, metadata
        The settings, the index, what answers requests on it, and what is known of its images.
    seed
        Of the sample, t-SNE and clusters.
    """

    config: Config
    opened: OpenedIndex
    picker: Picker
    metadata: Metadata
    seed: int = 0

    def map(self, color: str | None = None, progress: Progress | None = None) -> FolderMap:
        """See `Collection.map`."""
        started = time.perf_counter()
        check_color(color)
        checked_seed(self.seed)
        labels = labels_of(self.metadata).names
        classes = set(labels) - {""}
        if color == "label" and not classes:
            raise LabelError(
                f"no image of {self.opened.folder} has a label to colour it by",
                "put each class into a subfolder, give `metadata` a file, or colour by cluster",
            )
        chosen, color = color, color or ("label" if len(classes) > 1 else "cluster")
        projection, opened = self.picker.projection, self.opened
        laid_out = self._laid_out(projection, progress)
        group_names, groups = self._groups(color, labels, projection)
        names = list(opened.records.all_paths())
        return FolderMap(
            opened.folder,
            [paths.join(opened.folder, name) for name in names],
            names,
            labels,
            laid_out.positions,
            color,
            group_names,
            groups,
            _quality(laid_out, labels),
            len(laid_out.asked),
            min(len(names), SAMPLE),
            self.seed,
            time.perf_counter() - started,
            (*opened.notes, *self.metadata.notes),
            chosen is not None,
        )

    def _laid_out(self, projection: Projection, progress: Progress | None) -> Map2d:
        """The map as it was kept, or a new one."""
        space = PortableSpace.of(self.opened.folder, self.config, projection.space, __version__)
        kept = KeptMap(self.opened, space.fingerprint, self.seed)
        if (laid_out := kept.read()) is None:
            laid_out = map_of(projection, self.seed, progress)
            kept.write(laid_out)
        return laid_out

    def _groups(
        self, color: str, labels: Sequence[str], projection: Projection
    ) -> tuple[tuple[str, ...], Rows]:
        if color == "label":
            return _numbered(labels)
        if color == "tag":
            return _numbered(self._telling_tags())
        return _clusters(projection.points, np.random.default_rng(self.seed))

    def _telling_tags(self) -> list[str]:
        """The tag of each image that is rarest and clearest; "" for none."""
        table, counts = self.picker.tags.table(), self.picker.tags.counts()
        scores = table.scores
        carried = np.maximum([counts[name] for name in table.names], 1)
        rarity = np.log(self.picker.tags.total / carried)
        telling = scores.data * rarity[scores.indices]
        rows = np.repeat(np.arange(scores.shape[0]), np.diff(scores.indptr))
        order = np.lexsort((scores.indices, -telling, rows))
        first = np.unique(rows, return_index=True)
        names = [""] * scores.shape[0]
        for row, place in zip(*(part.tolist() for part in first), strict=True):
            names[row] = table.names[scores.indices[order[place]]]
        return names


def _numbered(names: Sequence[str]) -> tuple[tuple[str, ...], Rows]:
    """Groups from the largest to the smallest, ties by name, and the group of each image.

    >>> _numbered(["b", "", "a", "b"])
    (('b', 'a'), array([ 0, -1,  1,  0]))
    """
    counts = Counter(names)
    counts.pop("", None)
    order = sorted(counts, key=lambda name: (-counts[name], name))
    number = {name: place for place, name in enumerate(order)} | {"": NONE}
    return tuple(order), np.array([number[name] for name in names], np.int64)


def _clusters(points: Floats, random: np.random.Generator) -> tuple[tuple[str, ...], Rows]:
    """Groups by k-means: fitted to a sample, whose nearest centre every image takes."""
    total = len(points)
    sample = np.sort(random.choice(total, min(total, SAMPLE), replace=False))
    sampled: Floats = np.asarray(points[sample])
    found = find_groups(sampled, random).numbers
    centres = np.stack([sampled[found == number].mean(axis=0) for number in np.unique(found)])
    squares, numbers = (centres**2).sum(axis=1), np.empty(total, np.int64)
    for start in range(0, total, _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        numbers[block] = (squares - 2 * points[block] @ centres.T).argmin(axis=1)
    width = len(str(len(centres)))
    return _numbered([f"cluster {number + 1:0{width}}" for number in numbers.tolist()])


def _quality(laid_out: Map2d, labels: Sequence[str]) -> tuple[MapQuality, ...]:
    asked = laid_out.asked
    planes = (
        ("map", laid_out.trust, plane_neighbours(laid_out.positions, asked)),
        ("PCA", laid_out.principal_trust, plane_neighbours(laid_out.principal, asked)),
        ("all dimensions", 1.0, laid_out.near),
    )
    return tuple(
        MapQuality(name, trust, accuracy(labels, asked, near)) for name, trust, near in planes
    )


def accuracy(labels: Sequence[str], asked: Rows, near: Rows) -> float:
    """The share of labelled images whose nearest labelled images mostly have their label.

    Parameters
    ----------
    labels
        By row; "" for none.
    asked, near
        (m,) rows, and (m, k) their neighbours, nearest first. Of labels that are equally
        frequent, the one of the nearest neighbour counts.

    Examples
    --------
    >>> accuracy(["a", "b", "a", ""], np.array([0, 1, 3]), np.array([[1, 2], [0, 2], [0, 1]]))
    0.0
    >>> accuracy(["a", "b", "a", "a"], np.array([0, 1]), np.array([[1, 2, 3], [0, 2, 3]]))
    0.5
    """
    labelled = [row for row in asked.tolist() if labels[row]]
    if not labelled or len(set(labels) - {""}) < 2 or not near.shape[1]:
        return float("nan")
    right = 0
    for row, others in zip(asked.tolist(), near.tolist(), strict=True):
        votes = Counter(labels[other] for other in others[:NEIGHBOURS] if labels[other])
        right += bool(labels[row]) and bool(votes) and votes.most_common(1)[0][0] == labels[row]
    return right / len(labelled)
