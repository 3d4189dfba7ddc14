"""``imgbatch map``: figures, rows, pictures, JSON."""

import csv
import json
import math

import cv2
import pytest

from tests.drawing import write_photos


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path / "photos", 24, classes=3)
    return tmp_path / "photos"


def test_images_have_places_labels_and_groups(cli, folder, tmp_path):
    document = cli("map", folder, "--json", "-o", tmp_path / "map.csv").json
    assert len(document["images"]) == document["indexed"] == 24
    with (tmp_path / "map.csv").open(encoding="utf-8") as file:
        rows = {row["path"]: row for row in csv.DictReader(file)}
    for image in document["images"]:
        assert 0 <= image["x"] <= 1
        assert 0 <= image["y"] <= 1
        assert image["label"] == image["group"] == image["relative"].split("/")[0]
        row = rows[image["relative"]]
        assert (float(row["x"]), float(row["y"])) == (image["x"], image["y"])
        assert row["label"] == row["group"] == image["label"]
    assert set(document["quality"]) == {"map", "PCA", "all dimensions"}
    assert document["quality"]["all dimensions"]["trustworthiness"] == 1
    assert [file["kind"] for file in document["files"]] == ["rows"]


def test_the_table_shows_the_map_beside_principal_components(cli, folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    quality = cli("map", folder, "--json", "--no-picture").json["quality"]
    lines = [line.split("│") for line in cli("map", folder, "--no-picture").out.splitlines()]
    cells = {
        line[1].strip(): [cell.strip() for cell in line[2:4]] for line in lines if len(line) > 3
    }
    for name, figures in quality.items():
        assert cells[name] == [f"{figures[key]:.3f}" for key in ("trustworthiness", "accuracy")]


def test_a_picture_is_drawn_unless_told_otherwise(cli, folder, tmp_path):
    cli("map", folder, "--no-picture")
    assert not (tmp_path / "imgbatch-out").exists()
    cli("map", folder)
    (made,) = (tmp_path / "imgbatch-out").iterdir()
    assert made.name.startswith("map-photos-")
    assert cv2.imread(str(made)) is not None
    cli("map", folder, "--color", "cluster")
    assert len(list((tmp_path / "imgbatch-out").iterdir())) == 2


def test_a_small_folder_has_figures_that_are_unknown_not_wrong(cli, tmp_path):
    write_photos(tmp_path / "few", 3)
    answer = cli("map", tmp_path / "few", "--no-picture", "--json")
    figures = answer.json["quality"]["map"]
    assert figures == {"trustworthiness": None, "accuracy": None}
    assert all(math.isfinite(value) for value in json.loads(answer.out)["images"][0].values() if isinstance(value, float))  # fmt: skip
    assert " - " in cli("map", tmp_path / "few", "--no-picture").out


def test_filters_map_only_what_passes(cli, folder):
    document = cli("map", folder, "--label", "class1", "--json", "--no-picture").json
    assert {image["label"] for image in document["images"]} == {"class1"}


def test_bad_input_is_one_line(cli, folder, tmp_path):
    refused = cli("map", folder, "--color", "shape", "--index", tmp_path / "index")
    refused.assert_one_clear_line(2, "'shape'", "cluster")
    assert not (tmp_path / "index").exists()  # said before the folder is indexed
    cli("map", folder, "--seed", "-1", "--no-picture").assert_one_clear_line(2, "seed")
    cli("map", folder, "-o", folder / "map.png").assert_one_clear_line(2, "-o")
    cli("map", folder, "-o", "map.bmp").assert_one_clear_line(2, "'.bmp'")
