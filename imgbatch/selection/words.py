"""Requests by words of an opened index: search and captions."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from imgbatch.annotations.metadata import Metadata
from imgbatch.config.schema import Config
from imgbatch.index.filtered import FilteredIndex
from imgbatch.index.opened import OpenedIndex
from imgbatch.selection.answer import RequestClock
from imgbatch.selection.captions import Captioner
from imgbatch.selection.search import Asked, WordSearch
from imgbatch.types import Floats
from imgbatch.words.kept import FolderWords
from imgbatch.words.results import Captions, Found

if TYPE_CHECKING:
    from imgbatch.selection.likeness import Like, Likeness

Place = Callable[[str], tuple[int | None, Floats]]
"""The row in the index of an image, None for one from elsewhere, and its point (p,)."""


@dataclass(frozen=True)
class WordRequests:
    """Answers requests by words. `Collection` documents each.

    Attributes
    ----------
    opened
        The index, of all images or of those that pass filters.
    metadata
        What is known of its images.
    config
        The settings in force.
    place
        Finds images that are named.
    liken
        Finds the point that images are to be near.
    clock
        Times the requests.
    """

    opened: OpenedIndex
    metadata: Metadata
    config: Config
    place: Place
    liken: "Callable[[Like], Likeness]"
    clock: RequestClock

    @property
    def of_folder(self) -> FolderWords:
        """See `Collection.words`."""
        return FolderWords.of(self.opened, self.metadata)

    def search(
        self,
        words: str,
        n: int,
        only: str | None,
        like: "Like | None",
        language: str | None,
    ) -> Found:
        """See `Collection.search`."""
        started, asked = self.clock.start(), Asked(words, n, only)
        point = None if like is None else self.liken(like).point
        answerer = WordSearch(self.opened, self.metadata, language)
        return replace(answerer.answer(asked, point, started), config=self.config)

    def caption(
        self,
        images: Sequence[str | os.PathLike[str]] | None,
        suggestions: int,
        language: str | None,
        *,
        every: bool,
    ) -> Captions:
        """See `Collection.caption`."""
        started = self.clock.start()
        captioner = Captioner(self.opened, self.metadata, language)
        if images is None:
            return captioner.of_folder(suggestions, started, every=every)
        named = [os.fspath(image) for image in images]
        return captioner.of_images(
            [(path, *self._in_folder(path)) for path in named], suggestions, started
        )

    def _in_folder(self, path: str) -> tuple[int | None, Floats]:
        """The same as `place`, but with the row in the index of all images."""
        row, point = self.place(path)
        if row is not None and isinstance(self.opened, FilteredIndex):
            row = int(self.opened.rows[row])
        return row, point
