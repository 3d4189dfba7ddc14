"""Which images are asked for: groups without labels, uncertain and diverse ones; doubted labels."""

import numpy as np

from imgbatch.learning.active import typical_images, uncertain_images
from imgbatch.learning.check import doubted_labels
from imgbatch.learning.classify import Classifier
from imgbatch.learning.linear import Linear
from imgbatch.learning.predictions import labelled
from tests.learning.clouds import cloud, examples_of


def test_the_first_images_asked_for_are_of_different_groups_and_near_their_middle():
    points, classes = cloud(300, 6, apart=5)
    chosen = typical_images(points, np.zeros(0, np.int64), 6, seed=0)
    assert sorted(classes[chosen].tolist()) == list(range(6))
    for row in chosen:
        of_group = points[classes == classes[row]]
        distances = np.linalg.norm(of_group - of_group.mean(axis=0), axis=1)
        own = np.linalg.norm(points[row] - of_group.mean(axis=0))
        assert own < np.median(distances)


def test_groups_with_a_label_come_last():
    points, classes = cloud(300, 6, apart=5)
    labelled = np.array([np.flatnonzero(classes == number)[0] for number in (0, 1, 2)])
    chosen = typical_images(points, labelled, 3, seed=0)
    assert sorted(classes[chosen].tolist()) == [3, 4, 5]
    assert not np.isin(chosen, labelled).any()


def test_all_images_can_be_asked_for_once_each():
    points, _ = cloud(30, 3)
    labelled = np.arange(5)
    chosen = typical_images(points, labelled, 25, seed=0)
    assert sorted(chosen.tolist()) == list(range(5, 30))
    assert sorted(uncertain_images(points, *np.full((2, 30), 0.5), 30, seed=0)) == list(range(30))


def test_equal_images_are_asked_for_without_end_or_error():
    points = np.ones((12, 4), np.float32)
    assert len(set(typical_images(points, np.array([0]), 11, seed=0).tolist())) == 11
    assert len(set(uncertain_images(points, *np.zeros((2, 12)), 12, seed=0).tolist())) == 12


def test_uncertain_images_come_before_certain_ones_and_differ():
    points, classes = cloud(300, 6, apart=5)
    margins = np.where(classes < 3, 0.0, 1.0).astype(np.float32)
    chosen = uncertain_images(points, margins, margins, 6, seed=0)
    assert set(classes[chosen].tolist()) == {0, 1, 2}


def test_what_is_asked_for_is_repeatable_by_seed():
    points, _ = cloud(200, 4)
    margins = np.random.default_rng(0).random(200).astype(np.float32)
    for ask in (
        lambda seed: typical_images(points, np.arange(3), 10, seed),
        lambda seed: uncertain_images(points, margins, margins, 10, seed),
    ):
        assert np.array_equal(ask(1), ask(1))
        assert not np.array_equal(ask(1), ask(2))


def test_wrong_labels_are_the_first_to_be_doubted():
    points, classes = cloud(400, 4, apart=2)
    wrong = np.random.default_rng(0).choice(400, 20, replace=False)
    spoiled = classes.copy()
    spoiled[wrong] = (spoiled[wrong] + 1) % 4
    judged, order = doubted_labels(examples_of(points, spoiled), seed=0)
    assert np.isin(order[:20], wrong).mean() > 0.85
    assert (np.diff(judged.of_given[order]) >= 0).all()


def test_images_that_a_model_is_sure_of_are_ordered_by_odds_and_not_by_place():
    random = np.random.default_rng(0)
    points = random.normal(size=(200, 3)).astype(np.float32)
    odds = random.permutation(200).astype(np.float32) + 40
    chosen = uncertain_images(points, np.ones(200, np.float32), odds, 5, seed=0)
    assert (np.diff(odds[chosen]) > 0).all()
    assert odds[chosen].max() < 40 + 50  # of the ten times five least sure ones


def test_odds_tell_sure_images_apart_where_margins_are_rounded_to_one():
    weights = np.array([[1.0, 0.0, -1.0]], np.float32)
    classifier = Classifier(None, Linear(weights, np.zeros(3, np.float32)), 1.0)
    points = np.array([[50.0], [40.0], [0.5]], np.float32)
    _, _, margins, odds = labelled(points, classifier)
    assert margins[0] == margins[1] == 1
    assert np.allclose(odds, [50, 40, 0.5], rtol=1e-5)
