"""Tags learned from examples that a vocabulary names: found, trained, kept beside the index."""

import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgbatch.annotations.metadata import Metadata
from imgbatch.embedding.projection import Projection
from imgbatch.errors import ConfigError, FolderError, SelectionError
from imgbatch.files.arrays import read_checked_arrays, write_checked_arrays
from imgbatch.images.scan import scan
from imgbatch.learning.tags import (
    LEAST_EXAMPLES,
    NO_TRUST,
    Bools,
    Trust,
    learned_scores,
    trust_of,
)
from imgbatch.types import Floats, Rows

if TYPE_CHECKING:
    from imgbatch.measures.vocabulary import Examples, Vocabulary

_MOST_EXAMPLES = 1000
ReadPoint = Callable[[str], Floats]
"""Places an image file in the folder's space; raises `SelectionError` if it cannot be read."""


@dataclass(frozen=True, slots=True, eq=False)
class LearnedTag:
    """A tag that was learned.

    Attributes
    ----------
    name
        The tag.
    examples
        How many examples it was learned from.
    rows
        Rows of the examples that lie in the folder; they are not ranked.
    scores
        (n,) float32 of all images: about 1 for the tag, -1 for other images.
    trust
        Whether, and from which score on, it is given unasked.
    """

    name: str
    examples: int
    rows: Rows
    scores: Floats
    trust: Trust

    @property
    def given(self) -> Rows:
        """Rows of the images that get it unasked: above the threshold, or examples themselves."""
        if not self.trust.given:
            return self.rows[:0]
        return np.union1d(np.flatnonzero(self.scores >= self.trust.threshold), self.rows)

    @property
    def ranked(self) -> Rows:
        """Rows of the images that are no examples, the likeliest first."""
        order = np.argsort(-self.scores, kind="stable")
        return order[~np.isin(order, self.rows)].astype(np.int64)

    def clearness(self, rows: Rows) -> Floats:
        """Scores as 0..1, of some rows."""
        return np.clip((self.scores[rows] + 1) / 2, 0.01, 1).astype(np.float32)


@dataclass(frozen=True)
class Learning:
    """What it takes to learn tags of a folder.

    Attributes
    ----------
    projection
        The folder's points.
    metadata
        What is known of its images.
    read_point
        Places an image file among them.
    row_of
        The row of an image file; None if it is not in the folder.
    """

    projection: Projection
    metadata: Metadata
    read_point: ReadPoint
    row_of: Callable[[str], int | None]

    def learn(self, vocabulary: "Vocabulary") -> list[LearnedTag]:
        """All learned tags of a vocabulary.

        Raises
        ------
        ConfigError
            Examples are missing, or too few.
        """
        return [
            self._learn(tag.name, tag.examples, vocabulary)
            for tag in vocabulary.learned
            if tag.examples is not None
        ]

    def _learn(self, name: str, examples: "Examples", vocabulary: "Vocabulary") -> LearnedTag:
        points = np.asarray(self.projection.points)
        trust = NO_TRUST
        if examples.folder:
            rows, positives = self._of_folder(name, examples.folder)
        else:
            known, has_tag = self._of_metadata(examples)
            rows = known[has_tag]
            _check_count(name, len(rows), f"of the label or tag {examples.label or examples.tag!r}")
            positives = points[rows]
            trust = trust_of(points, known, has_tag, vocabulary.against, vocabulary.precision)
        if len(rows) == len(points):
            raise ConfigError(
                f"the examples of the tag {name!r} are all images of the folder",
                "give some of them only: the others are compared with them",
            )
        scores = learned_scores(points, positives, rows, vocabulary.against)
        return LearnedTag(name, len(positives), rows, scores, trust)

    def _of_metadata(self, examples: "Examples") -> tuple[Rows, Bools]:
        """Rows that have a label, or any tag, and whether it is the one asked for."""
        kind, name = ("labels", examples.label) if examples.label else ("tags", examples.tag)
        column = self.metadata.column(kind)
        known = np.flatnonzero(column.lengths > 0)
        return known, column.rows_with((name,))[known]

    def _of_folder(self, name: str, folder: str) -> tuple[Rows, Floats]:
        """Rows of the examples that lie in the folder, and the points of all of them."""
        try:
            files = scan(folder).files
        except (FolderError, OSError) as error:
            raise ConfigError(
                f"the examples of the tag {name!r} cannot be listed: {folder}: {error}",
                "name a folder of a few images in tags.toml",
            ) from None
        rows, points = list[int](), list[Floats]()
        for file in files[:_MOST_EXAMPLES]:
            path = str(Path(folder) / file.path)
            if (row := self.row_of(path)) is not None:
                rows.append(row)
                points.append(np.asarray(self.projection.points[row]))
                continue
            with contextlib.suppress(SelectionError):  # what is no picture is no example
                points.append(self.read_point(path))
        _check_count(name, len(points), f"in {folder}")
        return np.unique(np.array(rows, np.int64)), np.stack(points)


def _check_count(name: str, count: int, where: str) -> None:
    if count < LEAST_EXAMPLES:
        raise ConfigError(
            f"the tag {name!r} has {count:,} readable example{'s' * (count != 1)} {where}",
            f"give {LEAST_EXAMPLES} or more; 10 to 20 rank well",
        )


# ----- what is kept -------------------------------------------------------------------------------


def keep(file: Path, tags: Sequence[LearnedTag]) -> None:
    """Keep which images get the learned tags unasked, with their scores, for later requests."""
    arrays: dict[str, Any] = {}
    for number, tag in enumerate(tags):
        arrays[f"rows{number}"] = tag.given
        arrays[f"scores{number}"] = tag.clearness(tag.given)
    names = json.dumps([tag.name for tag in tags]).encode()
    arrays["names"] = np.frombuffer(names, np.uint8)
    with contextlib.suppress(OSError):
        write_checked_arrays(str(file), **arrays)


def kept(file: Path) -> dict[str, tuple[Rows, Floats]]:
    """Rows and scores of the images that get each learned tag; empty if nothing was learned."""
    if (stored := read_checked_arrays(str(file))) is None:
        return {}
    names = json.loads(stored["names"].tobytes())
    return {
        name: (stored[f"rows{number}"], stored[f"scores{number}"])
        for number, name in enumerate(names)
    }
