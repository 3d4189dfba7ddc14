"""Formats, shapes, classes and what is telling, each beside a plain count."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgbatch.overview.counts import balance, counted, formats, shapes, spreads, telling

SIDES = st.integers(1, 40)


@given(st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=30))
def test_each_image_has_one_shape(sides):
    counts = shapes(np.array(sides, np.int32))
    assert sum(count.images for count in counts) == len(sides)
    assert sum(count.share for count in counts) == pytest.approx(1)


@pytest.mark.parametrize(
    ("size", "shape"),
    [((100, 100), "square"), ((109, 100), "square"), ((110, 100), "landscape"),
     ((100, 199), "portrait"), ((200, 100), "panorama"), ((100, 200), "panorama")],
)  # fmt: skip
def test_the_shape_of_a_frame(size, shape):
    assert [count.name for count in shapes(np.array([size], np.int32))] == [shape]


def test_formats_go_by_the_ending_whatever_its_case():
    paths = ["a/b.JPG", "c.jpeg", "d.tif", "e.v2.png", "f", "g.d/h", ".jpg"]
    counts = {count.name: count.images for count in formats(paths, len(paths))}
    assert counts == {"jpg": 2, "tiff": 1, "png": 1, "none": 3}


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 50)), st.integers(0, 9))
def test_the_balance_is_1_for_even_classes_and_less_for_others(sizes, unlabelled):
    classes = balance(sizes, sum(sizes.values()) + unlabelled)
    if not sizes:
        assert classes is None
        return
    assert classes.unlabelled == unlabelled
    assert {count.name: count.images for count in classes.counts} == sizes
    assert 0 <= classes.balance <= 1
    least, most = min(sizes.values()), max(sizes.values())
    if least == most:
        assert classes.balance == 1
    elif most >= 2 * least:  # it is rounded, so that a difference of one in thirty is none
        assert classes.balance < 1


def test_counts_are_sorted_and_nothing_is_not_listed():
    assert [one.name for one in counted(Counter({"b": 2, "a": 2, "c": 3, "d": 0}), 7)] == list(
        "cab"
    )


def test_spreads_are_percentiles():
    sizes = np.column_stack((np.arange(1, 102), np.full(101, 2))).astype(np.int32)
    found = spreads(sizes, np.arange(101))
    assert (found["width"].least, found["width"].median, found["width"].most) == (1, 51, 101)
    assert (found["bytes"].low, found["bytes"].high) == (5, 95)
    assert found["aspect"].median == 25.5


def test_what_is_as_frequent_as_everywhere_is_not_telling():
    shares = {"a": 0.5, "b": 0.1, "c": 0.1, "d": 0.01, "e": 0.2}
    found = telling({"a": 5, "b": 5, "c": 2, "d": 1, "e": 1}, 10, shares)
    assert [count.name for count in found] == ["b", "d", "c"]
    assert [count.share for count in found] == [0.5, 0.1, 0.2]
