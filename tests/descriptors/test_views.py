"""What descriptors saw, for explanations: the bins of HSV and the cells of HOG."""

import numpy as np
import pytest

from imgbatch.descriptors.hog import Hog
from imgbatch.descriptors.hsv import Hsv


def test_the_histogram_of_hsv_holds_all_pixels_in_their_bins():
    view = np.zeros((20, 20, 3), np.uint8)
    view[:5] = (255, 0, 0)
    descriptor = Hsv()
    histogram = descriptor.histogram(descriptor.describe(view))
    assert histogram.shape == (16, 4, 4)
    assert histogram[0, 3, 3] == pytest.approx(0.25, abs=0.01)
    assert histogram[0, 0, 0] == pytest.approx(0.75, abs=0.01)
    assert histogram.sum() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 3), (2, 1), (3, 0)])
def test_a_pattern_shows_in_the_cell_of_hog_it_lies_in(row, column):
    view = np.full((96, 96, 3), 128, np.uint8)
    view[row * 24 + 4 : row * 24 + 20, column * 24 + 12 : column * 24 + 14] = 255  # an upright bar
    descriptor = Hog()
    cells = descriptor.cells(descriptor.describe(view))
    assert cells.shape == (4, 4, 18)
    strength = cells.sum(axis=2)
    assert np.unravel_index(strength.argmax(), strength.shape) == (row, column)
    # Gradients of an upright bar run left and right: bins around 0 and 180 degrees.
    assert set(np.argsort(cells[row, column])[-4:]) <= {0, 17, 8, 9}
