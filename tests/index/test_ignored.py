"""Files that are no images: counted by ending, told in a line, never read again."""

import pytest

import imgbatch
from imgbatch.errors import FolderError
from imgbatch.images import formats
from imgbatch.index import extract
from imgbatch.index.ignored import OTHERS, ignored_notes, split_ignored
from imgbatch.types import Skipped
from tests.drawing import encode, jpeg, photo, png, settle


@pytest.fixture
def mixed(photos):
    """Twelve photos, more in other formats, and files of every other kind."""
    for name, form in (
        ("a.avif", "AVIF"),
        ("b.jp2", "JPEG2000"),
        ("c.ppm", "PPM"),
        ("d.jfif", "JPEG"),
    ):
        (photos / name).write_bytes(encode(photo(len(name)), form))
    (photos / "unnamed").write_bytes(png(photo(30)))
    for name in ("README", "clip.mp4", "sub.mp4", "metadata.csv", "a.txt", ".hidden", ".b.mp4"):
        (photos / name).write_bytes(b"file_name,label\n")
    (photos / "bad.jpg").write_bytes(b"no image")
    settle(photos)
    return photos


@pytest.mark.parametrize("cluster", [None, "local"])
def test_a_mixed_folder_says_what_is_read_skipped_and_ignored(mixed, tmp_path, cluster):
    album = imgbatch.load(mixed, index=tmp_path / "index", cluster=cluster)
    inside = {record.path for record in album.records}
    assert {"a.avif", "b.jp2", "c.ppm", "d.jfif", "unnamed"} <= inside
    assert len(album) == 17
    assert [file.path for file in album.skipped] == ["bad.jpg"]
    assert album.ignored == {".mp4": 2, "": 1}
    assert "2 .mp4, 1 without an ending ignored: no images" in album.notes


def test_a_warm_request_opens_no_file_and_says_the_same(mixed, tmp_path, monkeypatch):
    first = imgbatch.load(mixed, index=tmp_path / "index")
    opened = []
    monkeypatch.setattr(extract, "read_regular", lambda path, *_, **__: opened.append(path))
    again = imgbatch.load(mixed, index=tmp_path / "index")
    assert opened == []
    assert (again.report.read, again.ignored, again.skipped) == (0, first.ignored, first.skipped)


def test_of_a_file_without_an_ending_only_the_first_bytes_are_read(photos, tmp_path):
    with (photos / "disk").open("wb") as file:
        file.truncate(10**12)  # holds no blocks
    album = imgbatch.load(photos, index=tmp_path / "index")
    assert (album.ignored, album.skipped) == ({"": 1}, [])


def test_a_file_without_an_ending_that_becomes_an_image_is_found(photos, tmp_path):
    (photos / "x").write_bytes(b"not yet")
    assert len(imgbatch.load(photos, index=tmp_path / "index")) == 12
    (photos / "x").write_bytes(jpeg(photo(40)))
    album = imgbatch.load(photos, index=tmp_path / "index")
    assert (len(album), album.ignored) == (13, {})


def test_unreadable_files_are_read_once_more_when_formats_are_added(photos, tmp_path, monkeypatch):
    (photos / "x.jpg").write_bytes(b"no image")
    settle(photos)
    monkeypatch.setattr(formats, "FORMATS_VERSION", 1)
    imgbatch.load(photos, index=tmp_path / "index")
    monkeypatch.setattr(formats, "FORMATS_VERSION", 2)
    assert imgbatch.load(photos, index=tmp_path / "index").report.read == 1
    assert imgbatch.load(photos, index=tmp_path / "index").report.read == 0


def test_a_folder_of_other_files_alone_says_what_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "reads_heif", lambda: False)
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.heic", "b.heic", "c.mov"):
        (folder / name).write_bytes(b"x")
    with pytest.raises(
        FolderError, match=r"2 \.heic ignored: pip install 'imgbatch\[heic\]'; 1 \.mov"
    ):
        imgbatch.load(folder, index=tmp_path / "index")


def test_the_commands_tell_it_in_json_and_on_standard_error(cli, mixed, tmp_path):
    for command in (
        ["similar", mixed, "--no-sheet"],
        ["index", mixed],
        ["batches", mixed, "--batch-size", "4"],
    ):
        answer = cli(*command, "--json", "--index", tmp_path / "index")
        assert answer.json["ignored"] == {".mp4": 2, "": 1}, command
        assert "note: 2 .mp4, 1 without an ending ignored: no images" in answer.err


def test_only_unreadable_files_with_an_ending_are_skipped():
    files = [
        Skipped("b", formats.NO_IMAGE),
        Skipped("c", "damaged"),
        Skipped("a.jpg", formats.NO_IMAGE),
    ]
    assert split_ignored(files, {}) == ([files[2], files[1]], {"": 1})


def test_of_very_many_endings_the_most_frequent_are_kept_and_no_file_is_lost():
    ignored = {f".{number:04}": 1 + (number == 777) for number in range(1000)}
    _, told = split_ignored([], ignored)
    assert (len(told), next(iter(told)), sum(told.values())) == (101, ".0777", 1001)
    assert told[OTHERS] == 900
    (line,) = ignored_notes(told)
    assert line.startswith("2 .0777, 1 .0000, ")
    assert "994 of other endings" in line
