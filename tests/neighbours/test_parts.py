"""Rows of parts, and their nearest, against one array that holds them all."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgbatch.neighbours.parts import (
    MemoryPart,
    Parted,
    PartedSearch,
    as_array,
)
from imgbatch.neighbours.search import NeighbourSearch
from imgbatch.runners.maps import map_serially
from imgbatch.selection.similar import SimilarOptions, choose_anchor, similar

SEEDS = st.integers(0, 2**32 - 1)


def whole_numbers(seed, n, d=3, most=1000):
    """Points whose squared distances are exact in float32; a small `most` gives many ties."""
    return np.random.default_rng(seed).integers(0, most + 1, (n, d)).astype(np.float32)


def spread_hashes(n, seed=0):
    return np.random.default_rng(seed).integers(0, 2**64, n, dtype=np.uint64)


def cut(seed, parts, points, hashes=None):
    """The points in parts of random sizes, each of one row at least."""
    own = spread_hashes(len(points)) if hashes is None else hashes
    places = np.arange(1, len(points))
    random = np.random.default_rng(seed)
    ends = np.sort(random.choice(places, min(parts, len(points)) - 1, replace=False))
    pairs = zip(np.split(points, ends), np.split(own, ends), strict=True)
    return [MemoryPart.of(some, hashed) for some, hashed in pairs]


def elsewhere(function, tasks):
    """A spread that sends everything through bytes, as to another process, and works ahead."""
    sent = [pickle.dumps((function, task)) for task in tasks]
    answers = []
    for one in reversed(sent):
        called, task = pickle.loads(one)
        answers.append(called(*task))
    return reversed(answers)


SPREADS = pytest.mark.parametrize("run_tasks", [map_serially, elsewhere])


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 40), parts=st.integers(1, 9), data=st.data())
def test_parts_are_read_like_one_array(seed, n, parts, data):
    points, hashes = whole_numbers(seed, n), spread_hashes(n, seed)
    held = cut(seed, parts, points, hashes)
    numbers = st.lists(st.integers(-n, n - 1), max_size=12)
    for name, whole in (("points", points), ("hashes", hashes)):
        parted = Parted(held, name)
        assert len(parted) == n
        assert parted.shape == whole.shape
        assert parted.ndim == whole.ndim
        rows = np.array(data.draw(numbers), np.int64)
        one, step = data.draw(st.integers(-n, n - 1)), data.draw(st.integers(1, 5))
        for wanted in (rows, rows.reshape(-1, 1), one, slice(None, None, step), slice(2, 9)):
            found = parted[wanted]
            assert found.dtype == whole.dtype
            assert np.array_equal(found, whole[wanted])
            assert np.shape(found) == whole[wanted].shape
        assert np.array_equal(np.asarray(parted), whole)


def test_rows_that_are_not_there_are_refused_like_by_an_array():
    parted = Parted(cut(0, 3, whole_numbers(0, 10)), "points")
    for rows in (10, -11, [0, 10], [1.5], [True] * 10):
        with pytest.raises(IndexError):
            parted[rows]


@SPREADS
@settings(max_examples=60, deadline=None)
@given(
    seed=SEEDS,
    n=st.integers(1, 120),
    parts=st.integers(1, 9),
    most=st.sampled_from([0, 1, 5, 1000]),
    k=st.integers(1, 150),
)
def test_the_nearest_in_all_parts_are_those_in_one_with_ties_by_row(
    run_tasks, seed, n, parts, most, k
):
    points = whole_numbers(seed, n, 3, most)
    queries = np.stack([points[0], points[-1] + 1])
    search = PartedSearch(cut(seed, parts, points), run_tasks)
    search.prefetch(queries, k)
    for query in queries:
        rows, distances = search.nearest(query, k)
        squared = ((points - query) ** 2).sum(axis=1)
        expected = np.lexsort((np.arange(n), squared))[:k]
        assert rows.dtype == np.int64
        assert distances.dtype == np.float32
        assert rows.tolist() == expected.tolist()
        assert np.array_equal(distances, np.sqrt(squared[expected]))


@SPREADS
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 400), parts=st.integers(1, 12), wanted=st.integers(1, 30))
def test_a_similar_set_is_the_same_in_any_number_of_parts(run_tasks, seed, n, parts, wanted):
    random = np.random.default_rng(seed)
    points = random.normal(size=(n, 8)).astype(np.float32)
    points[n // 2 :: 3] = points[0]  # copies, far apart
    hashes = spread_hashes(n, seed)
    hashes[n // 2 :: 3] = hashes[0]
    wanted = min(n, wanted)
    held = cut(seed, parts, points, hashes)
    found = []
    for search, known in (
        (NeighbourSearch(points, 0), hashes),
        (NeighbourSearch(points, 10_000), hashes),
        (PartedSearch(held, run_tasks), as_array(Parted(held, "hashes", run_tasks))),
    ):
        options = SimilarOptions(pool=40, hashes=known)
        anchor = choose_anchor(search, wanted, options, np.random.default_rng(seed))
        rows, distances = similar(search, anchor, wanted, options)
        found.append((anchor.row, rows.tolist(), distances.tolist()))
    assert found[0] == found[1] == found[2]
