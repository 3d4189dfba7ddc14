"""Known texts, searched by their words: BM25 over stems."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from imgbatch.types import Floats, Rows
from imgbatch.words.tokens import Stemmer, function_words, language_of, needed, words_of

_ARRAYS = ("rows", "data", "indices", "ends")
_FACTS = "words.json"
_TINY = 1e-12
_K1, _B = 1.2, 0.75
"""How soon repeated words count no more, and how much less words of long texts count: as in Lucene.

Other values change recall at 1 of known texts by less than a point; see DESIGN.md."""
_FUNCTION_WORD = 0.5
"""What a function word weighs beside others; see DESIGN.md."""


@dataclass(frozen=True, slots=True)
class QueryWord:
    """A word of a query.

    Attributes
    ----------
    word
        As it was given, in lower case.
    stem
        What is looked for.
    number
        Of the known stem; -1 if no text holds it.
    counts
        Whether it says something of a picture; "the" does not.
    """

    word: str
    stem: str
    number: int
    counts: bool

    @property
    def weight(self) -> float:
        """By which its BM25 weights are multiplied: half of that of others for a function word."""
        return 1.0 if self.counts else _FUNCTION_WORD


@dataclass(frozen=True)
class TextIndex:
    """Which words the texts of a folder's images hold, and how telling each one is there.

    The weight of a word in a text is that of BM25 in the form of Lucene, computed by bm25s
    when the index is made; a query adds columns. Source: Robertson et al. 1994. Departure: function
    words weigh half.

    Attributes
    ----------
    language
        Whose stemmer is used.
    total
        Number of images of the folder, those without a text too.
    rows
        (m,) int64 rows of the images with a text, rising.
    stems
        The known stems; the number of each is its position.
    forms
        The most frequent word of each stem.
    data, indices, ends
        Weights (w,) float32 and positions (w,) in `rows`, stem by stem, and where each stem ends.

    Examples
    --------
    >>> index = TextIndex.build(["A dog.", "", "Two dogs and a cat."], "english")
    >>> index.rows.tolist(), index.forms
    ([0, 2], ('a', 'dog', 'two', 'and', 'cat'))
    >>> words = index.query("Dogs and the zebra")
    >>> [(word.word, word.number, word.counts) for word in words]
    [('dogs', 1, True), ('and', 3, False), ('the', -1, False), ('zebra', -1, True)]
    >>> [f"{relevance:.2f}" for relevance in index.relevance(words[:1])]
    ['1.00', '0.00', '0.85']
    """

    language: str
    total: int
    rows: Rows
    stems: tuple[str, ...]
    forms: tuple[str, ...]
    data: Floats
    indices: npt.NDArray[np.int32]
    ends: Rows
    function_words: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def build(cls, documents: Iterable[str], language: str | None = None) -> Self:
        """Index the document of each image, "" for none.

        Parameters
        ----------
        documents
            By row.
        language
            Of all texts; None chooses it by the texts.
        """
        texts = documents if isinstance(documents, list) else list(documents)
        language = language or language_of(text for text in texts if text)
        stemmer = Stemmer(language)
        numbers: dict[str, int] = {}
        written: list[Counter[str]] = []
        rows, tokens = [], []
        for row, text in enumerate(texts):
            held = []
            for word in words_of(text):
                number = numbers.setdefault(stemmer.stem(word), len(numbers))
                if number == len(written):
                    written.append(Counter())
                written[number][word] += 1
                held.append(number)
            if held:
                rows.append(row)
                tokens.append(held)
        forms = tuple(max(counts, key=lambda word: counts[word]) for counts in written)
        data, indices, ends = _weighted(tokens, numbers)
        known = np.asarray(rows, np.int64)
        functions = function_words(language)
        return cls(
            language, len(texts), known, tuple(numbers), forms, data, indices, ends, functions
        )

    def save(self, directory: Path) -> None:
        """Write the index to files in an existing directory; nothing is pickled."""
        for name in _ARRAYS:
            np.save(directory / f"{name}.npy", getattr(self, name), allow_pickle=False)
        facts = {
            "language": self.language,
            "total": self.total,
            "stems": self.stems,
            "forms": self.forms,
            "function_words": sorted(self.function_words),
        }
        (directory / _FACTS).write_text(json.dumps(facts), encoding="utf-8")

    @staticmethod
    def files(directory: Path) -> list[Path]:
        """The files that `save` writes."""
        return [directory / _FACTS, *(directory / f"{name}.npy" for name in _ARRAYS)]

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Map what `save` wrote; raises `OSError`, `ValueError` or `KeyError` if it is damaged."""
        facts = json.loads((directory / _FACTS).read_text(encoding="utf-8"))
        rows, data, indices, ends = (
            np.load(directory / f"{name}.npy", "r", allow_pickle=False) for name in _ARRAYS
        )
        stems, forms = tuple(facts["stems"]), tuple(facts["forms"])
        functions = frozenset(facts["function_words"])
        return cls(
            facts["language"], facts["total"], rows, stems, forms, data, indices, ends, functions
        )

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each stem."""
        return {stem: number for number, stem in enumerate(self.stems)}

    @cached_property
    def frequencies(self) -> Rows:
        """(s,) int64: how many images' texts hold each stem."""
        return np.diff(self.ends, prepend=0)

    @cached_property
    def has_text(self) -> npt.NDArray[np.bool_]:
        """(n,) whether an image has a text."""
        has = np.zeros(self.total, np.bool_)
        has[self.rows] = True
        return has

    def query(self, text: str) -> tuple[QueryWord, ...]:
        """The different words of a query; function words say something if there are no others."""
        stemmer = Stemmer(self.language)
        words: dict[str, QueryWord] = {}
        for word in words_of(text):
            stem = stemmer.stem(word)
            counts = word not in self.function_words
            words.setdefault(stem, QueryWord(word, stem, self.numbers.get(stem, -1), counts))
        found = tuple(words.values())
        if any(word.counts for word in found):
            return found
        return tuple(QueryWord(word.word, word.stem, word.number, True) for word in found)

    def by_word(self, words: Sequence[QueryWord]) -> Floats:
        """The weight of each known word in each image's text: (n, w) float32."""
        asked = known_words(words)
        weights = np.zeros((self.total, len(asked)), np.float32)
        for column, word in enumerate(asked):
            start = self.ends[word.number - 1] if word.number else 0
            held = slice(int(start), int(self.ends[word.number]))
            weights[self.rows[self.indices[held]], column] = self.data[held] * word.weight
        return weights

    def typical(self, words: Sequence[QueryWord]) -> float:
        """The score of a text of average length that holds each word once."""
        numbers = [word.number for word in words]
        held = np.asarray([self.frequencies[n] if n >= 0 else 0 for n in numbers], np.float64)
        idf = np.log1p((len(self.rows) - held + 0.5) / (held + 0.5))
        weights = np.asarray([word.weight for word in words], np.float64)
        return float(weights @ idf / (_K1 + 1))  # as bm25s and Lucene leave the factor k1 + 1 out

    def relevance(self, words: Sequence[QueryWord], by_word: Floats | None = None) -> Floats:
        """How far each image's text is what a query asks for: (n,) float32, 0..1.

        It is the BM25 score over that of a text of average length that holds each word once, and 1
        at most; 0 if the text holds no word that says something of a picture. A word that no text
        holds counts as the rarest. `by_word` may be given where it is known.
        """
        weights = self.by_word(words) if by_word is None else by_word
        counts = [word.counts for word in known_words(words)]
        scores = weights.sum(1) / np.float32(max(self.typical(words), _TINY))
        return np.where(weights[:, counts].any(1), np.minimum(scores, 1), 0).astype(np.float32)

    def nearest(self, word: str, most: int = 3) -> list[str]:
        """Known words that look like an unknown one, the likest first."""
        from difflib import get_close_matches

        return get_close_matches(word, self.forms, most)


def known_words(words: Iterable[QueryWord]) -> list[QueryWord]:
    """The words of a query that some text holds."""
    return [word for word in words if word.number >= 0]


def _weighted(
    tokens: list[list[int]], numbers: dict[str, int]
) -> tuple[Floats, npt.NDArray[np.int32], Rows]:
    """The BM25 weights of texts, given as numbers of stems: data, indices and ends by stem."""
    if not tokens:
        return np.zeros(0, np.float32), np.zeros(0, np.int32), np.zeros(0, np.int64)
    model = needed("bm25s").BM25(k1=_K1, b=_B, method="lucene")
    model.index((tokens, numbers), create_empty_token=False, show_progress=False)
    scores = model.scores
    ends = np.asarray(scores["indptr"][1:], np.int64)
    return np.asarray(scores["data"]), np.asarray(scores["indices"], np.int32), ends
