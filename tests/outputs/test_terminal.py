"""Pictures in the terminal: their cells, their colours, and where none are drawn."""

import io
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.cells import cell_len
from rich.color import Color
from rich.console import Console

from imgbatch.outputs.terminal import Tile, TileRow, fixed_colors, grid, half_blocks, why_not_drawn
from imgbatch.outputs.tuning import tune_progress
from tests.commands import environment

UPPER, LOWER = (250, 10, 20), (10, 20, 240)


def console_of(width=80, colors="truecolor", **options):
    return Console(
        file=io.StringIO(), width=width, color_system=colors, force_terminal=True,
        legacy_windows=False, **{"no_color": False, **options},
    )  # fmt: skip


def printed(tiles, **options):
    console = console_of(**options)
    side_by_side, columns = grid(console.width, len(tiles))
    for start in range(0, len(tiles), side_by_side):
        console.print(TileRow(tiles[start : start + side_by_side], columns))
    return console.file.getvalue()


def picture(width, height, color=UPPER):
    return np.full((height, width, 3), color, np.uint8)


def test_a_cell_holds_the_upper_pixel_in_front_and_the_lower_one_behind():
    view = picture(4, 4)
    view[1::2] = LOWER
    for line in half_blocks(view, 4, every_color=True):
        assert len(line) == 4
        for cell in line:
            assert cell.text == "\u2580"
            assert tuple(cell.style.color.triplet) == UPPER
            assert tuple(cell.style.bgcolor.triplet) == LOWER


def test_below_a_picture_of_odd_height_is_the_terminals_own_background():
    lines = half_blocks(picture(4, 3), 4, every_color=True)
    assert len(lines) == 2
    assert {cell.style.bgcolor for cell in lines[-1]} == {None}


@pytest.mark.parametrize(("width", "height"), [(300, 100), (100, 300), (1, 500), (500, 1), (7, 7)])
def test_a_picture_keeps_its_proportions_in_its_box(width, height):
    lines = half_blocks(picture(width, height), 24, every_color=True)
    shown_width, shown_height = len(lines[0]), 2 * len(lines)
    assert max(shown_width, shown_height) in (24, 25)
    assert shown_width / shown_height == pytest.approx(width / height, rel=0.2) or 1 in (
        shown_width, shown_height // 2,
    )  # fmt: skip


def test_the_fixed_colors_are_those_of_every_terminal():
    known = [tuple(Color.from_ansi(number).get_truecolor()) for number in range(16, 256)]
    assert fixed_colors() == known


@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=4))
def test_of_256_colors_one_is_taken_that_is_fixed_and_near(colors):
    view = np.array([colors, colors], np.uint8)
    small = Image.fromarray(view)
    lines = half_blocks(np.asarray(small), len(colors), every_color=False)
    for cell in lines[0]:
        assert cell.style.color.number >= 16
    for place, color in enumerate(fixed_colors()[:: 40 + len(colors)]):
        same = half_blocks(picture(2, 2, color), 2, every_color=False)[0][0].style.color
        assert tuple(same.get_truecolor()) == color, place


@given(width=st.integers(1, 200), count=st.integers(1, 12), name=st.text(max_size=40))
def test_no_line_is_wider_than_the_terminal(width, count, name):
    caption = "".join(letter for letter in f"1 {name}" if letter.isprintable())
    tiles = [Tile(picture(9, 6), caption)] * count
    lines = re.sub(r"\x1b\[[0-9;]*m", "", printed(tiles, width=width)).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert sum(line.count("\u2580") for line in lines) >= count


def test_each_color_system_gets_its_own_sequences():
    tiles = [Tile(picture(8, 8), "1 a.jpg")]
    every, fixed = printed(tiles), printed(tiles, colors="256")
    assert "38;2;250;10;20" in every
    assert "38;2;" not in fixed
    assert set(map(int, re.findall(r"38;5;(\d+)", fixed))) <= set(range(16, 256))
    assert "1 a.jpg" in fixed


def test_names_are_shortened_in_the_middle_and_stand_under_their_pictures():
    long = Tile(picture(8, 8), "1 a-very-long-folder/of-pictures-0815.jpg")
    shown = printed([long, Tile(picture(8, 8), "2 b.jpg")], width=60)
    last = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()[-1]
    assert "..." in last
    assert "0815.jpg" in last
    assert last.index("2 b.jpg") == 30


@pytest.mark.parametrize(
    ("colors", "options", "reason"),
    [
        ("truecolor", {}, ""),
        ("256", {}, ""),
        ("standard", {}, "standard colours, and 256 are needed"),
        (None, {}, "no colours, and 256 are needed"),
        ("truecolor", {"no_color": True}, "NO_COLOR is set"),
    ],
)
def test_pictures_are_drawn_where_they_can_be(colors, options, reason, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert why_not_drawn(console_of(colors=colors, **options)).endswith(reason)
    assert bool(reason) == bool(why_not_drawn(console_of(colors=colors, **options)))


def test_nothing_is_drawn_into_a_pipe_whatever_rich_believes(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert why_not_drawn(console_of()) == "standard output is no terminal"


@pytest.mark.parametrize("mode", ["similar", "different"])
@pytest.mark.parametrize(
    ("options", "reason"),
    [([], "standard output is no terminal"), (["--json"], "--json"), (["--paths"], "--paths")],
)
def test_the_command_says_why_it_draws_nothing(cli, indexed, mode, options, reason, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    plain = [mode, indexed.folder, "--index", indexed.index, "--seed", 1, "--no-sheet", *options]
    answer, without = cli(*plain, "--show"), cli(*plain)
    assert answer.code == 0
    assert f"note: --show draws nothing: {reason}" in answer.err
    assert "\u2580" not in answer.out
    assert "--show" not in without.err


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo terminal")
@pytest.mark.parametrize("no_color", ["", "1"])
def test_a_terminal_gets_pictures_unless_no_color_is_set(indexed, no_color):
    import pty

    ours, theirs = pty.openpty()
    surroundings = environment() | {"TERM": "xterm-256color", "COLUMNS": "90", "NO_COLOR": no_color}
    surroundings.pop("COLORTERM", None)
    command = ["-m", "imgbatch", "similar", indexed.folder, "-n", "2", "--no-sheet", "--show"]
    process = subprocess.Popen(
        [sys.executable, *command, "--index", str(indexed.index)],
        stdout=theirs, stderr=subprocess.PIPE, env=surroundings,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    errors = process.communicate()[1].decode()
    os.close(ours)
    assert process.returncode == 0, errors
    if no_color:
        assert "NO_COLOR is set" in errors
        assert "\u2580".encode() not in shown
    else:
        assert shown.decode().count("\u2580") > 200
        assert b"38;5;" in shown


def test_a_search_tells_each_better_trial_each_tenth_and_that_it_measures_at_the_end(capsys):
    with tune_progress() as report:
        for trial, best in enumerate([0.5, 0.5, 0.7, *[0.7] * 17], start=1):
            report(trial, 20, 0.5, best)
    lines = capsys.readouterr().err.splitlines()
    told = [int(line.split()[1]) for line in lines]
    assert told == [1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 18, 20]
    assert lines[2] == "trial 3 of 20: precision at 10 70.0% (began with 50.0%)"
    assert lines[-1].endswith("; measuring on images that the search did not see")
    assert "measuring" not in "".join(lines[:-1])
