"""HOG against scikit-image where the two define the same, and against drawn gratings."""

import cv2
import numpy as np
import pytest
from skimage.feature import hog as skimage_hog

from imgbatch.descriptors.hog import Hog, _opencv_hog

WINDOW, CELL, BINS = 96, 24, 18
BLOCKS = WINDOW // CELL - 1
BIN_CENTRES = [10 + 20 * k for k in range(BINS)]


def by_block(code):
    """(block row, block column, cell row, cell column, bin): OpenCV goes down the columns."""
    values = code.reshape(BLOCKS, BLOCKS, 2, 2, BINS) / 255.0
    return values.transpose(1, 0, 3, 2, 4)


def unsigned(values):
    """Opposite directions together: bins over 180 degrees, as scikit-image has them."""
    return values[..., : BINS // 2] + values[..., BINS // 2 :]


def skimage_blocks(view):
    return skimage_hog(
        view,
        orientations=BINS // 2,
        pixels_per_cell=(CELL, CELL),
        cells_per_block=(2, 2),
        block_norm="L2-Hys",
        channel_axis=-1,
        feature_vector=False,
    )


def grating(degrees, period=12.0, colors=((0, 0, 0), (255, 255, 255))):
    """A sine wave whose gradient points along this direction (x right, y down) and back."""
    y, x = np.mgrid[:WINDOW, :WINDOW]
    along = x * np.cos(np.radians(degrees)) + y * np.sin(np.radians(degrees))
    mix = 0.5 + 0.5 * np.sin(2 * np.pi * along / period)[..., None]
    return np.rint(np.array(colors[0]) * (1 - mix) + np.array(colors[1]) * mix).astype(np.uint8)


def ramp(degrees):
    """Brighter and brighter towards one direction."""
    y, x = np.mgrid[:WINDOW, :WINDOW] - WINDOW / 2
    along = x * np.cos(np.radians(degrees)) + y * np.sin(np.radians(degrees))
    return np.repeat(np.rint(128 + 1.5 * along)[..., None], 3, 2).clip(0, 255).astype(np.uint8)


def textured(seed, color):
    """Blobs of several sizes, another picture for each seed."""
    random = np.random.default_rng(seed)
    view = np.zeros((WINDOW, WINDOW, 3))
    for side in (6, 12, 24, 48):
        coarse = random.normal(size=(side, side, 3 if color else 1)) * np.ones(3)
        view += cv2.resize(coarse, (WINDOW, WINDOW), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + 40 * view, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("degrees", [angle for angle in BIN_CENTRES if angle < 180])
def test_the_strongest_orientation_of_a_grating_is_its_angle_in_every_cell(degrees):
    view = grating(degrees)
    values = unsigned(by_block(Hog().describe(view)))
    assert (values.argmax(axis=-1) == BIN_CENTRES.index(degrees)).all()
    assert (skimage_blocks(view).argmax(axis=-1) == BIN_CENTRES.index(degrees)).all()


@pytest.mark.parametrize("degrees", BIN_CENTRES)
def test_the_mean_direction_of_a_ramp_is_the_one_it_rises_in_through_all_360_degrees(degrees):
    # The mean, since clipping in L2-Hys makes strong bins equal.
    values = by_block(Hog().describe(ramp(degrees)))
    turns = values @ np.exp(1j * np.radians(BIN_CENTRES))
    away = np.degrees(np.angle(turns * np.exp(-1j * np.radians(degrees))))
    assert np.abs(away).max() < 10


def test_a_grating_has_both_opposite_directions_in_equal_measure():
    for degrees in (10, 50, 90 + 20, 170):
        values = by_block(Hog().describe(grating(degrees))).mean(axis=(0, 1, 2, 3))
        k = BIN_CENTRES.index(degrees)
        assert values[k] == pytest.approx(values[k + BINS // 2], rel=0.15)


def test_a_grating_of_two_colours_equally_bright_is_seen_as_in_scikit_image():
    view = grating(50, colors=((255, 0, 0), (0, 130, 0)))
    grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)
    assert np.ptp(grey.astype(int)) < 40  # a grey HOG would hardly see it
    values = unsigned(by_block(Hog().describe(view)))
    assert (values.argmax(axis=-1) == BIN_CENTRES.index(50)).all()
    assert (skimage_blocks(view).argmax(axis=-1) == BIN_CENTRES.index(50)).all()


def test_edges_in_one_quarter_of_the_picture_show_in_that_quarters_blocks_only():
    for top in (0, 48):
        for left in (0, 48):
            view = np.full((WINDOW, WINDOW, 3), 128, np.uint8)
            view[top + 8 : top + 40, left + 8 : left + 40] = grating(30)[:32, :32]
            energy = by_block(Hog().describe(view)).sum(axis=(2, 3, 4))
            far = energy[2 if top == 0 else 0, 2 if left == 0 else 0]
            assert far == 0
            assert energy[0 if top == 0 else 2, 0 if left == 0 else 2] > 0


@pytest.mark.parametrize("color", [False, True], ids=["grey", "colour"])
def test_textured_pictures_correlate_with_scikit_image(color):
    # OpenCV weights blocks by a Gaussian, shares votes between cells and clips signed bins;
    # scikit-image does none of it. They still correlate at about 0.6.
    correlations = []
    for seed in range(12):
        view = textured(seed, color)
        ours = unsigned(by_block(Hog().describe(view)))
        theirs = skimage_blocks(view)
        correlations.append(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1])
    assert min(correlations) > 0.5
    assert np.mean(correlations) > 0.58


def test_what_scikit_image_calls_nearest_is_near_for_us():
    views = [textured(seed, color=True) for seed in range(30)]
    views += [cv2.GaussianBlur(view, (5, 5), 0) for view in views]
    hog = Hog()
    ours = hog.features(np.stack([hog.describe(view) for view in views]))
    ours = ours - ours.mean(axis=0)
    near = np.linalg.norm(ours[:, None] - ours[None], axis=2)
    np.fill_diagonal(near, np.inf)
    assert (near.argmin(axis=1) == np.roll(np.arange(60), 30)).all()


def test_turning_a_picture_upside_down_turns_every_direction_around():
    view = textured(1, color=True)
    upright, turned = (by_block(Hog().describe(each)) for each in (view, view[::-1, ::-1]))
    expected = np.roll(upright[::-1, ::-1, ::-1, ::-1], BINS // 2, axis=-1)
    assert np.abs(turned - expected).max() <= 0.03


def test_light_added_everywhere_changes_nothing_and_contrast_little():
    view = textured(2, color=True) // 3
    expected = Hog().describe(view)
    assert (Hog().describe(view + 100) == expected).all()
    stronger = Hog().describe(view * 2)
    assert np.corrcoef(stronger, expected)[0, 1] > 0.999


def test_a_flat_picture_has_no_edges_at_all():
    for level in (0, 127, 255):
        assert not Hog().describe(np.full((50, 70, 3), level, np.uint8)).any()


@pytest.mark.parametrize(("window", "cell", "bins"), [(32, 16, 4), (128, 16, 9), (256, 64, 36)])
def test_dim_follows_from_window_cells_and_bins(window, cell, bins):
    hog = Hog(window, cell, bins)
    assert hog.dim == (window // cell - 1) ** 2 * 4 * bins
    assert hog.describe(textured(0, color=True)).shape == (hog.dim,)


@pytest.mark.parametrize("hog", [Hog(), Hog(64, 16, 9), Hog(48, 24, 12)], ids=str)
def test_a_window_among_others_has_the_bytes_that_opencv_gives_it_alone(hog):
    random = np.random.default_rng(0)
    views = [random.integers(0, 256, (90 + n, 130, 3)).astype(np.uint8) for n in range(5)]
    side = (hog.window_px, hog.window_px)
    alone = [_opencv_hog(hog).compute(cv2.resize(view, side)) for view in views]
    expected = [np.rint(255 * values).astype(np.uint8).tolist() for values in alone]
    assert hog.describe_many(views).tolist() == expected
