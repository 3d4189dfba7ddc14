"""Images without texts, ranked for a query by what they look like."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from imgbatch.types import Floats, Hashes, Rows
from imgbatch.words.documents import Documents
from imgbatch.words.maps import Doubles, Placed, WordMaps
from imgbatch.words.text_index import QueryWord, TextIndex, known_words
from imgbatch.words.tokens import Stemmer

if TYPE_CHECKING:
    import scipy.sparse as sp

LEAST_TEXTS = 20
"""Images with texts from which words are learned; of fewer, hardly a word stands in three texts."""
MOST_LEARNED = 20_000
"""Of more images with texts, so many are drawn at random."""
_HELD_OUT, _MOST_HELD_OUT = 0.2, 1000
_QUERIES = 200
_SEED = 20_000_029
_NEARLY_HIGHEST = 0.999
_PULL = 20
"""Images whose relevance has nothing to do with their score, added to those that were tried."""
_HIGH = 10.0
"""A high score: three deviations in each of three ways."""
_FLAT = 50.0
"""Log odds beyond which a share is 0 or 1."""
_TINY = 1e-9
_FITTED = ("rows", "near", "weights", "lengths", "expectation")


@dataclass(frozen=True)
class VisualSearch:
    """What was learned about words and pictures, and what it says of the images without texts.

    Attributes
    ----------
    maps
        From points to words.
    rows
        (u,) int64 rows of the images without texts, rising.
    placed
        Where these images lie.
    expectation
        (5,) float32: how the score of an image and the frequency of a query's words make an
        expected relevance, and the highest score that was tried; see `expected`.
    """

    maps: WordMaps
    rows: Rows
    placed: Placed
    expectation: Floats

    @classmethod
    def fit(
        cls, index: TextIndex, documents: Documents, points: Floats, copies: Rows | Hashes
    ) -> Self | None:
        """Learn from the images with texts; place those without.

        A fifth of the images with texts is first held out, copies together, to find out how
        relevant images with some score are; then all are learned from.

        Parameters
        ----------
        index, documents
            The known texts.
        points
            (n, p) float32 of all images; may be in parts.
        copies
            (n,) images of equal numbers are copies of each other.

        Returns
        -------
        visual
            None if there are fewer than `LEAST_TEXTS` texts, or if all are alike.
        """
        random = np.random.default_rng(_SEED)
        learned = learnable(index.rows, random)
        if learned is None:
            return None
        counts = counted(index, documents, learned)
        known = np.asarray(points[learned])
        maps = WordMaps.fit(counts, known)
        if maps is None:
            return None
        trained, tried = held_out(copies[learned], _HELD_OUT, _MOST_HELD_OUT, _SEED)
        if not len(tried):  # nearly all count as copies of one, as blank pages do
            trained, tried = held_out(learned, _HELD_OUT, _MOST_HELD_OUT, _SEED)
        on_part = WordMaps.fit(counts[trained], known[trained]) or maps
        queries = list(_drawn_queries(counts[tried], random))
        expectation = fit_expectation(index, on_part, (learned[tried], known[tried]), queries)
        rows = np.flatnonzero(~index.has_text)
        return cls(maps, rows, maps.place(np.asarray(points[rows])), expectation)

    def scores(self, words: Sequence[QueryWord], points: Floats) -> tuple[Floats, Floats]:
        """How well the images without texts fit a query: see `WordMaps.scores`.

        Parameters
        ----------
        words
            Of the query.
        points
            (u, p) float32 of these images.

        Returns
        -------
        scores, parts
            (u,) and (u, w) float32, w the number of known words; zeros if none was learned.
        """
        numbers = [word.number for word in known_words(words)]
        query = self.maps.query(numbers)
        if not query.any():
            nothing = np.zeros((len(points), len(query)), np.float32)
            return nothing.sum(1), nothing
        parts = self.maps.scores(self.placed, points, query)
        return parts.sum(1), parts[:, :-1]

    def expected(self, scores: Floats, usual: float) -> Floats:
        """The expected relevance of the texts that images with these scores (u,) would have.

        `usual` is the mean relevance of the known texts; the model is logistic in its log odds, in
        the score, and in the score's square with the score's sign. Higher scores than were tried
        promise no more than the highest of these.
        """
        highest = float(self.expectation[-1])
        features = _features(np.minimum(scores, highest), usual)
        return _logistic(features @ self.expectation[:-1]).astype(np.float32)

    def learned(self, word: QueryWord) -> bool:
        """Whether enough texts hold a word for its look to be learned."""
        return bool(np.isin(word.number, self.maps.stems))

    def save(self, directory: Path) -> None:
        """Write all arrays to files in an existing directory."""
        self.maps.save(directory)
        for file, array in zip(self._own_files(directory), self._arrays(), strict=True):
            np.save(file, array, allow_pickle=False)

    @classmethod
    def files(cls, directory: Path) -> list[Path]:
        """The files that `save` writes."""
        return [*WordMaps.files(directory), *cls._own_files(directory)]

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Map what `save` wrote; raises `OSError` or `ValueError` if it is missing or damaged."""
        rows, near, weights, lengths, expectation = (
            np.load(file, "r", allow_pickle=False) for file in cls._own_files(directory)
        )
        maps = WordMaps.load(directory)
        return cls(maps, rows, Placed(near, weights, lengths), expectation)

    def _arrays(self) -> list[npt.NDArray[Any]]:
        placed = self.placed
        return [self.rows, placed.near, placed.weights, placed.lengths, self.expectation]

    @staticmethod
    def _own_files(directory: Path) -> list[Path]:
        return [directory / f"images-{name}.npy" for name in _FITTED]


