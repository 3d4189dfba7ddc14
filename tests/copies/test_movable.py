"""Which near-duplicates may be moved: never the last one of a picture, nor another folder's."""

import os

import pytest

from imgbatch.copies.movable import movable
from imgbatch.types import DuplicateGroup, DuplicateImage, Duplicates


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("kept.jpg", "again.jpg"):
        (folder / name).write_bytes(b"picture")
    return folder


def found(folder, kept="kept.jpg", other="again.jpg", kind="exact"):
    images = [
        DuplicateImage(str(folder / name), name, name == kept, kind, 1.0, 4, 3, len(b"picture"))
        for name in (kept, other)
    ]
    return Duplicates(str(folder), "edited", (DuplicateGroup(kind, tuple(images)),), 2)


def reason(*given, **options):
    may_move, stay = movable(found(*given, **options))
    assert len(may_move) + len(stay) == 1
    return stay[0][1] if stay else ""


@pytest.mark.parametrize("kind", ["exact", "copy", "edited"])
def test_a_copy_of_a_kept_image_may_be_moved(photos, kind):
    assert reason(photos, kind=kind) == ""


def test_images_of_one_scene_are_not_spoken_of(photos):
    assert movable(found(photos, kind="scene")) == ([], ())


@pytest.mark.parametrize("name", ["kept.jpg", "again.jpg"])
def test_nothing_moves_if_a_file_has_changed_since_it_was_indexed(photos, name):
    (photos / name).write_bytes(b"another picture")
    assert "has changed" in reason(photos)


def test_an_equal_file_that_is_no_longer_equal_stays_though_its_size_is_the_same(photos):
    (photos / "again.jpg").write_bytes(b"Picture")
    assert reason(photos) == "it has changed"


def test_nothing_moves_if_the_kept_image_is_gone(photos):
    (photos / "kept.jpg").unlink()
    assert reason(photos).endswith("is gone")


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_a_file_stays_if_the_kept_image_is_another_name_of_it(photos, link):
    (photos / "kept.jpg").unlink()
    link(photos / "again.jpg", photos / "kept.jpg")
    assert "same file" in reason(photos)


def test_a_file_of_another_folder_stays_though_a_link_leads_to_it(photos, tmp_path):
    (tmp_path / "photos2").mkdir()
    (photos / "again.jpg").rename(tmp_path / "photos2" / "again.jpg")
    (photos / "sub").symlink_to(tmp_path / "photos2")
    assert "another folder" in reason(photos, other="sub/again.jpg")


def test_a_folder_that_is_reached_by_a_link_itself_is_no_other_folder(photos, tmp_path):
    (tmp_path / "link").symlink_to(photos)
    assert reason(tmp_path / "link") == ""
