"""Alignment: known motions are found, and only equal details agree."""

import numpy as np
import pytest

from imgbatch.copies.align import agreement, aligned
from tests.copies.drawing import scene

STILL = np.array([[[1, 0, 0], [0, 1, 0]]], np.float32)


def squares(*images, side=64):
    return np.stack(
        [np.asarray(image.convert("L").resize((side, side)), np.float32) for image in images]
    )


def test_a_shifted_and_scaled_crop_is_laid_over_its_source():
    picture = scene(1, 400, 400)
    source, target = squares(picture), squares(picture.crop((40, 60, 340, 360)))
    start = np.array([[[0.7, 0, 0], [0, 0.8, 0]]], np.float32)
    found = aligned(source, target, start, 12)
    assert found[0] == pytest.approx(np.array([[0.75, 0, -0.025], [0, 0.75, 0.025]]), abs=0.01)
    assert agreement(source, target, found).typical[0] > 0.9
    assert agreement(source, target, start).typical[0] < 0.8


def test_a_small_rotation_is_found():
    picture = scene(2, 400, 400)
    source, target = squares(picture), squares(picture.rotate(4))
    found = aligned(source, target, STILL, 12)
    angle = np.degrees(np.arctan2(found[0, 1, 0], found[0, 0, 0]))
    assert abs(abs(angle) - 4) < 0.3


def test_brightness_contrast_and_inverted_light_do_not_keep_pictures_from_being_laid_over():
    source = squares(scene(3))
    for target in (source * 0.5 + 30, 255 - source):
        start = STILL + np.array([[[0, 0, 0.02], [0, 0, -0.02]]], np.float32)
        assert aligned(source, target, start, 10)[0] == pytest.approx(STILL[0], abs=0.005)


def test_a_mark_over_a_part_changes_neither_the_motion_nor_the_typical_block():
    source = squares(scene(4))
    target = source.copy()
    target[:, 10:26, 8:40] = 255
    found = aligned(source, target, STILL, 6)
    assert found[0] == pytest.approx(STILL[0], abs=0.01)
    figures = agreement(source, target, found)
    assert figures.typical[0] > 0.95
    assert figures.share[0] < 0.95


def test_different_pictures_do_not_agree():
    source, target = squares(scene(5)), squares(scene(6))
    assert agreement(source, target, aligned(source, target, STILL, 8)).typical[0] < 0.5


def test_straight_edges_count_less_than_corners():
    half = np.zeros((1, 64, 64), np.float32)
    half[:, :, 32:] = 200
    assert agreement(half, half, STILL).rich[0] < 0.02
    assert agreement(squares(scene(7)), squares(scene(7)), STILL).rich[0] > 0.1


@pytest.mark.parametrize("side", [16, 32, 64])
def test_flat_pictures_and_no_pictures_are_no_error(side):
    flat = np.full((2, side, side), 77, np.float32)
    motions = np.repeat(STILL, 2, axis=0)
    figures = agreement(flat, flat, aligned(flat, flat, motions, 3))
    assert (figures.typical == 0).all()
    assert np.isfinite(figures.share).all()
    none = flat[:0]
    assert aligned(none, none, motions[:0], 3).shape == (0, 2, 3)
    assert agreement(none, none, motions[:0]).whole.shape == (0,)


def test_each_pair_is_aligned_as_it_is_alone():
    sources, targets = squares(scene(8), scene(9)), squares(scene(8).rotate(2), scene(9).rotate(-3))
    motions = np.repeat(STILL, 2, axis=0)
    both = aligned(sources, targets, motions, 5)
    for number in range(2):
        one = slice(number, number + 1)
        alone = aligned(sources[one], targets[one], motions[one], 5)
        assert both[one] == pytest.approx(alone, abs=1e-5)
