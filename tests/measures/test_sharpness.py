from pathlib import Path

import cv2
import numpy as np
import pytest

import imgbatch
from imgbatch.index.sharpness import kept_sharpness, measure_sharpness
from imgbatch.measures.sharpness import sharpness
from imgbatch.types import DecodeOptions
from tests.drawing import write_photos


def checkered(side=16, px=320):
    y, x = np.mgrid[:px, :px]
    grey = ((x // side + y // side) % 2 * 255).astype(np.uint8)
    return np.dstack([grey] * 3)


def test_a_stronger_blur_makes_a_picture_less_sharp_and_never_less_than_1():
    values = [
        sharpness(cv2.GaussianBlur(checkered(), (0, 0), sigma)) for sigma in (0.1, 1, 2, 4, 8)
    ]
    assert values == sorted(values, reverse=True)
    assert values[0] > 1.7
    assert 1 <= values[-1] < 1.2


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (40, 40)])
def test_a_flat_picture_of_any_size_has_1(shape):
    assert sharpness(np.full((*shape, 3), 90, np.uint8)) == 1


def test_contrast_hardly_matters():
    soft = cv2.GaussianBlur(checkered(), (0, 0), 2)
    assert sharpness(soft // 4 + 90) == pytest.approx(sharpness(soft), rel=0.05)


def test_sharpness_is_kept_and_only_new_contents_are_read(tmp_path, monkeypatch):
    folder = tmp_path / "photos"
    write_photos(folder, 6)
    cache = tmp_path / "cache"
    opened = imgbatch.load(folder, index=cache)._opened
    assert kept_sharpness(opened) is None
    told = []
    values = measure_sharpness(opened, DecodeOptions(), 2, lambda *done: told.append(done))
    assert told[-1] == (6, 6)
    assert (values > 1).all()
    assert kept_sharpness(opened).tolist() == values.tolist()
    image = next(folder.rglob("*.jpg"))
    image.with_name("zz-copy.jpg").write_bytes(image.read_bytes())
    again = imgbatch.load(folder, index=cache)._opened
    monkeypatch.setattr("imgbatch.index.extract.decode", None)  # nothing may be decoded
    renewed = measure_sharpness(again, DecodeOptions(), 2)
    assert len(renewed) == 7
    assert sorted(set(renewed.tolist())) == sorted(set(values.tolist()))


def test_a_file_that_cannot_be_read_any_more_has_no_sharpness(tmp_path):
    folder = tmp_path / "photos"
    write_photos(folder, 4)
    photos = imgbatch.load(folder, index=tmp_path / "cache")
    next(folder.rglob("*.jpg")).unlink()
    values = measure_sharpness(photos._opened, DecodeOptions(), 1)
    assert np.isnan(values).sum() == 1


def test_blurred_is_a_tag_only_where_sharpness_was_measured(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, picture in (
        ("sharp", checkered()),
        ("soft", cv2.GaussianBlur(checkered(), (0, 0), 5)),
    ):
        cv2.imwrite(str(folder / f"{name}.png"), picture)
    photos = imgbatch.load(folder, index=tmp_path / "cache")
    assert "blurred" not in photos.tag_table().counts()
    photos.tagging.measure_sharpness(DecodeOptions(), 1)
    assert "blurred" in photos.tag_table().of_image(1)
    assert photos.tag_table().counts()["blurred"] == 1
    again = imgbatch.load(folder, index=tmp_path / "cache")
    assert again.tagging.counts()["blurred"] == 1
    assert len(again.where(tag="blurred")) == 1


@pytest.mark.parametrize("spoil", [Path.unlink, lambda file: file.write_bytes(b"0" * 90)])
def test_what_was_measured_is_known_though_the_values_by_row_are_lost(tmp_path, spoil):
    folder = tmp_path / "photos"
    write_photos(folder, 6)
    opened = imgbatch.load(folder, index=tmp_path / "cache")._opened
    values = measure_sharpness(opened, DecodeOptions(), 1)
    (by_row,) = (opened.directory / "sharpness").glob("*.f4")
    spoil(by_row)
    assert kept_sharpness(opened).tolist() == values.tolist()


def test_what_could_not_be_measured_while_files_were_away_is_tried_again(tmp_path):
    folder, away = tmp_path / "photos", tmp_path / "away"
    write_photos(folder, 4)
    imgbatch.load(folder, index=tmp_path / "cache")
    folder.rename(away)
    photos = imgbatch.load(folder, index=tmp_path / "cache", refresh=False)
    assert "4 files could not be read, and have no sharpness" in photos.overview(blur=True).notes
    away.rename(folder)
    photos = imgbatch.load(folder, index=tmp_path / "cache")
    assert not any("sharpness" in note for note in photos.overview(blur=True).notes)
    assert (kept_sharpness(photos._opened) > 1).all()
