"""Neighbour lists and searches against sorting everything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgbatch.neighbours import search as neighbours
from imgbatch.neighbours.search import (
    NeighbourSearch,
    candidates_by_pass,
    distances_to,
    nearest_of,
    neighbour_lists,
    smallest,
    squared_lengths,
)


def whole_numbers(seed, n, d, most):
    """Points whose squared distances are exact in float32; a small `most` gives many ties."""
    return np.random.default_rng(seed).integers(0, most + 1, (n, d)).astype(np.float32)


def naive_nearest(points, query, k):
    away = ((points.astype(np.int64) - query.astype(np.int64)) ** 2).sum(axis=1)
    rows = sorted(range(len(points)), key=lambda row: (away[row], row))[:k]
    return rows, np.sqrt(away[rows])


def naive_lists(points, rows, k):
    found = []
    for row in rows:
        everyone, away = naive_nearest(points, points[row], len(points))
        pairs = [(other, d) for other, d in zip(everyone, away, strict=True) if other != row]
        found.append(pairs[:k])
    return [[other for other, _ in one] for one in found], [[d for _, d in one] for one in found]


CASES = {
    "seed": st.integers(0, 2**32 - 1),
    "n": st.integers(1, 60),
    "d": st.integers(1, 5),
    "most": st.sampled_from([0, 1, 2, 5, 1000]),
    "k": st.integers(1, 80),
}


@settings(max_examples=60, deadline=None)
@given(**CASES)
def test_lists_equal_a_full_sort_with_ties_by_row(seed, n, d, most, k):
    points = whole_numbers(seed, n, d, most)
    rows = np.random.default_rng(seed).permutation(n)[: max(1, n // 2)]
    found, distances = neighbour_lists(points, rows, k)
    expected, expected_distances = naive_lists(points, rows, k)
    assert found.dtype == np.int64
    assert distances.dtype == np.float32
    assert found.shape == distances.shape == (len(rows), min(k, n - 1))
    assert found.tolist() == expected
    assert np.allclose(distances, np.reshape(expected_distances, distances.shape), atol=1e-3)


@pytest.mark.parametrize("large", [0, 50_000], ids=["one pass", "BallTree"])
@settings(max_examples=60, deadline=None)
@given(**CASES)
def test_the_nearest_equal_a_full_sort_with_ties_by_row(large, seed, n, d, most, k):
    points = whole_numbers(seed, n, d, most)
    search = NeighbourSearch(points, large)
    for query in (points[0], points[-1] + 1):
        found, distances = search.nearest(query, k)
        expected, expected_distances = naive_nearest(points, query, k)
        assert found.dtype == np.int64
        assert distances.dtype == np.float32
        assert found.tolist() == expected
        assert np.allclose(distances, expected_distances, rtol=1e-6)


@pytest.mark.parametrize("n", [1, 2, 300])
def test_the_tree_and_the_pass_over_all_points_give_the_same_answer(n):
    points = np.random.default_rng(0).normal(size=(n, 128)).astype(np.float32)
    by_tree, by_pass = NeighbourSearch(points, large=len(points)), NeighbourSearch(points)
    for query in np.random.default_rng(1).normal(size=(20, 128)).astype(np.float32):
        for one, other in zip(by_tree.nearest(query, 25), by_pass.nearest(query, 25), strict=True):
            assert (one == other).all()


def test_among_copies_the_tree_and_the_pass_choose_the_same_rows():
    points = np.random.default_rng(0).normal(size=(200, 16)).astype(np.float32)
    points[50:150] = points[50]
    by_tree, by_pass = NeighbourSearch(points, large=len(points)), NeighbourSearch(points)
    assert by_tree.nearest(points[70], 10)[0].tolist() == list(range(50, 60))
    assert by_pass.nearest(points[70], 10)[0].tolist() == list(range(50, 60))


def test_lists_do_not_depend_on_the_size_of_the_blocks(monkeypatch):
    points = whole_numbers(0, 90, 4, 1000)
    whole = neighbour_lists(points, np.arange(90), 12)
    monkeypatch.setattr(neighbours, "_BLOCK_BYTES", 4 * 90 * 7)
    for one, other in zip(whole, neighbour_lists(points, np.arange(90), 12), strict=True):
        assert (one == other).all()
    query = points[3]
    blocked = distances_to(points, query)
    monkeypatch.undo()
    assert (blocked == distances_to(points, query)).all()


def test_a_row_is_never_its_own_neighbour_not_even_among_copies():
    points = np.ones((30, 8), np.float32)
    found, distances = neighbour_lists(points, np.arange(30), 29)
    for row in range(30):
        assert sorted(found[row].tolist()) == [other for other in range(30) if other != row]
    assert np.allclose(distances, 0, atol=1e-3)


def test_no_rows_and_a_single_point_give_empty_lists():
    found, distances = neighbour_lists(np.ones((1, 3), np.float32), np.array([0]), 5)
    assert found.shape == distances.shape == (1, 0)
    found, _ = neighbour_lists(np.ones((4, 3), np.float32), np.empty(0, np.int64), 2)
    assert found.shape == (0, 2)


def test_the_distance_of_equal_points_is_exactly_zero():
    points = np.random.default_rng(0).normal(size=(50, 200)).astype(np.float32) * 100
    assert distances_to(points, points[7])[7] == 0
    rows, distances = NeighbourSearch(points).nearest(points[7], 1)
    assert rows.tolist() == [7]
    assert distances.tolist() == [0]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 30), most=st.integers(0, 6), data=st.data())
def test_the_smallest_of_each_row_come_rising_with_ties_by_column(seed, n, most, data):
    k = data.draw(st.integers(1, n))
    values = whole_numbers(seed, 5, n, most)
    kept = values.copy()
    columns, found = smallest(values, k)
    expected = np.argsort(kept, axis=1, kind="stable")[:, :k]
    assert columns.tolist() == expected.tolist()
    assert (found == np.take_along_axis(kept, expected, axis=1)).all()


@pytest.mark.parametrize("cores", [1, 2, 3])
@pytest.mark.parametrize("most", [2, 9, 1000])
def test_one_pass_over_many_blocks_on_any_cores_equals_sorting_everything(monkeypatch, most, cores):
    monkeypatch.setattr(neighbours, "_BLOCK_ROWS", 64)
    monkeypatch.setattr(neighbours, "_WORTH_A_THREAD", 100)
    monkeypatch.setattr(neighbours, "_SMALL_PRODUCT", 100)
    monkeypatch.setattr(neighbours, "usable_cores", lambda: cores)
    monkeypatch.setattr(neighbours, "_SAMPLE_ROWS", 16)
    points = whole_numbers(3, 1000, 6, most)
    points[:500] += 50  # the spaced rows bound the near half badly
    search = NeighbourSearch(points, large=0)
    for k in (1, 7, 300, 1000):
        queries = np.stack([points[0], points[999], whole_numbers(4, 1, 6, most)[0]])
        search.prefetch(queries, k)  # all in one pass
        for query in queries:
            rows, distances = search.nearest(query, k)
            expected, away = naive_nearest(points, query, k)
            assert rows.tolist() == expected
            assert np.allclose(distances, away)


@pytest.mark.parametrize("most", [2, 1000])
def test_lists_over_many_points_equal_those_over_few(monkeypatch, most):
    points = whole_numbers(5, 900, 5, most)
    rows = np.array([0, 17, 899, 450])
    small = neighbour_lists(points, rows, 12)
    monkeypatch.setattr(neighbours, "_MANY_POINTS", 100)
    for one, other in zip(small, neighbour_lists(points, rows, 12), strict=True):
        assert np.allclose(one, other)


@pytest.mark.parametrize("seed", range(4))
def test_the_pass_finds_neighbours_whose_distances_differ_less_than_rounding(monkeypatch, seed):
    """Far from the origin, float32 products cannot order near copies, but exact distances can."""
    random = np.random.default_rng(seed)
    points = random.normal(3, 1, (4000, 64)).astype(np.float32)
    points[1000:1600] = points[1000] + random.normal(0, 1e-3, (600, 64)).astype(np.float32)
    query = points[1000] + random.normal(0, 0.05, 64).astype(np.float32)
    expected = nearest_of(np.arange(4000), distances_to(points, query), 20)
    monkeypatch.setattr(neighbours, "_SAMPLE_ROWS", 500)
    search = NeighbourSearch(points, large=0)
    for array, expected_array in zip(search.nearest(query, 20), expected, strict=True):
        assert array.tolist() == expected_array.tolist()


def test_the_bound_of_the_sample_leaves_room_for_rounding():
    """If the sample is all points, its k-th value is the very last that may be kept."""
    random = np.random.default_rng(0)
    points = random.normal(3, 1, (600, 64)).astype(np.float32)
    squares = squared_lengths(points)
    for k in range(1, 500, 7):
        queries = random.normal(3, 1, (3, 64)).astype(np.float32)
        for query, rows in zip(
            queries, candidates_by_pass(points, squares, queries, k), strict=True
        ):
            nearest, _ = nearest_of(np.arange(600), distances_to(points, query), k)
            assert set(nearest) <= set(rows)


def test_of_many_answers_only_the_last_are_kept():
    points = np.random.default_rng(0).normal(size=(500, 4)).astype(np.float32)
    search = NeighbourSearch(points)
    for query in points:
        search.nearest(query, 3)
        assert len(search._kept_answers) <= neighbours._ANSWERS_KEPT
    computed = []
    answers = search._answers
    search._answers = lambda *given: computed.append(1) or answers(*given)
    search.nearest(points[-1], 2)
    assert not computed, "the last answer is still there"
