"""The labels of a folder, ready to learn from: classes, groups that stay together, given parts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from imgbatch.annotations.columns import First
from imgbatch.annotations.kept import PREDICTIONS
from imgbatch.annotations.labels import HOW_TO_LABEL, UNLABELLED, class_numbers, labels_of
from imgbatch.annotations.metadata import Metadata
from imgbatch.annotations.splits import part_numbers
from imgbatch.config.schema import Config
from imgbatch.embedding.projection import Projection
from imgbatch.errors import LabelError
from imgbatch.files.paths import join
from imgbatch.learning.examples import Examples, PointRows
from imgbatch.runners.maps import ThreadMap
from imgbatch.types import Hashes, Rows


@dataclass(frozen=True)
class KnownLabels:
    """What is known of a folder's images that learning needs.

    Attributes
    ----------
    folder
        The image folder, absolute.
    config
        The settings in force.
    paths
        Paths of all images inside the folder.
    metadata
        Their labels, groups, splits.
    read_projection, read_copies
        Give their points, and (n,) numbers that are equal for copies.
    """

    folder: str
    config: Config
    paths: Sequence[str]
    metadata: Metadata
    read_projection: Callable[[], Projection]
    read_copies: Callable[[], Hashes]

    def __len__(self) -> int:
        return len(self.paths)

    @cached_property
    def files(self) -> list[str]:
        """Absolute path, or URL, of each image."""
        return [join(self.folder, path) for path in self.paths]

    @cached_property
    def projection(self) -> Projection:
        """The images as points."""
        return self.read_projection()

    def images(self, rows: Rows) -> PointRows:
        """The points of some rows, whose work is spread over threads, or over the cluster."""
        projection = self.projection
        several = len(projection.parts) > 1
        run = projection.run_tasks if several else ThreadMap(self.config.index.workers)
        return PointRows(projection.parts, rows, run)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The class of each image; "" for none."""
        return labels_of(self.metadata).names

    @cached_property
    def classes(self) -> Rows:
        """(n,) the number of each image's class; `UNLABELLED` for none."""
        return class_numbers(self.labels)

    @property
    def names(self) -> tuple[str, ...]:
        """The classes, sorted: class number i is ``names[i]``."""
        return tuple(sorted(set(self.labels) - {""}))

    @cached_property
    def groups(self) -> Rows:
        """(n,) numbers that are equal for copies, and for images of one group in the metadata."""
        copies = np.unique(self.read_copies(), return_inverse=True)[1].reshape(-1)
        named = tuple(First(self.metadata.column("groups")))
        return joined_groups(copies, named)

    @cached_property
    def parts(self) -> Rows:
        """(n,) the part that metadata give each image: 0 train, 1 validation, 2 test; -1 none."""
        return part_numbers(First(self.metadata.column("splits")))

    @cached_property
    def to_measure(self) -> npt.NDArray[np.bool_]:
        """(n,) whether metadata keep an image for measuring: what is learned must not know it."""
        return self.parts > 0

    def examples(self, *, all_parts: bool = True) -> Examples:
        """All images with a class; without `all_parts`, only those that are not to measure.

        Raises
        ------
        LabelError
            There are fewer than two classes.
        """
        chosen = self.classes != UNLABELLED
        rows = np.flatnonzero(chosen if all_parts else chosen & ~self.to_measure)
        names = self.names
        if len(names) < 2:
            found = (
                f"all {len(rows)} labelled images are of the class {names[0]!r}"
                if names
                else "no image has a label"
            )
            raise LabelError(
                f"{found}; two classes are needed to tell them apart",
                "label images of another class, too" if names else how_to_label(self.metadata),
            )
        return Examples(self.images(rows), self.classes[rows], self.groups[rows], names)


def how_to_label(metadata: Metadata) -> str:
    """What to do if no image has a label; more, if rows were left out as predictions."""
    left_out = [note for note in metadata.notes if note.endswith(PREDICTIONS)]
    if not left_out:
        return HOW_TO_LABEL
    trust = f"give `trust_predicted` to take predictions for true ({'; '.join(left_out)})"
    return f"{trust}, or {HOW_TO_LABEL}"


def joined_groups(copies: Rows, named: Sequence[str]) -> Rows:
    """Numbers that are equal for images of one group by either account, or by a chain of both.

    >>> joined_groups(np.array([0, 0, 1, 2]), ["", "a", "a", ""]).tolist()
    [0, 0, 0, 1]
    """
    if not any(named):
        return copies
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(copies)
    numbers = {name: number for number, name in enumerate(sorted(set(named) - {""}))}
    linked = [(row, numbers[name]) for row, name in enumerate(named) if name]
    rows, groups = np.array(linked, np.int64).T
    # Images, then groups of copies, then named groups: an image is linked with its groups.
    size = n + int(copies.max()) + 1 + len(numbers)
    starts = np.concatenate([np.arange(n), rows])
    ends = np.concatenate([n + copies, n + int(copies.max()) + 1 + groups])
    graph = coo_array((np.ones(len(starts), np.int8), (starts, ends)), (size, size))
    joined = connected_components(graph, directed=False)[1][:n]
    return np.unique(joined, return_inverse=True)[1].reshape(-1).astype(np.int64)
