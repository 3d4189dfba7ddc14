"""Local descriptors of colour: beside slow loops, and of drawn colours."""

import cv2
import numpy as np
import pytest

from imgbatch.descriptors.fisher_color import FisherColor


def local_descriptors(view):
    """Column by column, by the definition."""
    small = cv2.resize(view, (64, 64))
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(float)
    lab = (lab - [0, 128, 128]) * [0.5 / 255, 0.01, 0.01]
    columns, places = [], []
    for top in range(13):
        for left in range(13):
            column = []
            for row in range(4):
                for cell in range(4):
                    y, x = 4 * (top + row), 4 * (left + cell)
                    pixels = lab[y : y + 4, x : x + 4].reshape(16, 3)
                    column += [*pixels.mean(axis=0), *pixels.std(axis=0)]
            columns.append(column)
            places.append([(left + 2) / 16 - 0.5, (top + 2) / 16 - 0.5])
    return np.array(columns).T, np.array(places).T


@pytest.mark.parametrize("shape", [(96, 140), (64, 64), (200, 30)], ids=str)
def test_local_descriptors_are_those_of_slow_loops(shape):
    view = np.random.default_rng(1).integers(0, 256, (*shape, 3)).astype(np.uint8)
    expected, places = local_descriptors(view)
    assert FisherColor().local_descriptors(view) == pytest.approx(expected, abs=1e-5)
    assert FisherColor().places == pytest.approx(places, abs=1e-6)


def test_a_flat_picture_has_no_deviations_at_all():
    for color in [(255, 0, 0), (0, 0, 255), (13, 200, 77), (255, 255, 255)]:
        local = FisherColor().local_descriptors(np.full((70, 90, 3), color, np.uint8))
        assert (local.reshape(16, 2, 3, 169)[:, 1] == 0).all()
        assert (local == local[:, :1]).all()


def test_a_grey_picture_has_no_colour():
    grey = np.random.default_rng(0).integers(0, 256, (64, 64, 1)).astype(np.uint8)
    local = FisherColor().local_descriptors(grey.repeat(3, axis=2)).reshape(16, 2, 3, 169)
    assert (local[:, :, 1:] == 0).all()
    assert local[:, 1, 0].min() > 0.05


def test_red_and_green_of_the_same_lightness_differ_in_a():
    red, green = (
        FisherColor().local_descriptors(np.full((64, 64, 3), color, np.uint8))[:3, 0]
        for color in ((200, 0, 0), (0, 120, 0))
    )
    assert abs(red[0] - green[0]) < 0.02
    assert red[1] > 0.5 > 0 > green[1]


def test_a_colour_shows_where_it_is():
    view = np.full((64, 64, 3), 255, np.uint8)
    view[32:, :32] = (255, 0, 0)  # below on the left
    local = FisherColor().local_descriptors(view)
    red = local.reshape(16, 2, 3, 169)[:, 0, 1].mean(axis=0)
    x, y = FisherColor().places[:, red == red.max()]  # patches of nothing but red
    assert (x < -0.1).all()
    assert (y > 0.1).all()
