"""Images for a query: those with texts by their texts, the others by what they look like.

Both are ranked by one quantity, the relevance of an image's text: known, or to be expected of an
image that looks like this one. So an image that only looks right comes after those whose texts say
so, and before those whose texts say little of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from imgbatch.errors import SelectionError
from imgbatch.types import Floats, Rows
from imgbatch.words.results import TEXT, VISUAL
from imgbatch.words.text_index import QueryWord, TextIndex, known_words
from imgbatch.words.visual import VisualSearch, usual_relevance, why_not_learned

KNOWN, UNKNOWN = "known", "unknown"
_DIGITS = 6
"""Relevances that differ less count as equal; then the path decides."""


class SearchedWords(Protocol):
    """The words of a folder's images, kept beside the index or in a database."""

    @property
    def texts(self) -> TextIndex:
        """The known texts; at least of the stems that are asked for."""
        ...

    @property
    def visual(self) -> VisualSearch | None:
        """What was learned, at least of these stems; None if there was too little to learn from."""
        ...

    def points(self, rows: Rows) -> Floats:
        """(u, p) of images without texts: the rows of `visual`."""
        ...


@dataclass(frozen=True, eq=False)
class Hits:
    """Found images, the most relevant first.

    Attributes
    ----------
    rows
        (h,) int64.
    relevance
        (h,) float32, 0..1, falling.
    sources
        "text" or "visual" for each.
    words
        The words that count for each, the weightiest first.
    notes
        What could not be looked for.
    """

    rows: Rows
    relevance: Floats
    sources: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def search(
    words: SearchedWords,
    query: Sequence[QueryWord],
    n: int,
    *,
    rows: Rows | None = None,
    only: str | None = None,
    closeness: Floats | None = None,
) -> Hits:
    """Find the n most relevant images.

    Parameters
    ----------
    words
        Of the folder.
    query
        Of `TextIndex.query`.
    n
        At most so many; fewer if no others fit.
    rows
        The images to choose from, rising; None for all.
    only
        "known": images with texts; "unknown": those without; None: both.
    closeness
        (n,) by which each image's relevance is multiplied; None for 1.
    """
    asked = [word for word in known_words(query) if word.counts]
    if not asked:
        return _nothing("no word of the query stands in a known text: nothing was looked for")
    total = words.texts.total
    by_word = words.texts.by_word(query)
    relevance = words.texts.relevance(query, by_word)
    allowed = np.zeros(total, np.bool_)
    allowed[slice(None) if rows is None else rows] = True
    score, parts, notes = by_word.sum(1), by_word, tuple[str, ...]()
    without = np.flatnonzero(~words.texts.has_text & allowed)
    if only == KNOWN:
        allowed &= words.texts.has_text
    elif len(without):
        notes = _add_visual(words, query, relevance, score, parts)
    if only == UNKNOWN:
        allowed &= ~words.texts.has_text
        if not allowed.any():
            notes = (*notes, "all images to choose from have texts; --only unknown leaves none")
    ranked = relevance if closeness is None else relevance * closeness
    order = _order(np.where(allowed, ranked, 0), score)[:n]
    names = [word.word for word in known_words(query)]
    counts = np.array([word.counts for word in known_words(query)])
    return Hits(
        order,
        np.asarray(ranked[order], np.float32),
        tuple(TEXT if words.texts.has_text[row] else VISUAL for row in order.tolist()),
        tuple(_carrying(names, np.where(counts, parts[row], 0)) for row in order.tolist()),
        notes,
    )


def _add_visual(
    words: SearchedWords,
    query: Sequence[QueryWord],
    relevance: Floats,
    score: Floats,
    parts: Floats,
) -> tuple[str, ...]:
    """Fill in relevance (n,), score (n,) and parts (n, w) of the images without texts.

    Images that fit no better than the average one stay without relevance. Returns notes.
    """
    visual = words.visual
    if visual is None:
        why = why_not_learned(len(words.texts.rows))
        return (f"images without texts were left out: {why}",)
    names = known_words(query)
    asked = [word for word in names if word.counts]
    learned = [word for word in asked if visual.learned(word)]
    if learned:
        fit, by_word = visual.scores(learned, words.points(visual.rows))
        usual = usual_relevance(words.texts, words.texts.relevance(learned))
        share = words.texts.typical(learned) / words.texts.typical(query)
        relevance[visual.rows] = np.where(fit > 0, visual.expected(fit, usual) * share, 0)
        score[visual.rows] = fit
        for place, word in enumerate(learned):
            parts[visual.rows, names.index(word)] = by_word[:, place]
    unlearned = ", ".join(repr(word.word) for word in asked if word not in learned)
    if not unlearned:
        return ()
    return (f"what {unlearned} looks like is not known: too few texts, or all, hold the word",)


def _order(relevance: Floats, score: Floats) -> Rows:
    """Rows with a relevance above 0, the most relevant first; ties by score, then by row."""
    rows = np.flatnonzero(relevance > 0)
    keys = -relevance[rows].round(_DIGITS), -score[rows].round(_DIGITS)
    return rows[np.lexsort((rows, keys[1], keys[0]))]


def _carrying(names: Sequence[str], weights: Floats) -> tuple[str, ...]:
    """The words with a weight above 0, the weightiest first."""
    order = np.argsort(-weights, kind="stable")
    return tuple(names[place] for place in order.tolist() if weights[place] > 0)


def _nothing(*notes: str) -> Hits:
    return Hits(np.zeros(0, np.int64), np.zeros(0, np.float32), (), (), notes)


def closeness_of(distances: Floats, rows: Rows | None = None) -> Floats:
    """For each image (n,), the share of the images to choose from that are farther away.

    >>> closeness_of(np.arange(4, dtype=np.float32)).tolist()
    [0.75, 0.5, 0.25, 0.0]
    """
    chosen = np.sort(distances if rows is None else distances[rows])
    farther = len(chosen) - np.searchsorted(chosen, distances, side="right")
    return np.asarray(farther / len(chosen), np.float32)


def check_only(only: str | None) -> None:
    """Raise `SelectionError` unless `only` is "known", "unknown" or None."""
    if only not in {None, KNOWN, UNKNOWN}:
        raise SelectionError(f"only {only!r} was given", f"give {KNOWN} or {UNKNOWN}")
