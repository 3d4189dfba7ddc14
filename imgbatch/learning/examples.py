"""Images whose class is known: their points, classes and groups."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from imgbatch.neighbours.parts import Part, split_rows
from imgbatch.runners.blas import one_blas_thread
from imgbatch.runners.maps import TaskMap, map_serially
from imgbatch.types import Floats, Rows

_BATCH_ROWS = 8192
Answer = TypeVar("Answer")


@dataclass(frozen=True, eq=False)
class PointRows:
    """Some rows of points that may lie in several parts, on this machine or on a cluster.

    Attributes
    ----------
    parts
        All points.
    rows
        (m,) int64 rows, counted through all parts.
    run_tasks
        Does work on batches of rows.
    """

    parts: tuple[Part, ...]
    rows: Rows
    run_tasks: TaskMap

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, positions: Rows) -> "PointRows":
        """Some of the rows."""
        return replace(self, rows=self.rows[positions])

    def points(self) -> Floats:
        """(m, p) float32, in memory."""
        points = np.empty((len(self), self.parts[0].shape[1]), np.float32)
        for part, positions, chosen in self._batches():
            points[positions] = part.points[chosen]
        return points

    def map(
        self, function: Callable[..., Answer], *columns: Rows, with_all: tuple[Any, ...] = ()
    ) -> Iterator[tuple[Rows, Answer]]:
        """Call ``function(points, *columns, *with_all)`` on batches of rows.

        Each of `columns` is (m, ...), of which a batch gets its rows. Yields the positions of each
        batch and the answer, in a fixed order. BLAS is kept to one thread meanwhile.
        """
        batches = list(self._batches())
        run = self.run_tasks if len(batches) > 1 else map_serially
        tasks = (
            (function, part, chosen, *(column[positions] for column in columns), *with_all)
            for part, positions, chosen in batches
        )
        with one_blas_thread():
            answers = run(_on_batch, tasks)
            for (_, positions, _), answer in zip(batches, answers, strict=True):
                yield positions, answer

    def _batches(self) -> Iterator[tuple[Part, Rows, Rows]]:
        ends = np.cumsum([part.shape[0] for part in self.parts], dtype=np.int64)
        for number, positions, chosen in split_rows(ends, self.rows):
            for start in range(0, len(chosen), _BATCH_ROWS):
                batch = slice(start, start + _BATCH_ROWS)
                yield self.parts[number], positions[batch], chosen[batch]


def _on_batch(function: Callable[..., Answer], part: Part, rows: Rows, *given: Any) -> Answer:
    return function(np.asarray(part.points[rows]), *given)


@dataclass(frozen=True, eq=False)
class Examples:
    """Images with a class.

    Attributes
    ----------
    images
        Their points.
    classes
        (m,) int64: the number of each image's class.
    groups
        (m,) int64: images of equal numbers are copies, or belong together; they are never told
        apart by a test.
    names
        The class of each number, sorted.
    """

    images: PointRows
    classes: Rows
    groups: Rows
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def rows(self) -> Rows:
        """(m,) int64: their rows in the folder."""
        return self.images.rows

    def take(self, positions: Rows) -> "Examples":
        """Some of the images; classes keep their numbers."""
        return replace(
            self,
            images=self.images.take(positions),
            classes=self.classes[positions],
            groups=self.groups[positions],
        )
