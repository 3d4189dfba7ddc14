"""Collections of listed files: a part of their folder's index."""

import pytest

import imgbatch
from imgbatch.errors import FolderError, UsageError
from tests.drawing import jpeg, photo, settle


@pytest.fixture
def load(tmp_path):
    return lambda files, **options: imgbatch.load(files, index=tmp_path / "index", **options)


def test_only_the_listed_images_are_read_and_chosen_from(photos, load):
    files = [photos / f"image{number:03}.jpg" for number in (3, 5, 8)]
    album = load(files)
    assert (album.folder, album.report.read) == (str(photos), 3)
    assert album.paths == [str(file) for file in files]
    assert {image.path for image in album.similar(3, seed=1).images} == set(album.paths)
    assert album.notes[1:] == ()


def test_what_the_index_holds_of_others_stays_and_serves_later(photos, load):
    assert load(photos).report.read == 12
    (photos / "image011.jpg").unlink()
    few = load([photos / "image001.jpg", photos / "image002.jpg"])
    assert (few.report.read, few.report.removed) == (0, 0)
    whole = load(photos)
    assert (len(whole), whole.report.read, whole.report.removed) == (11, 0, 1)


def test_a_list_of_all_files_does_not_hide_from_the_folder_what_is_gone(photos, load):
    load(photos)
    (photos / "image011.jpg").unlink()
    rest = sorted(photos.glob("*.jpg"))
    assert [len(load(rest)) for _ in range(2)] == [11, 11]
    assert len(load(photos)) == 11


def test_points_of_listed_images_are_those_of_the_whole_folder(photos, load):
    whole, files = load(photos), [photos / f"image{number:03}.jpg" for number in (2, 7)]
    few = load(files)
    assert (few.points == whole.points[[2, 7]]).all()
    assert few.is_filtered
    assert "only 2 of the 12 readable images" in few.holding
    assert few.holding.endswith("are listed")


def test_new_and_changed_files_of_the_list_are_read(photos, load):
    files = [photos / "image001.jpg", photos / "new.jpg"]
    load(photos)
    files[1].write_bytes(jpeg(photo(77)))
    files[0].write_bytes(jpeg(photo(78)))
    settle(photos)
    assert load(files).report.read == 2


def test_other_settings_complete_the_images_that_are_not_listed_too(photos, load):
    load(photos)
    few = load([photos / "image001.jpg", photos / "image002.jpg"], emphasis="extended")
    assert (few.report.read, len(few), few.points.shape[0]) == (12, 2, 2)


def test_what_is_no_image_is_counted_and_what_is_not_listed_is_not(photos, load):
    for name in ("bad.jpg", "worse.jpg", "README", "notes.md"):
        (photos / name).write_bytes(b"no image")
    load(photos)
    listed = [photos / name for name in ("image001.jpg", "bad.jpg", "gone.jpg", "image001.jpg", "")]
    album = load(listed)
    assert album.notes[-1] == (
        "of 5 listed files 1 are images: 1 not there, 2 no readable image, 1 named before"
    )
    assert [file.path for file in album.skipped] == [".", "bad.jpg", "gone.jpg"]
    assert album.ignored == {}


def test_a_list_without_an_image_and_one_on_a_cluster_are_refused(photos, load):
    with pytest.raises(FolderError, match="there is no such file"):
        load([photos / "gone.jpg"])
    with pytest.raises(UsageError, match="a list of files was given with `cluster`"):
        load([photos / "image001.jpg"], cluster="local")


def test_a_file_of_any_ending_is_judged_by_its_content_if_it_is_listed(photos, load):
    (photos / "a.dat").write_bytes(jpeg(photo(50)))
    (photos / ".hidden").write_bytes(jpeg(photo(51)))
    assert len(load([photos / "a.dat", photos / ".hidden"])) == 2
