"""Sets that differ: the k-center guarantee by brute force, and what every set promises."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgbatch.selection.different import DifferentOptions, different, k_center, smoothed_sample

SEEDS = st.integers(0, 2**32 - 1)
PLAIN = DifferentOptions(outlier_share=0, smoothing=0)


def normal(seed, n, d=4):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def directions(seed, n, d=4):
    """Points of length 1: like those of the feature space, nearly all of one length."""
    points = normal(seed, n, d)
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def spread_hashes(n, seed=0):
    """Random hashes: no two are near-duplicates."""
    return np.random.default_rng(seed).integers(0, 2**64, n, dtype=np.uint64)


def rng(seed=0):
    return np.random.default_rng(seed)


def distances(points):
    points = points.astype(np.float64)
    return np.linalg.norm(points[:, None] - points[None], axis=2)


def radius(away, rows):
    return away[:, list(rows)].min(axis=1).max()


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 9), d=st.integers(1, 4))
def test_the_radius_is_at_most_twice_the_smallest_possible(seed, n, d):
    points = normal(seed, 10, d)
    rows, _ = k_center(points, n)
    away = distances(points)
    best = min(radius(away, chosen) for chosen in combinations(range(10), n))
    assert radius(away, rows) <= 2 * best + 1e-5


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, m=st.integers(1, 40), most=st.sampled_from([1, 3, 1000]))
def test_k_center_equals_plain_farthest_first_with_ties_to_the_lowest_row(seed, m, most):
    points = rng(seed).integers(0, most + 1, (m, 3)).astype(np.float32)
    squared = ((points[:, None] - points[None]) ** 2).sum(axis=2).astype(int)
    expected = [0]
    while len(expected) < m:
        left = [row for row in range(m) if row not in expected]
        expected.append(max(left, key=lambda row: (squared[row, expected].min(), -row)))
    rows, gaps = k_center(points, m)
    assert rows.tolist() == expected
    assert gaps[0] == np.inf
    for rank in range(1, m):
        nearest = squared[expected[rank], expected[:rank]].min()
        assert gaps[rank] == pytest.approx(np.sqrt(nearest), rel=1e-6)
    assert (np.diff(gaps[1:]) <= 0).all()


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, m=st.integers(2, 40))
def test_every_prefix_answers_a_smaller_request(seed, m):
    points, hashes = normal(seed, m), spread_hashes(m)
    hashes[m // 2 :] = hashes[0]
    whole, _ = k_center(points, m, hashes=hashes)
    for n in range(1, m):
        assert (k_center(points, n, hashes=hashes)[0] == whole[:n]).all()


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, m=st.integers(1, 40), kinds=st.integers(1, 12))
def test_k_center_takes_no_near_duplicate_while_others_are_left(seed, m, kinds):
    kind = rng(seed).integers(0, kinds, m)
    hashes = spread_hashes(kinds)[kind] ^ (np.uint64(1) << rng(seed).integers(0, 3, m, np.uint64))
    rows, _ = k_center(normal(seed, m), m, hashes=hashes, duplicate_bits=6)
    distinct = len(set(kind.tolist()))
    assert len(set(kind[rows[:distinct]].tolist())) == distinct
    assert sorted(rows.tolist()) == list(range(m))


@settings(max_examples=40, deadline=None)
@given(
    seed=SEEDS,
    total=st.integers(1, 60),
    wanted=st.floats(0, 1),
    smoothing=st.sampled_from([0, 1, 10, 50]),
    share=st.sampled_from([0, 0.1, 0.9]),
    per_pick=st.sampled_from([1, 3, 10]),
)
def test_a_set_has_n_different_rows_and_tells_their_true_distances(
    seed, total, wanted, smoothing, share, per_pick
):
    points = normal(seed, total)
    n = 1 + int(wanted * (total - 1))
    options = DifferentOptions(per_pick, share, smoothing, hashes=spread_hashes(total))
    rows, gaps = different(points, n, options, rng(seed))
    assert rows.dtype == np.int64
    assert gaps.dtype == np.float32
    assert len(set(rows.tolist())) == len(rows) == len(gaps) == n
    away = distances(points[rows])
    for rank in range(1, n):
        assert gaps[rank] == pytest.approx(away[rank, :rank].min(), abs=1e-5)
    assert gaps[0] == (gaps[1] if n > 1 else 0)


@pytest.mark.parametrize("total", [1, 2, 3, 40])
def test_asking_for_all_gives_every_row_once(total):
    for hashes in (None, spread_hashes(total), np.zeros(total, np.uint64)):
        rows, _ = different(normal(0, total), total, DifferentOptions(hashes=hashes), rng())
        assert sorted(rows.tolist()) == list(range(total))


def test_one_image_of_a_folder_of_one_or_two_is_any_of_them():
    assert different(normal(0, 1), 1, DifferentOptions(), rng())[0].tolist() == [0]
    drawn = {int(different(normal(0, 2), 1, DifferentOptions(), rng(s))[0][0]) for s in range(20)}
    assert drawn == {0, 1}


def test_points_without_any_variance_give_different_rows():
    points = np.zeros((40, 5), np.float32)
    rows, gaps = different(points, 10, DifferentOptions(hashes=spread_hashes(40)), rng())
    assert len(set(rows.tolist())) == 10
    assert not gaps.any()


def test_the_same_seed_gives_the_same_set_and_other_seeds_others():
    points = normal(0, 300)
    options = DifferentOptions(hashes=spread_hashes(300))
    sets = [different(points, 10, options, rng(seed))[0].tolist() for seed in range(20)]
    again = [different(points, 10, options, rng(seed))[0].tolist() for seed in range(20)]
    assert sets == again
    assert len({tuple(sorted(rows)) for rows in sets}) == 20


@pytest.mark.parametrize("smoothing", [0, 10])
def test_a_far_outlier_is_chosen_much_less_often_than_without_dropping_any(smoothing):
    points = directions(0, 100) * np.float32(0.3) + np.eye(4, dtype=np.float32)[0]
    points[99] = -np.eye(4)[0]
    points /= np.linalg.norm(points, axis=1, keepdims=True)

    def times(share):
        options = DifferentOptions(outlier_share=share, smoothing=smoothing)
        return sum(99 in different(points, 10, options, rng(seed))[0] for seed in range(30))

    assert times(0) == 30
    assert times(0.1) == 0


def test_without_smoothing_and_dropping_the_set_is_k_center_on_the_whole_folder():
    points = directions(0, 50)
    rows, _ = different(points, 8, PLAIN, rng(3))
    order = rng(3).permutation(50)
    assert rows.tolist() == order[k_center(points[order], 8)[0]].tolist()


def naive_smooth(points, row, neighbours):
    """A row's point plus its nearest others, weighted by their products with it, if positive."""
    nearest = sorted(
        (other for other in range(len(points)) if other != row),
        key=lambda other: np.linalg.norm(points[other] - points[row]),
    )
    total = points[row].copy()
    for other in nearest[:neighbours]:
        total += max(0.0, points[row] @ points[other]) * points[other]
    return total / np.linalg.norm(total)


