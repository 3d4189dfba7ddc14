"""`load` and the metadata it is given; the rest of `load` is tested in test_collection.py."""

import subprocess
import sys

import pytest

import imgbatch
from imgbatch.errors import LabelError, UsageError
from tests.commands import environment


@pytest.fixture
def tables(tmp_path):
    (tmp_path / "one.csv").write_text("file_name,label,text\nimage000.jpg,cat,a cat\n")
    (tmp_path / "two.csv").write_text("file_name,label\nimage000.jpg,dog\nimage001.jpg,cow\n")
    return tmp_path / "one.csv", tmp_path / "two.csv"


def test_one_file_may_be_given_or_several_of_which_later_ones_win(photos, tables):
    one, two = tables
    assert imgbatch.load(photos, metadata=one).labels[:2] == ("cat", "")
    both = imgbatch.load(photos, metadata=[str(one), two])
    assert both.labels[:3] == ("dog", "cow", "")
    assert both.texts[0] == ("a cat",)
    assert any("values that a later file replaces by others: 1" in note for note in both.notes)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "words"),
    [("none.csv", "No such file"), ("", "cannot be read"), (".", "Is a directory|regular file"),
     ("a\0b.csv", "null")],
)  # fmt: skip
def test_what_is_no_file_is_refused_before_an_image_is_read(photos, tmp_path, name, words):
    with pytest.raises(LabelError, match=words):
        imgbatch.load(photos, index=tmp_path / "index", metadata=name)
    assert not (tmp_path / "index").exists()


def test_images_without_a_row_are_those_that_no_file_names(photos, tables):
    one, two = tables
    notes = imgbatch.load(photos, metadata=[one, two]).notes
    assert any("images without a row: 10" in note for note in notes)


def test_a_url_is_no_metadata_file(photos):
    with pytest.raises(UsageError, match="is a URL"):
        imgbatch.load(photos, metadata="https://example.org/labels.csv")


def test_predictions_count_only_if_they_are_trusted(photos, tmp_path):
    (tmp_path / "p.csv").write_text(
        "file_name,label,source\nimage000.jpg,cat,imgbatch\nimage001.jpg,dog,me\n"
    )
    doubted = imgbatch.load(photos, metadata=tmp_path / "p.csv")
    trusted = imgbatch.load(photos, metadata=tmp_path / "p.csv", trust_predicted=True)
    assert doubted.labels[:2] == ("", "dog")
    assert any("1 rows with source=imgbatch are left out" in note for note in doubted.notes)
    assert trusted.labels[:2] == ("cat", "dog")


def test_a_folder_without_metadata_imports_no_reader(indexed):
    """A warm request pays for each module."""
    code = f"""
import sys, imgbatch
photos = imgbatch.load({str(indexed.folder)!r}, index={str(indexed.index)!r})
photos.similar(3, seed=1)
print([name for name in sys.modules if name.startswith("imgbatch.annotations.")])
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "['imgbatch.annotations.source', 'imgbatch.annotations.metadata']"
