"""Finding image files."""

import os
import sys
from pathlib import Path

import pytest

from imgbatch.errors import FolderError
from imgbatch.images import formats
from imgbatch.images.scan import scan

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX file names, links or devices")


def touch(folder: Path, *names: str) -> None:
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"x")


def paths_in(folder: Path) -> list[str]:
    return [file.path for file in scan(folder)[0]]


@pytest.mark.parametrize(
    "name",
    ["a.jpg", "a.JPG", "a.jpeg", "a.JpEg", "a.png", "a.PNG", "a.webp", "a.bmp", "a.tif", "a.TIFF",
     "a.gif", "sub/deep/er/a.jpg", "with space.jpg", "ümlaut-画像.png", "[bold]x[/bold].jpg",
     "-n.jpg", "a.b.c.jpg", "a.avif", "a.jp2", "a.J2K", "a.ppm", "a.pgm", "a.pbm", "a.jfif",
     "without_ending", "jpg", "ending with a dot."],
)  # fmt: skip
def test_image_endings_and_names_without_one_are_found_in_any_case_and_any_subfolder(
    tmp_path, name
):
    touch(tmp_path, name)
    assert paths_in(tmp_path) == [name]


@pytest.mark.parametrize(
    "name",
    ["notes.txt", ".jpg", ".hidden.jpg", ".git/a.jpg", "sub/.cache/a.png", "Thumbs.db",
     "a.jpg.part", "a.svg", "._a.jpg", ".DS_Store"],
)  # fmt: skip
def test_hidden_files_and_other_endings_are_ignored(tmp_path, name):
    touch(tmp_path, name)
    found = scan(tmp_path)
    assert (found.files, found.skipped) == ([], [])


def test_files_of_other_kinds_are_counted_by_ending_and_hidden_ones_are_not(tmp_path):
    touch(tmp_path, "a.MP4", "sub/b.mp4", "c.svg", ".d.mp4", "sub/.git/e.mp4", "f.jpg", "g.")
    found = scan(tmp_path)
    assert found.ignored == {".mp4": 2, ".svg": 1}
    assert [file.path for file in found.files] == ["f.jpg", "g."]


def test_heic_is_listed_only_where_its_decoder_is_installed(tmp_path, monkeypatch):
    touch(tmp_path, "a.heic", "b.HIF")
    monkeypatch.setattr(formats, "reads_heif", lambda: False)
    assert scan(tmp_path)[::2] == ([], {".heic": 1, ".hif": 1})
    monkeypatch.setattr(formats, "reads_heif", lambda: True)
    assert paths_in(tmp_path) == ["a.heic", "b.HIF"]


def test_files_come_sorted_by_path_with_size_and_time(tmp_path):
    touch(tmp_path, "b.jpg", "a/z.jpg", "a.jpg")
    (tmp_path / "b.jpg").write_bytes(b"12345")
    os.utime(tmp_path / "b.jpg", ns=(1, 1_600_000_000_123_456_700))
    files, *_ = scan(tmp_path)
    assert [file.path for file in files] == ["a.jpg", "a/z.jpg", "b.jpg"]
    assert (files[2].size, files[2].mtime_ns) == (5, 1_600_000_000_123_456_700)


@posix
@pytest.mark.parametrize("name", ["new\nline.jpg", "tab\t.png", "quote'\".jpg", "back\\slash.jpg"])
def test_names_with_control_characters_are_found(tmp_path, name):
    touch(tmp_path, name)
    assert paths_in(tmp_path) == [name]


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the file system must take any byte"
)
def test_names_that_are_not_utf8_are_found_and_lead_back_to_the_file(tmp_path):
    name = b"caf\xe9.jpg"
    with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
        file.write(b"x")
    (path,) = paths_in(tmp_path)
    assert os.fsencode(path) == name


@posix
def test_a_link_to_a_file_is_followed(tmp_path):
    touch(tmp_path, "in/a.jpg", "elsewhere/b.jpg")
    (tmp_path / "in" / "link.jpg").symlink_to(tmp_path / "elsewhere" / "b.jpg")
    assert paths_in(tmp_path / "in") == ["a.jpg", "link.jpg"]


@posix
def test_a_link_to_a_folder_is_entered_once(tmp_path):
    touch(tmp_path, "in/sub/a.jpg", "out/b.jpg")
    for name in ("one", "two"):
        (tmp_path / "in" / name).symlink_to(tmp_path / "out")
    (tmp_path / "in" / "again").symlink_to(tmp_path / "in" / "sub")
    assert paths_in(tmp_path / "in") == ["one/b.jpg", "sub/a.jpg"]


@posix
def test_a_link_to_a_folder_above_does_no_harm(tmp_path):
    touch(tmp_path, "in/sub/a.jpg")
    (tmp_path / "in" / "sub" / "up").symlink_to(tmp_path / "in")
    assert paths_in(tmp_path / "in") == ["sub/a.jpg"]


@posix
@pytest.mark.parametrize("name", ["loop.jpg", "loop"])
def test_a_link_to_itself_does_no_harm(tmp_path, name):
    touch(tmp_path, "a.jpg")
    (tmp_path / name).symlink_to(name)
    files, skipped, _ = scan(tmp_path)
    assert [file.path for file in files] == ["a.jpg"]
    assert "loop.jpg" not in name or [file.path for file in skipped] == [name]


@posix
def test_a_dangling_link_is_reported(tmp_path):
    touch(tmp_path, "a.jpg")
    (tmp_path / "gone.jpg").symlink_to("nowhere.jpg")
    files, skipped, _ = scan(tmp_path)
    assert [file.path for file in files] == ["a.jpg"]
    assert [(file.path, file.reason) for file in skipped] == [("gone.jpg", "dangling link")]


@posix
def test_a_pipe_named_like_an_image_is_reported_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    files, skipped, _ = scan(tmp_path)
    assert files == []
    assert [(file.path, file.reason) for file in skipped] == [("pipe.jpg", "not a regular file")]


@posix
@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may read any folder")
def test_a_closed_subfolder_is_reported(tmp_path):
    touch(tmp_path, "a.jpg", "closed/b.jpg")
    (tmp_path / "closed").chmod(0)
    try:
        files, skipped, _ = scan(tmp_path)
    finally:
        (tmp_path / "closed").chmod(0o700)
    assert [file.path for file in files] == ["a.jpg"]
    assert [file.path for file in skipped] == ["closed"]


def test_a_folder_named_like_an_image_is_entered(tmp_path):
    touch(tmp_path, "album.jpg/a.png")
    assert paths_in(tmp_path) == ["album.jpg/a.png"]


def test_a_missing_folder_is_an_error_that_names_it(tmp_path):
    with pytest.raises(FolderError, match=r"folder not found: .*missing"):
        scan(tmp_path / "missing")


def test_a_file_given_for_a_folder_is_an_error(tmp_path):
    touch(tmp_path, "a.jpg")
    with pytest.raises(FolderError, match=r"not a folder: .*a\.jpg"):
        scan(tmp_path / "a.jpg")


def test_an_empty_folder_gives_nothing(tmp_path):
    assert scan(tmp_path) == ([], [], {})
