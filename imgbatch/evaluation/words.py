"""How well words find images, and captions fit them: measured on images whose texts are hidden."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgbatch.annotations.columns import Column
from imgbatch.evaluation.caption_metrics import METRICS, CaptionScores, score_captions
from imgbatch.evaluation.results import Figure
from imgbatch.types import Floats, Rows
from imgbatch.words.captions import CaptionBank
from imgbatch.words.documents import Documents
from imgbatch.words.maps import WordMaps
from imgbatch.words.neighbours import nearest
from imgbatch.words.text_index import TextIndex, known_words
from imgbatch.words.tokens import Stemmer
from imgbatch.words.visual import LEAST_TEXTS, MOST_LEARNED, counted, held_out

LEAST_MEASURED = 2 * LEAST_TEXTS
"""Images with texts that are needed to learn from some and to measure others."""
_HIDDEN, _MOST_HIDDEN = 0.2, 1000
_RESAMPLES = 300
_RECALLS = (1, 5, 10)
_COMPARED = ("bleu_4", "rouge_l", "cider")
"""Metrics that stand beside those of other ways to caption, too."""
_WAYS = {
    "shuffled": "by texts of other images",
    "nearest": "the nearest image's first caption",
    "central": "one caption, the most central, for all",
}
_MEANING = {
    "bleu": "sequences of {} words and fewer that people wrote, too",
    "rouge": "agreement with each text, mean F",
    "cider": "rare sequences that people wrote, too; 0 to 10",
}

Draw = npt.NDArray[np.int64] | None
"""Positions of the images that a figure is of, in a resample; None for all."""


@dataclass(frozen=True)
class LearnedWords:
    """What was learned from the texts of some images.

    Attributes
    ----------
    index
        Their texts.
    maps
        From points to words.
    bank
        Their captions.
    points
        (m, p) float32 of these images.
    """

    index: TextIndex
    maps: WordMaps
    bank: CaptionBank
    points: Floats

    @classmethod
    def of(
        cls, texts: Sequence[tuple[str, ...]], points: Floats, language: str | None = None
    ) -> "LearnedWords | None":
        """Learn from images, given by texts (m) and points (m, p); None if texts are alike."""
        column = Column.of(texts)
        empty = Column.empty(len(texts))
        documents = Documents((column, empty, empty))
        index = TextIndex.build(documents, language)
        rows = np.arange(len(texts))
        maps = WordMaps.fit(counted(index, documents, rows), points)
        if maps is None:
            return None
        stemmer = Stemmer(index.language)
        bank = CaptionBank(rows, list(texts), maps, maps.correlated(points), stemmer)
        return cls(index, maps, bank, points)

    def ranks(
        self, points: Floats, texts: Sequence[tuple[str, ...]]
    ) -> list[npt.NDArray[np.float64]]:
        """The ranks of images (u, p) when each of their texts is asked for: an array an image.

        1 is the first of the u images. Equal scores share the middle of their ranks.
        """
        placed = self.maps.place(points)
        ranks = []
        for place, of_image in enumerate(texts):
            found = np.full(len(of_image), (len(points) + 1) / 2)
            for number, text in enumerate(of_image):
                words = [word for word in known_words(self.index.query(text)) if word.counts]
                query = self.maps.query([word.number for word in words])
                if not query.any():
                    continue  # nothing is known of the query: a rank by chance
                # The scores of all words at once: which word adds what is not asked here.
                scores = self.maps.scores(placed, points, query.sum(0, keepdims=True)).sum(1)
                better, equal = np.sum(scores > scores[place]), np.sum(scores == scores[place])
                found[number] = better + (equal + 1) / 2
            ranks.append(found)
        return ranks

    def captions(self, points: Floats) -> list[str]:
        """The caption by consensus of images (u, p)."""
        return [self.bank.suggest(near, 1)[0].text for near in self.bank.neighbours(points)]

    def nearest_captions(self, points: Floats) -> list[str]:
        """The first caption of the image nearest to each of others (u, p)."""
        near, _ = nearest(points, self.points, 1)
        return [self.bank.captions[place][0] for place in near[:, 0].tolist()]

    def central_caption(self) -> str:
        """The caption that all others resemble most."""
        vectors = self.bank.vectors
        return self.bank.texts[int(np.argmax(vectors @ vectors.mean(axis=0)))]

    def random_captions(self, count: int, random: np.random.Generator) -> list[str]:
        """Captions drawn at random."""
        drawn = random.integers(len(self.bank.texts), size=count)
        return [self.bank.texts[place] for place in drawn.tolist()]


def word_figures(
    texts: Column, points: Floats, groups: Rows, seed: int
) -> tuple[list[Figure], str]:
    """Hide the texts of a fifth of the images that have some, and measure search and captions.

    Parameters
    ----------
    texts
        Of all n images.
    points
        (n, p) float32; may be in parts.
    groups
        (n,) images of equal numbers, such as copies, are hidden together.
    seed
        Of the split, of random choice, and of intervals.

    Returns
    -------
    figures
        Recall of the image whose text is asked for, and its median rank, among the hidden ones;
        BLEU, ROUGE and CIDEr of captions. Beside them stand random choice and, as figures of their
        own, shuffled texts, the nearest image's caption and the most central one. 95% intervals are
        percentiles of 300 resamples of images. Empty if too little is known.
    note
        What was measured, or why nothing was.
    """
    random = np.random.default_rng(seed)
    rows = np.flatnonzero(texts.lengths)
    if len(rows) > MOST_LEARNED:
        rows = np.sort(random.choice(rows, MOST_LEARNED, replace=False))
    if len(rows) < LEAST_MEASURED:
        return [], f"figures of words are left out: fewer than {LEAST_MEASURED} images have texts"
    learned, hidden = held_out(groups[rows], _HIDDEN, _MOST_HIDDEN, seed)
    if not len(hidden):
        return [], "figures of words are left out: nearly all images are copies of one"
    known = [texts[row] for row in rows[learned].tolist()]
    asked = [texts[row] for row in rows[hidden].tolist()]
    from_points, to_points = np.asarray(points[rows[learned]]), np.asarray(points[rows[hidden]])
    words = LearnedWords.of(known, from_points)
    if words is None:
        return [], "figures of words are left out: all texts are alike"
    order = random.permutation(len(known))
    shuffled = LearnedWords.of([known[place] for place in order], from_points, words.index.language)
    figures = search_figures(words.ranks(to_points, asked), random)
    if shuffled is not None:
        figures += search_figures(shuffled.ranks(to_points, asked), random, "shuffled")
    captions = {"": words.captions(to_points)}
    if shuffled is not None:
        captions["shuffled"] = shuffled.captions(to_points)
    captions["nearest"] = words.nearest_captions(to_points)
    captions["central"] = [words.central_caption()] * len(hidden)
    by_chance = score_captions(words.random_captions(len(hidden), random), asked).figures()
    for way, texts_of in captions.items():
        figures += caption_figures(score_captions(texts_of, asked), by_chance, random, way)
    note = (
        f"words: {len(learned):,} images with texts were learned from, the texts of "
        f"{len(hidden):,} were hidden and asked for"
    )
    return figures, note


def search_figures(
    ranks: list[npt.NDArray[np.float64]], random: np.random.Generator, way: str = ""
) -> list[Figure]:
    """Recall and median rank of images whose texts were asked for; by images (u)."""
    suffix, of = (f"_{way}", f", {_WAYS[way]}") if way else ("", "")
    count = len(ranks)
    figures = []
    for most in _RECALLS:

        def recall(drawn: Draw, most: int = most) -> float:
            return float((_joined(ranks, drawn) <= most).mean())

        by_chance = min(most / count, 1.0)
        meaning = f"texts whose image is among the first {most} of {count:,}{of}"
        figures.append(
            _figure(f"search_recall_at_{most}{suffix}", recall, by_chance, meaning, count, random)
        )

    def median(drawn: Draw) -> float:
        return float(np.median(_joined(ranks, drawn)))

    meaning = f"median rank, of {count:,}, of the image whose text is asked for{of}"
    name = f"search_median_rank{suffix}"
    return [*figures, _figure(name, median, (count + 1) / 2, meaning, count, random)]


def caption_figures(
    scores: CaptionScores, by_chance: dict[str, float], random: np.random.Generator, way: str = ""
) -> list[Figure]:
    """All metrics of captions beside random ones; of another way to caption, some metrics."""
    count = len(scores.lengths)
    figures = []
    for metric in _COMPARED if way else METRICS:

        def of_metric(drawn: Draw, metric: str = metric) -> float:
            return scores.figures(drawn)[metric]

        kind, _, order = metric.partition("_")
        meaning = _MEANING[kind].format(order) + (f", {_WAYS[way]}" if way else "")
        name = f"caption_{metric}_{way}" if way else f"caption_{metric}"
        figures.append(_figure(name, of_metric, by_chance[metric], meaning, count, random))
    return figures


def _joined(groups: list[npt.NDArray[np.float64]], drawn: Draw) -> npt.NDArray[np.float64]:
    chosen = groups if drawn is None else [groups[place] for place in drawn.tolist()]
    return np.concatenate(chosen)


def _figure(
    name: str,
    measure: Callable[[Draw], float],
    by_chance: float,
    meaning: str,
    count: int,
    random: np.random.Generator,
) -> Figure:
    drawn: list[Rows] = [random.integers(count, size=count) for _ in range(_RESAMPLES)]
    low, high = np.percentile([measure(rows) for rows in drawn], [2.5, 97.5])
    return Figure(name, measure(None), float(low), float(high), by_chance, meaning)
