"""Local descriptors of gradients: beside slow loops, and of drawn edges."""

import cv2
import numpy as np
import pytest

from imgbatch.descriptors.fisher_gradient import FisherGradient, FisherSift

DIRECTIONS = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]
"""x and y of the directions in which the picture gets brighter, in the order of the values."""
BOTH = pytest.mark.parametrize("descriptor", [FisherGradient(), FisherSift()], ids=["2x2", "4x4"])


def noise(seed, shape=(96, 140)):
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (20, 20, 3)).astype(np.uint8)
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)


def ramp(direction):
    """Brighter and brighter towards one direction."""
    y, x = np.mgrid[:134, :134] - 66.5
    along = (x * direction[0] + y * direction[1]) / np.hypot(*direction)
    return np.repeat(np.rint(128 + 1.2 * along)[..., None], 3, 2).astype(np.uint8)


def strengths(view):
    """(8, 132, 132): each pixel's gradient in each direction, pixel by pixel."""
    grey = cv2.resize(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), (134, 134)).astype(float)
    values = np.zeros((8, 132, 132))
    for y in range(132):
        for x in range(132):
            right = grey[y + 1, x + 2] - grey[y + 1, x]
            down = grey[y + 2, x + 1] - grey[y, x + 1]
            square = right**2 + down**2
            for number, (to_right, to_down) in enumerate(DIRECTIONS):
                projection = (right * to_right + down * to_down) / np.hypot(to_right, to_down)
                if projection > 0:
                    values[number, y, x] = projection * projection**2 / (square + 1)
    return values


def local_descriptors(view, cells):
    """Column by column, by the definition."""
    values, columns, places = strengths(view), [], []
    for scale in (2, 3, 4):
        starts = range(0, 33 - cells * scale, 2)
        for top in starts:
            for left in starts:
                column = []
                for row in range(cells):
                    for column_of_cells in range(cells):
                        y = 4 * (top + row * scale)
                        x = 4 * (left + column_of_cells * scale)
                        side = 4 * (scale + 1)
                        column.append(values[:, y : y + side, x : x + side].mean(axis=(1, 2)))
                column = np.concatenate(column)
                columns.append(np.sqrt(column / (column.sum() + 100)))
                middle = (cells * scale + 1) / 2
                places.append([(left + middle) / 33 - 0.5, (top + middle) / 33 - 0.5])
    return np.array(columns).T, np.array(places).T


@BOTH
@pytest.mark.parametrize("shape", [(96, 140), (200, 30)], ids=str)
def test_local_descriptors_are_those_of_slow_loops(descriptor, shape):
    view = noise(4, shape)
    expected, places = local_descriptors(view, descriptor.cells)
    assert descriptor.local_descriptors(view) == pytest.approx(expected, abs=2e-4)
    assert descriptor.places == pytest.approx(places, abs=1e-6)


@BOTH
def test_patches_reach_all_four_sides_of_the_picture_alike(descriptor):
    places = descriptor.places
    mirrored = {tuple(place) for place in (-places).T.round(4) + 0.0}
    assert mirrored == {tuple(place) for place in places.T.round(4) + 0.0}
    assert np.abs(places).max() == pytest.approx(0.5 - (2 * descriptor.cells + 1) / 66)


@BOTH
@pytest.mark.parametrize("number", range(8))
def test_a_ramp_has_its_own_direction_most_in_every_cell(descriptor, number):
    local = descriptor.local_descriptors(ramp(DIRECTIONS[number]))
    by_direction = local.reshape(-1, 8, local.shape[1])
    assert (by_direction.argmax(axis=1) == number).all()
    opposite = by_direction[:, (number + 4) % 8]
    assert (opposite == 0).all()


@BOTH
def test_strong_patches_have_length_1_faint_ones_less_and_flat_ones_none(descriptor):
    stripes = np.tile(np.array([0, 0, 0, 255, 255, 255], np.uint8), 23)[:134]
    strong = np.ascontiguousarray(np.broadcast_to(stripes[:, None], (134, 134, 3)))
    lengths = [
        np.linalg.norm(descriptor.local_descriptors(view), axis=0).mean()
        for view in (strong, strong // 40, strong // 255 * 0)
    ]
    assert 0.85 < lengths[0] < 1
    assert 0.05 < lengths[1] < 0.85 * lengths[0]
    assert lengths[2] == 0


@BOTH
def test_light_added_to_a_grey_picture_changes_nothing(descriptor):
    view = noise(6, (134, 134))[..., :1].repeat(3, axis=2) // 2  # no rounding by the resize
    assert (descriptor.describe(view + 100) == descriptor.describe(view)).all()


@BOTH
def test_no_value_is_below_0_or_not_a_number_where_gradients_cancel(descriptor):
    random = np.random.default_rng(0)
    for _ in range(5):
        view = random.integers(0, 256, (134, 134, 3)).astype(np.uint8)
        local = descriptor.local_descriptors(view)
        assert np.isfinite(local).all()
        assert local.min() >= 0


def test_a_mirrored_picture_is_farther_than_a_blurred_one():
    view = noise(8)
    blurred = cv2.GaussianBlur(view, (3, 3), 0)
    codes = FisherGradient().describe_many([view, view[:, ::-1], blurred])
    itself, mirrored, blurred = FisherGradient().features(codes)
    assert itself @ mirrored < 0.8 * (itself @ blurred)
