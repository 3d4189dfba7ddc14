"""One image alone, and the picture of a point: learned from the folder's files, kept beside it."""

import shutil

import numpy as np
import pytest

import imgbatch
from imgbatch.errors import SelectionError
from imgbatch.index import decoder as index_decoder
from imgbatch.index.decoder import in_little
from imgbatch.outputs.pictures import load_picture
from tests.drawing import jpeg, photo, settle, write_photos


@pytest.fixture
def folder(tmp_path):
    write_photos(tmp_path / "photos", 24, classes=3)
    settle(tmp_path / "photos")
    return tmp_path / "photos"


@pytest.fixture
def read(monkeypatch):
    """The files that were decoded to learn from."""
    files, read_view = [], index_decoder.read_view
    monkeypatch.setattr(
        index_decoder, "read_view", lambda file, options: files.append(file) or read_view(file, options)
    )  # fmt: skip
    return files


def test_a_picture_of_a_point_is_nearer_to_its_image_than_the_mean_is(folder):
    photos = imgbatch.load(folder)
    little = np.stack([in_little(load_picture(p, photos.config, 64)) for p in photos.paths])
    mean = little.mean(axis=0)
    made = np.stack([photos.picture_of(point) for point in photos.points]).astype(float)
    assert ((made - little) ** 2).mean() < 0.8 * ((mean - little) ** 2).mean()


def test_files_are_read_once_and_another_space_or_image_learns_anew(folder, read):
    photos = imgbatch.load(folder)
    first = photos.picture_of(photos.points[0])
    assert sorted(read) == sorted(photos.paths)
    again = imgbatch.load(folder)
    assert (again.picture_of(again.points[0]) == first).all()
    assert (photos.where(label="class0").picture_of(photos.points[0]) == first).all()
    assert len(read) == 24
    other = imgbatch.load(folder, emphasis="color")
    other.picture_of(other.points[0])
    assert len(read) == 48
    (folder / "new.jpg").write_bytes(jpeg(photo(77, 60, 60)))
    more = imgbatch.load(folder)
    more.picture_of(more.points[0])
    assert len(read) == 48 + 25


def test_a_large_folder_is_learned_from_a_part(folder, read, monkeypatch):
    monkeypatch.setattr(index_decoder, "MOST", 12)
    photos = imgbatch.load(folder)
    photos.describe(photos.paths[0])
    assert len(set(read)) == 12


def test_a_description_says_what_explain_says_of_the_image(folder, tmp_path):
    photos = imgbatch.load(folder)
    inside = photos.describe(photos.paths[3])
    image = photos.explain(photos.paths[3], photos.paths[4]).images[0]
    assert (inside.image.path, inside.image.phash) == (image.path, image.phash)
    assert (inside.image.colors == image.colors).all()
    assert (inside.kept == photos.picture_of(photos.points[3])).all()
    error = ((inside.kept.astype(float) - inside.little) ** 2).mean()
    assert inside.psnr == pytest.approx(10 * np.log10(255**2 / error))
    shutil.copy(photos.paths[3], tmp_path / "outside.jpg")
    outside = photos.describe(tmp_path / "outside.jpg")
    assert np.abs(outside.kept.astype(int) - inside.kept).max() <= 1


def test_too_few_images_and_strange_points_are_refused(folder, tmp_path):
    photos = imgbatch.load(folder)
    for point in (photos.points[:2], photos.points[0][:-1], 3.0):
        with pytest.raises(SelectionError, match="those of the folder have"):
            photos.picture_of(point)
    write_photos(tmp_path / "few", 9)
    few = imgbatch.load(tmp_path / "few")
    with pytest.raises(SelectionError, match="at least 10 images"):
        few.picture_of(few.points[0])
    with pytest.raises(SelectionError, match=r"none\.jpg"):
        photos.describe("none.jpg")
