"""Single queries by class."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgbatch.annotations.labels import UNLABELLED
from imgbatch.evaluation.classes import figures_by_class
from imgbatch.evaluation.rankings import random_ranking, rank_queries, usable_queries
from tests.evaluation.points import labelled_points


@given(seed=st.integers(0, 50), unlabelled=st.integers(0, 20))
def test_each_class_has_the_mean_of_its_own_queries(seed, unlabelled):
    images = labelled_points(seed=seed, unlabelled=unlabelled)
    queries = usable_queries(images.labels)
    precision = rank_queries(images.points, images.labels, queries).precision_at_10
    names = [f"class {number}" for number in range(images.labels.max() + 1)]
    figures = figures_by_class(precision, queries, images.labels, names, seed=0)
    by_hand = {}
    for value, row in zip(precision, queries, strict=True):
        by_hand.setdefault(names[images.labels[row]], []).append(value)
    assert [one.label for one in figures] == sorted(by_hand)
    for one in figures:
        assert one.queries == len(by_hand[one.label])
        assert one.precision_at_10 == pytest.approx(np.mean(by_hand[one.label]))
        assert one.low <= one.precision_at_10 <= one.high


def test_random_choice_of_all_classes_is_that_of_the_folder():
    images = labelled_points(unlabelled=7)
    queries = usable_queries(images.labels)
    precision = np.zeros(len(queries))
    figures = figures_by_class(precision, queries, images.labels, list("abcde"), seed=0)
    mean = sum(one.random * one.queries for one in figures) / len(queries)
    assert mean == pytest.approx(random_ranking(images.labels, queries)[0])


def test_a_class_of_one_image_and_images_without_a_class_are_left_out():
    labels = np.array([0, 0, 1, UNLABELLED])
    queries = usable_queries(labels)
    figures = figures_by_class(np.ones(2), queries, labels, ["cats", "dogs"], seed=0)
    assert [(one.label, one.queries) for one in figures] == [("cats", 2)]
