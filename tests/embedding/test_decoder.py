"""The decoder: what points tell of pictures comes back, what they do not tell becomes the mean."""

import numpy as np
import pytest
from scipy.fft import dctn

from imgbatch.embedding.decoder import SIDE_PX, Decoder


def smooth(count, seed=0, kinds=6):
    """Points, and pictures that are sums of smooth patterns with the points' coordinates."""
    random = np.random.default_rng(seed)
    patterns = np.random.default_rng(99).normal(size=(kinds, 4, 4, 3)).repeat(8, 1).repeat(8, 2)
    points = random.normal(size=(count, kinds)).astype(np.float32)
    pictures = 128 + 12 * np.einsum("nk,kyxc->nyxc", points, patterns)
    return points, pictures.clip(0, 255).astype(np.uint8)


def error(decoder, points, pictures):
    made = np.stack([decoder.picture(point) for point in points]).astype(float)
    return ((made - pictures) ** 2).mean()


BLOCKS = [slice(0, 2), slice(2, 6)]


def test_pictures_that_are_linear_in_the_points_come_back_for_new_images():
    decoder = Decoder.fit(*smooth(200), BLOCKS)
    points, pictures = smooth(40, seed=1)
    assert error(decoder, points, pictures) < 20
    assert pictures.var() > 500


def test_points_that_tell_nothing_give_the_mean_picture():
    points, pictures = smooth(300)
    other = np.random.default_rng(5).normal(size=points.shape).astype(np.float32)
    decoder = Decoder.fit(other, pictures, BLOCKS)
    mean = pictures.mean(axis=0)
    made = np.stack([decoder.picture(point) for point in other[:20]]).astype(float)
    assert np.abs(made - mean).mean() < 0.2 * np.abs(pictures - mean).mean()


def test_without_noise_it_is_least_squares():
    points, pictures = smooth(150)
    decoder = Decoder.fit(points, pictures, BLOCKS)
    rows = np.column_stack([points, np.ones(len(points))])
    solved = np.linalg.lstsq(rows, pictures.reshape(len(points), -1).astype(float), rcond=None)[0]
    made = points @ decoder.weights + (decoder.average - decoder.mean @ decoder.weights)
    assert np.abs(made - rows @ solved).mean() < 1


def test_fine_noise_is_left_out_where_coarse_patterns_stay():
    points, pictures = smooth(60)
    random = np.random.default_rng(3)
    noisy = (pictures + random.normal(0, 40, pictures.shape)).clip(0, 255).astype(np.uint8)
    wide = np.concatenate([points, random.normal(size=(60, 30)).astype(np.float32)], axis=1)
    decoder = Decoder.fit(wide, noisy, [slice(0, 36)])
    power = (dctn(decoder.weights.reshape(-1, SIDE_PX, SIDE_PX, 3), axes=(1, 2)) ** 2).sum((0, 3))
    assert power[16:, 16:].mean() < 0.02 * power[:4, :4].mean()


def test_the_error_to_expect_is_that_of_held_out_images():
    points, pictures = smooth(400)
    noise = np.random.default_rng(4).normal(0, 25, pictures.shape)
    noisy = (pictures + noise).clip(0, 255).astype(np.uint8)
    decoder = Decoder.fit(points[:200], noisy[:200], BLOCKS)
    seen = 10 * np.log10(255**2 / error(decoder, points[200:], noisy[200:]))
    assert decoder.psnr == pytest.approx(seen, abs=0.3)


def test_the_weight_of_a_block_changes_nothing():
    points, pictures = smooth(100)
    scaled = points * np.array([1, 1, 9, 9, 9, 9], np.float32)
    first, second = (Decoder.fit(some, pictures, BLOCKS) for some in (points, scaled))
    for a, b in zip(points[:9], scaled[:9], strict=True):
        assert np.abs(first.picture(a).astype(int) - second.picture(b)).max() <= 1


def test_equal_points_and_flat_blocks_do_no_harm():
    _, pictures = smooth(20)
    decoder = Decoder.fit(np.ones((20, 6), np.float32), pictures, BLOCKS)
    expected = pictures.mean(axis=0)
    assert decoder.picture(np.ones(6, np.float32)) == pytest.approx(expected, abs=1)


def test_a_decoder_that_was_kept_is_the_same_to_the_bit():
    arrays = Decoder.fit(*smooth(60), BLOCKS).arrays()
    again = Decoder.of(arrays).arrays()
    assert {name: again[name].tobytes() for name in again} == {
        name: arrays[name].tobytes() for name in arrays
    }
