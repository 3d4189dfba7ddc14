"""Outputs: JSON, the contact sheet and what both are made of."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from imgbatch.config import load_config
from imgbatch.errors import UsageError
from imgbatch.outputs import (
    OUTPUTS,
    Pictures,
    Result,
    as_document,
    check_sheet_path,
    dominant_colors,
    write_sheet,
)
from imgbatch.types import PickedImage, Selection, Skipped


def result(count: int = 3, name: str = "photo.jpg") -> Result:
    images = tuple(
        PickedImage(rank, f"/in/{rank}{name}", f"{rank}{name}", rank / 10, 8, 6)
        for rank in range(1, count + 1)
    )
    skipped = (Skipped("bad.jpg", "damaged"),)
    selection = Selection("similar", 7, "/in", images, skipped, indexed=9, seconds=1.23456)
    return Result(selection, Pictures([image.path for image in images], load_config().config))


def test_a_document_holds_the_result_and_survives_json():
    document = json.loads(json.dumps(as_document(result())))
    assert [image["rank"] for image in document["images"]] == [1, 2, 3]
    assert document["skipped"] == [{"path": "bad.jpg", "reason": "damaged"}]
    assert (document["seconds"], document["sheet"], document["indexed"]) == (1.235, None, 9)


@pytest.mark.parametrize("name", sorted(OUTPUTS))
def test_every_output_writes_any_name_to_stdout_alone(name, capsys):
    OUTPUTS[name](result(name="[/x] :smile:\n\udce9.jpg"))
    out, err = capsys.readouterr()
    assert "[/x] :smile:\\n" in out
    assert err == ""


def test_dominant_colours_are_the_pictures_own_most_frequent_first():
    picture = np.zeros((10, 10, 3), np.uint8)
    picture[:7], picture[7:] = (255, 0, 0), (0, 0, 255)
    assert dominant_colors(picture)[:2] == ("#ff0000", "#0000ff")
    assert all(
        len(dominant_colors(np.zeros((h, w, 3), np.uint8))) == 1 for h, w in [(1, 1), (2, 90)]
    )


@pytest.mark.parametrize("count", [1, 4, 5, 11])
def test_a_sheet_has_a_cell_for_each_picture(tmp_path, count):
    options = load_config().config.sheet.model_copy(update={"columns": 4, "cell_px": 64})
    write_sheet(result(count), tmp_path / "sheet.png", options)
    with Image.open(tmp_path / "sheet.png") as sheet:
        rows, columns = -(-count // 4), min(count, 4)
        assert columns * 64 < sheet.width < columns * 64 + 100
        assert rows * 64 < sheet.height < rows * 110 + 100


@pytest.mark.parametrize("name", ["a.bmp", "a", "a.png.txt", ".png"])
def test_other_endings_are_refused_for_a_sheet(tmp_path, name):
    with pytest.raises(UsageError, match="ending"):
        check_sheet_path(tmp_path / name)


def test_the_table_shows_the_whole_path_of_an_anchor_from_outside(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    inside = result(count=2)
    labelled = tuple(
        replace(one, relative=f"cats/{one.relative}", label="cats")
        for one in inside.selection.images
    )
    outside = replace(labelled[0], rank=0, relative="/elsewhere/x.jpg", label="", anchor=True)
    shown = replace(inside, selection=replace(inside.selection, images=(outside, labelled[1])))
    OUTPUTS["table"](shown)
    printed = capsys.readouterr().out
    assert " /elsewhere/x.jpg" in printed
    assert "cats/2photo.jpg" in printed
    assert "class" not in printed  # the path says it
