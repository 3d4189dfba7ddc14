"""Groups: clear ones are found, each image is in the nearest one, the same seed gives the same."""

import numpy as np
import pytest

from imgbatch.overview.groups import NUMBERS, find_groups


def rng(seed=0):
    return np.random.default_rng(seed)


def clouds(count, each, seed=0, d=12):
    """Clouds of points around far centres."""
    centres = rng(seed).normal(size=(count, d)) * 10
    return (centres.repeat(each, axis=0) + rng(seed + 1).normal(size=(count * each, d))).astype(
        np.float32
    )


@pytest.mark.parametrize("count", NUMBERS)
def test_clear_groups_are_found_and_so_is_their_number(count):
    found = find_groups(clouds(count, 30), rng())
    assert len(set(found.numbers.tolist())) == count
    assert all(len(set(part.tolist())) == 1 for part in np.split(found.numbers, count))
    assert found.silhouette == max(score for _, score in found.tried) > 0.5


def test_the_largest_group_comes_first_and_members_by_distance():
    points = np.concatenate([clouds(6, 30), clouds(1, 60, seed=9) + 50])
    found = find_groups(points, rng())
    sizes = np.bincount(found.numbers)
    assert (np.diff(sizes) <= 0).all()
    for number in range(len(sizes)):
        members = found.members(number)
        assert set(members.tolist()) == set(np.flatnonzero(found.numbers == number).tolist())
        assert (np.diff(found.distances[members]) >= 0).all()


def test_images_beyond_those_that_were_fitted_are_in_the_group_of_the_nearest_centre(monkeypatch):
    monkeypatch.setattr("imgbatch.overview.groups._FITTED", 60)
    found = find_groups(clouds(6, 50), rng())
    assert all(len(set(part.tolist())) == 1 for part in np.split(found.numbers, 6))


def test_the_same_seed_gives_the_same_groups():
    points = rng(5).normal(size=(200, 8)).astype(np.float32)
    one, again = (find_groups(points, rng(3)) for _ in range(2))
    assert one.numbers.tolist() == again.numbers.tolist()
    assert one.tried == again.tried


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 23])
def test_a_small_folder_has_few_groups(n):
    found = find_groups(rng(n).normal(size=(n, 4)).astype(np.float32), rng())
    assert len(set(found.numbers.tolist())) <= max(1, n // 4)


def test_equal_images_are_one_group():
    found = find_groups(np.ones((40, 3), np.float32), rng())
    assert set(found.numbers.tolist()) == {0}
    assert found.silhouette == 0
