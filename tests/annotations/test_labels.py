import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgbatch.annotations.labels import (
    UNLABELLED,
    Labels,
    class_numbers,
    find_labels,
    labels_of,
)
from imgbatch.annotations.metadata import Metadata
from imgbatch.annotations.source import MetadataSource
from imgbatch.errors import LabelError
from imgbatch.index.records import Records
from imgbatch.types import ImageRecord


def records(*paths: str) -> list[ImageRecord]:
    return [ImageRecord(path, 10, 10) for path in paths]


def of_folders(*paths: str) -> Labels:
    packed = Records.pack((os.fsencode(path), 10, 10, "") for path in paths)
    return labels_of(Metadata.of(packed, MetadataSource("/photos")))


def test_without_a_file_the_first_level_subfolder_is_the_class():
    found = of_folders("a/1.jpg", "a/deep/2.jpg", "b/3.jpg")
    assert found.names == ("a", "a", "b")
    assert found.classes == ["a", "b"]
    assert found.notes == ()


def test_a_single_top_folder_is_no_class():
    assert of_folders("all/1.jpg", "all/b/2.jpg").names == ("", "")


def test_images_beside_the_class_folders_have_no_label_and_are_counted():
    found = of_folders("2.jpg", "a/1.jpg")
    assert found.names == ("", "a")
    assert "1 of 2 images have no label" in found.notes[0]


def test_a_file_names_paths_relative_to_the_folder_or_absolute(tmp_path: Path):
    folder = str(tmp_path / "photos")
    file = tmp_path / "labels.csv"
    file.write_text(
        f"label,path,extra\ncat,./a/1.jpg,x\ndog,{folder}/a/2.jpg,\n", encoding="utf-8-sig"
    )
    found = find_labels(records("a/1.jpg", "a/2.jpg"), folder, file)
    assert found.names == ("cat", "dog")


def test_a_label_may_hold_commas_and_umlauts(tmp_path: Path):
    file = tmp_path / "labels.csv"
    file.write_text('path,label\n1.jpg,"Möbel, alt"\n2.jpg,neu\n', encoding="utf-8")
    assert find_labels(records("1.jpg", "2.jpg"), "/p", file).names == ("Möbel, alt", "neu")


def test_paths_that_are_not_in_the_folder_are_counted_in_a_note(tmp_path: Path):
    file = tmp_path / "labels.csv"
    file.write_text("path,label\n1.jpg,a\ngone.jpg,b\n")
    found = find_labels(records("1.jpg"), "/p", file)
    assert "rows that name no readable image of the folder: 1" in found.notes[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,class\n1.jpg,a\n", "columns file, class"),
        ("", "columns none"),
        ("path,label\n1.jpg,a\n1.jpg,b\n", "line 3"),
        ("path,label\nother.jpg,a\n", "names none of the 1 images"),
        ("path,label\n", "names none of the 1 images"),
        ("path,label\na\x1b[31mb,x\n", r"its first path: a\\x1b\[31mb"),
    ],
)
def test_a_file_that_does_not_fit_says_what_is_wrong(tmp_path: Path, text: str, words: str):
    file = tmp_path / "labels.csv"
    file.write_text(text)
    with pytest.raises(LabelError, match=words) as raised:
        find_labels(records("1.jpg"), "/p", file)
    assert raised.value.hint
    assert raised.value.exit_code == 2


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(LabelError, match=r"none\.csv"):
        find_labels(records("1.jpg"), "/p", tmp_path / "none.csv")


@given(st.lists(st.sampled_from(["", "a", "b", "B", "ü", " "])))
def test_class_numbers_are_positions_in_the_sorted_names_and_minus_1_without_a_label(names):
    classes = sorted({name for name in names if name})
    naive = [classes.index(name) if name else UNLABELLED for name in names]
    numbers = class_numbers(names)
    assert numbers.tolist() == naive
    assert numbers.dtype == np.int64
    assert UNLABELLED == -1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('path,label\n1.jpg,a\n"2.jpg,b\n3.jpg,c\n', 3),
        ('path,label\n"1.jpg"x,a\n', 2),
        ('path,"label\n1.jpg,a\n', 1),
        ('path,label\n1.jpg,"a\n' + "2.jpg,b\n" * 100_000, 2),
    ],
)
def test_a_quote_that_is_not_closed_is_refused_with_its_line(tmp_path: Path, text: str, line: int):
    file = tmp_path / "labels.csv"
    file.write_text(text)
    with pytest.raises(LabelError, match=rf"labels\.csv cannot be read: line {line}: ") as raised:
        find_labels(records("1.jpg", "2.jpg"), "/p", file)
    assert "quote" in raised.value.hint


def test_quotes_and_line_ends_inside_quotes_are_part_of_a_name(tmp_path: Path):
    file = tmp_path / "labels.csv"
    file.write_text('path,label\n"a ""b"".jpg","x\ny"\n2.jpg, "z"\n', newline="")
    found = find_labels(records('a "b".jpg', "2.jpg"), "/p", file)
    assert found.names == ("x\ny", "z")


@pytest.mark.skipif(os.name != "posix", reason="needs pipes and devices")
@pytest.mark.parametrize("name", ["pipe", "/dev/zero", "folder"])
def test_labels_are_read_from_a_regular_file_alone(tmp_path: Path, name: str):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with pytest.raises(LabelError, match=r"cannot be read: (not a regular file|Is a directory)"):
        find_labels(records("1.jpg"), "/p", tmp_path / name)
