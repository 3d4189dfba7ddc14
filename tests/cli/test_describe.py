"""``imgbatch explain A``: one image alone."""

import cv2
import pytest

from tests.drawing import settle, write_photos


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path / "photos", 12)
    settle(tmp_path / "photos")
    return tmp_path / "photos"


def test_one_image_is_described_and_drawn(cli, folder, tmp_path):
    image = min(folder.rglob("*.jpg"))
    answer = cli("explain", image, "-o", tmp_path / "one.png")
    for word in ("pixels", "hash", "kept", "colours", "dB"):
        assert word in answer.out
    assert cv2.imread(str(tmp_path / "one.png")).shape[0] > 900
    document = cli("explain", image, "--json", "--no-picture").json
    assert document["mode"] == "describe"
    assert document["image"]["path"] == str(image)
    assert document["kept"]["psnr"] > 5
    assert document["picture"] is None
    assert sum(document["image"]["colors"].values()) <= 1


def test_a_picture_goes_to_the_usual_place(cli, folder, tmp_path):
    cli("explain", min(folder.rglob("*.jpg")))
    (made,) = (tmp_path / "imgbatch-out").iterdir()
    assert made.name.startswith("explain-image")


def test_what_is_no_image_is_one_line(cli, folder, tmp_path):
    cli("explain", "none.jpg").assert_one_clear_line(2, "none.jpg")
    write_photos(tmp_path / "few", 3)
    one = min((tmp_path / "few").rglob("*.jpg"))
    cli("explain", one, "--no-picture").assert_one_clear_line(2, "at least 10 images")
