"""Known texts searched by BM25, beside a naive version."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("bm25s")
pytest.importorskip("regex")
pytest.importorskip("snowballstemmer")

from imgbatch.words.text_index import TextIndex, known_words

TEXTS = ["A dog in the snow", "", "Two dogs, a cat", "snow snow snow", "the sea"]


def naive_bm25(texts, query, k1=1.2, b=0.75):
    """BM25 as Lucene has it, text by text."""
    words = [text.split() for text in texts]
    held = [text for text in words if text]
    average = sum(map(len, held)) / len(held)
    scores = []
    for text in words:
        score = 0.0
        for word in dict.fromkeys(query.split()):
            count, holding = text.count(word), sum(word in other for other in held)
            if count:
                idf = math.log1p((len(held) - holding + 0.5) / (holding + 0.5))
                score += idf * count / (count + k1 * (1 - b + b * len(text) / average))
        scores.append(score)
    return np.array(scores)


words = st.lists(st.sampled_from(["red", "blue", "sea", "dog", "cat"]), max_size=6).map(" ".join)


@settings(max_examples=30)
@given(st.lists(words, min_size=1, max_size=8).filter(any), words)
def test_scores_are_those_of_the_naive_version(texts, query):
    index = TextIndex.build(texts, "none")
    scores = index.by_word(index.query(query)).sum(1)
    np.testing.assert_allclose(scores, naive_bm25(texts, query), rtol=1e-5, atol=1e-6)


def test_a_text_of_average_length_with_each_word_once_has_relevance_1():
    index = TextIndex.build(["red sea", "blue dog", "cat sky"], "none")
    assert index.relevance(index.query("red sea")).tolist() == pytest.approx([1, 0, 0])
    half = index.relevance(index.query("red dog")).tolist()
    assert half == pytest.approx([0.5, 0.5, 0])


def test_stems_find_other_forms_and_unknown_words_lower_the_relevance():
    index = TextIndex.build(TEXTS)
    assert index.language == "english"
    assert np.flatnonzero(index.relevance(index.query("dog"))).tolist() == [0, 2]
    assert np.flatnonzero(index.relevance(index.query("Dogs"))).tolist() == [0, 2]
    alone = index.relevance(index.query("dog"))
    with_unknown = index.relevance(index.query("dog zebra"))
    assert 0 < with_unknown[2] < alone[2]
    assert index.nearest("snaw") == ["snow"]


def test_function_words_rank_but_find_nothing_by_themselves():
    index = TextIndex.build(TEXTS)
    query = index.query("the snow")
    assert [word.counts for word in query] == [False, True]
    assert np.flatnonzero(index.relevance(query)).tolist() == [0, 3]
    assert np.flatnonzero(index.relevance(index.query("the"))).tolist() == [0, 4]


def test_function_words_weigh_half_unless_there_are_no_others():
    texts = ["the sea", "red sea", "blue sky", "a dog"]
    plain, index = TextIndex.build(texts, "none"), TextIndex.build(texts, "english")
    words, full = index.query("the sea"), plain.by_word(plain.query("the sea"))
    assert [word.counts for word in words] == [False, True]
    np.testing.assert_allclose(index.by_word(words), full * [0.5, 1])
    assert index.relevance(words)[0] == pytest.approx(1)
    the = index.query("the")
    np.testing.assert_allclose(index.by_word(the)[:, 0], full[:, 0])


def test_an_index_comes_back_as_it_was_saved(tmp_path):
    index = TextIndex.build(TEXTS)
    index.save(tmp_path)
    loaded = TextIndex.load(tmp_path)
    assert sorted(TextIndex.files(tmp_path)) == sorted(tmp_path.iterdir())
    query = index.query("a snow dog")
    assert loaded.query("a snow dog") == query
    assert loaded.has_text.tolist() == [True, False, True, True, True]
    np.testing.assert_array_equal(loaded.by_word(query), index.by_word(query))


def test_without_any_text_nothing_is_known():
    index = TextIndex.build(["", ""])
    query = index.query("dog")
    assert not known_words(query)
    assert index.relevance(query).tolist() == [0, 0]
