"""Captions for images of an opened index, by the captions that people wrote of others."""

import time
from collections.abc import Sequence

import numpy as np

from imgbatch.annotations.metadata import Metadata
from imgbatch.errors import LabelError, SelectionError
from imgbatch.files import paths
from imgbatch.files.names import number_of
from imgbatch.index.filtered import FilteredIndex
from imgbatch.index.opened import OpenedIndex
from imgbatch.types import Floats, Rows
from imgbatch.words.captions import CaptionBank, Suggestion
from imgbatch.words.kept import FolderWords
from imgbatch.words.results import CaptionedImage, Captions, ImageCaption
from imgbatch.words.visual import LEAST_TEXTS

_BLOCK = 4096
"""Images placed at once, to bound the memory."""
_OUTSIDE = -1
"""The row of an image from elsewhere."""


class Captioner:
    """Suggests captions. `Collection.caption` documents the request.

    Parameters
    ----------
    opened
        The index, of all images or of those that pass filters.
    metadata
        What is known of the folder's images.
    language
        Of the captions; None chooses it.
    """

    def __init__(self, opened: OpenedIndex, metadata: Metadata, language: str | None) -> None:
        self._opened, self._metadata = opened, metadata
        self.words = FolderWords.of(opened, metadata, language)
        everyone = np.arange(len(opened.records))
        self._rows = opened.rows if isinstance(opened, FilteredIndex) else everyone

    def of_folder(self, suggestions: int, started: float, *, every: bool) -> Captions:
        """Captions for the images without texts; for all if `every`."""
        bank = self._bank(suggestions)
        lengths = self.words.documents.texts.lengths
        rows = self._rows if every else self._rows[lengths[self._rows] == 0]
        captioned: list[CaptionedImage] = []
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            points = np.asarray(self.words.opened.projection().points[block])
            suggested = self._suggested(bank, points, block, suggestions)
            captioned += map(self._of_row, block.tolist(), suggested)
        notes = [] if captioned else ["every image has a text; --all captions these, too"]
        return self._answer(bank, captioned, started, notes)

    def of_images(
        self, images: Sequence[tuple[str, int | None, Floats]], suggestions: int, started: float
    ) -> Captions:
        """Captions for images given by path, row (None for one from elsewhere) and point."""
        bank = self._bank(suggestions)
        captioned = []
        for path, row, point in images:
            own = np.array([_OUTSIDE if row is None else row])
            (found,) = self._suggested(bank, point[None], own, suggestions)
            of_image = self._outside(path, found) if row is None else self._of_row(row, found)
            captioned.append(of_image)
        return self._answer(bank, captioned, started, [])

    def _bank(self, suggestions: int) -> CaptionBank:
        if suggestions < 1:
            raise SelectionError(f"suggestions is {suggestions}", "give 1 or more")
        bank = self.words.bank()
        if bank is None:
            raise self._too_few()
        return bank

    def _answer(
        self,
        bank: CaptionBank,
        captioned: Sequence[CaptionedImage],
        started: float,
        notes: Sequence[str],
    ) -> Captions:
        return Captions(
            folder=self._opened.folder,
            images=tuple(captioned),
            learned=len(bank.rows),
            language=self.words.texts.language,
            seconds=time.perf_counter() - started,
            notes=(*self._opened.notes, *self._metadata.notes, *self.words.notes, *notes),
        )

    def _suggested(
        self, bank: CaptionBank, points: Floats, rows: Rows, count: int
    ) -> list[list[Suggestion]]:
        near = bank.neighbours(points, rows.tolist())
        return [bank.suggest(positions, count) for positions in near]

    def _of_row(self, row: int, suggestions: list[Suggestion]) -> CaptionedImage:
        relative = self.words.opened.records[row].path
        texts = self.words.documents.texts[row]
        path = paths.join(self._opened.folder, relative)
        return CaptionedImage(path, relative, self._named(suggestions), texts)

    def _outside(self, path: str, suggestions: list[Suggestion]) -> CaptionedImage:
        absolute = paths.absolute(path)
        return CaptionedImage(absolute, absolute, self._named(suggestions))

    def _named(self, suggestions: list[Suggestion]) -> tuple[ImageCaption, ...]:
        return tuple(
            ImageCaption(
                suggestion.text,
                round(suggestion.agreement, 4),
                tuple(self.words.opened.records[row].path for row in suggestion.sources),
            )
            for suggestion in suggestions
        )

    def _too_few(self) -> LabelError:
        count = int(np.count_nonzero(self.words.documents.texts.lengths))
        if count >= LEAST_TEXTS:
            return LabelError(
                f"all {count:,} texts known in {self._opened.folder} say the same",
                "give `metadata` captions that differ",
            )
        few = f"only {number_of(count, 'image')}" if count else "no image"
        have = "have" if count > 1 else "has"
        return LabelError(
            f"{few} of {self._opened.folder} {have} captions or other texts",
            f"give `metadata` a file with the columns file_name and caption for {LEAST_TEXTS} or "
            "more images",
        )
