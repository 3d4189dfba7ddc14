"""Covers: every image is near a chosen one, no two chosen ones are near each other."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imgbatch.overview import cover
from imgbatch.overview.cover import covering

SEEDS = st.integers(0, 2**32 - 1)


def naive(points, distance, random):
    """One point after the other in the same order; whole numbers, so that nothing is rounded."""
    chosen = []
    for row in random.permutation(len(points)).tolist():
        squared = ((points[chosen] - points[row]) ** 2).sum(axis=1)
        if not (squared <= distance**2).any():
            chosen.append(row)
    return sorted(chosen)


@given(seed=SEEDS, n=st.integers(0, 60), spread=st.integers(0, 9), distance=st.integers(0, 6))
def test_a_cover_is_that_of_a_plain_loop(seed, n, spread, distance):
    points = np.random.default_rng(seed).integers(0, spread + 1, (n, 3)).astype(np.float32)
    rows = covering(points, distance, np.random.default_rng(seed))
    assert rows.tolist() == naive(points, distance, np.random.default_rng(seed))


def test_blocks_do_not_change_a_cover(monkeypatch):
    points = np.random.default_rng(1).normal(size=(300, 5)).astype(np.float32)
    whole = covering(points, 1.5, np.random.default_rng(2))
    monkeypatch.setattr(cover, "_BLOCK", 7)
    assert covering(points, 1.5, np.random.default_rng(2)).tolist() == whole.tolist()


def test_equal_points_are_covered_by_one_and_far_ones_by_themselves():
    points = np.repeat(np.eye(4, dtype=np.float32), 5, axis=0)
    assert len(covering(points, 0.5, np.random.default_rng(0))) == 4
    assert len(covering(points, 2.0, np.random.default_rng(0))) == 1
