"""Altered views: repeatable, of any picture, and altered as much as is said."""

import numpy as np
import pytest

from imgbatch.images.augment import altered
from tests.drawing import photo as drawn


def photo(seed, width, height):
    return np.asarray(drawn(seed, width, height))


def views(picture, count, view_px=128):
    return [altered(picture, view_px, np.random.default_rng(seed)) for seed in range(count)]


def test_the_generator_decides_the_view():
    picture = photo(1, 400, 300)
    one, same, other = (altered(picture, 128, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.tobytes() == same.tobytes()
    assert one.shape != other.shape or (one != other).any()


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (2, 3), (700, 1), (50, 40), (640, 480)])
@pytest.mark.parametrize("value", [0, 255, None])
def test_any_picture_has_views(size, value):
    width, height = size
    picture = (
        photo(2, width, height) if value is None else np.full((height, width, 3), value, np.uint8)
    )
    for view in views(picture, 20):
        assert view.dtype == np.uint8
        assert view.ndim == 3
        assert view.shape[2] == 3
        assert 1 <= max(view.shape[:2]) < 256 or max(size) < 256


def test_crops_keep_60_to_100_percent_of_the_area():
    picture = np.zeros((200, 250, 3), np.uint8)
    shares = [view.shape[0] * view.shape[1] / 50_000 for view in views(picture, 300, view_px=251)]
    assert 0.55 < min(shares) < 0.65
    assert 0.9 < max(shares) <= 1
    aspects = [view.shape[1] / view.shape[0] / 1.25 for view in views(picture, 300, view_px=251)]
    assert 0.85 < min(aspects) < 0.95
    assert 1.05 < max(aspects) < 1.17


def test_half_of_the_views_are_mirrored():
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[:, 100:] = 200
    mirrored = sum(int(view[:, 0].mean() > view[:, -1].mean()) for view in views(picture, 200))
    assert 70 < mirrored < 130


def test_light_and_colours_change_within_their_bounds():
    picture = np.full((100, 100, 3), (100, 120, 140), np.uint8)
    means = np.array([view.mean(axis=(0, 1)) for view in views(picture, 300)])
    brightness = means.mean(axis=1) / 120
    assert 0.65 < brightness.min() < 0.8
    assert 1.2 < brightness.max() < 1.45
    saturation = (means[:, 2] - means[:, 0]) / means.mean(axis=1) / (40 / 120)
    assert saturation.min() < 0.75
    assert saturation.max() > 1.3


def test_the_picture_itself_stays_as_it_is():
    picture = photo(3, 300, 200)
    before = picture.copy()
    views(picture, 5)
    assert (picture == before).all()
