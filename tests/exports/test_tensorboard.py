"""The folder for TensorBoard's projector: what its files say belongs to the same image."""

import re

import numpy as np
import pytest
from PIL import Image

import imgbatch
from imgbatch.errors import OutputError, UsageError
from imgbatch.exports import run as exporting
from imgbatch.exports import tensorboard
from tests.drawing import write_photos


@pytest.fixture
def photos(tmp_path):
    write_photos(tmp_path / "photos", 11, classes=2)
    metadata = tmp_path / "m.csv"
    first = min((tmp_path / "photos").rglob("*.jpg"))
    name = first.relative_to(tmp_path / "photos").as_posix()
    metadata.write_text(f'path,label,tags\n{name},"a\tb\nc",sea;sky\n')
    return imgbatch.load(tmp_path / "photos", metadata=metadata)


@pytest.fixture
def made(photos, tmp_path):
    report = exporting.export(photos, f"tensorboard:{tmp_path / 'tb'}")
    assert report.images == 11
    return tmp_path / "tb"


def config(folder):
    """The values of the projector's configuration, by name."""
    text = (folder / "projector_config.pbtxt").read_text(encoding="utf-8")
    found = {}
    for name, value in re.findall(r'(\w+): "?([^"\s]+)"?', text):
        found.setdefault(name, []).append(value)
    return found


def test_points_are_those_of_the_folder(made, photos):
    shape = tuple(map(int, config(made)["tensor_shape"]))
    assert shape == photos.points.shape
    (file,) = config(made)["tensor_path"]
    stored = np.fromfile(made / file, "<f4").reshape(shape)
    assert (stored == photos.points).all()


def test_every_image_has_one_line_whatever_its_metadata_hold(made, photos):
    (file,) = config(made)["metadata_path"]
    lines = (made / file).read_text(encoding="utf-8").split("\n")
    assert lines.pop() == ""
    heading, *rows = (line.split("\t") for line in lines)
    assert heading == ["path", "label", "tags", "split", "width", "height"]
    assert [row[0] for row in rows] == list(photos.records.all_paths())
    assert all(len(row) == len(heading) for row in rows)
    assert rows[0][1] == "a b c"
    assert rows[0][2].startswith("sea, sky")
    sizes = [(str(record.width), str(record.height)) for record in photos.records]
    assert [tuple(row[4:]) for row in rows] == sizes


def test_the_sprite_is_square_with_each_image_in_its_place(made, photos):
    (file,) = config(made)["image_path"]
    side, height = map(int, config(made)["single_image_dim"])
    sprite = Image.open(made / file)
    assert sprite.size == (4 * side, 4 * height) == (256, 256)
    for row, path in enumerate(photos.paths):
        left, top = row % 4 * side, row // 4 * side
        square = np.asarray(sprite.crop((left, top, left + side, top + side))).astype(float)
        expected = Image.open(path).convert("RGB")
        expected.thumbnail((side, side))
        at = (side - expected.height) // 2, (side - expected.width) // 2
        inside = square[at[0] : at[0] + expected.height, at[1] : at[1] + expected.width]
        assert np.abs(inside - np.asarray(expected)).mean() < 12
    empty = np.asarray(sprite.crop((3 * side, 2 * side, 4 * side, 3 * side)))
    assert (empty == 255).all()


def test_the_same_folder_is_replaced_and_no_other(made, photos, tmp_path):
    exporting.export(photos.where(label="a\tb\nc"), f"tensorboard:{made}")
    assert config(made)["tensor_shape"][0] == "1"
    (made / "mine.txt").write_text("precious")
    with pytest.raises(OutputError, match="holds other files"):
        exporting.check_target(f"tensorboard:{made}", photos.folder)
    with pytest.raises(UsageError, match="`to`"):
        exporting.check_target(f"tensorboard:{photos.folder}/tb", photos.folder)
    with pytest.raises(UsageError, match="names no folder"):
        exporting.check_target("tensorboard:", photos.folder)


def test_thumbnails_that_would_be_too_small_are_left_out_with_a_note(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(tensorboard, "_SPRITE_PX", 60)
    monkeypatch.setattr(tensorboard, "_MANY", 10)
    report = exporting.export(photos, f"tensorboard:{tmp_path / 'tb'}")
    assert any("do not fit" in note for note in report.notes)
    assert any("made for 10 images; here are 11" in note for note in report.notes)
    assert "image_path" not in config(tmp_path / "tb")
    assert not (tmp_path / "tb" / "sprite.png").exists()


def test_an_image_that_is_gone_is_a_grey_square(photos, tmp_path):
    from pathlib import Path

    Path(photos.paths[2]).unlink()
    exporting.export(photos, f"tensorboard:{tmp_path / 'tb'}")
    sprite = np.asarray(Image.open(tmp_path / "tb" / "sprite.png"))
    assert (sprite[0:64, 128:192] == 200).all()
