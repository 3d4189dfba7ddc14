import numpy as np
import pytest
from scipy.stats import binomtest

from imgbatch.learning.tags import NO_TRUST, drawn_others, learned_scores, ridge_scores, trust_of


def clouds(n, apart, seed=0):
    """Points of two kinds, the first third of one kind; and which are of it."""
    random = np.random.default_rng(seed)
    has_tag = np.arange(n) < n // 3
    points = random.normal(size=(n, 6)).astype(np.float32) * 0.3
    points[has_tag, 0] += apart
    return points, has_tag


def test_scores_are_those_of_the_weighted_least_squares_written_out():
    points, has_tag = clouds(60, 1)
    positives, others = points[has_tag], points[~has_tag]
    weights = np.where(has_tag, 1 / has_tag.sum(), 1 / (~has_tag).sum())
    stacked = np.column_stack([np.concatenate([positives, others]), np.ones(60)]).astype(float)
    penalty = np.diag([0.1] * 6 + [0])
    targets = np.repeat([1.0, -1.0], [len(positives), len(others)])
    ordered = np.repeat([1 / len(positives), 1 / len(others)], [len(positives), len(others)])
    left = stacked.T @ (ordered[:, None] * stacked) + penalty
    solved = np.linalg.solve(left, stacked.T @ (ordered * targets))
    expected = points @ solved[:-1] + solved[-1]
    assert np.allclose(ridge_scores(positives, others, points), expected, atol=1e-4)
    assert weights.sum() == pytest.approx(2)


def test_others_are_never_examples_and_the_same_each_time():
    examples = np.array([0, 3, 5])
    drawn = [drawn_others(20, examples, 10, np.random.default_rng(1)).tolist() for _ in range(2)]
    assert drawn[0] == drawn[1] == sorted(set(drawn[0]))
    assert len(drawn[0]) == 10
    assert not set(drawn[0]) & {0, 3, 5}
    assert len(drawn_others(20, examples, 500, np.random.default_rng(1))) == 17


def test_a_few_examples_rank_images_of_their_kind_first():
    points, has_tag = clouds(300, 2)
    examples = np.array([0, 1, 2, 3, 4])
    scores = learned_scores(points, points[examples], examples, 100)
    assert scores[has_tag].min() > np.quantile(scores[~has_tag], 0.95)


def test_what_is_told_apart_is_trusted_and_the_interval_is_wilsons():
    points, has_tag = clouds(300, 4)
    trust = trust_of(points, np.arange(300), has_tag, 200, 0.9)
    assert trust.given >= 90
    interval = binomtest(trust.right, trust.given).proportion_ci(method="wilson")
    assert (trust.low, trust.high) == (interval.low, interval.high)
    assert trust.low >= 0.9


def test_what_cannot_be_told_apart_is_never_trusted():
    points, has_tag = clouds(300, 0)
    assert trust_of(points, np.arange(300), has_tag, 200, 0.9) == NO_TRUST


def test_fewer_than_35_right_ones_are_too_few_for_90_percent():
    points, has_tag = clouds(90, 9)  # 30 with the tag, told apart without a mistake
    assert trust_of(points, np.arange(90), has_tag, 200, 0.9) == NO_TRUST
    points, has_tag = clouds(120, 9)
    assert trust_of(points, np.arange(120), has_tag, 200, 0.9).given >= 35


@pytest.mark.parametrize("share", [0, 1])
def test_without_images_of_both_kinds_there_is_nothing_to_measure(share):
    points, _ = clouds(60, 1)
    assert trust_of(points, np.arange(60), np.full(60, bool(share)), 50, 0.9) == NO_TRUST
