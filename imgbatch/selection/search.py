"""Answer searches by words on an opened index."""

import time

from imgbatch.annotations.metadata import Metadata
from imgbatch.errors import LabelError, SelectionError
from imgbatch.files import paths
from imgbatch.index.filtered import FilteredIndex
from imgbatch.index.opened import OpenedIndex
from imgbatch.types import Floats, Rows
from imgbatch.words.kept import FolderWords
from imgbatch.words.results import Found, FoundImage
from imgbatch.words.search import Hits, check_only, closeness_to, search


class WordSearch:
    """Finds images of an opened index by words. `Collection.search` documents the request.

    Parameters
    ----------
    opened
        The index, of all images or of those that pass filters.
    metadata
        What is known of the folder's images.
    language
        Of the texts; None chooses it by the texts.
    """

    def __init__(self, opened: OpenedIndex, metadata: Metadata, language: str | None) -> None:
        self._opened, self._metadata = opened, metadata
        self._whole: OpenedIndex = opened
        self._rows: Rows | None = None
        if isinstance(opened, FilteredIndex):
            self._whole, self._rows = opened.whole, opened.rows
        self.words = FolderWords.of(opened, metadata, language)

    def answer(
        self, text: str, n: int, only: str | None, like: Floats | None, started: float
    ) -> Found:
        """See `Collection.search`; `like` is the point (p,) of an image."""
        check_only(only)
        if n < 1:
            raise SelectionError(f"n is {n}", "give 1 or more")
        texts = self.words.texts
        if not len(texts.rows):
            raise LabelError(
                f"no image of {self._opened.folder} has a text, a tag or a class",
                "give --metadata a file with the columns file_name and text, tags or label",
            )
        query = texts.query(text)
        if not query:
            raise SelectionError(f"there is no word in {text!r}", "give one or more words")
        closeness = None
        if like is not None:
            closeness = closeness_to(like, self._whole.projection().points, self._rows)
        hits = search(self.words, query, n, rows=self._rows, only=only, closeness=closeness)
        unknown = {
            word.word: tuple(texts.nearest(word.word))
            for word in query
            if word.number < 0 and word.counts
        }
        has = texts.has_text if self._rows is None else texts.has_text[self._rows]
        return Found(
            query=text,
            folder=self._opened.folder,
            images=self._images(hits),
            language=texts.language,
            unknown=unknown,
            indexed=len(self._opened.records),
            with_text=int(has.sum()),
            seconds=time.perf_counter() - started,
            notes=(
                *self._opened.notes,
                *self._metadata.notes,
                *self.words.notes,
                *_unknown_in_words(unknown),
                *hits.notes,
                *_fewer(hits, n),
            ),
        )

    def _images(self, hits: Hits) -> tuple[FoundImage, ...]:
        metadata, records = self._metadata.of_folder, self._whole.records
        images = []
        for position, row in enumerate(hits.rows.tolist()):
            record, known = records[row], metadata.of_image(row)
            labels = (known.label,) if known.label else ()
            images.append(
                FoundImage(
                    position + 1,
                    paths.join(self._opened.folder, record.path),
                    record.path,
                    round(float(hits.relevance[position]), 4),
                    hits.sources[position],
                    hits.words[position],
                    (*known.texts, *known.tags, *labels),
                    record,
                )
            )
        return tuple(images)


def _unknown_in_words(unknown: dict[str, tuple[str, ...]]) -> list[str]:
    return [
        f"{word!r} stands in no known text"
        + (f"; near it are {', '.join(map(repr, near))}" if near else "")
        for word, near in unknown.items()
    ]


def _fewer(hits: Hits, n: int) -> list[str]:
    found = len(hits.rows)
    if found >= n:
        return []
    return [f"{found} of the {n} images asked for were found; no others fit the words"]
