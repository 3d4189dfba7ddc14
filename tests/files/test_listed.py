"""Lists of files."""

import ntpath
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgbatch.errors import FolderError, UsageError
from imgbatch.files.listed import ListedFiles, split_names
from imgbatch.files.paths import common_folder

NAMES = st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=9)


@given(NAMES)
def test_names_of_any_bytes_come_back_from_between_nuls(names):
    names = [name.replace(b"\0", b"x") for name in names]
    found = split_names(b"\0".join(names) + b"\0", null=True)
    assert [os.fsencode(name) for name in found] == names


def test_lines_may_lack_the_last_newline_and_empty_ones_are_no_names():
    assert split_names(b"\na b\n\n\nc\r", null=False) == ["a b", "c\r"]


def test_lines_of_windows_end_in_two_characters():
    found = split_names(b"a b\r\nc\r\n\r\n", null=False, line_end="\r\n")
    assert found == ["a b", "c"]


def test_files_of_several_drives_are_one_clear_error(monkeypatch):
    monkeypatch.setattr(os.path, "commonpath", ntpath.commonpath)
    monkeypatch.setattr(os.path, "splitdrive", ntpath.splitdrive)
    with pytest.raises(UsageError, match="several drives, C:, D:"):
        common_folder(["C:\\photos", "D:\\more"])


@given(
    st.lists(st.lists(st.sampled_from(["a", "b", "é", "x y"]), min_size=1, max_size=4), min_size=1)
)
def test_every_file_lies_in_the_folder_under_its_name_and_no_deeper_folder_holds_them_all(parts):
    files = ["/nowhere/" + "/".join(each) for each in parts]
    listed = ListedFiles.of(files)
    assert {f"{listed.folder}/{inside}" for inside in listed.inside} == set(files)
    assert list(listed.inside) == sorted(set(listed.inside), key=os.fsencode)
    assert listed.given == len(files)
    first = {inside.split("/")[0] for inside in listed.inside}
    assert len(first) > 1 or "/" not in min(listed.inside, key=len)


def test_a_folder_in_the_list_does_not_make_its_parent_the_folder(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    listed = ListedFiles.of([".", "./sub", "./sub/a.jpg", "b.jpg"])
    assert (listed.folder, listed.inside) == (str(tmp_path), (".", "b.jpg", "sub", "sub/a.jpg"))


@pytest.mark.parametrize(("files", "error"), [
    ([], FolderError), (["a.jpg", ""], FolderError), (["a\0.jpg"], FolderError),
    (["s3://bucket/a.jpg"], UsageError),
])  # fmt: skip
def test_lists_that_name_no_files_are_refused(files, error):
    with pytest.raises(error, match="the list of files"):
        ListedFiles.of(files)
