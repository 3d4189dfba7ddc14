"""Drawn pages: every picture stays inside its cell."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imgbatch.config import load_config
from imgbatch.outputs.drawing import fitted, font, shortened
from imgbatch.outputs.sheet import (
    FORMATS,
    Cell,
    Grid,
    draw_page,
    most_cells,
    most_rows,
    save_page,
)

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
    grid = Grid.fitting(len(cells), options, Path("sheet.png"))
    page = draw_page(cells, "", grid)  # the red picture is in the middle of nine
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
    cell = Cell(np.zeros((4, 4, 3), np.uint8), "")
    page = draw_page([cell], "caf\udce9\n", Grid(columns=1, shown=1, side_px=64))
    assert isinstance(page, Image.Image)


@given(
    ending=st.sampled_from(sorted(FORMATS)),
    cell_px=st.integers(64, 1024),
    columns=st.integers(1, 20),
    count=st.integers(1, 3000) | st.integers(1, 1_000_000),
)
def test_a_page_is_one_that_its_format_takes_and_shows_as_much_as_fits(
    ending, cell_px, columns, count
):
    options = load_config().config.sheet.model_copy(update={"columns": columns, "cell_px": cell_px})
    grid = Grid.fitting(count, options, Path(f"sheet{ending}"))
    width, height = grid.size_px
    assert max(width, height) <= (16_383 if ending == ".webp" else 65_535)
    above_last_row_px = grid.corner_px(grid.shown - 1)[1] - grid.corner_px(0)[1]
    assert (width - 12) * above_last_row_px < 100e6  # a last row that has begun may go beyond
    assert 1 <= grid.columns <= grid.shown <= count
    if grid.shown == count:
        assert width == 12 + grid.columns * (cell_px + 12)
    else:
        assert grid.shown % grid.columns == 0
        assert width * height > 75e6
    left, top = grid.corner_px(grid.shown - 1)
    assert left + cell_px + 12 <= width
    text_px = 22 if cell_px >= 160 else 44
    assert top + cell_px + text_px + 2 * 12 == height


def test_the_columns_stay_as_wished_as_long_as_the_page_is_not_too_long():
    options = load_config().config.sheet.model_copy(update={"columns": 5})
    for count, columns, ending in ((237 * 5, 5, "png"), (237 * 5 + 1, 6, "png"), (300, 6, "webp")):
        assert Grid.fitting(count, options, Path(f"a.{ending}")).columns == columns


@pytest.mark.parametrize("count", [1, 2, 3, 5, 10, 12, 99, 400])
def test_a_page_is_as_near_to_a_square_as_any_number_of_columns_makes_it(count):
    options = load_config().config.sheet
    chosen = Grid.fitting(count, options, Path("a.png"))
    sizes = [Grid(columns, count, options.cell_px).size_px for columns in range(1, count + 1)]
    assert max(chosen.size_px) / min(chosen.size_px) == min(max(size) / min(size) for size in sizes)


def test_a_narrow_cell_has_a_line_for_the_name_and_one_for_its_folder():
    white = np.full((10, 10, 3), 255, np.uint8)
    grid = Grid(1, 1, 100)
    top = TITLE_PX + 100

    def lines(caption):
        page = np.asarray(draw_page([Cell(white, caption)], "", grid).convert("L"))
        text = page[top : top + 44, GAP_PX : GAP_PX + 100] < 160
        return bool(text[:22].any()), bool(text[22:].any())

    assert lines("image_0113.jpg") == (True, False)
    assert lines("Kitchen/image_0113.jpg") == (True, True)


def test_a_white_picture_is_told_from_its_cell():
    white = np.full((100, 100, 3), 255, np.uint8)
    page = np.asarray(draw_page([Cell(white[:50], "")], "", Grid(1, 1, 240)).convert("L"))
    middle = page[:, GAP_PX + 120]
    assert (middle[TITLE_PX : TITLE_PX + 240] < 230).sum() == 2  # above and below the picture


@pytest.mark.parametrize("name", ["a.png", "a.webp"])
@pytest.mark.parametrize("columns", [1, 16])
def test_both_sections_of_a_page_fit_on_it(name, columns):
    rows = most_rows(columns, 100, Path(name), sections=2)
    width, height = Grid(columns, rows * columns, 100).size_px
    assert 2 * height <= (65_535 if name == "a.png" else 16_383)
    assert 2 * rows * columns <= most_cells(100)
    assert rows >= 50
    assert 2 * width * height <= 105e6


@pytest.mark.parametrize("ending", sorted(FORMATS))
def test_the_longest_page_can_be_written_in_every_format(tmp_path, ending):
    target = tmp_path / f"sheet{ending}"
    grid = Grid(1, most_rows(1, 64, target), 64)
    save_page(Image.new("RGB", grid.size_px), target)
    with Image.open(target) as page:
        assert page.height == grid.size_px[1] > (16_000 if ending == ".webp" else 64_000)
