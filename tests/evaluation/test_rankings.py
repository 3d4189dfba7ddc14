"""Rankings of single queries against naive ones that follow the definitions word by word."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgbatch.annotations.labels import UNLABELLED
from imgbatch.evaluation import rankings
from imgbatch.evaluation.rankings import random_ranking, rank_queries, usable_queries
from tests.evaluation.points import labelled_points


def naive_ranking(points, labels, query):
    """Others by distance, ties by row; hits as a list of booleans."""
    others = [row for row in range(len(points)) if row != query]
    away = np.asarray(points, np.float64) - points[query]
    squared = (away**2).sum(axis=1)
    others.sort(key=lambda row: (squared[row], row))
    return [bool(labels[row] == labels[query]) for row in others]


def naive_precision(hits, k):
    k = min(k, len(hits))
    return sum(hits[:k]) / k


def naive_average_precision(hits):
    return np.mean([sum(hits[: rank + 1]) / (rank + 1) for rank, hit in enumerate(hits) if hit])


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 40), st.integers(1, 4), st.integers(0, 10**6))
def test_precision_and_average_precision_equal_the_naive_ones(n: int, classes: int, seed: int):
    images = labelled_points(n, classes, seed)
    queries = usable_queries(images.labels)
    ranking = rank_queries(images.points, images.labels, queries)
    for place, query in enumerate(queries):
        hits = naive_ranking(images.points, images.labels, query)
        assert ranking.precision_at_1[place] == naive_precision(hits, 1)
        assert ranking.precision_at_10[place] == pytest.approx(naive_precision(hits, 10))
        assert ranking.average_precision[place] == pytest.approx(naive_average_precision(hits))


def test_a_query_is_never_its_own_hit():
    # Each image's copy is of another class: were it counted itself, precision would not be 0.
    points = np.repeat(np.eye(4, dtype=np.float32), 2, axis=0)
    labels = np.tile([0, 1], 4).astype(np.int64)
    ranking = rank_queries(points, labels, np.arange(8))
    assert (ranking.precision_at_1 == 0).all()


def test_a_perfect_space_has_precision_one():
    labels = np.repeat(np.arange(3), 11).astype(np.int64)
    ranking = rank_queries(np.eye(3, dtype=np.float32)[labels], labels, np.arange(33))
    assert (ranking.precision_at_10 == 1).all()
    assert ranking.average_precision == pytest.approx(np.ones(33))


def test_ranking_in_blocks_equals_ranking_at_once(monkeypatch: pytest.MonkeyPatch):
    images = labelled_points(80)
    queries = usable_queries(images.labels)
    whole = rank_queries(images.points, images.labels, queries)
    monkeypatch.setattr(rankings, "_BLOCK_BYTES", 16 * 80 * 3)
    blocked = rank_queries(images.points, images.labels, queries)
    assert blocked.average_precision == pytest.approx(whole.average_precision)


def test_the_random_baseline_is_the_mean_over_shuffled_rankings():
    labels = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 2], np.int64)
    queries = np.arange(10)
    precision, average = random_ranking(labels, queries)
    random = np.random.default_rng(0)
    precisions, averages = [], []
    for _ in range(3000):
        query = int(random.integers(10))
        others = np.delete(labels, query)
        random.shuffle(others)
        hits = [bool(label == labels[query]) for label in others]
        precisions.append(naive_precision(hits, 3))
        averages.append(naive_average_precision(hits))
    assert precision == pytest.approx(np.mean(precisions), abs=0.02)
    assert average == pytest.approx(np.mean(averages), abs=0.02)


def test_images_without_a_class_or_alone_in_it_are_no_queries():
    labels = np.array([0, 0, 1, UNLABELLED, UNLABELLED, 2, 2], np.int64)
    assert usable_queries(labels).tolist() == [0, 1, 5, 6]