@pytest.mark.parametrize("neighbours", [1, 3, 8])
def test_smooth_points_are_averages_to_which_opposite_neighbours_add_nothing(neighbours):
    # Nine points all round a circle: some of the eight neighbours lie opposite.
    points = directions(3, 9, d=2).astype(np.float64)
    cosines = points @ points.T
    assert (cosines < -0.5).any()
    options = DifferentOptions(outlier_share=0, smoothing=neighbours)
    rows, smooth = smoothed_sample(points.astype(np.float32), 9, options, rng())
    expected = [naive_smooth(points, row, neighbours) for row in rows.tolist()]
    np.testing.assert_allclose(smooth, expected, atol=1e-5)


def test_a_set_covers_more_clusters_than_a_random_one():
    random = rng(0)
    centres = random.normal(size=(10, 8)) * 3
    labels = np.repeat(np.arange(10), [200, 100, 60, 40, 30, 30, 20, 20, 20, 20])
    points = (centres[labels] + 0.3 * random.normal(size=(len(labels), 8))).astype(np.float32)
    options = DifferentOptions(hashes=spread_hashes(len(labels)))
    ours = [len(set(labels[different(points, 10, options, rng(s))[0]])) for s in range(20)]
    theirs = [len(set(labels[rng(s).choice(len(labels), 10, replace=False)])) for s in range(20)]
    assert np.mean(ours) > np.mean(theirs) + 1.5


def test_in_a_folder_larger_than_the_pool_sets_are_still_whole_and_true():
    points = normal(0, 900)
    options = DifferentOptions(most_pooled=100, hashes=spread_hashes(900))
    seen = set()
    for seed in range(30):
        rows, gaps = different(points, 5, options, rng(seed))
        assert len(set(rows.tolist())) == 5
        away = distances(points[rows])
        assert gaps[4] == pytest.approx(away[4, :4].min(), abs=1e-5)
        seen |= set(rows.tolist())
    assert max(seen) > 700
    rows, _ = different(points, 900, options, rng())
    assert sorted(rows.tolist()) == list(range(900))


def test_near_duplicates_are_chosen_only_when_no_other_image_is_left_in_a_small_folder():
    # Ten copies crowd together, which makes the five others the sparsest of the folder.
    points = np.concatenate([directions(0, 1).repeat(10, axis=0), directions(1, 5)])
    hashes = spread_hashes(15)
    hashes[:10] = hashes[0]
    for seed in range(20):
        rows, _ = different(points, 6, DifferentOptions(hashes=hashes), rng(seed))
        assert (rows < 10).sum() == 1


def test_near_duplicates_are_chosen_only_when_no_other_image_is_left_in_a_large_folder():
    # A sample of ten a pick is nearly all copies; the other images still have to be found.
    points = np.concatenate([directions(0, 1).repeat(1000, axis=0), directions(1, 12)])
    hashes = spread_hashes(1012)
    hashes[:1000] = hashes[0]
    for seed in range(10):
        rows, _ = different(points, 8, DifferentOptions(hashes=hashes), rng(seed))
        assert (rows < 1000).sum() <= 1


def test_copies_may_be_chosen_where_no_hashes_are_given():
    points = np.concatenate([np.zeros((10, 4)), normal(1, 2)]).astype(np.float32)
    rows, _ = different(points, 6, PLAIN, rng(0))
    assert (rows < 10).sum() >= 4
