"""Pairs of tags: who shares them, and that the largest n is the largest possible."""

from itertools import combinations
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from imgbatch.selection.tag_pairs import (
    NO_PAIR,
    different_pairs,
    largest_group,
    one_pair,
    pairs_of,
    strongest_tags,
)

SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def folders(draw, most=9):
    """Pairs and groups of copies of a few images, with many ties."""
    n = draw(st.integers(0, most))
    pairs = draw(st.lists(st.integers(-1, 4), min_size=n, max_size=n))
    copies = draw(st.lists(st.integers(0, 6), min_size=n, max_size=n))
    return np.array(pairs, np.int64), np.array(copies, np.int64)


def rng(seed):
    return np.random.default_rng(seed)


def naive_strongest(scores):
    """The two strongest tags of each image, one image after the other."""
    n = len(scores)
    counts = [sum(1 for row in scores if row[tag] > 0) for tag in range(scores.shape[1])]
    found = []
    for row in scores.astype(np.float64):
        strength = {
            tag: round(score, 4) * log(n / counts[tag])
            for tag, score in enumerate(row)
            if score > 0
        }
        order = sorted(strength, key=lambda tag: (-strength[tag], tag))
        found.append(order[:2] if len(order) >= 2 else [NO_PAIR, NO_PAIR])
    return found


@given(seed=SEEDS, n=st.integers(1, 12), tags=st.integers(1, 6), levels=st.integers(1, 4))
def test_the_strongest_tags_are_those_of_a_plain_loop_with_ties_by_number(seed, n, tags, levels):
    scores = rng(seed).integers(0, levels + 1, (n, tags)).astype(np.float32) / levels
    counts = (scores > 0).sum(axis=0).tolist()
    assert strongest_tags(csr_array(scores), counts, n).tolist() == naive_strongest(scores)


def test_what_is_rare_is_told_by_the_folder_and_not_by_the_images_at_hand():
    scores = csr_array(np.ones((1, 3), np.float32))
    assert strongest_tags(scores, [9, 2, 5], 10).tolist() == [[1, 2]]
    assert strongest_tags(scores, [1, 2, 5], 10).tolist() == [[0, 1]]


def test_a_pair_is_the_same_in_either_order():
    pairs = pairs_of(np.array([[3, 1], [1, 3], [1, 2], [NO_PAIR, NO_PAIR]]))
    assert pairs[0] == pairs[1] != pairs[2]
    assert pairs[3] == NO_PAIR


def naive_largest(pairs, copies, fits):
    """The size of the largest set in which any two images fit together, by trying all sets."""
    rows = [row for row in range(len(pairs)) if pairs[row] != NO_PAIR]
    return max(
        size
        for size in range(len(rows) + 1)
        for chosen in combinations(rows, size)
        if all(fits(a, b) and copies[a] != copies[b] for a, b in combinations(chosen, 2))
    )


@given(folders(), SEEDS, st.integers(1, 6))
def test_a_similar_set_is_found_whenever_there_is_one(folder, seed, n):
    pairs, copies = folder
    largest = naive_largest(pairs, copies, lambda a, b: pairs[a] == pairs[b])
    assert largest_group(pairs, copies) == largest
    rows = one_pair(pairs, copies, n, rng(seed))
    assert (len(rows) >= n) == (largest >= n)
    assert len(set(pairs[rows].tolist())) <= 1
    assert NO_PAIR not in pairs[rows]
    assert len(set(copies[rows].tolist())) == len(rows)
    assert rows.tolist() == one_pair(pairs, copies, n, rng(seed)).tolist()


@given(folders(), SEEDS, st.data())
def test_a_given_anchor_is_in_its_set_and_decides_the_pair(folder, seed, data):
    pairs, copies = folder
    eligible = np.flatnonzero(pairs != NO_PAIR).tolist()
    if not eligible:
        return
    anchor = data.draw(st.sampled_from(eligible))
    alike = np.flatnonzero(pairs == pairs[anchor])
    most = len(set(copies[alike].tolist()))
    rows = one_pair(pairs, copies, most, rng(seed), anchor)
    assert anchor in rows
    assert len(rows) == most
    assert set(pairs[rows].tolist()) == {pairs[anchor]}
    assert len(set(copies[rows].tolist())) == most
    assert len(one_pair(pairs, copies, most + 1, rng(seed), anchor)) == 0


@given(folders(), SEEDS, st.integers(1, 6))
def test_a_different_set_is_found_whenever_there_is_one(folder, seed, n):
    pairs, copies = folder
    rows = different_pairs(pairs, copies, n, rng(seed))
    largest = naive_largest(pairs, copies, lambda a, b: pairs[a] != pairs[b])
    assert len(rows) >= min(n, largest)
    assert len(rows) <= largest
    assert NO_PAIR not in pairs[rows]
    assert len(set(pairs[rows].tolist())) == len(rows)
    assert len(set(copies[rows].tolist())) == len(rows)
    assert rows.tolist() == different_pairs(pairs, copies, n, rng(seed)).tolist()


@pytest.mark.parametrize("seed", range(20))
def test_without_copies_the_largest_different_set_has_an_image_of_each_pair(seed):
    pairs = rng(seed).integers(-1, 30, 200)
    rows = different_pairs(pairs, np.arange(200), 1, rng(seed))
    assert len(rows) == len(set(pairs.tolist()) - {NO_PAIR})


def test_every_image_of_a_pair_can_stand_for_it():
    pairs, copies = np.array([0, 0, 0, 1]), np.arange(4)
    found = {tuple(sorted(different_pairs(pairs, copies, 2, rng(seed)))) for seed in range(60)}
    assert found == {(0, 3), (1, 3), (2, 3)}


def test_a_pair_is_drawn_as_often_as_it_has_images():
    pairs, copies = np.array([0] * 9 + [1] * 3), np.arange(12)
    drawn = [int(pairs[one_pair(pairs, copies, 2, rng(seed))[0]]) for seed in range(400)]
    assert 50 < sum(drawn) < 150
