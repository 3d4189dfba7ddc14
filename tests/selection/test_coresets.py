"""Sets that differ, from parts: the guarantee by brute force, and what every set promises."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgbatch.neighbours.parts import MemoryPart
from imgbatch.selection.coresets import different_in_parts
from imgbatch.selection.different import DifferentOptions, different
from tests.neighbours.test_parts import SEEDS, SPREADS, cut, elsewhere, spread_hashes

ALL = DifferentOptions(sample_per_pick=1000, outlier_share=0, smoothing=0)


def rng(seed=0):
    return np.random.default_rng(seed)


def normal(seed, n, d=3):
    return rng(seed).normal(size=(n, d)).astype(np.float32)


def directions(seed, n, d=4):
    """Points of length 1, which smoothing by no neighbour leaves as they are."""
    points = normal(seed, n, d)
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def distances(points):
    points = points.astype(np.float64)
    return np.linalg.norm(points[:, None] - points[None], axis=2)


def least(away):
    return away[np.triu_indices(len(away), 1)].min()


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, n=st.integers(2, 5), parts=st.integers(1, 6), d=st.integers(1, 3))
def test_radius_and_least_distance_keep_their_guarantees(seed, n, parts, d):
    points = directions(seed, 11, d + 1)
    rows, _ = different_in_parts(cut(seed, parts, points), n, ALL, rng(seed))
    away = distances(points)
    choices = [list(rows) for rows in combinations(range(11), n)]
    best = min(away[:, chosen].min(axis=1).max() for chosen in choices)
    assert away[:, rows].min(axis=1).max() <= 4 * best + 1e-5
    widest = max(least(away[np.ix_(chosen, chosen)]) for chosen in choices)
    assert least(away[np.ix_(rows, rows)]) >= widest / 6 - 1e-5


@pytest.mark.parametrize("ordered", [False, True], ids=["mixed", "a class in each part"])
def test_on_typical_points_the_radius_is_hardly_that_of_one_part(ordered):
    random = rng(0)
    centres = random.normal(size=(16, 12))
    labels = random.integers(16, size=1500)
    labels = np.sort(labels) if ordered else labels
    points = (centres[labels] + 0.4 * random.normal(size=(1500, 12))).astype(np.float32)
    parts = cut(0, 8, points)
    for options in (ALL, DifferentOptions(hashes=spread_hashes(1500))):
        ratios = []
        for seed in range(6):
            whole, _ = different(points, 10, options, rng(seed))
            several, _ = different_in_parts(parts, 10, options, rng(seed))
            radii = [
                np.linalg.norm(points[:, None] - points[rows], axis=2).min(axis=1).max()
                for rows in (whole, several)
            ]
            ratios.append(radii[1] / radii[0])
        assert max(ratios) <= 1.3


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, total=st.integers(1, 80), wanted=st.floats(0, 1))
def test_one_part_gives_the_sets_of_one_machine(seed, total, wanted):
    points, hashes = normal(seed, total), spread_hashes(total, seed)
    n = 1 + int(wanted * (total - 1))
    for options in (DifferentOptions(hashes=hashes), DifferentOptions(), ALL):
        whole = different(points, n, options, rng(seed))
        several = different_in_parts(cut(seed, 1, points, hashes), n, options, rng(seed))
        for mine, theirs in zip(whole, several, strict=True):
            assert np.array_equal(mine, theirs)


@SPREADS
@settings(max_examples=40, deadline=None)
@given(
    seed=SEEDS,
    total=st.integers(1, 80),
    parts=st.integers(1, 12),
    wanted=st.floats(0, 1),
    pooled=st.sampled_from([1, 20, 1000]),
)
def test_a_set_has_n_different_rows_and_tells_their_true_distances(
    run_tasks, seed, total, parts, wanted, pooled
):
    points = normal(seed, total)
    n = 1 + int(wanted * (total - 1))
    options = DifferentOptions(hashes=spread_hashes(total), most_pooled=pooled)
    rows, gaps = different_in_parts(cut(seed, parts, points), n, options, rng(seed), run_tasks)
    assert rows.dtype == np.int64
    assert gaps.dtype == np.float32
    assert len(set(rows.tolist())) == len(rows) == len(gaps) == n
    assert rows.min() >= 0
    assert rows.max() < total
    away = distances(points[rows])
    for rank in range(1, n):
        assert gaps[rank] == pytest.approx(away[rank, :rank].min(), abs=1e-5)
    assert gaps[0] == (gaps[1] if n > 1 else 0)


def test_a_seed_gives_the_same_set_wherever_the_parts_are_worked_on():
    parts = cut(0, 5, normal(0, 300))
    options = DifferentOptions(hashes=spread_hashes(300))
    here = [different_in_parts(parts, 10, options, rng(s))[0].tolist() for s in range(20)]
    there = [
        different_in_parts(parts, 10, options, rng(s), elsewhere)[0].tolist() for s in range(20)
    ]
    assert here == there
    assert len({tuple(sorted(rows)) for rows in here}) == 20


def test_equal_parts_draw_samples_of_their_own():
    part = MemoryPart.of(normal(0, 500), spread_hashes(500))
    chosen = []

    def listening(function, tasks):
        core_sets = [function(*task) for task in tasks]
        chosen.extend(tuple(core.rows.tolist()) for core in core_sets)
        return core_sets

    different_in_parts([part] * 6, 5, DifferentOptions(), rng(), listening)
    assert len(chosen) == 6
    assert len(set(chosen)) == 6


def test_copies_in_other_parts_are_chosen_only_when_no_other_image_is_left():
    points = np.concatenate([normal(0, 1).repeat(60, axis=0), normal(1, 8)])
    hashes = spread_hashes(68)
    hashes[:60] = hashes[0]
    for seed in range(20):
        rows, _ = different_in_parts(
            cut(seed, 6, points, hashes), 9, DifferentOptions(hashes=hashes), rng(seed)
        )
        assert (rows < 60).sum() == 1


def test_of_very_many_parts_so_many_answer_as_fill_the_pool():
    parts = cut(0, 60, normal(0, 300))
    asked = []

    def counting(function, tasks):
        tasks = list(tasks)
        asked.append(len(tasks))
        return [function(*task) for task in tasks]

    seen = set()
    for seed in range(40):
        rows, _ = different_in_parts(
            parts, 2, DifferentOptions(most_pooled=20), rng(seed), counting
        )
        seen |= set(rows.tolist())
    assert min(asked) >= 10
    assert max(asked) < 20
    assert max(seen) > 250
    assert min(seen) < 50
