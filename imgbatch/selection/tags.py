"""The tags of a folder's images: measured, learned, and given by metadata, put together.

A request pays for the rows it shows: their quantities lie beside the points, and how many images
carry each tag is kept beside the index.
"""

import contextlib
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from imgbatch.annotations.metadata import Metadata
from imgbatch.embedding.projection import Projection
from imgbatch.files.atomic import keep_newest
from imgbatch.files.names import number_of
from imgbatch.files.seals import read_checked, write_checked
from imgbatch.index.filtered import FilteredIndex
from imgbatch.index.opened import OpenedIndex
from imgbatch.index.sharpness import kept_sharpness, measure_sharpness
from imgbatch.measures.quantities import STORED, as_values
from imgbatch.measures.tags import TagTable, in_words, measured_scores, needs
from imgbatch.types import DecodeOptions, Floats, ImageTag, Progress, Rows, Selection

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from imgbatch.measures.vocabulary import Tag, Vocabulary
    from imgbatch.selection.learned import LearnedTag, Learning

ReadVocabulary = Callable[[Path], "Vocabulary"]
"""Reads a vocabulary; the folder is one in which what was checked is kept."""
TAGS = "tags"
"""The folder of what is kept, beside the index."""
_KEPT = 12
_BATCH_ROWS = 65_536


def default_vocabulary(directory: Path) -> "Vocabulary":
    """The vocabulary that is found without being named; see `load_vocabulary`."""
    from imgbatch.measures.vocabulary import load_vocabulary

    return load_vocabulary(directory=directory)


def shared_tags(selection: Selection) -> tuple[str, ...]:
    """The tags of all images of a set, the most telling of the first image first.

    An anchor from outside the folder is not asked, nor is a set of one image.

    >>> import imgbatch
    >>> shared_tags(imgbatch.load("photos").similar(3, seed=1))[-1]
    'landscape'
    """
    chosen = [image for image in selection.images if image.rank > 0]
    if len(chosen) < 2:
        return ()
    others = [{tag.tag for tag in image.all_tags} for image in chosen[1:]]
    first = (tag.tag for tag in chosen[0].all_tags)
    return tuple(tag for tag in first if all(tag in tags for tags in others))


