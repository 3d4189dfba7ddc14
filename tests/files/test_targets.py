"""What is known of a target before the work."""

import os
import re
from pathlib import Path

import pytest

from imgbatch.errors import OutputError
from imgbatch.files.atomic import replacing, replacing_folder
from imgbatch.files.handout import hand_out
from imgbatch.files.targets import check_file, check_folder

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX files")


@pytest.fixture
def place(tmp_path):
    """A folder with a file, a folder, a pipe and links in it."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    if os.name == "posix":
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "dangling").symlink_to("nowhere")
        (tmp_path / "loop").symlink_to("loop")
    return tmp_path


@pytest.mark.parametrize("check", [check_file, check_folder])
@pytest.mark.parametrize("name", ["new", "new/sub/a.png", "../beside"])
def test_a_place_that_can_be_written_passes_and_nothing_is_made(place, check, name):
    before = sorted(place.rglob("*"))
    check(place / name)
    assert sorted(place.rglob("*")) == before


EITHER = [
    ("file/a.png", "file is not a folder"), ("file/sub/a.png", "file is not a folder"),
    ("n" * 300, "name too long"), ("new/" + "n" * 300 + "/a.png", "name too long"),
    ("/".join(["n" * 200] * 30), "name too long"), ("a\0b", "NUL"),
]  # fmt: skip
EITHER_OF_POSIX = [("loop/a.png", "leads nowhere"), ("dangling/a.png", "leads nowhere")]
FILE = [("folder", "a folder stands there")]
FILE_OF_POSIX = [
    ("pipe", "no regular file"), ("/dev/null", "no regular file"),
    ("/dev/imgbatch.png", "no place for files"),
]  # fmt: skip
FOLDER = [("file", "is not a folder")]
FOLDER_OF_POSIX = [("pipe", "is not a folder"), ("dangling", "leads nowhere")]
REFUSED = [
    *((check_file, *each) for each in EITHER + FILE),
    *((check_folder, *each) for each in EITHER + FOLDER),
    *(pytest.param(check_file, *each, marks=posix) for each in EITHER_OF_POSIX + FILE_OF_POSIX),
    *(pytest.param(check_folder, *each, marks=posix) for each in EITHER_OF_POSIX + FOLDER_OF_POSIX),
]


@pytest.mark.parametrize(("check", "name", "reason"), REFUSED)
def test_a_place_that_cannot_be_written_is_named_with_the_reason(place, check, name, reason):
    before = sorted(place.rglob("*"))
    with pytest.raises(OutputError, match=re.escape(reason)) as raised:
        check(place / name)
    assert raised.value.message.startswith(f"cannot write {place / name}")
    assert sorted(place.rglob("*")) == before


@posix
@pytest.mark.parametrize("name", ["pipe", "/dev/null"])
def test_a_pipe_or_device_is_never_replaced(place, name):
    mode = os.stat(place / name).st_mode
    with pytest.raises(OutputError, match="no regular file"), replacing(place / name):
        pytest.fail("the block must not be entered")
    assert os.stat(place / name).st_mode == mode


def test_no_folder_is_made_on_the_way_to_a_place_elsewhere(tmp_path, monkeypatch):
    """As `refuse_inside` reads it, this path does not lead into `photos`."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "a.jpg").write_bytes(b"a")
    way = tmp_path / "photos" / "new" / ".." / ".."
    with replacing(way / "a.txt") as temporary:
        temporary.write_text("x")
    with replacing_folder(way / "plan", lambda _: ()) as folder:
        (folder / "b.txt").write_text("x")
    (made,) = hand_out([str(tmp_path / "a.jpg")], way / "out", link=False).files
    assert made.name == "01-a.jpg"
    assert (tmp_path / "a.txt").is_file()
    assert (tmp_path / "plan" / "b.txt").is_file()
    assert (tmp_path / "out" / "01-a.jpg").is_file()
    assert list(Path(tmp_path / "photos").iterdir()) == []