def learnable(rows: Rows, random: np.random.Generator) -> Rows | None:
    """The images with texts to learn from, rising: some, drawn at random, of very many.

    None for fewer than `LEAST_TEXTS`.
    """
    if len(rows) < LEAST_TEXTS:
        return None
    if len(rows) <= MOST_LEARNED:
        return rows
    return np.sort(random.choice(rows, MOST_LEARNED, replace=False))


def learned_rows(index: TextIndex) -> Rows | None:
    """The images that `VisualSearch.fit` learns from, in the order of its maps' texts."""
    return learnable(index.rows, np.random.default_rng(_SEED))


def why_not_learned(texts: int) -> str:
    """Why nothing was learned from the texts of so many images, in words.

    >>> why_not_learned(3)
    'only 3 images have texts; to learn what words look like takes 20'
    """
    if texts < LEAST_TEXTS:
        few = "1 image has a text" if texts == 1 else f"{texts} images have texts"
        return f"only {few}; to learn what words look like takes {LEAST_TEXTS}"
    return "all known texts say the same"


def counted(index: TextIndex, documents: Documents, rows: Rows) -> "sp.csr_array":
    """How often the texts of some images, given by rising rows, hold each stem: (m, s)."""
    wanted = set(rows.tolist())
    return stem_counts(index, (text for row, text in enumerate(documents) if row in wanted))


def stem_counts(index: TextIndex, texts: Iterable[str]) -> "sp.csr_array":
    """How often each of t texts holds each known stem: (t, s); unknown words do not count."""
    import scipy.sparse as sp

    stemmer = Stemmer(index.language)
    numbers, ends = list[int](), [0]
    for text in texts:
        stems = stemmer.stems(text)
        numbers += [index.numbers[stem] for stem in stems if stem in index.numbers]
        ends.append(len(numbers))
    ones = np.ones(len(numbers), np.float32)
    places = np.asarray(numbers, np.int64)
    counts = sp.csr_array((ones, places, ends), (len(ends) - 1, len(index.stems)))
    counts.sum_duplicates()
    return counts


def held_out(groups: Rows | Hashes, share: float, most: int, seed: int) -> tuple[Rows, Rows]:
    """Positions to learn from and positions to try on, drawn at random, rising.

    Positions of one group stay together: what is learned from a copy is known of the other. Groups
    are taken in random order, as long as they fit.

    >>> learned, tried = held_out(np.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]), 0.2, 100, seed=1)
    >>> len(learned), len(tried), bool(tried[1] == tried[0] + 1)
    (8, 2, True)
    """
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    left = min(int(len(groups) * share), most)
    taken = np.zeros(len(sizes), bool)
    for number in np.random.default_rng(seed).permutation(len(sizes)).tolist():
        if sizes[number] <= left:
            taken[number] = True
            left -= sizes[number]
    is_tried = taken[group.reshape(-1)]
    return np.flatnonzero(~is_tried), np.flatnonzero(is_tried)


