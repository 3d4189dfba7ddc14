"""The Lab thumbnail: known values."""

import cv2
import numpy as np
import pytest

from imgbatch.descriptors.thumbnail import Thumbnail


def test_a_flat_picture_is_its_lab_colour_everywhere():
    color = np.uint8([[[200, 40, 90]]])
    view = color.repeat(50, axis=0).repeat(70, axis=1)
    codes = Thumbnail().describe(view).reshape(64, 3)
    assert (codes == cv2.cvtColor(color, cv2.COLOR_RGB2LAB)[0, 0]).all()


def test_each_pixel_is_the_mean_of_its_part():
    view = np.random.default_rng(1).integers(0, 256, (32, 48, 3)).astype(np.uint8)
    means = view.reshape(4, 8, 4, 12, 3).mean(axis=(1, 3))
    expected = cv2.cvtColor(np.rint(means).astype(np.uint8), cv2.COLOR_RGB2LAB)
    codes = Thumbnail(side_px=4).describe(view).reshape(4, 4, 3)
    assert codes.astype(int) == pytest.approx(expected.astype(int), abs=1)


def test_features_weight_lightness_down():
    codes = np.full((1, 192), 255, np.uint8)
    features = Thumbnail().features(codes).reshape(64, 3)
    assert features == pytest.approx(np.tile([0.3, 1, 1], (64, 1)))
