"""What is dealt and how: arrays that fit each other, values in range, errors that help."""

import numpy as np
import pytest

from imgbatch.batches.deal import deal_batches
from imgbatch.batches.epoch import deal_epoch
from imgbatch.batches.population import DealOptions, Population, class_labels
from imgbatch.errors import SelectionError


def test_a_subset_keeps_everything_of_its_rows():
    whole = Population(
        np.arange(8, dtype=np.float32).reshape(4, 2),
        hashes=np.arange(4, dtype=np.uint64),
        labels=np.array([0, 0, 1, 1]),
        duplicate_bits=3,
    )
    half = whole.subset(np.array([3, 0]))
    assert half.points.tolist() == [[6, 7], [0, 1]]
    assert half.hashes.tolist() == [3, 0]
    assert half.labels.tolist() == [1, 0]
    assert half.duplicate_bits == 3
    bare = Population(whole.points).subset(np.array([1]))
    assert bare.hashes is None
    assert bare.labels is None


POINTS = np.zeros((4, 2), np.float32)


@pytest.mark.parametrize(
    ("build", "word"),
    [
        (lambda: Population(np.zeros(5, np.float32)), "shape"),
        (lambda: Population(POINTS, labels=np.zeros(3, int)), "labels"),
        (lambda: Population(POINTS, hashes=np.zeros((4, 1), np.uint64)), "hashes"),
        (lambda: Population(POINTS, duplicate_bits=40), "duplicate_bits"),
        (lambda: Population(POINTS, duplicate_bits=-1), "duplicate_bits"),
        (lambda: DealOptions(0, seed=1), "batch size"),
        (lambda: DealOptions(2, seed=-1), "seed"),
        (lambda: DealOptions(2, seed=1, epoch=-1), "epoch"),
        (lambda: DealOptions(2, seed=1, components=0), "components"),
    ],
)
def test_a_value_out_of_range_is_named_with_a_hint(build, word):
    with pytest.raises(SelectionError, match=word) as caught:
        build()
    assert caught.value.hint


def test_classes_are_numbered_by_name_and_a_single_class_gives_none():
    np.testing.assert_array_equal(class_labels(["b", "", "b", "a"]), [1, -1, 1, 0])
    assert class_labels(["a", "a"]) is None
    assert class_labels([]) is None


def test_labels_count_only_if_batches_are_balanced():
    labelled = Population(POINTS, labels=np.array([0, 1, 0, 1]))
    assert labelled.balanced_labels(DealOptions(2, seed=0)) is None
    assert labelled.balanced_labels(DealOptions(2, seed=0, balance=True)) is labelled.labels


@pytest.mark.parametrize("deal", [deal_batches, lambda *given: list(deal_epoch(*given))])
def test_balance_without_classes_is_refused(deal):
    with pytest.raises(SelectionError, match="two classes"):
        deal(Population(POINTS), DealOptions(2, seed=0, balance=True))
