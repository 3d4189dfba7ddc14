"""Where indexes lie."""

import errno
import os
import time
from pathlib import Path

import pytest

from imgbatch.errors import CatalogueError, UsageError
from imgbatch.files.cache import (
    cache_root,
    index_directory,
    list_indexes,
    remember_folder,
    remove_index,
    store_root,
)


def test_the_option_wins_over_the_environment_over_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMGBATCH_CACHE_DIR", str(tmp_path / "env"))
    assert cache_root(tmp_path / "option") == tmp_path / "option"
    assert cache_root() == tmp_path / "env"
    monkeypatch.delenv("IMGBATCH_CACHE_DIR")
    assert "imgbatch" in cache_root().parts
    assert cache_root().is_absolute()


def test_a_relative_cache_folder_is_made_absolute():
    assert cache_root("here") == Path.cwd() / "here"


def test_each_folder_has_an_index_of_its_own_with_a_readable_name(tmp_path):
    one = index_directory(str(tmp_path / "a" / "My photos!"))
    two = index_directory(str(tmp_path / "b" / "My photos!"))
    assert one != two
    assert one.name.startswith("My-photos-")
    assert one == index_directory(str(tmp_path / "a" / "My photos!") + os.sep)


@pytest.mark.skipif(os.name != "posix", reason="needs links and byte names")
def test_links_share_an_index_and_any_bytes_make_a_name(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert index_directory(str(tmp_path / "link")) == index_directory(str(tmp_path / "real"))
    assert index_directory("/\udce9\udcff").name.startswith("folder-")


def test_an_index_inside_the_image_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match="inside the image folder"):
        index_directory(str(tmp_path), tmp_path / "sub")


@pytest.mark.parametrize(("folder", "index"), [
    ("{}/ph", "file://{}/ph/idx"), ("file://{}/ph", "file://{}/ph"), ("file://{}/ph", "{}/ph/idx"),
    ("file://{}/ph", "file://{}/x/../ph/idx"),
    ("s3://b/photos", "s3://b/photos/idx"), ("s3://b/photos", "s3://b/photos/"),
])  # fmt: skip
def test_an_index_inside_the_image_folder_is_refused_where_either_is_a_url(tmp_path, folder, index):
    with pytest.raises(UsageError, match="inside the image folder"):
        store_root(folder.format(tmp_path), index.format(tmp_path))


@pytest.mark.parametrize(("folder", "index"), [
    ("s3://b/photos", "s3://b/photos-idx"), ("s3://b/photos", "s3://b"), ("{}/ph", "file://{}/idx"),
    ("file://{}/ph", "s3://b/ph"), ("file://{}/ph", "{}/idx"),
])  # fmt: skip
def test_an_index_beside_the_image_folder_is_fine(tmp_path, folder, index):
    index = index.format(tmp_path)
    assert store_root(folder.format(tmp_path), index).startswith(f"{index}/")


def test_indexes_are_listed_with_folder_and_size_and_can_be_removed(tmp_path):
    root = tmp_path / "root"
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        directory = index_directory(str(tmp_path / name), root)
        directory.mkdir(parents=True)
        remember_folder(directory, str(tmp_path / name))
        (directory / "spaces").mkdir()
        (directory / "spaces" / "data").write_bytes(bytes(1000))
    (root / "unrelated").mkdir()
    (tmp_path / "b").rmdir()
    found = list_indexes(root)
    assert [one.folder for one in found] == [os.path.realpath(tmp_path / n) for n in ("a", "b")]
    assert [one.orphaned for one in found] == [False, True]
    assert all(1000 < one.size_bytes < 1300 for one in found)
    remove_index(found[0])
    assert [one.folder for one in list_indexes(root)] == [found[1].folder]
    assert (root / "unrelated").is_dir()
    assert (tmp_path / "a").is_dir()


def test_a_basket_that_holds_images_stays_when_its_index_is_removed(tmp_path):
    root = tmp_path / "root"
    directory = index_directory(str(tmp_path / "photos"), root)
    for basket in (b'["a.jpg"]', b"[]"):
        (directory / "spaces").mkdir(parents=True)
        remember_folder(directory, str(tmp_path / "photos"))
        (directory / "catalogue.sqlite").write_bytes(b"x")
        (directory / "basket.json").write_bytes(basket)
        stayed = remove_index(list_indexes(root)[0])
        assert stayed == ((directory / "basket.json",) if b"a" in basket else ())
    assert list_indexes(root) == []


@pytest.mark.parametrize("filled_again", [2, 1000])
def test_an_index_that_another_command_writes_to_is_removed_or_that_is_told(
    filled_again, tmp_path, monkeypatch
):
    root = tmp_path / "root"
    directory = index_directory(str(tmp_path / "photos"), root)
    directory.mkdir(parents=True)
    remember_folder(directory, str(tmp_path / "photos"))
    left, remove = [filled_again], os.rmdir

    def filled(path, **others):
        if left[0]:
            left[0] -= 1
            raise OSError(errno.ENOTEMPTY, "Directory not empty", path)
        remove(path, **others)

    monkeypatch.setattr(os, "rmdir", filled)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    (index,) = list_indexes(root)
    if filled_again == 2:
        remove_index(index)
        assert not directory.exists()
    else:
        with pytest.raises(CatalogueError, match="another command writes"):
            remove_index(index)


def test_a_killed_writer_leaves_the_name_of_the_image_folder_as_it_was(tmp_path, monkeypatch):
    (directory := tmp_path / "root" / "index").mkdir(parents=True)
    remember_folder(directory, "/first")

    def killed(_temporary, _target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        remember_folder(directory, "/second")
    assert [index.folder for index in list_indexes(tmp_path / "root")] == ["/first"]


def test_there_are_no_indexes_where_there_is_no_folder(tmp_path):
    assert list_indexes(tmp_path / "nowhere") == []
