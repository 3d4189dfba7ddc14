"""Figures equal scikit-learn's; intervals hold the truth; confusions are counted."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss

from imgbatch.learning import baselines
from imgbatch.learning.figures import (
    confusion_matrix,
    confusions_of,
    figure_values,
    figures_by_class,
    figures_of,
)
from imgbatch.learning.judged import Judged
from tests.learning.clouds import cloud, examples_of


def judged_at_random(n, k, seed=0, sure=0.6):
    """Classes, and probabilities that are right: a class is drawn with its probability."""
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.full(k, sure), n)
    given = (random.random((n, 1)) > np.cumsum(probabilities, axis=1)).sum(axis=1).clip(0, k - 1)
    return judged(given, probabilities), given, probabilities


def judged(given, probabilities):
    rows = np.arange(len(given))
    predicted = probabilities.argmax(axis=1)
    return Judged(
        given,
        predicted,
        probabilities[rows, predicted].astype(np.float32),
        probabilities[rows, given].astype(np.float32),
    )


def test_figures_are_those_of_scikit_learn():
    said, given, probabilities = judged_at_random(500, 4)
    values = figure_values(said, 4)
    assert values["accuracy"] == pytest.approx(accuracy_score(given, said.predicted))
    balanced = balanced_accuracy_score(given, said.predicted)
    assert values["balanced_accuracy"] == pytest.approx(balanced)
    macro = f1_score(given, said.predicted, average="macro")
    assert values["macro_f1"] == pytest.approx(macro)
    clipped = np.maximum(probabilities, 1e-6)
    loss = log_loss(given, clipped / clipped.sum(axis=1, keepdims=True))
    assert values["log_loss"] == pytest.approx(loss, abs=1e-3)


def test_right_probabilities_have_a_small_calibration_error_and_wrong_ones_a_large_one():
    said, given, probabilities = judged_at_random(20_000, 3)
    assert figure_values(said, 3)["calibration_error"] < 0.02
    surer = probabilities**3 / (probabilities**3).sum(axis=1, keepdims=True)
    assert figure_values(judged(given, surer), 3)["calibration_error"] > 0.05


def test_one_confidence_for_all_is_calibrated_if_it_is_the_share_of_right_ones():
    given = np.repeat([0, 1], [70, 30])
    share = np.full(100, 0.7, np.float32)
    said = Judged(given, np.zeros(100, np.int64), share, share)
    assert figure_values(said, 2)["calibration_error"] == pytest.approx(0, abs=1e-6)


def test_intervals_hold_the_truth_nineteen_times_of_twenty():
    whole = figure_values(judged_at_random(200_000, 3, seed=99)[0], 3)
    held = {name: 0 for name in whole if name != "calibration_error"}
    for seed in range(60):
        figures = figures_of(judged_at_random(200, 3, seed)[0], 3, seed)
        for name in held:
            held[name] += figures[name].low <= whole[name] <= figures[name].high
    assert min(held.values()) >= 51  # 57 are expected


def test_classes_and_confusions_are_counted():
    given, predicted = np.array([0, 0, 0, 0, 1, 1, 2]), np.array([0, 1, 1, 2, 1, 0, 2])
    sure = np.linspace(0.9, 0.3, 7, dtype=np.float32)
    said = Judged(given, predicted, sure, sure)
    assert confusion_matrix(said, 3).tolist() == [[1, 2, 1], [1, 1, 0], [0, 0, 1]]
    first, *_ = confusions_of(said, 3, most=2)
    assert (first.given, first.predicted, first.count, first.share) == (0, 1, 2, 0.5)
    assert first.positions.tolist() == [1, 2]
    cats = figures_by_class(said, ["cat", "dog", "owl"])[0]
    assert (cats.name, cats.images, cats.recall, cats.precision) == ("cat", 4, 0.25, 0.5)
    assert cats.f1 == pytest.approx(f1_score(given == 0, predicted == 0))


def test_a_class_that_is_given_to_none_has_no_precision():
    given, predicted = np.array([0, 1]), np.array([0, 0])
    said = Judged(given, predicted, *np.full((2, 2), 0.5, np.float32))
    assert np.isnan(figures_by_class(said, ["cat", "dog"])[1].precision)


def test_nearest_neighbours_vote_as_a_naive_count_does():
    points, classes = cloud(120, 3, apart=0.6)
    train, test = examples_of(points[:90], classes[:90]), examples_of(points[90:], classes[90:])
    said = baselines.nearest_neighbours(train, test)
    for number in range(30):
        distances = ((points[:90] - points[90 + number]) ** 2).sum(axis=1)
        votes = np.bincount(classes[np.argsort(distances)[:10]], minlength=3)
        assert votes[said.predicted[number]] == votes.max()
        assert said.confidence[number] == pytest.approx((votes.max() + 1 / 3) / 11, abs=0.01)


def test_the_majority_is_said_of_every_image():
    points, _ = cloud(100, 2)
    train = examples_of(points, np.repeat([0, 1], [30, 70]))
    said = baselines.majority(train, train)
    assert set(said.predicted.tolist()) == {1}
    assert np.allclose(said.confidence, 0.7)
    assert np.allclose(said.of_given, np.repeat([0.3, 0.7], [30, 70]))
