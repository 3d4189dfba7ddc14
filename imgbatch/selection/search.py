"""Answer searches by words: on an opened index, or on what an export keeps of one."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from imgbatch.annotations.metadata import Metadata
from imgbatch.errors import LabelError, SelectionError
from imgbatch.files import paths
from imgbatch.index.filtered import FilteredIndex
from imgbatch.index.opened import OpenedIndex
from imgbatch.types import Floats, ImageRecord, Known, Rows
from imgbatch.words.kept import FolderWords
from imgbatch.words.results import Found, FoundImage
from imgbatch.words.search import Hits, SearchedWords, check_only, closeness_of, search

DescribeImages = Callable[[list[int]], list[tuple[ImageRecord, Known]]]
"""Gives what is known of the images of some rows, in their order."""


@dataclass(frozen=True)
class Asked:
    """What is asked of a folder.

    Attributes
    ----------
    text
        The words.
    n
        At most so many images.
    only
        "known", "unknown" or None.
    """

    text: str
    n: int
    only: str | None = None

    def __post_init__(self) -> None:
        check_only(self.only)
        if self.n < 1:
            raise SelectionError(f"n is {self.n}", "give 1 or more")


def answer(
    words: SearchedWords,
    asked: Asked,
    folder: str,
    describe: DescribeImages,
    *,
    rows: Rows | None = None,
    closeness: Floats | None = None,
) -> Found:
    """Search, and describe what was found; the time and the index's remarks are the caller's.

    Parameters
    ----------
    rows, closeness
        As of `words.search.search`.

    Raises
    ------
    LabelError
        Nothing is known of any image.
    SelectionError
        The text has no word.
    """
    texts = words.texts
    if not len(texts.rows):
        raise LabelError(
            f"no image of {folder} has a text, a tag or a class",
            "give `metadata` a file with the columns file_name and text, tags or label",
        )
    query = texts.query(asked.text)
    if not query:
        raise SelectionError(f"there is no word in {asked.text!r}", "give one or more words")
    hits = search(words, query, asked.n, rows=rows, only=asked.only, closeness=closeness)
    unknown = {
        word.word: tuple(texts.nearest(word.word))
        for word in query
        if word.number < 0 and word.counts
    }
    has = texts.has_text if rows is None else texts.has_text[rows]
    return Found(
        query=asked.text,
        folder=folder,
        images=_images(hits, folder, describe),
        language=texts.language,
        unknown=unknown,
        indexed=len(has),
        with_text=int(has.sum()),
        notes=(*_unknown_in_words(unknown), *hits.notes, *_fewer(hits, asked.n)),
    )


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
        self._rows = opened.rows if isinstance(opened, FilteredIndex) else None
        self.words = FolderWords.of(opened, metadata, language)

    def answer(self, asked: Asked, like: Floats | None, started: float) -> Found:
        """See `Collection.search`; `like` is the point (p,) of an image."""
        closeness = None
        if like is not None:
            points = np.asarray(self.words.opened.projection().points)
            closeness = closeness_of(np.linalg.norm(points - like, axis=1), self._rows)
        found = answer(
            self.words,
            asked,
            self._opened.folder,
            self._describe,
            rows=self._rows,
            closeness=closeness,
        )
        notes = (*self._opened.notes, *self._metadata.notes, *self.words.notes, *found.notes)
        return replace(found, seconds=time.perf_counter() - started, notes=notes)

    def _describe(self, rows: list[int]) -> list[tuple[ImageRecord, Known]]:
        metadata, records = self._metadata.of_folder, self.words.opened.records
        return [(records[row], metadata.of_image(row)) for row in rows]


def _images(hits: Hits, folder: str, describe: DescribeImages) -> tuple[FoundImage, ...]:
    images = []
    for position, (record, known) in enumerate(describe(hits.rows.tolist())):
        labels = (known.label,) if known.label else ()
        images.append(
            FoundImage(
                position + 1,
                paths.join(folder, record.path),
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
    return [f"{found:,} of the {n} images asked for were found; no others fit the words"]
