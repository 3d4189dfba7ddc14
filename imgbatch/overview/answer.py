"""Put an overview together from what is known of a folder's images."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imgbatch.annotations.columns import First
from imgbatch.annotations.labels import labels_of
from imgbatch.annotations.metadata import Metadata
from imgbatch.files import paths
from imgbatch.index.opened import OpenedIndex
from imgbatch.measures.tags import TagTable
from imgbatch.neighbours.search import neighbour_lists
from imgbatch.overview.counts import balance, counted, formats, shapes, spreads, telling
from imgbatch.overview.cover import covering
from imgbatch.overview.evidence import Evidence, Neighbours
from imgbatch.overview.groups import Clusters, find_groups
from imgbatch.overview.problems import NEIGHBOURS, RULES
from imgbatch.overview.results import (
    Cover,
    Group,
    Grouping,
    NamedImage,
    Overview,
    Problem,
    Repetition,
)
from imgbatch.seeds import checked_seed
from imgbatch.selection import duplicates
from imgbatch.selection.picker import Picker
from imgbatch.types import Duplicates, Floats, Progress, Rows

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MOST_LOOKED_AT = 10_000
"""Groups, covers and neighbours are those of at most so many images."""
MOST_COMPARED = 20_000
"""In a larger folder only equal files count as copies, unless near-duplicates were found before."""
DISTANCES = (0.5, 0.6, 0.7)
"""At which covers are counted; 1 is the distance of a typical pair."""
_TYPICAL, _ODD = 6, 2


@dataclass(frozen=True)
class Survey:
    """Looks over an opened index.

    Attributes
    ----------
    opened, picker, metadata
        The index, what answers requests on it, and what is known of its images.
    seed
        Of the sample, the groups and the covers.
    """

    opened: OpenedIndex
    picker: Picker
    metadata: Metadata
    seed: int = 0

    def overview(self, *, blur: bool = False, progress: Progress | None = None) -> Overview:
        """See `Collection.overview`; `progress` is told of the files that are read for `blur`."""
        started = time.perf_counter()
        opened, total = self.opened, len(self.opened.records)
        checked_seed(self.seed)
        unsharp = self._measure_sharpness(progress) if blur else ()
        random = np.random.default_rng(self.seed)
        looked_at = np.arange(total)
        if total > MOST_LOOKED_AT:
            looked_at = np.sort(random.choice(total, MOST_LOOKED_AT, replace=False))
        points: Floats = np.asarray(self.picker.projection.points[looked_at])
        near, distances = neighbour_lists(points, np.arange(len(points)), NEIGHBOURS)
        copies, tags = self._copies(), self.picker.tags.table()
        labels = labels_of(self.metadata).names
        known = Evidence(
            sizes=opened.records.sizes,
            quantities=self.picker.tags.quantities(),
            labels=labels,
            splits=tuple(First(self.metadata.column("splits"))),
            copies=self._rows_of(copies),
            near=Neighbours(looked_at, looked_at[near]),
            notes=opened.records.notes,
            path=lambda row: opened.records[row].path,
        )
        file_bytes, _ = opened.contents()
        return Overview(
            folder=opened.folder,
            images=total,
            skipped=len(opened.skipped),
            size=int(file_bytes.sum()),
            looked_at=len(looked_at),
            seed=self.seed,
            formats=formats(opened.records.all_paths(), total),
            spreads=spreads(opened.records.sizes, file_bytes),
            shapes=shapes(opened.records.sizes),
            classes=balance(_counts(labels), total),
            tags=counted(tags.counts(), total),
            grouping=self._grouping(find_groups(points, random), looked_at, known, tags),
            repetition=_repetition(copies, points, distances, random),
            problems=tuple(self._problems(known)),
            not_looked_for=tuple(
                (name, reason) for name, rule in RULES.items() if (reason := rule.missing(known))
            ),
            seconds=time.perf_counter() - started,
            notes=(*self._notes(copies, total), *unsharp),
        )

    def _measure_sharpness(self, progress: Progress | None) -> tuple[str, ...]:
        config = self.picker.config
        options, workers = config.images.as_options(), config.index.workers
        return self.picker.tags.measure_sharpness(options, workers, progress)

    def _copies(self) -> Duplicates:
        """Near-duplicates; equal files alone where all would take minutes."""
        few = len(self.opened.records) <= MOST_COMPARED
        level = "edited" if few or self.picker.duplicates.has("edited") else "exact"
        return duplicates.answer([self.picker], level)

    def _rows_of(self, copies: Duplicates) -> Sequence[Rows]:
        """The rows of each group of copies."""
        row_of = self.opened.records.row_of
        groups = ([row_of(image.relative) for image in group.images] for group in copies.groups)
        return [np.array(group, np.int64) for group in groups]

    def _named(self, row: int, detail: str = "") -> NamedImage:
        relative = self.opened.records[row].path
        return NamedImage(paths.join(self.opened.folder, relative), relative, detail)

    def _grouping(
        self, clusters: Clusters, looked_at: Rows, known: Evidence, tags: TagTable
    ) -> Grouping:
        """The groups with their images, and what is telling about each."""
        first_of = {row: int(group[0]) for group in known.copies for row in group.tolist()}
        classes = [known.labels[row] for row in looked_at.tolist()] if known.labels else []
        shares = _shares(classes)
        carried = tags.scores[looked_at]
        tag_shares = _tag_shares(tags.names, carried)
        made = []
        for number in range(int(clusters.numbers.max()) + 1):
            members = clusters.members(number)
            rows = looked_at[members].tolist()
            # A photograph that is there five times shows one kind of image only once.
            distinct = list({first_of.get(row, row): row for row in reversed(rows)}.values())[::-1]
            typical = distinct[:_TYPICAL]
            odd = distinct[: -_ODD - 1 : -1] if len(distinct) >= _TYPICAL + _ODD else []
            inside = _counts([classes[member] for member in members.tolist()] if classes else [])
            made.append(
                Group(
                    len(members),
                    len(members) / len(looked_at),
                    tuple(map(self._named, typical)),
                    tuple(map(self._named, odd)),
                    telling(inside, len(members), shares),
                    telling(_tag_counts(tags.names, carried[members]), len(members), tag_shares),
                )
            )
        return Grouping(tuple(made), clusters.silhouette, clusters.tried)

    def _problems(self, known: Evidence) -> list[Problem]:
        skipped, total = self.opened.skipped, len(known)
        found = list[Problem]()
        if skipped:
            images = tuple(
                NamedImage(paths.join(self.opened.folder, file.path), file.path, file.reason)
                for file in skipped
            )
            words = "cannot be read as a picture"
            found.append(Problem("unreadable", words, len(images), total + len(images), images))
        for name, rule in RULES.items():
            if rule.missing(known):
                continue
            images = tuple(self._named(row, words) for row, words in rule.find(known))
            looked_at = len(known.near.rows) if rule.sampled else total
            if images:
                found.append(Problem(name, rule.words, len(images), looked_at, images))
        return found

    def _notes(self, copies: Duplicates, total: int) -> tuple[str, ...]:
        notes = [*self.opened.notes, *self.metadata.notes, *copies.notes]
        if total > MOST_LOOKED_AT:
            notes.append(
                f"groups, covers and neighbours are those of {MOST_LOOKED_AT:,} random images of"
                f" {total:,} (seed {self.seed}); in all of them, images are nearer to each other"
            )
        if copies.level == "exact":
            notes.append(
                f"only equal files count as copies, as there are over {MOST_COMPARED:,} images; run"
                " `imgbatch duplicates` once, and copies that were edited count, too"
            )
        return tuple(notes)


def _counts(names: Sequence[str]) -> dict[str, int]:
    return {name: count for name, count in Counter(names).items() if name}


def _tag_counts(names: Sequence[str], scores: "csr_array") -> dict[str, int]:
    counts = np.bincount(scores.indices, minlength=len(names)).tolist()
    return {name: count for name, count in zip(names, counts, strict=True) if count}


def _tag_shares(names: Sequence[str], scores: "csr_array") -> dict[str, float]:
    total = int(scores.shape[0])
    return {name: count / total for name, count in _tag_counts(names, scores).items()}


def _shares(names: Sequence[str]) -> Mapping[str, float]:
    return {name: count / len(names) for name, count in _counts(names).items()}


def _repetition(
    copies: Duplicates, points: Floats, distances: Floats, random: np.random.Generator
) -> Repetition:
    kinds = Counter(image.kind for group in copies.groups for image in group.images[1:])
    nearest = distances[:, 0] if distances.shape[1] else np.zeros(0, np.float32)
    total = len(points)
    covers = []
    for distance in DISTANCES:
        images = len(covering(points, distance, random))
        alike = float((nearest <= distance).mean()) if len(nearest) else 0.0
        covers.append(Cover(distance, images, images / total, alike))
    return Repetition(
        level=copies.level,
        copies=copies.extra,
        groups=len(copies.groups),
        kinds=counted(kinds, copies.indexed),
        nearest=round(float(np.median(nearest)), 4) if len(nearest) else 0.0,
        covers=tuple(covers),
    )