@dataclass(frozen=True)
class FolderTags:
    """The tags of the images of an opened index.

    Attributes
    ----------
    opened
        The index, of all images or of some.
    projection
        Its points and all that lies beside them, when asked for.
    metadata
        What is known of its images.
    read_vocabulary
        The vocabulary, when asked for.
    learning
        What it takes to learn tags, when asked for.
    """

    opened: OpenedIndex
    projection: Callable[[], Projection]
    metadata: Metadata
    read_vocabulary: ReadVocabulary
    learning: "Callable[[], Learning]"

    @cached_property
    def vocabulary(self) -> "Vocabulary":
        """The tags that are switched on."""
        return self.read_vocabulary(self.opened.directory / TAGS)

    # ----- all images -----------------------------------------------------------------------------

    def quantities(self, rows: Rows | None = None) -> dict[str, Floats]:
        """Measured quantities of some rows, or of all: (m,) float32 by name; NaN if unknown."""
        measures = self.projection().measures
        known = np.asarray(measures[:] if rows is None else measures[rows])
        stored = np.full((len(known), len(STORED)), np.nan, np.float32)
        if known.shape[1]:  # of vectors nothing was measured
            stored = as_values(known)
        sizes, sharp = self.opened.records.sizes, self.sharpness
        if rows is not None:
            sizes, sharp = sizes[rows], sharp[rows]
        width, height = np.maximum(sizes.T, 1).astype(np.float32)
        return dict(zip(STORED, stored.T, strict=True)) | {
            "aspect": width / height,
            "shorter_px": np.minimum(width, height),
            "longer_px": np.maximum(width, height),
            "sharpness": sharp,
        }

    def measure_sharpness(
        self, options: DecodeOptions, workers: int, progress: Progress | None = None
    ) -> tuple[str, ...]:
        """Measure how sharp all images of the folder are, and keep it; see `index.sharpness`.

        Returns notes on files that could not be read.
        """
        folder = self._of_folder
        measured = measure_sharpness(folder.opened, options, workers, progress)
        for tags in (folder, self):
            for name in ("sharpness", "_measured"):
                tags.__dict__.pop(name, None)
        folder.__dict__["sharpness"] = measured
        unread = int(np.isnan(measured).sum())
        files = number_of(unread, "file")
        return (f"{files} could not be read, and have no sharpness",) if unread else ()

    def rules(self) -> dict[str, str]:
        """The rule of each measured tag, in words."""
        return {tag.name: in_words(tag) for tag in self._measured}

    def table(self) -> TagTable:
        """The tags of all images.

        >>> import imgbatch
        >>> imgbatch.load("photos").tag_table().counts()["landscape"]
        24
        """
        from scipy.sparse import csr_array, hstack, vstack

        measured, learned, (names, given) = self._measured, self.learned_tags, self._given()
        blocks = [vstack([csr_array(scores) for scores in self._batches(measured)])]
        for rows, scores in learned.values():
            ends = np.searchsorted(rows, np.arange(len(self.opened.records) + 1))
            one = csr_array((scores, np.zeros_like(rows), ends), shape=(len(ends) - 1, 1))
            blocks.append(one)
        return TagTable(
            (*(tag.name for tag in measured), *learned, *names),
            csr_array(hstack([*blocks, given]), dtype=np.float32),
            ("measured",) * len(measured) + ("learned",) * len(learned) + ("given",) * len(names),
        )

    def learn(self) -> "list[LearnedTag]":
        """Learn the vocabulary's tags that have examples, and keep which images they are given to.

        Requests use what the last call has kept, as long as images and vocabulary stay the same.

        Raises
        ------
        ConfigError
            Examples are missing, or too few.
        """
        if not self.vocabulary.learned:
            return []
        from imgbatch.selection.learned import keep

        learned = self.learning().learn(self.vocabulary)
        keep(self._learned_file, learned)
        self.__dict__.pop("learned_tags", None)
        return learned

    @property
    def total(self) -> int:
        """How many images the folder has, also those that filters leave out."""
        return len(self._of_folder.opened.records)

    def counts(self) -> dict[str, int]:
        """How many images of the folder carry each tag, measured ones first; kept."""
        folder = self._of_folder
        learned = {name: len(rows) for name, (rows, _) in folder.learned_tags.items()}
        return folder.measured_counts() | learned | folder.given_counts

    def rows_with(self, names: Sequence[str]) -> npt.NDArray[np.bool_]:
        """(n,) whether each image has at least one of these tags."""
        has = self.metadata.column("tags").rows_with(names)
        tags = [tag for tag in self._measured if tag.name in names]
        if tags:
            has |= np.concatenate([scores.any(axis=1) for scores in self._batches(tags)])
        for name, (rows, _) in self.learned_tags.items():
            has[rows[: len(rows) * (name in names)]] = True
        return has

    # ----- some images ----------------------------------------------------------------------------

    def of_rows(self, rows: Rows) -> list[tuple[ImageTag, ...]]:
        """The tags of some images, the most telling ones first: the rarest and clearest.

        How telling a tag is of an image is score x log(n / c) for a tag that c of the folder's n
        images carry; ties are in the order of `table`.
        """
        counts, measured = self.counts(), self._measured
        total = self.total
        scores = measured_scores(measured, self.quantities(rows))
        found = list[tuple[ImageTag, ...]]()
        for row, of_image in zip(rows.tolist(), scores.tolist(), strict=True):
            tags = [
                ImageTag(tag.name, round(score, 4), "measured")
                for tag, score in zip(measured, of_image, strict=True)
                if score
            ]
            tags += self._learned_of(row)
            given = sorted(set(self.metadata.of_image(row).tags))
            tags += [ImageTag(name, 1.0, "given") for name in given]
            telling = {tag: tag.score * math.log(total / counts[tag.tag]) for tag in tags}
            found.append(tuple(sorted(telling, key=lambda tag: -telling[tag])))
        return found

    # ----- parts ----------------------------------------------------------------------------------

    @cached_property
    def _of_folder(self) -> "FolderTags":
        """The tags of all images of the folder."""
        if not isinstance(self.opened, FilteredIndex):
            return self
        whole = self.opened.whole
        vocabulary = self.vocabulary
        return FolderTags(
            whole,
            whole.projection,
            self.metadata.of_folder,
            lambda _: vocabulary,
            self.learning,
        )

    @cached_property
    def _measured(self) -> "tuple[Tag, ...]":
        """Measured tags whose quantities are known; a given tag of the same name wins."""
        given = self._of_folder.given_counts
        blind = bool(np.isnan(self._of_folder.sharpness).all())
        return tuple(
            tag
            for tag in self.vocabulary.measured
            if tag.name not in given and not (blind and needs(tag, "sharpness"))
        )

    @property
    def _learned_file(self) -> Path:
        name = f"{self.opened.generation}-{self.vocabulary.digest}-learned.npz"
        return self.opened.directory / TAGS / name

    @cached_property
    def learned_tags(self) -> dict[str, tuple[Rows, Floats]]:
        """Rows and scores of the images that get each learned tag; a given tag of a name wins."""
        if not self.vocabulary.learned:
            return {}
        from imgbatch.selection.learned import kept

        found = kept(self._learned_file)
        if not found and isinstance(self.opened, FilteredIndex):
            chosen, of_folder = self.opened.rows, self._of_folder.learned_tags
            for name, (rows, scores) in of_folder.items():
                inside = np.isin(rows, chosen)
                found[name] = np.searchsorted(chosen, rows[inside]), scores[inside]
        given = self._of_folder.given_counts
        return {name: tag for name, tag in found.items() if name not in given and len(tag[0])}

    def _learned_of(self, row: int) -> list[ImageTag]:
        tags = list[ImageTag]()
        for name, (rows, scores) in self.learned_tags.items():
            place = int(np.searchsorted(rows, row))
            if place < len(rows) and rows[place] == row:
                tags.append(ImageTag(name, round(float(scores[place]), 4), "learned"))
        return tags

    @cached_property
    def sharpness(self) -> Floats:
        """(n,) of these images; NaN where it was not measured."""
        if isinstance(self.opened, FilteredIndex):
            return self._of_folder.sharpness[self.opened.rows]
        kept = kept_sharpness(self.opened)
        return np.full(len(self.opened.records), np.nan, np.float32) if kept is None else kept

    @cached_property
    def given_counts(self) -> dict[str, int]:
        """How many images have each given tag."""
        return self.metadata.column("tags").counts() if self.metadata.has("tags") else {}

    def _given(self) -> "tuple[tuple[str, ...], csr_array]":
        """Names of given tags, sorted, and which images have them, (n, names)."""
        from scipy.sparse import csr_array

        names = tuple(self._of_folder.given_counts)
        position = {name: number for number, name in enumerate(names)}
        column = self.metadata.column("tags")
        tags = [position[name] for of_image in column for name in dict.fromkeys(of_image)]
        lengths = [len(set(of_image)) for of_image in column]
        ends = np.concatenate([[0], np.cumsum(lengths)])
        ones = np.ones(len(tags), np.float32)
        return names, csr_array((ones, tags, ends), shape=(len(lengths), len(names)))

    def _batches(self, tags: "Sequence[Tag]") -> Iterator[Floats]:
        """Scores of measured tags, (m, T) for some thousand images at a time."""
        for start in range(0, len(self.opened.records), _BATCH_ROWS):
            stop = min(start + _BATCH_ROWS, len(self.opened.records))
            yield measured_scores(tags, self.quantities(np.arange(start, stop)))

    def measured_counts(self) -> dict[str, int]:
        """How many images carry each measured tag: kept beside the index, or counted."""
        directory = self.opened.directory / TAGS
        sharp = "" if np.isnan(self.sharpness).all() else "-sharp"
        file = directory / f"{self.opened.generation}-{self.vocabulary.digest}{sharp}.json"
        names = [tag.name for tag in self._measured]
        if (kept := read_checked(str(file))) is not None and list(
            known := json.loads(kept)
        ) == names:
            return dict(known)
        tags = self._measured
        carried = sum((scores > 0).sum(axis=0) for scores in self._batches(tags))
        counts = dict(zip(names, np.asarray(carried).tolist(), strict=True))
        with contextlib.suppress(OSError):  # the next request counts anew
            write_checked(str(file), json.dumps(counts).encode())
            keep_newest(directory.iterdir(), _KEPT)
        return counts
