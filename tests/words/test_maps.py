"""Maps between words and points, learned from a made-up folder."""

import numpy as np
import pytest
import scipy.sparse as sp

pytest.importorskip("bm25s")
pytest.importorskip("regex")
pytest.importorskip("snowballstemmer")

from imgbatch.words.maps import WordMaps
from imgbatch.words.neighbours import bandwidth, nearest, neighbours_of, spread_lengths
from imgbatch.words.text_index import TextIndex
from imgbatch.words.visual import LEAST_TEXTS, VisualSearch, counted
from tests.words.folders import KINDS, made_up


@pytest.fixture(scope="module")
def fitted():
    points, documents, kind = made_up()
    index = TextIndex.build(list(documents))
    return (
        points,
        documents,
        kind,
        index,
        VisualSearch.fit(index, documents, points, np.arange(len(points))),
    )


@pytest.mark.parametrize("kind_asked", range(len(KINDS)))
def test_images_without_texts_are_found_by_their_looks(fitted, kind_asked):
    points, _, kind, index, visual = fitted
    scores, parts = visual.scores(index.query(KINDS[kind_asked].split()[1]), points[visual.rows])
    right = kind[visual.rows] == kind_asked
    assert visual.expected(scores[right], 0.25).mean() > 0.4
    assert scores[right].min() > scores[~right].max()
    assert parts.shape == (40, 1)


def test_images_that_all_count_as_copies_are_learned_from_all_the_same():
    points, documents, _ = made_up()
    index = TextIndex.build(list(documents))
    visual = VisualSearch.fit(index, documents, points, np.zeros(len(points), np.uint64))
    assert np.isfinite(visual.expectation).all()


def test_texts_that_say_nothing_of_the_looks_find_nothing():
    points, documents, kind = made_up()
    order = np.random.default_rng(5).permutation(120)
    index = TextIndex.build([list(documents)[row] for row in order] + [""] * 40)
    shuffled = type(documents)(
        (documents.columns[0].take(np.r_[order, 120:160]), *documents.columns[1:])
    )
    visual = VisualSearch.fit(index, shuffled, points, np.arange(len(points)))
    right, promised = [], []
    for number, words in enumerate(KINDS):
        scores, _ = visual.scores(index.query(words), points[visual.rows])
        first = np.argsort(-scores)[:10]
        right.append((kind[visual.rows][first] == number).mean())
        promised.append(visual.expected(scores[first], 0.25).mean())
    assert np.mean(right) < 0.5
    assert np.mean(promised) < 0.4


def test_scores_are_the_sum_of_standardised_ways_computed_naively(fitted):
    points, _, _, index, visual = fitted
    maps, shown = visual.maps, points[visual.rows]
    query = maps.query([word.number for word in index.query("blue snow")])
    parts = maps.scores(visual.placed, shown, query)
    asked = query.sum(0)
    topics = asked @ maps.topics - maps.text_mean
    texts = np.asarray(maps.rows.todense())
    total = np.zeros(len(shown))
    ways = []
    for way, wanted in ((maps.ridge, topics), (maps.image_axes, topics @ maps.text_axes)):
        placed = (shown - maps.point_mean) @ way
        ways.append([row @ wanted / np.linalg.norm(row) for row in placed])
    near = visual.placed
    spread = np.array([w @ texts[n] for n, w in zip(near.near, near.weights, strict=True)])
    ways.append([(row - texts.mean(0)) @ asked / np.linalg.norm(row) for row in spread])
    for way in map(np.array, ways):
        total += (way - way.mean()) / way.std()
    np.testing.assert_allclose(parts.sum(1), total, atol=1e-3)


def test_expected_relevance_rises_with_the_score_and_ends_at_what_was_tried(fitted):
    visual = fitted[-1]
    expected = visual.expected(np.linspace(-10, 1000, 500).astype(np.float32), 0.25)
    assert (np.diff(expected) >= 0).all()
    assert 0 <= expected[0] < 0.25 < expected[-1] <= 1
    highest = float(visual.expectation[-1])
    assert expected[-1] == visual.expected(np.array([highest], np.float32), 0.25)[0]


def test_a_search_comes_back_as_it_was_saved(fitted, tmp_path):
    points, _, _, index, visual = fitted
    visual.save(tmp_path)
    loaded = VisualSearch.load(tmp_path)
    assert sorted(VisualSearch.files(tmp_path)) == sorted(tmp_path.iterdir())
    words = index.query("green hills")
    np.testing.assert_array_equal(
        loaded.scores(words, points[visual.rows])[0], visual.scores(words, points[visual.rows])[0]
    )


def test_too_few_texts_and_equal_texts_teach_nothing():
    points, documents, _ = made_up(count=LEAST_TEXTS + 9, hidden=10)
    assert (
        VisualSearch.fit(
            TextIndex.build(list(documents)), documents, points, np.arange(len(points))
        )
        is None
    )
    points, documents, _ = made_up(texts=["sea"] * len(KINDS))
    assert (
        VisualSearch.fit(
            TextIndex.build(list(documents)), documents, points, np.arange(len(points))
        )
        is None
    )


def test_counts_are_those_of_each_text():
    _, documents, _ = made_up(count=30, hidden=0)
    index = TextIndex.build(list(documents))
    counts = counted(index, documents, np.array([3, 7]))
    assert counts.shape == (2, len(index.stems))
    assert counts.sum(1).tolist() == [len(list(documents)[row].split()) for row in (3, 7)]


def test_nearest_are_those_of_all_distances():
    random = np.random.default_rng(3)
    points, queries = random.normal(size=(2500, 5)), random.normal(size=(1100, 5))
    near, squared = nearest(queries.astype(np.float32), points.astype(np.float32), 7)
    distances = ((queries[:, None] - points) ** 2).sum(2)
    order = np.argsort(distances, axis=1)[:, :7]
    assert (np.sort(near, axis=1) == np.sort(order, axis=1)).all()
    np.testing.assert_allclose(squared, np.take_along_axis(distances, near, 1), atol=1e-3)


def test_spread_values_are_weighted_means_and_the_nearest_weighs_most():
    points = np.array([[0.0], [1.0], [10.0]], np.float32)
    width = bandwidth(np.linspace(0, 1, 50, dtype=np.float32)[:, None])
    assert width > 0
    near = neighbours_of(np.array([[0.9]], np.float32), points, 1.0)
    means = near.means(np.array([[0, 7], [1, 7], [5, 7]], np.float32))
    weights = np.exp(-np.array([0.81, 0.01, 82.81]))
    assert means[0] == pytest.approx([(weights / weights.sum()) @ [0, 1, 5], 7], rel=1e-5)
    rows = sp.csr_array(np.eye(3, dtype=np.float32))
    spread = np.asarray(near.spread(rows).todense())
    np.testing.assert_allclose(spread_lengths(near, rows), np.linalg.norm(spread, axis=1))


def test_words_that_were_not_learned_are_zeros(fitted):
    maps: WordMaps = fitted[-1].maps
    rare = max(maps.stems.tolist()) + 1
    query = maps.query([rare, int(maps.stems[0])])
    assert not query[0].any()
    assert np.linalg.norm(query) == pytest.approx(1)
