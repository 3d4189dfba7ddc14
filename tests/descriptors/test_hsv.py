"""The HSV histograms against a loop over the pixels."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgbatch.descriptors.hsv import Hsv


def sampled(view):
    """The pixels that count: of larger pictures, 31 along the shorter side, evenly spaced."""
    sizes = view.shape[:2]
    if min(sizes) <= 31:
        return view
    rows, columns = (
        [k * size // (size * 31 // min(sizes)) for k in range(size * 31 // min(sizes))]
        for size in sizes
    )
    return view[rows][:, columns]


def naive_counts(view, hsv):
    """Counts of the whole picture (hue, saturation, value) and of each cell (coarser)."""
    view = sampled(view)
    height, width = view.shape[:2]
    pixels = cv2.cvtColor(np.ascontiguousarray(view), cv2.COLOR_RGB2HSV)
    hues = max(d for d in (1, 2, 3, 4) if hsv.hue_bins % d == 0)
    saturations = max(d for d in (1, 2) if hsv.saturation_bins % d == 0)
    whole = np.zeros((hsv.hue_bins, hsv.saturation_bins, hsv.value_bins), int)
    cells = np.zeros((hsv.grid, hsv.grid, hues, saturations, hsv.value_bins), int)
    for y in range(height):
        for x in range(width):
            hue, saturation, value = (int(channel) for channel in pixels[y, x])
            h = hue * hsv.hue_bins // 180
            s = saturation * hsv.saturation_bins // 256
            v = value * hsv.value_bins // 256
            whole[h, s, v] += 1
            coarse_h = h * hues // hsv.hue_bins
            coarse_s = s * saturations // hsv.saturation_bins
            cells[y * hsv.grid // height, x * hsv.grid // width, coarse_h, coarse_s, v] += 1
    return whole, cells


def naive_code(view, hsv):
    whole, cells = naive_counts(view, hsv)
    counts = np.concatenate([whole.ravel(), cells.ravel()])
    return [round(255 * float(np.sqrt(count / whole.sum()))) for count in counts]


def assert_equals_naive(view, hsv):
    expected = np.array(naive_code(view, hsv))
    code = hsv.describe(view).astype(int)
    # The fast version divides in float32: a half is rounded to either side.
    assert np.abs(code - expected).max() <= 1
    assert (code != expected).mean() < 0.01
    assert ((code > 0) == (expected > 0)).all()


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 17),
    width=st.integers(1, 17),
    seed=st.integers(0, 2**32 - 1),
    flatness=st.sampled_from([1, 16, 128]),
)
def test_the_histograms_equal_those_of_a_loop_over_the_pixels(height, width, seed, flatness):
    view = np.random.default_rng(seed).integers(0, 256, (height, width, 3))
    assert_equals_naive((view // flatness * flatness).astype(np.uint8), Hsv())


@pytest.mark.parametrize(
    "hsv",
    [
        Hsv(2, 1, 1, 1),
        Hsv(36, 16, 16, 1),
        Hsv(7, 3, 5, 2),
        Hsv(9, 4, 3, 8),
        Hsv(12, 5, 1, 4),
        Hsv(35, 2, 2, 5),
    ],
    ids=str,
)
def test_every_number_of_bins_and_cells_equals_the_loop(hsv):
    view = np.random.default_rng(3).integers(0, 256, (40, 31, 3)).astype(np.uint8)
    assert_equals_naive(view, hsv)
    assert_equals_naive(view[:3, :2], hsv)


@pytest.mark.parametrize("shape", [(31, 90), (32, 31), (32, 40), (62, 62), (96, 128), (255, 64)])
def test_of_large_pictures_an_even_sample_of_the_pixels_is_counted(shape):
    view = np.random.default_rng(4).integers(0, 256, (*shape, 3)).astype(np.uint8)
    assert_equals_naive(view, Hsv())


@pytest.mark.parametrize("bins", range(2, 37))
def test_every_hue_falls_into_the_bin_of_whole_number_division(bins):
    hues = np.arange(180, dtype=np.uint8)
    pure = np.dstack([hues, np.full(180, 255), np.full(180, 255)]).astype(np.uint8)
    rgb = cv2.cvtColor(pure, cv2.COLOR_HSV2RGB)
    hsv = Hsv(bins, 1, 1, 1)
    for pixel in rgb[0]:
        view = pixel[None, None]
        hue = int(cv2.cvtColor(view, cv2.COLOR_RGB2HSV)[0, 0, 0])
        fullest = int(hsv.describe(view)[:bins].argmax())
        at_an_edge = hue * bins % 180 == 0  # OpenCV multiplies by bins / 180, which rounds
        assert fullest in {hue * bins // 180, hue * bins // 180 - at_an_edge}


def test_the_whole_and_the_cells_each_sum_to_all_pixels():
    hsv = Hsv()
    view = np.random.default_rng(0).integers(0, 256, (100, 73, 3)).astype(np.uint8)
    shares = (hsv.describe(view) / 255.0) ** 2
    whole = hsv.hue_bins * hsv.saturation_bins * hsv.value_bins
    assert shares[:whole].sum() == pytest.approx(1, abs=0.02)
    assert shares[whole:].sum() == pytest.approx(1, abs=0.02)


def test_a_colour_is_found_in_its_own_cell_and_in_no_other():
    hsv = Hsv()
    whole = hsv.hue_bins * hsv.saturation_bins * hsv.value_bins
    for row in range(3):
        for column in range(3):
            view = np.zeros((90, 60, 3), np.uint8)
            view[30 * row : 30 * row + 30, 20 * column : 20 * column + 20] = (255, 0, 0)
            cells = hsv.describe(view)[whole:].reshape(9, -1, hsv.value_bins)
            bright = cells[:, :, -1].sum(axis=1)
            assert bright.nonzero()[0].tolist() == [3 * row + column]


def test_rearranging_pixels_keeps_the_whole_histogram_and_changes_the_cells():
    hsv = Hsv()
    view = np.sort(np.random.default_rng(0).integers(0, 256, (30, 30, 3)).astype(np.uint8), axis=0)
    whole = hsv.hue_bins * hsv.saturation_bins * hsv.value_bins
    first, second = hsv.describe(view), hsv.describe(view[::-1])
    assert (first[:whole] == second[:whole]).all()
    assert (first[whole:] != second[whole:]).any()


@pytest.mark.parametrize("period", range(2, 13))
def test_the_sample_does_not_keep_step_with_stripes(period):
    columns = np.arange(150) % period < period / 2
    view = np.broadcast_to(columns[None, :, None] * np.uint8(255), (100, 150, 3)).copy()
    hsv = Hsv()
    whole = (hsv.features(hsv.describe(view)[None])[0, :256] ** 2).reshape(16, 4, 4)
    assert whole[0, 0, 3] == pytest.approx(columns.mean(), abs=0.08)


def test_the_squared_distance_of_two_pictures_is_twice_their_hellinger_distance_squared():
    hsv = Hsv(grid=1)
    random = np.random.default_rng(0)
    a, b = (random.integers(low, 256, (31, 60, 3)).astype(np.uint8) for low in (0, 100))
    fa, fb = hsv.features(np.stack([hsv.describe(a), hsv.describe(b)])).astype(float)
    whole = hsv.hue_bins * hsv.saturation_bins * hsv.value_bins
    p, q = (naive_counts(view, hsv)[0].ravel() / 1860 for view in (a, b))
    hellinger = 2 - 2 * np.sqrt(p * q).sum()
    assert ((fa - fb)[:whole] ** 2).sum() == pytest.approx(hellinger, abs=0.01)
