"""LBP: known values."""

import numpy as np
import pytest

from imgbatch.descriptors.lbp import Lbp


def grey(values):
    return np.repeat(np.asarray(values, np.uint8)[:, :, None], 3, axis=2)


def shares(descriptor, view):
    codes = descriptor.describe(view)
    return (descriptor.features(codes[None])[0] ** 2).reshape(descriptor.grid**2, 59)


@pytest.mark.parametrize("radius", [1, 2, 3, 8])
def test_a_flat_picture_has_one_pattern_but_within_the_radius_of_its_border(radius):
    # All neighbours are at least as bright as the centre, but beyond the border is black.
    cells = shares(Lbp(grid=1, radius_px=radius), grey(np.full((100, 100), 90)))
    inside = 100 - 2 * radius
    assert cells[0].max() == pytest.approx(inside**2 / 100**2, abs=0.005)


def test_a_step_adds_one_pattern_and_leaves_the_rest():
    flat = shares(Lbp(grid=1), grey(np.full((100, 100), 200)))[0]
    stepped = np.full((100, 100), 200)
    stepped[:, :50] = 20
    step = shares(Lbp(grid=1), grey(stepped))[0]
    # On the bright side of the step three neighbours are darker: 98 of the 10,000 pixels.
    grown = np.flatnonzero(step - flat > 0.005)
    assert len(grown) == 1
    assert step[grown[0]] - flat[grown[0]] == pytest.approx(0.0098, abs=0.002)


def test_cells_add_up_to_the_whole_picture():
    view = np.random.default_rng(1).integers(0, 256, (60, 90, 3)).astype(np.uint8)
    whole = shares(Lbp(grid=1), view)[0]
    assert shares(Lbp(grid=3), view).sum(axis=0) == pytest.approx(whole, abs=0.01)


def test_contrast_changes_nothing():
    low = np.random.default_rng(2).integers(1, 100, (64, 64))  # beyond the border is 0
    assert np.array_equal(Lbp().describe(grey(low)), Lbp().describe(grey(2 * low)))


def test_large_pictures_are_shrunk_first():
    low = np.random.default_rng(3).integers(0, 256, (64, 32)).astype(np.uint8)
    large = low.repeat(2, axis=0).repeat(2, axis=1)
    small = Lbp(longest_px=64)
    assert np.array_equal(small.describe(grey(large)), small.describe(grey(low)))