def _drawn_queries(counts: "sp.csr_array", random: np.random.Generator) -> Iterator[list[int]]:
    """Queries as users ask them, of one to five different words that one text holds."""
    for row in random.integers(counts.shape[0], size=_QUERIES).tolist():
        stems = counts.indices[counts.indptr[row] : counts.indptr[row + 1]]
        if len(stems):
            size = min(int(random.integers(1, 6)), len(stems))
            yield random.choice(stems, size, replace=False).tolist()


def fit_expectation(
    index: TextIndex, maps: WordMaps, tried: tuple[Rows, Floats], queries: list[list[int]]
) -> Floats:
    """Learn how relevant images with some score are, by images that were not learned from.

    Fractional logistic regression (Papke and Wooldridge 1996) of the relevance of the held-out
    images' texts on what `expected` names.

    Parameters
    ----------
    tried
        Rows (t,) and points (t, p) of the held-out images.
    queries
        Numbers of stems.

    Returns
    -------
    coefficients
        (5,) float32; the third and fourth, by which relevance rises with the score, are 0 or more.
    """
    rows, points = tried
    placed = maps.place(points)
    features, relevances = [], []
    for numbers in queries:
        words = [QueryWord("", "", number, counts=True) for number in numbers]
        query = maps.query(numbers)
        if not query.any():
            continue
        relevance = index.relevance(words)
        scores = maps.scores(placed, points, query).sum(1)
        features.append(_features(scores, usual_relevance(index, relevance)))
        relevances.append(relevance[rows])
    if not features:
        return np.asarray([0, 1, 0, 0, 0], np.float32)
    tried_scores = np.concatenate(features)
    relevance_of = np.concatenate(relevances)
    coefficients = _fractional_logit(tried_scores, relevance_of, _PULL / max(len(rows), 1))
    highest = _HIGH * np.quantile(tried_scores[:, 2], _NEARLY_HIGHEST)
    return np.append(coefficients, highest).astype(np.float32)


def usual_relevance(index: TextIndex, relevance: Floats) -> float:
    """The mean relevance (n,) of the images with texts."""
    return float(relevance[index.rows].mean()) if len(index.rows) else 0.0


def _features(scores: Floats, usual: float) -> Doubles:
    usual = min(max(usual, _TINY), 1 - _TINY)
    odds = np.full(len(scores), np.log(usual / (1 - usual)))
    high = scores / _HIGH
    return np.column_stack([np.ones(len(scores)), odds, high, high * np.abs(high)])


def _logistic(values: Doubles) -> Doubles:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -_FLAT, _FLAT))))


def _fractional_logit(features: Doubles, shares: Floats, pull: float, steps: int = 30) -> Doubles:
    """Maximum likelihood by Newton's method, pulled towards the usual relevance at any score.

    The pull is a share of what the data know of each coefficient (the diagonal of the Fisher
    information), so that it counts like some more images whose relevance has nothing to do with the
    score.
    """
    prior = np.array([0.0, 1.0, 0.0, 0.0])
    usual = _logistic(features @ prior)
    penalty = pull * ((usual * (1 - usual)) @ features**2) + _TINY
    coefficients = prior
    for _ in range(steps):
        fitted = _logistic(features @ coefficients)
        slope = features.T @ (shares - fitted) - penalty * (coefficients - prior)
        curvature = (features * (fitted * (1 - fitted))[:, None]).T @ features + np.diag(penalty)
        step = np.linalg.solve(curvature, slope)
        coefficients = coefficients + step
        if np.abs(step).max() < _TINY:
            break
    coefficients[2:] = np.maximum(coefficients[2:], 0)
    return np.asarray(coefficients)
