"""Each rule finds what it says, up to its border, and the worst come first."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgbatch.overview.evidence import Evidence, Neighbours
from imgbatch.overview.problems import NEIGHBOURS, RULES

QUANTITIES = {"lightness": 50, "contrast": 60, "border": 0.2, "white": 0, "edges": 0.3,
              "sharpness": 3}  # fmt: skip
"""Of a picture without any problem."""


def evidence(n=1, sizes=None, labels=(), splits=(), copies=(), near=None, notes=None, **quantities):
    """What is known of n images; all that is not given is without a problem."""
    measured = {
        name: np.broadcast_to(np.asarray(quantities.get(name, usual), np.float32), n)
        for name, usual in QUANTITIES.items()
    }
    sizes = np.full((n, 2), 100) if sizes is None else np.array(sizes)
    near = np.zeros((n, 0), np.int64) if near is None else np.array(near)
    groups = [np.array(group, np.int64) for group in copies]
    around = Neighbours(np.arange(len(near)), near)
    return Evidence(
        sizes.astype(np.int32),
        measured,
        labels,
        splits,
        groups,
        around,
        notes or {},
        "{}.jpg".format,
    )


def found(name, known):
    return [row for row, _ in RULES[name].find(known)]


def test_files_that_end_too_early_are_named_with_what_is_there():
    half, most = "cut off: 50% of the picture is there", "cut off: 94% of the picture is there"
    known = evidence(5, notes={3: half, 1: most})
    assert list(RULES["cut off"].find(known)) == [(1, most), (3, half)]


@pytest.mark.parametrize(
    ("name", "sizes", "rows"),
    [
        ("tiny", [(32, 40), (31, 400), (400, 3)], [2, 1]),
        ("odd aspect", [(299, 100), (300, 100), (100, 500)], [2, 1]),
        ("odd size", [(100, 100)] * 4 + [(100, 1000), (100, 1001), (100, 9), (9, 100)], [6, 7, 5]),
    ],
)
def test_sizes_are_odd_beyond_their_border_and_the_oddest_come_first(name, sizes, rows):
    assert found(name, evidence(len(sizes), sizes)) == rows


@pytest.mark.parametrize(
    ("name", "quantity", "values", "rows"),
    [
        ("dark", "lightness", [15, 14.9, 3, np.nan], [2, 1]),
        ("low contrast", "contrast", [15, 14.9, 3, np.nan], [2, 1]),
        ("blurred", "sharpness", [1.5, 1.49, 1.1, np.nan], [2, 1]),
    ],
)
def test_pictures_have_a_problem_below_a_border_and_the_lowest_come_first(
    name, quantity, values, rows
):
    assert found(name, evidence(4, **{quantity: values})) == rows


def test_things_on_a_black_page_are_not_dark_but_a_black_picture_is():
    known = evidence(2, lightness=5, border=0.95, contrast=[40, 3])
    assert found("dark", known) == [1]


def test_things_on_a_white_page_have_contrast_enough_but_a_white_picture_has_not():
    known = evidence(2, contrast=5, white=0.9, edges=[0.1, 0.01])
    assert found("low contrast", known) == [1]


def test_blur_is_not_looked_for_where_nobody_measured_it():
    assert RULES["blurred"].missing(evidence(3, sharpness=np.nan)) == "give --blur"
    assert RULES["blurred"].missing(evidence(3, sharpness=[np.nan, 2, np.nan])) == ""


@pytest.mark.parametrize("name", ["copies across classes", "copies across splits"])
def test_copies_with_two_names_are_told_with_one_of_another_name(name):
    names = ("a", "b", "a", "", "a", "a")
    known = evidence(6, labels=names, splits=names, copies=[(0, 1, 2, 3), (4, 5)])
    hits = dict(RULES[name].find(known))
    assert set(hits) == {0, 1, 2}
    assert "1.jpg" in hits[0]
    assert "0.jpg" in hits[1]
    assert "(b)" in hits[2]


@pytest.mark.parametrize("name", ["copies across classes", "neighbours of another class"])
def test_what_needs_classes_says_so_without_two_of_them(name):
    assert RULES[name].missing(evidence(2, labels=("a", "")))
    assert RULES[name].missing(evidence(2))
    assert not RULES[name].missing(evidence(2, labels=("a", "b")))


@given(st.lists(st.sampled_from(["a", "b", "c", ""]), min_size=NEIGHBOURS, max_size=NEIGHBOURS))
def test_neighbours_of_another_class_are_counted_as_the_rule_says(others):
    labels = ("a", *others)
    known = evidence(11, labels=labels, near=[range(1, 11)])
    agreeing = max(others.count("b"), others.count("c"))
    assert found("neighbours of another class", known) == (
        [0] if others.count("a") <= 1 and agreeing >= 7 else []
    )


def test_an_image_without_a_class_has_no_wrong_one():
    known = evidence(11, labels=("", *"bbbbbbbbbb"), near=[range(1, 11)])
    assert found("neighbours of another class", known) == []
