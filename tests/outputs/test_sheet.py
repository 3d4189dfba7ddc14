"""Drawn pages: every picture stays inside its cell."""

import numpy as np
import pytest
from PIL import Image

from imgbatch.config import load_config
from imgbatch.outputs.drawing import fitted, font, shortened
from imgbatch.outputs.sheet import Cell, draw_page

GAP_PX, TITLE_PX, SIDE_PX = 12, 34, 64


def red_pixels(page):
    """(n, 2) rows and columns of the pixels that are redder than anything else on a page."""
    pixels = np.asarray(page).astype(int)
    return np.argwhere((pixels[..., 0] > 200) & (pixels[..., 1] < 100) & (pixels[..., 2] < 100))


@pytest.mark.parametrize(("width", "height"), [(200, 50), (50, 200), (40, 40), (8, 3), (900, 7)])
def test_a_picture_fills_its_cell_on_one_side_and_overflows_it_on_none(width, height):
    options = load_config().config.sheet.model_copy(update={"columns": 3, "cell_px": SIDE_PX})
    red = np.zeros((height, width, 3), np.uint8)
    red[..., 0] = 255
    white = np.full((10, 10, 3), 255, np.uint8)
    cells = [
        Cell(white, ""),
        Cell(white, ""),
        *[Cell(white, "")] * 2,
        Cell(red, ""),
        *[Cell(white, "")] * 4,
    ]
    page = draw_page(cells, "", options)  # the red picture is in the middle of nine
    top = TITLE_PX + (page.height - TITLE_PX - GAP_PX) // 3
    left = GAP_PX + SIDE_PX + GAP_PX
    rows, columns = red_pixels(page).T
    assert rows.min() >= top
    assert rows.max() < top + SIDE_PX
    assert columns.min() >= left
    assert columns.max() < left + SIDE_PX
    drawn = rows.max() - rows.min() + 1, columns.max() - columns.min() + 1
    assert max(drawn) == SIDE_PX
    assert min(drawn) == max(1, round(SIDE_PX * min(width, height) / max(width, height)))


@pytest.mark.parametrize(("width", "height"), [(200, 50), (50, 200), (3, 2)])
def test_a_fitted_picture_is_as_large_as_the_box_allows(width, height):
    size = fitted(np.zeros((height, width, 3), np.uint8), 120, 60).size
    assert size[0] <= 120
    assert size[1] <= 60
    assert size[0] == 120 or size[1] == 60
    assert size[0] / size[1] == pytest.approx(width / height, rel=0.05)


def test_a_shortened_name_keeps_its_ends_and_fits():
    used = font(13)
    short = shortened("holidays-in-norway-0815.jpg", used, 100)
    assert short.startswith("holi")
    assert short.endswith(".jpg")
    assert "..." in short
    assert used.getlength(short) <= 100
    assert shortened("a.jpg", used, 100) == "a.jpg"


def test_a_title_of_any_bytes_can_be_drawn():
    options = load_config().config.sheet
    page = draw_page([Cell(np.zeros((4, 4, 3), np.uint8), "")], "caf\udce9\n", options)
    assert isinstance(page, Image.Image)
