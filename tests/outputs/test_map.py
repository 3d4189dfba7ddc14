"""Maps as pictures: a legend that does not lie, pictures that do not overlap."""

from dataclasses import replace
from itertools import combinations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageColor
from skimage.color import rgb2lab

from imgbatch.config import load_config
from imgbatch.outputs.map_colors import COLORS, NOBODY, OTHERS, coloring
from imgbatch.outputs.map_picture import on_grid, write_map_picture
from tests.drawing import jpeg, photo
from tests.outputs.small import small_map

CONFIG = load_config().config


def counted_colors(pixels):
    """How often each colour is there; one number stands for a pixel, as rows take long to sort."""
    numbers, counts = np.unique(pixels @ [1 << 16, 1 << 8, 1], return_counts=True)
    named = (f"#{number:06x}" for number in numbers.tolist())
    return dict(zip(named, counts.tolist(), strict=True))


def colors_in(picture):
    return counted_colors(np.asarray(Image.open(picture).convert("RGB"))[70:2400, 20:2400])


def test_colours_can_be_told_apart_and_from_white():
    rgb = np.array([ImageColor.getrgb(color) for color in (*COLORS, OTHERS, NOBODY)])
    lab = rgb2lab(rgb[None] / 255)[0]
    assert min(np.linalg.norm(a - b) for a, b in combinations(lab, 2)) > 20
    share = rgb[: len(COLORS)] / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    assert (1.05 / (luminance + 0.05) >= 3).all()


@given(st.lists(st.integers(-1, 30), min_size=1, max_size=200))
def test_every_colour_stands_for_one_line_of_the_legend_and_lines_count_the_images(numbers):
    used = sorted(set(numbers) - {-1})
    groups = np.array([-1 if number < 0 else used.index(number) for number in numbers])
    shown = small_map(groups)
    found = coloring(shown)
    lines = [line.color for line in found.legend]
    assert len(set(lines)) == len(lines)
    assert np.bincount(found.colors, minlength=len(lines)).tolist() == [
        line.images for line in found.legend
    ]
    for row, group in enumerate(groups.tolist()):
        line = found.legend[found.colors[row]]
        if group < 0:
            assert line.name == "no label"
        elif group < len(COLORS):
            assert line.name == shown.group_names[group]
        else:
            assert line.name == f"{len(used) - len(COLORS)} other labels"


def test_points_have_the_colours_of_the_legend_and_no_others(tmp_path):
    groups = np.repeat(np.arange(15), 20)
    groups[::10] = -1
    target = tmp_path / "map.png"
    written = write_map_picture(replace(small_map(groups), colored=True), target, CONFIG)
    assert written.shown == written.images == 300
    field = colors_in(target)
    assert set(field) == {"#ffffff", *COLORS, OTHERS, NOBODY}
    least = min(count for color, count in field.items() if color != "#ffffff")
    assert least > 18 * 100  # discs of 16 pixels, hardly covered
    beside = np.asarray(Image.open(target))[60:, 2450:]
    assert {*COLORS, OTHERS, NOBODY} <= counted_colors(beside).keys()


def test_a_point_lies_where_the_map_says(tmp_path):
    positions = np.array([[0, 0], [1, 0], [0.5, 1]], np.float32)
    shown = replace(small_map([0, 1, 2], positions=positions), colored=True)
    write_map_picture(shown, tmp_path / "m.png", CONFIG)
    field = np.asarray(Image.open(tmp_path / "m.png"))[60:2460, 12:2412]
    for (x, y), color in zip(positions, COLORS, strict=False):
        lines, columns = np.nonzero((field == ImageColor.getrgb(color)).all(axis=2))
        assert columns.mean() == pytest.approx(30 + x * 2340, abs=2)
        assert lines.mean() == pytest.approx(30 + y * 2340, abs=2)


@given(st.lists(st.tuples(st.floats(0, 6), st.floats(0, 6)), max_size=80), st.integers(0, 9))
def test_no_two_pictures_have_one_cell_and_each_is_near_its_place(places, seed):
    places = np.array(places, np.float32).reshape(-1, 2)
    rows, cells = on_grid(places, seed)
    assert len(np.unique(cells, axis=0)) == len(rows) == len(cells)
    assert (np.diff(rows) > 0).all()
    own = np.floor(places)
    assert (np.abs(cells - own[rows]) <= 2).all()
    taken = {tuple(cell) for cell in cells.tolist()}
    for row in set(range(len(places))) - set(rows.tolist()):
        column, line = own[row]
        steps = range(-2, 3)
        assert {(column + x, line + y) for x in steps for y in steps} <= taken


def test_pictures_are_drawn_and_what_finds_no_room_is_a_point(tmp_path):
    files = []
    for number in range(40):
        files.append(tmp_path / f"{number}.jpg")
        files[-1].write_bytes(jpeg(photo(number, 60, 60)))
    positions = np.full((40, 2), 0.5, np.float32)
    shown = small_map([0] * 40, list(map(str, files)), positions)
    written = write_map_picture(shown, tmp_path / "map.jpg", CONFIG)
    assert (written.kind, written.shown, written.images) == ("picture", 25, 40)
    picture = cv2.imread(str(tmp_path / "map.jpg"))
    white = (picture[60:2460, 12:2412] > 250).all(axis=2)
    assert 0.70 < white.mean() < 0.95
