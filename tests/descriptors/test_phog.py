"""PHOG: known values."""

import numpy as np
import pytest

from imgbatch.descriptors.phog import Phog


def grating(angle, side=128, period=16):
    """Waves whose brightness changes along `angle` degrees."""
    y, x = np.mgrid[:side, :side]
    along = x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle))
    waves = np.rint(127 + 120 * np.sin(2 * np.pi * along / period)).astype(np.uint8)
    return np.repeat(waves[:, :, None], 3, axis=2)


def shares(descriptor, view):
    values = descriptor.features(descriptor.describe(view)[None])[0] ** 2
    return values.reshape(-1, descriptor.orientations)


@pytest.mark.parametrize("angle", [0, 36, 90, 144])
def test_a_grating_falls_into_the_two_bins_across_it(angle):
    whole = shares(Phog(), grating(angle))[0]
    there = angle // 18
    assert whole[[there, there + 10]].sum() > 0.9
    assert whole[there] == pytest.approx(whole[there + 10], abs=0.1)


def test_every_level_holds_the_whole():
    view = np.random.default_rng(1).integers(0, 256, (50, 70, 3)).astype(np.uint8)
    values = shares(Phog(levels=3), view)
    whole, quarters, sixteenths = values[0], values[1:5], values[5:]
    assert whole.sum() == pytest.approx(1, abs=0.02)
    assert quarters.sum(axis=0) == pytest.approx(whole, abs=0.01)
    assert sixteenths.sum(axis=0) == pytest.approx(whole, abs=0.02)


def test_an_edge_is_found_in_its_cell():
    view = np.full((80, 80, 3), 30, np.uint8)
    view[5:15, 65:75] = 220  # top right
    values = shares(Phog(levels=2), view)
    assert values[1:].sum(axis=1) == pytest.approx([0, 1, 0, 0], abs=0.01)


def test_a_picture_without_edges_is_zero():
    assert not Phog().describe(np.full((30, 40, 3), 128, np.uint8)).any()
    faint = np.full((30, 40, 3), 128, np.uint8)
    faint[:, 20:] = 130
    assert not Phog().describe(faint).any()
