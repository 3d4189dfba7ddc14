"""How sheets are asked for: columns, opening, none at all."""

import os

import pytest
from PIL import Image

from tests.drawing import write_photos


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path / "photos", 12)
    return tmp_path / "photos"


@pytest.fixture
def viewer(tmp_path, monkeypatch):
    """A program for all files, which notes what it is asked to open."""
    opened = tmp_path / "opened"
    program = tmp_path / "bin" / "xdg-open"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$1" > "{opened}.part"\nmv "{opened}.part" "{opened}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return opened


def test_a_sheet_has_as_many_columns_as_asked_for(cli, folder):
    sizes = []
    for given in ([], ["--columns", 6], ["--columns", 2]):
        sheet = cli("different", folder, "-n", 12, "--seed", 1, "--json", *given).json["sheet"]
        with Image.open(sheet) as page:
            sizes.append(page.size)
    assert [width for width, _ in sizes] == [4 * 252 + 12, 6 * 252 + 12, 2 * 252 + 12]
    assert cli("different", folder, "--columns", 0).code == 2


@pytest.mark.skipif(os.name != "posix", reason="the program of another system is another one")
def test_a_sheet_is_opened_in_the_program_of_the_system(command, folder, viewer, tmp_path):
    answer = command("similar", folder, "--seed", 1, "--open", "--json", cwd=tmp_path)
    assert answer.code == 0
    for _ in range(500):
        if viewer.exists():
            break
        command("config")  # the program is not waited for
    assert viewer.read_text().strip() == answer.json["sheet"]


def test_a_sheet_that_no_program_opens_is_a_note(cli, folder, monkeypatch):
    monkeypatch.setattr("imgbatch.cli.output_files.typer.launch", lambda _: 1)
    answer = cli("similar", folder, "--open")
    assert answer.code == 0
    assert "no program could be started" in answer.err
    assert "no file was made" in cli("similar", folder, "--open", "--no-sheet").err


@pytest.mark.parametrize("name", ["--no-sheet", "--no-picture"])
def test_one_option_draws_no_picture_in_every_command(cli, folder, tmp_path, name):
    image = next(folder.rglob("*.jpg"))
    for given in (("similar", folder), ("map", folder), ("explain", image, image)):
        assert cli(*given, name).code == 0
    assert not (tmp_path / "imgbatch-out").exists()
