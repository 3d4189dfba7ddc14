"""Every metric against a naive version that follows its definition word by word."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgbatch.evaluation import metrics
from imgbatch.evaluation.metrics import (
    METRICS,
    UNLABELLED,
    World,
    interval,
    random_ranking,
    rank_queries,
)


def world(n: int = 60, classes: int = 5, seed: int = 0, unlabelled: int = 0) -> World:
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, n)
    points = random.normal(size=(n, 6)) + 2 * np.eye(classes, 6)[labels]
    labels[:unlabelled] = UNLABELLED
    hashes = random.integers(0, 2**63, n).astype(np.uint64)
    return World(points.astype(np.float32), hashes, labels.astype(np.int64))


def draw(world: World, sets: int = 12, n: int = 7, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.stack([random.choice(len(world.points), n, replace=False) for _ in range(sets)])


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
    one = world(n, classes, seed)
    queries = metrics.usable_queries(one.labels)
    ranking = rank_queries(one.points, one.labels, queries)
    for place, query in enumerate(queries):
        hits = naive_ranking(one.points, one.labels, query)
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
    one = world(80)
    queries = metrics.usable_queries(one.labels)
    whole = rank_queries(one.points, one.labels, queries)
    monkeypatch.setattr(metrics, "_BLOCK_BYTES", 16 * 80 * 3)
    blocked = rank_queries(one.points, one.labels, queries)
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
    assert metrics.usable_queries(labels).tolist() == [0, 1, 5, 6]


def test_purity_counts_the_others_of_the_first_image_s_class():
    one = world(unlabelled=10)
    sets = draw(one)
    naive = [
        sum(one.labels[row] == one.labels[rows[0]] for row in rows[1:]) / (len(rows) - 1)
        for rows in sets
        if one.labels[rows[0]] != UNLABELLED
    ]
    assert metrics.purity(one, sets) == pytest.approx(naive)


def test_reach_says_which_classes_and_images_came_up():
    one = world(unlabelled=10)
    sets = draw(one)
    anchors = {int(one.labels[rows[0]]) for rows in sets}
    every = sorted(set(one.labels.tolist()) - {UNLABELLED})
    assert metrics.classes_reached(one, sets).tolist() == [label in anchors for label in every]
    reached = set(sets.ravel().tolist())
    assert metrics.images_reached(one, sets).tolist() == [row in reached for row in range(60)]


def test_classes_of_a_set_leave_out_images_without_one():
    one = world(unlabelled=30)
    sets = draw(one)
    naive = [len({int(one.labels[r]) for r in rows} - {UNLABELLED}) for rows in sets]
    assert metrics.classes(one, sets).tolist() == naive


def test_overlap_compares_each_set_with_the_one_before():
    sets = np.array([[0, 1, 2, 3], [3, 4, 0, 5], [6, 7, 8, 9]])
    assert metrics.overlap(world(), sets).tolist() == [0.5, 0.0]


def test_near_duplicates_count_pairs_within_six_bits():
    one = world()
    one.hashes[:4] = [0b0, 0b111111, 0b1111111, 2**63]
    sets = np.array([[0, 1, 2, 3, 10]])
    # 0-1: six bits, 1-2: one, 0-2: seven, 3 differs from 0 in one bit, from 1 in seven
    assert metrics.near_duplicates(one, sets).tolist() == [3]


def test_distances_equal_those_of_all_pairs():
    one = world()
    sets = draw(one)
    for place, rows in enumerate(sets):
        pairs = [
            math.dist(one.points[a], one.points[b])
            for at, a in enumerate(rows)
            for b in rows[at + 1 :]
        ]
        assert metrics.min_distance(one, sets)[place] == pytest.approx(min(pairs), rel=1e-5)
        assert metrics.mean_distance(one, sets)[place] == pytest.approx(np.mean(pairs), rel=1e-5)


def naive_vendi(points):
    n = len(points)
    unit = [point / np.linalg.norm(point) for point in np.asarray(points, np.float64)]
    kernel = np.array([[float(a @ b) for b in unit] for a in unit])
    eigenvalues = np.linalg.svd(kernel / n, compute_uv=False)
    return math.exp(-sum(v * math.log(v) for v in eigenvalues if v > 1e-12))


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 12), st.integers(0, 10**6))
def test_the_vendi_score_equals_the_naive_one_and_lies_between_1_and_n(n: int, seed: int):
    points = np.random.default_rng(seed).normal(size=(n, 5)).astype(np.float32)
    score = metrics.vendi(points)
    assert score == pytest.approx(naive_vendi(points), rel=1e-6)
    assert 1 - 1e-9 <= score <= n + 1e-9


def test_the_vendi_score_of_copies_is_1_and_of_orthogonal_points_n():
    assert metrics.vendi(np.ones((6, 3), np.float32)) == pytest.approx(1)
    assert metrics.vendi(np.eye(6, dtype=np.float32)) == pytest.approx(6)


def test_the_outlier_percentile_ranks_the_distance_to_the_tenth_neighbour():
    one = world()
    distances = np.linalg.norm(one.points[:, None].astype(np.float64) - one.points, axis=2)
    tenth = np.sort(distances, axis=1)[:, 10]
    percentile = [
        100 * np.mean([(other < own) + 0.5 * (other == own) for other in tenth]) for own in tenth
    ]
    sets = draw(one)
    naive = np.asarray(percentile)[sets].mean(axis=1)
    assert metrics.outlier_percentile(one, sets) == pytest.approx(naive, abs=0.5)


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_gives_finite_values_whose_interval_holds_the_mean(name: str):
    one = world(unlabelled=5)
    values = METRICS[name].values(one, draw(one))
    assert np.isfinite(values).all()
    low, high = interval(values, np.random.default_rng(0))
    assert low - 1e-9 <= values.mean() <= high + 1e-9
    assert METRICS[name].definition


def test_an_interval_is_repeatable_and_narrows_with_more_values():
    values = np.random.default_rng(0).random(2000)
    few = interval(values[:50], np.random.default_rng(1))
    assert few == interval(values[:50], np.random.default_rng(1))
    many = interval(values, np.random.default_rng(1))
    assert many[1] - many[0] < few[1] - few[0]


def test_the_normal_interval_of_many_values_agrees_with_the_bootstrap(
    monkeypatch: pytest.MonkeyPatch,
):
    values = np.random.default_rng(0).random(5000)
    resampled = interval(values, np.random.default_rng(1))
    monkeypatch.setattr(metrics, "_MANY", 100)
    assert interval(values, np.random.default_rng(1)) == pytest.approx(resampled, abs=2e-3)


def test_the_mean_of_a_whole_population_does_not_shift_and_random_sets_shift_by_one():
    random = np.random.default_rng(5)
    points = random.standard_normal((60, 7)).astype(np.float32)
    world = World(points, np.arange(60, dtype=np.uint64), np.zeros(60, np.int64), 6)
    assert metrics.mean_shift(world, random.permutation(60)[None]) == pytest.approx(0, abs=1e-9)
    sets = np.stack([random.choice(60, 6, replace=False) for _ in range(4000)])
    assert metrics.mean_shift(world, sets).mean() == pytest.approx(1, abs=0.05)
    rows = sets[0]
    away = points[rows].mean(axis=0) - points.mean(axis=0)
    expected = ((points - points.mean(axis=0)) ** 2).sum() / 60 * 54 / 59 / 6
    assert metrics.mean_shift(world, sets[:1])[0] == pytest.approx(
        (away**2).sum() / expected, rel=1e-4
    )
