"""Search and captions measured on images whose texts are hidden."""

import numpy as np
import pytest

pytest.importorskip("bm25s")
pytest.importorskip("regex")
pytest.importorskip("sacrebleu")

from imgbatch.annotations.columns import Column
from imgbatch.evaluation.words import LEAST_MEASURED, LearnedWords, word_figures
from tests.words.folders import KINDS, made_up

_WORDS = [f"w{first}{second}x" for first in "abcdefgh" for second in "abcdefgh"]


@pytest.fixture(scope="module")
def figures():
    points, documents, _ = made_up(count=150, hidden=0)
    found, note = word_figures(documents.texts, points, np.arange(150), seed=3)
    return {figure.name: figure for figure in found}, note


def test_words_that_follow_the_looks_are_far_above_chance_and_shuffled_ones_near_it(figures):
    named, note = figures
    assert "120 images with texts were learned from, the texts of 30" in note
    recall, shuffled = named["search_recall_at_10"], named["search_recall_at_10_shuffled"]
    assert recall.random == pytest.approx(1 / 3)
    assert recall.value > 0.8
    assert shuffled.value < recall.low
    assert named["search_median_rank"].value < 8
    assert named["search_median_rank"].random == 15.5
    assert named["caption_bleu_4"].value == pytest.approx(1)
    for other in ("shuffled", "central"):
        assert named[f"caption_cider_{other}"].value < named["caption_cider"].low
    assert named["caption_cider"].random < named["caption_cider"].low


def test_every_figure_stands_inside_its_interval(figures):
    for figure in figures[0].values():
        assert figure.low - 1e-9 <= figure.value <= figure.high + 1e-9, figure.name


def test_ranks_are_those_of_a_sorted_list():
    points, documents, _ = made_up(count=60, hidden=0)
    texts = list(documents.texts)
    words = LearnedWords.of(texts[:50], points[:50])
    shown = points[50:]
    ranks = words.ranks(shown, [(*text, "zebra") for text in texts[50:]])
    placed = words.maps.place(shown)
    for place, of_image in enumerate(ranks):
        asked = [word for word in words.index.query(texts[50 + place][0]) if word.counts]
        query = words.maps.query([word.number for word in asked])
        scores = words.maps.scores(placed, shown, query).sum(1).round(4)
        order = np.sort(-scores)
        low = np.searchsorted(order, -scores[place], side="left") + 1
        high = np.searchsorted(order, -scores[place], side="right")
        assert low - 1 <= of_image[0] <= high + 1
        assert of_image[1] == 5.5  # of a word that nobody knows, by chance


def test_copies_of_what_is_asked_for_are_not_learned_from():
    random = np.random.default_rng(0)
    points = np.repeat(random.normal(size=(150, 32)).astype(np.float32), 2, axis=0)
    said = [(" ".join(random.choice(_WORDS, 6, replace=False)),) for _ in range(150)]
    texts = Column.of([text for text in said for _ in range(2)])  # they follow no looks
    found, _ = word_figures(texts, points, np.repeat(np.arange(150), 2), seed=0)
    named = {figure.name: figure for figure in found}
    assert named["search_recall_at_10"].value < 3 * named["search_recall_at_10"].random
    ends = named["search_median_rank"]
    assert ends.low <= ends.random <= ends.high or ends.value > 0.7 * ends.random


def test_where_one_group_holds_nearly_all_images_nothing_is_measured():
    points, documents, _ = made_up(count=100, hidden=0)
    found, note = word_figures(documents.texts, points, np.zeros(100, np.int64), 0)
    assert found == []
    assert "copies of one" in note


def test_too_few_texts_and_equal_texts_are_left_out_with_a_note():
    points, documents, _ = made_up(count=LEAST_MEASURED - 1, hidden=0)
    assert word_figures(documents.texts, points, np.arange(len(points)), 0)[0] == []
    same = Column.of([KINDS[:1]] * 50)
    found, note = word_figures(same, np.zeros((50, 3), np.float32), np.arange(50), 0)
    assert found == []
    assert "alike" in note
