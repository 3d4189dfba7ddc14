"""Writing files: complete or not at all, never over the user's."""

import os

import pytest

from imgbatch.errors import OutputError
from imgbatch.files.atomic import (
    move_file,
    publishing,
    replacing,
    replacing_folder,
    write_bytes,
)
from imgbatch.files.paths import read

posix = pytest.mark.skipif(os.name != "posix", reason="needs links or POSIX permissions")


def test_the_target_appears_whole_when_the_block_ends(tmp_path):
    target = tmp_path / "new" / "a.txt"
    with replacing(target) as temporary:
        temporary.write_text("half")
        assert not target.exists()
        assert temporary.parent == target.parent
        assert temporary.suffix == ".txt"
    assert target.read_text() == "half"
    assert os.listdir(target.parent) == ["a.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_no_litter(tmp_path, error):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(error), replacing(target) as temporary:  # noqa: PT012 - both lines matter
        temporary.write_text("new")
        raise error
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_that_cannot_be_replaced_is_put_back(tmp_path):
    target = tmp_path / "plan"
    target.mkdir()
    (target / "a").write_text("old")
    with pytest.raises(OutputError), replacing_folder(target, lambda _: {"a"}) as made:
        made.rmdir()  # so that only the second of the two renames fails
    assert (target / "a").read_text() == "old"
    assert os.listdir(tmp_path) == ["plan"]


@posix
def test_others_may_read_what_is_written(tmp_path):
    old = os.umask(0o022)
    try:
        with replacing(tmp_path / "a") as temporary:
            temporary.write_text("x")
    finally:
        os.umask(old)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


def test_a_place_that_cannot_be_written_is_an_output_error_that_names_it(tmp_path):
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(OutputError, match=r"cannot write .*file"),
        replacing(tmp_path / "file" / "a.png"),
    ):
        pytest.fail("the block must not be entered")


def test_a_folder_in_the_targets_place_is_an_output_error(tmp_path):
    (tmp_path / "a.png" / "sub").mkdir(parents=True)
    with pytest.raises(OutputError), replacing(tmp_path / "a.png") as temporary:
        temporary.write_text("x")
    assert os.listdir(tmp_path) == ["a.png"]


@posix
def test_bytes_written_at_once_are_readable_by_others_and_leave_no_litter(tmp_path):
    old = os.umask(0o022)
    try:
        write_bytes(tmp_path / "new" / "a.parquet", b"data")
    finally:
        os.umask(old)
    assert (tmp_path / "new" / "a.parquet").read_bytes() == b"data"
    assert (tmp_path / "new" / "a.parquet").stat().st_mode & 0o777 == 0o644
    assert os.listdir(tmp_path / "new") == ["a.parquet"]


def test_bytes_that_cannot_be_written_leave_the_old_file_and_no_litter(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"old")

    def write_half(file, data):
        with file.open("wb") as writer:
            writer.write(data[:2])
        assert file.name.endswith(".tmp"), "no reader takes what is being written for a shard"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", write_half)
    with pytest.raises(OSError, match="No space left"):
        write_bytes(tmp_path / "a", b"new and longer")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_of_the_published_directories_the_newest_are_kept(tmp_path):
    for number in range(5):
        with publishing(tmp_path / "spaces" / str(number), kept=2) as made:
            (made / "points").write_text(str(number))
            assert not (tmp_path / "spaces" / str(number)).exists()
        os.utime(tmp_path / "spaces" / str(number), (number, number))
    assert sorted(os.listdir(tmp_path / "spaces")) == ["3", "4"]
    assert (tmp_path / "spaces" / "4" / "points").read_text() == "4"


def test_a_directory_that_another_process_published_first_stays(tmp_path):
    target = tmp_path / "spaces" / "a"
    with pytest.raises(OSError), publishing(target, kept=2) as made:  # noqa: PT012
        (made / "points").write_text("late")
        target.mkdir()
        (target / "points").write_text("first")
    assert (target / "points").read_text() == "first"
    assert os.listdir(target.parent) == ["a"]


@pytest.mark.parametrize("root", ["{}/store", "file://{}/store", "memory://{}/store"])
def test_bytes_and_finished_files_reach_paths_and_urls(tmp_path, root):
    pytest.importorskip("fsspec")
    root = root.format(tmp_path)
    write_bytes(f"{root}/a/b", b"bytes")
    assert read(f"{root}/a/b") == b"bytes"
    (tmp_path / "made").write_bytes(b"moved")
    move_file(tmp_path / "made", f"{root}/a/c")
    assert read(f"{root}/a/c") == b"moved"


def test_a_folder_is_written_where_its_parents_are_missing(tmp_path):
    target = tmp_path / "a" / "b" / "plan"
    with replacing_folder(target, lambda _: ()) as temporary:
        (temporary / "x.txt").write_text("x")
    assert [file.name for file in target.iterdir()] == ["x.txt"]
