"""Every metric against a naive version that follows its definition word by word."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgbatch.annotations.labels import UNLABELLED
from imgbatch.evaluation import metrics
from imgbatch.evaluation.intervals import interval
from imgbatch.evaluation.metrics import METRICS, LabelledPoints
from tests.evaluation.points import labelled_points


def draw(images: LabelledPoints, sets: int = 12, n: int = 7, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.stack([random.choice(len(images.points), n, replace=False) for _ in range(sets)])


def test_purity_counts_the_others_of_the_first_image_s_class():
    images = labelled_points(unlabelled=10)
    sets = draw(images)
    naive = [
        sum(images.labels[row] == images.labels[rows[0]] for row in rows[1:]) / (len(rows) - 1)
        for rows in sets
        if images.labels[rows[0]] != UNLABELLED
    ]
    assert metrics.purity(images, sets) == pytest.approx(naive)


def test_reach_says_which_classes_and_images_came_up():
    images = labelled_points(unlabelled=10)
    sets = draw(images)
    anchors = {int(images.labels[rows[0]]) for rows in sets}
    every = sorted(set(images.labels.tolist()) - {UNLABELLED})
    assert metrics.classes_reached(images, sets).tolist() == [label in anchors for label in every]
    reached = set(sets.ravel().tolist())
    assert metrics.images_reached(images, sets).tolist() == [row in reached for row in range(60)]


def test_classes_of_a_set_leave_out_images_without_one():
    images = labelled_points(unlabelled=30)
    sets = draw(images)
    naive = [len({int(images.labels[r]) for r in rows} - {UNLABELLED}) for rows in sets]
    assert metrics.classes(images, sets).tolist() == naive


def test_overlap_compares_each_set_with_the_one_before():
    sets = np.array([[0, 1, 2, 3], [3, 4, 0, 5], [6, 7, 8, 9]])
    assert metrics.overlap(labelled_points(), sets).tolist() == [0.5, 0.0]


def test_near_duplicates_count_pairs_within_six_bits():
    images = labelled_points()
    images.hashes[:4] = [0b0, 0b111111, 0b1111111, 2**63]
    sets = np.array([[0, 1, 2, 3, 10]])
    # 0-1: six bits, 1-2: one, 0-2: seven, 3 differs from 0 in one bit, from 1 in seven
    assert metrics.near_duplicates(images, sets).tolist() == [3]


def test_distances_equal_those_of_all_pairs():
    images = labelled_points()
    sets = draw(images)
    for place, rows in enumerate(sets):
        pairs = [
            math.dist(images.points[a], images.points[b])
            for at, a in enumerate(rows)
            for b in rows[at + 1 :]
        ]
        assert metrics.min_distance(images, sets)[place] == pytest.approx(min(pairs), rel=1e-5)
        assert metrics.mean_distance(images, sets)[place] == pytest.approx(np.mean(pairs), rel=1e-5)


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
    images = labelled_points()
    distances = np.linalg.norm(images.points[:, None].astype(np.float64) - images.points, axis=2)
    tenth = np.sort(distances, axis=1)[:, 10]
    percentile = [
        100 * np.mean([(other < own) + 0.5 * (other == own) for other in tenth]) for own in tenth
    ]
    sets = draw(images)
    naive = np.asarray(percentile)[sets].mean(axis=1)
    assert metrics.outlier_percentile(images, sets) == pytest.approx(naive, abs=0.5)


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_gives_finite_values_whose_interval_holds_the_mean(name: str):
    images = labelled_points(unlabelled=5)
    values = METRICS[name].measure(images, draw(images))
    assert np.isfinite(values).all()
    low, high = interval(values, np.random.default_rng(0))
    assert low - 1e-9 <= values.mean() <= high + 1e-9
    assert METRICS[name].definition


def test_the_mean_of_a_whole_population_does_not_shift_and_random_sets_shift_by_one():
    random = np.random.default_rng(5)
    points = random.standard_normal((60, 7)).astype(np.float32)
    images = LabelledPoints(points, np.arange(60, dtype=np.uint64), np.zeros(60, np.int64), 6)
    assert metrics.mean_shift(images, random.permutation(60)[None]) == pytest.approx(0, abs=1e-9)
    sets = np.stack([random.choice(60, 6, replace=False) for _ in range(4000)])
    assert metrics.mean_shift(images, sets).mean() == pytest.approx(1, abs=0.05)
    rows = sets[0]
    away = points[rows].mean(axis=0) - points.mean(axis=0)
    expected = ((points - points.mean(axis=0)) ** 2).sum() / 60 * 54 / 59 / 6
    assert metrics.mean_shift(images, sets[:1])[0] == pytest.approx(
        (away**2).sum() / expected, rel=1e-4
    )
