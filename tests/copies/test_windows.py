"""Views through windows: what they equal, and where they lie."""

import numpy as np
import pytest

from imgbatch.copies.windows import EVERY, ONLY_WHOLE, WHOLE, Window, Windows, turned_back
from tests.copies.drawing import miniature
from tests.drawing import photo


def whole(image):
    return ONLY_WHOLE.vectors(miniature(image)[None])[0, 0]


@pytest.mark.parametrize("turn", range(8))
def test_a_turned_view_is_the_view_of_the_turned_picture(turn):
    picture = miniature(photo(1, noise=60)).reshape(32, 32)
    turned = picture.T if turn & 4 else picture
    turned = turned[::-1] if turn & 2 else turned
    turned = turned[:, ::-1] if turn & 1 else turned
    seen = Windows((Window(turn=turn),)).vectors(picture.reshape(1, -1))[0, 0]
    expected = ONLY_WHOLE.vectors(np.ascontiguousarray(turned).reshape(1, -1))[0, 0]
    assert seen == pytest.approx(expected, abs=1e-5)
    assert (turned_back(turned.astype(np.float32), turn) == picture).all()


def test_a_view_through_a_window_is_that_of_the_crop():
    picture = photo(2, 320, 320)
    crop = picture.crop((64, 32, 288, 256))  # left, top, right, bottom
    window = Window(top=0.1, bottom=0.2, left=0.2, right=0.1)
    seen = Windows((window,)).vectors(miniature(picture)[None])[0, 0]
    assert seen @ whole(crop) > 0.98
    assert seen @ whole(picture) < 0.9


def test_views_have_length_1_and_flat_pictures_have_no_view():
    pictures = np.stack([miniature(photo(3)), np.full(1024, 90, np.uint8)])
    lengths = np.linalg.norm(EVERY.vectors(pictures), axis=2)
    assert np.allclose(lengths[0], 1, atol=1e-5)
    assert not lengths[1].any()


def test_brightness_and_contrast_do_not_change_a_view():
    picture = miniature(photo(4)).astype(int)
    darker = np.clip(picture // 2 + 20, 0, 255).astype(np.uint8)
    views = ONLY_WHOLE.vectors(np.stack([picture.astype(np.uint8), darker]))[:, 0]
    assert views[0] @ views[1] > 0.999


def test_a_motion_leads_from_the_window_to_the_picture():
    motion = Window(top=0.1, bottom=0.2, left=0.2, right=0.1).motion
    corner = motion @ np.array([-0.5, -0.5, 1])  # left and top of the window
    assert corner == pytest.approx([-0.3, -0.4])
    assert EVERY.motions.shape == (len(EVERY.windows), 2, 3)


def test_the_first_window_is_the_whole_picture_and_each_window_is_listed_once():
    assert EVERY.windows[0] == WHOLE
    assert len(set(EVERY.windows)) == len(EVERY.windows)
