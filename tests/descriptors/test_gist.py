"""GIST: known values."""

import numpy as np
import pytest

from imgbatch.descriptors.gist import Gist


def grating(angle, period, side=64):
    """Waves whose brightness changes along `angle` degrees."""
    y, x = np.mgrid[:side, :side]
    along = x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle))
    waves = np.rint(127 + 100 * np.sin(2 * np.pi * along / period)).astype(np.uint8)
    return np.repeat(waves[:, :, None], 3, axis=2)


def energies(view, descriptor=None):
    descriptor = descriptor or Gist()
    values = descriptor.features(descriptor.describe(view)[None])[0] ** 2
    return values.reshape(descriptor.scales, descriptor.orientations, 4, 4)


@pytest.mark.parametrize("orientation", range(8))
def test_a_grating_answers_in_its_orientation(orientation):
    answer = energies(grating(orientation * 22.5, period=4)).mean(axis=(0, 2, 3))
    assert answer.argmax() == orientation


@pytest.mark.parametrize(("period", "scale"), [(4, 0), (7.4, 1)])
def test_a_grating_answers_in_its_scale(period, scale):
    assert energies(grating(0, period)).mean(axis=(1, 2, 3)).argmax() == scale


def test_a_texture_answers_where_it_is():
    view = np.full((64, 64, 3), 128, np.uint8)
    view[48:, :16] = grating(0, period=4)[48:, :16]
    answer = energies(view)[0, 0]
    assert np.unravel_index(answer.argmax(), answer.shape) == (3, 0)


def test_a_flat_picture_has_no_energy():
    assert not Gist().describe(np.full((50, 60, 3), 90, np.uint8)).any()


def test_brightness_hardly_matters():
    view = grating(45, period=6)
    darker = (view * 0.5).astype(np.uint8)
    assert energies(darker) == pytest.approx(energies(view), abs=0.1)


def test_codes_stay_below_the_cut_for_the_strongest_pictures():
    noise = np.random.default_rng(1).choice([0, 255], (64, 64, 1)).astype(np.uint8)
    for view in (noise.repeat(3, axis=2), grating(0, 4), grating(0, 2)):
        assert Gist().describe(view).max() < 255
