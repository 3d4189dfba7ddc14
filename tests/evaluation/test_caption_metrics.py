"""BLEU, ROUGE and CIDEr of captions, beside values computed by hand."""

import math

import numpy as np
import pytest

pytest.importorskip("sacrebleu")
pytest.importorskip("rouge_score")
pytest.importorskip("regex")

from imgbatch.evaluation.caption_metrics import METRICS, cider, score_captions

RUSSIAN = "Две собаки бегут по белому снегу"


def figures(captions, references):
    return score_captions(captions, references).figures()


def test_equal_sentences_are_perfect_in_any_script():
    for text in (RUSSIAN, "Two dogs run in the snow.", "两只狗在雪地里奔跑"):
        found = figures([text], [[text]])
        for name in METRICS[:-1]:
            assert found[name] == pytest.approx(1), name


def test_a_sentence_of_other_words_scores_nothing():
    found = figures([RUSSIAN], [["Кошка спит дома"]])
    assert all(value == 0 for value in found.values())


def test_bleu_is_that_of_the_paper():
    # "the the the the the the the": of seven, two stand in the first reference (Papineni, section 2).
    references = [["The cat is on the mat.", "There is a cat on the mat."]]
    assert figures(["the the the the the the the"], references)["bleu_1"] == pytest.approx(2 / 7)
    # One word in place of six: the brevity penalty is exp(1 - 6 / 1).
    assert figures(["mat"], references)["bleu_1"] == pytest.approx(math.exp(1 - 6))


def test_bleu_counts_sequences_over_all_captions():
    found = figures(["a b c", "d e"], [["a b x"], ["d e"]])
    assert found["bleu_1"] == pytest.approx(4 / 5)
    assert found["bleu_2"] == pytest.approx(math.sqrt(4 / 5 * 2 / 3))


def test_rouge_is_the_mean_over_references():
    found = figures(["a b c d"], [["a b c d", "a c x y"]])
    assert found["rouge_1"] == pytest.approx((1 + 0.5) / 2)
    assert found["rouge_2"] == pytest.approx(0.5)
    assert found["rouge_l"] == pytest.approx((1 + 0.5) / 2)


def test_cider_is_that_computed_by_hand():
    # Three images; "dog" stands in two of them, "red" and "cat" in one, so that their weights are
    # log(3/2) and log(3). The caption has one word; sequences of two to four words give nothing.
    references = [["red dog"], ["dog"], ["cat"]]
    red, dog = math.log(3), math.log(1.5)
    cosine = dog**2 / (dog * math.hypot(red, dog))
    expected = 10 * cosine / 4 * math.exp(-1 / 72)
    assert cider(["dog", "x", "x"], references) == pytest.approx([expected, 0, 0])
    # A word that is repeated counts as often as in the reference.
    length = 2 * dog
    repeated = 10 * (dog * dog / (length * dog)) / 4 * math.exp(-1 / 72)
    assert cider(["x", "dog dog", "x"], references)[1] == pytest.approx(repeated)


def test_figures_of_some_captions_are_those_of_these_alone():
    captions, references = ["a b", "c d e", "f g"], [["a b"], ["c x e"], ["h g"]]
    scores = score_captions(captions, references)
    some = scores.figures(np.array([0, 2]))
    alone = figures(["a b", "f g"], [["a b"], ["h g"]])
    for name in METRICS[:-1]:  # CIDEr's rarities are those of all references
        assert some[name] == pytest.approx(alone[name])
