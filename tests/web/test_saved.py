"""The table of labels and tags that are given on the page."""

import csv
import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgbatch.errors import LabelError
from imgbatch.web.saved import Saved
from imgbatch.web.turns import Turns

NAMES = ("x.jpg", " x.jpg", "y,.jpg", "z\r.jpg", "caf\udce9.jpg")
CELLS = st.dictionaries(
    st.sampled_from(["label", "tags", "split"]), st.sampled_from(["", "a", "b,\n"])
)
CHANGES = st.lists(st.dictionaries(st.sampled_from([*NAMES]), CELLS))


def saved_in(folder):
    return Saved(folder / "saved.csv", Turns(folder / "turns.sqlite"))


def rows_of(file):
    with file.open(encoding="utf-8", errors="surrogateescape", newline="") as opened:
        return {row.pop("file_name"): row for row in csv.DictReader(opened)}


@given(changes=CHANGES)
def test_the_file_says_what_was_given_last_and_counts_follow(tmp_path_factory, changes):
    folder = tmp_path_factory.mktemp("saved")
    saved, told = saved_in(folder), {}
    for change in changes:
        saved.give(change)
        for path, cells in change.items():
            told[path] = told.get(path, {}) | cells
    said = {path: cells for path, cells in told.items() if any(cells.values())}
    again = saved_in(folder)
    for one in (saved, again):
        for path in NAMES:
            for column in ("label", "tags", "split"):
                assert one.of(path, column) == told.get(path, {}).get(column, "")
        labels = [cells["label"] for cells in said.values() if cells.get("label")]
        assert one.labels == {label: labels.count(label) for label in labels}
        assert one.has("tags") == any(cells.get("tags") for cells in said.values())
    if changes:
        assert rows_of(saved.file).keys() == said.keys()
    for _ in changes:
        saved.undo()
    assert not saved.labels
    assert not saved.can_undo


def test_what_somebody_else_wrote_meanwhile_stays(tmp_path):
    one, other = saved_in(tmp_path), saved_in(tmp_path)
    one.give({"a.jpg": {"label": "cat"}})
    other.give({"b.jpg": {"label": "dog"}})
    one.give({"c.jpg": {"note": "mine"}})
    assert rows_of(one.file) == {
        "a.jpg": {"label": "cat", "note": ""},
        "b.jpg": {"label": "dog", "note": ""},
        "c.jpg": {"label": "", "note": "mine"},
    }


def test_a_change_that_is_not_to_be_undone_is_passed_over(tmp_path):
    saved = saved_in(tmp_path)
    saved.give({"a.jpg": {"label": "cat"}}, undoable=False)
    saved.give({"b.jpg": {"label": "dog"}})
    assert saved.undo() == ("b.jpg",)
    assert saved.undo() == ()
    assert saved.labels == {"cat": 1}


def test_an_undo_puts_back_the_cells_that_the_change_named_and_no_others(tmp_path):
    saved = saved_in(tmp_path)
    saved.give({"a.jpg": {"tags": "nice"}})
    saved.give({"a.jpg": {"label": "cat"}, "b.jpg": {"label": "dog"}}, undoable=False)
    saved.give({"a.jpg": {"label": "bird"}})
    assert saved.undo() == ("a.jpg",)
    assert saved.undo() == ("a.jpg",)
    assert saved.given("label") == {"a.jpg": "cat", "b.jpg": "dog"}
    assert saved.given("tags") == {}


def test_an_undo_leaves_what_somebody_else_gave_since(tmp_path):
    one, other = saved_in(tmp_path), saved_in(tmp_path)
    one.give({name: {"label": "cat"} for name in ("a.jpg", "b.jpg")})
    other.give({"a.jpg": {"tags": "nice"}, "b.jpg": {"label": "dog"}})
    assert one.undo() == ("a.jpg",)
    assert rows_of(one.file) == {
        "a.jpg": {"label": "", "tags": "nice"},
        "b.jpg": {"label": "dog", "tags": ""},
    }


def test_an_undo_passes_over_a_change_of_which_nothing_is_left(tmp_path):
    one, other = saved_in(tmp_path), saved_in(tmp_path)
    one.give({"a.jpg": {"label": "cat"}})
    one.give({"b.jpg": {"label": "cat"}})
    other.give({"b.jpg": {"label": "dog"}})
    assert one.undo() == ("a.jpg",)
    assert one.undo() == ()
    assert one.given("label") == {"b.jpg": "dog"}


@pytest.mark.parametrize(
    "text",
    ["label\ncat\n", "file_name,file_name\na,b\n", "file_name,label\na\n", "file_name\na\na\n"],
)
def test_a_file_that_became_no_table_is_never_written_over(tmp_path, text):
    saved = saved_in(tmp_path)
    saved.give({"a.jpg": {"label": "cat"}})
    saved.file.write_text(text)
    with pytest.raises(LabelError, match="cannot be continued"):
        saved.give({"b.jpg": {"label": "dog"}})
    assert saved.file.read_text() == text


@pytest.mark.parametrize("heading", [b"\xef\xbb\xbf" * 3, b"a\x1b[31m\n", b"x" * 100_000])
def test_what_is_said_of_a_foreign_table_is_one_short_line(tmp_path, heading):
    (tmp_path / "odd.csv").write_bytes(heading)
    with pytest.raises(LabelError, match=r"cannot be continued: [ -~]{1,700}$"):
        Saved(tmp_path / "odd.csv", Turns(tmp_path / "turns.sqlite"))


def test_what_a_model_said_counts_only_where_it_is_trusted(tmp_path):
    file, turns = tmp_path / "saved.csv", Turns(tmp_path / "turns.sqlite")
    rows = "a.jpg,cat,sunny,imgbatch\nb.jpg,dog,,\n"
    file.write_text("file_name,label,tags,source\n" + rows)
    trusting = Saved(file, turns, trust_predicted=True)
    assert trusting.labels == {"cat": 1, "dog": 1}
    assert trusting.has("tags")
    saved = Saved(file, turns)
    assert saved.labels == {"dog": 1}
    assert not saved.has("tags")
    assert (saved.of("a.jpg", "label"), saved.knows("a.jpg")) == ("", False)
    assert saved.given("label") == {"b.jpg": "dog"}


def test_a_person_s_label_takes_the_place_of_what_a_model_said_and_an_undo_brings_that_back(
    tmp_path,
):
    file, turns = tmp_path / "saved.csv", Turns(tmp_path / "turns.sqlite")
    text = "file_name,label,tags,source\na.jpg,cat,sunny,imgbatch\n"
    file.write_text(text)
    saved = Saved(file, turns)
    saved.give({"a.jpg": {"label": "dog"}})
    assert file.read_text().splitlines()[1] == "a.jpg,dog,,"
    assert saved.labels == {"dog": 1}
    assert saved.undo() == ("a.jpg",)
    assert file.read_text() == text
    assert saved.labels == {}


def test_a_table_of_which_nothing_can_be_learned_for_a_moment_is_not_written_over(
    tmp_path, monkeypatch
):
    def refuse(*_, **__):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    saved = saved_in(tmp_path)
    saved.give({"a.jpg": {"label": "cat"}})
    with monkeypatch.context() as patched:
        patched.setattr("imgbatch.web.saved.os.stat", refuse)
        with pytest.raises(LabelError, match="Input/output error"):
            saved.give({"b.jpg": {"label": "dog"}})
    saved.give({"b.jpg": {"label": "dog"}})
    assert saved.given("label") == {"a.jpg": "cat", "b.jpg": "dog"}
