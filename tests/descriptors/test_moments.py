"""Colour moments: against the plain formulas."""

import cv2
import numpy as np
import pytest

from imgbatch.descriptors.moments import Moments


def naive(view, grid):
    """Mean, deviation, cube root of the third moment: channel by channel, in float64."""
    lab = cv2.cvtColor(view, cv2.COLOR_RGB2LAB).astype(np.float64)
    cells = []
    for rows in np.array_split(lab, grid, axis=0):
        for cell in np.array_split(rows, grid, axis=1):
            pixels = cell.reshape(-1, 3)
            third = ((pixels - pixels.mean(axis=0)) ** 3).mean(axis=0)
            cells.append([pixels.mean(axis=0), pixels.std(axis=0), np.cbrt(third)])
    return np.array(cells)


def test_moments_are_those_of_the_formulas():
    view = np.random.default_rng(1).integers(0, 256, (40, 60, 3)).astype(np.uint8) // 2 + 20
    descriptor = Moments(grid=4)
    codes = descriptor.describe(view).reshape(16, 3, 3).astype(float)
    expected = naive(view, 4)
    assert codes[:, 0] == pytest.approx(expected[:, 0], abs=0.51)
    assert codes[:, 1] / 2 == pytest.approx(expected[:, 1], abs=0.26)
    assert codes[:, 2] - 128 == pytest.approx(expected[:, 2], abs=0.51)


def test_features_weight_lightness_down_and_deviations_up():
    view = np.random.default_rng(2).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    descriptor = Moments(grid=2)
    features = descriptor.features(descriptor.describe(view)[None]).reshape(4, 3, 3)
    weights = np.array([1, 2, 1])[:, None] * np.array([0.3, 1, 1]) / 255
    assert features == pytest.approx(naive(view, 2) * weights, abs=0.005)


def test_a_flat_picture_has_neither_deviation_nor_skewness():
    codes = Moments().describe(np.full((20, 30, 3), 77, np.uint8)).reshape(16, 3, 3)
    assert (codes[:, 1] == 0).all()
    assert (codes[:, 2] == 128).all()


def test_a_few_bright_pixels_make_a_positive_skewness():
    view = np.full((16, 16, 3), 40, np.uint8)
    view[0, 0] = 255
    assert Moments(grid=1).describe(view).reshape(3, 3)[2, 0] > 128


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (3, 2)])
def test_pictures_smaller_than_the_grid_are_described(size):
    codes = Moments(grid=4).describe(np.full((*size, 3), 200, np.uint8)).reshape(16, 3, 3)
    assert (codes == codes[0]).all()
