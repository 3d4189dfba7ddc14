"""Rows of a table: which are kept, which are dropped and why, in every format."""

import math
import ntpath
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgbatch.errors import LabelError, UsageError
from imgbatch.intake.records import Prepare
from imgbatch.intake.rows import RowReader, Wanted, shown
from imgbatch.intake.state import State
from imgbatch.intake.tables import SourceRow, open_source
from tests.drawing import jpeg, photo
from tests.intake.making import dropped_rows, kept_rows, made, write_table

FORMATS = ("csv", "tsv", "jsonl", "parquet")


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.jpg").write_bytes(jpeg(photo(number)))
    return folder


def test_an_id_that_begins_with_a_drive_of_windows_leads_out(tmp_path, images, monkeypatch):
    table = write_table(tmp_path / "table.csv", [{"id": "C:0.jpg"}, {"id": "0.jpg"}])
    monkeypatch.setattr(os.path, "splitdrive", ntpath.splitdrive)
    done = made(table, tmp_path / "to", images, id_column="id")
    assert (done.kept, done.dropped) == (1, {"outside": 1})


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_gives_the_same_rows(ending, tmp_path, images):
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    rows = [{"id": number, "title": f"title, {number}", "class": "a"} for number in range(4)]
    rows[2]["title"] = None
    table = write_table(tmp_path / f"table.{ending}", rows)
    done = made(
        table, tmp_path / "to", images, id_column="id", pattern="{id}.jpg", require=("title",)
    )
    assert (done.rows, done.kept, done.dropped) == (4, 3, {"empty": 1})
    assert kept_rows(tmp_path / "to") == [
        {"file_name": f"images/{n}.jpg", "id": str(n), "title": f"title, {n}", "class": "a"}
        for n in (0, 1, 3)
    ]


@pytest.mark.parametrize(
    ("value", "ending"),
    [(None, "parquet"), (math.nan, "parquet"), (" \t", "csv"), ("NaN", "csv"), ("", "csv"),
     ("null", "tsv"), (None, "jsonl"), ([], "jsonl"), ("\u3000", "jsonl")],
)  # fmt: skip
def test_null_nan_and_white_space_are_empty(value, ending, tmp_path, images):
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    full = 1.5 if isinstance(value, float) else "full"
    rows = [{"path": "0.jpg", "text": value}, {"path": "1.jpg", "text": full}]
    table = write_table(tmp_path / f"table.{ending}", rows)
    assert made(table, tmp_path / "to", images, require=("text",)).dropped == {"empty": 1}


def test_the_word_nan_is_text_where_a_table_has_types(tmp_path, images):
    table = write_table(tmp_path / "table.jsonl", [{"path": "0.jpg", "text": "nan"}])
    assert made(table, tmp_path / "to", images, require=("text",)).kept == 1


@pytest.mark.parametrize(
    "name", ["../secret.jpg", "a/../../secret.jpg", "/etc/secret.jpg", "..\\secret.jpg", "\\x.jpg"]
)
def test_an_id_never_leads_out_of_the_folder(name, tmp_path, images):
    (tmp_path / "secret.jpg").write_bytes(jpeg(photo(9)))
    table = write_table(tmp_path / "table.csv", [{"path": name}, {"path": "0.jpg"}])
    done = made(table, tmp_path / "to", images)
    assert done.dropped == {"outside": 1}
    assert done.images == 1


def test_an_absolute_id_behind_a_pattern_stays_inside(tmp_path, images):
    table = write_table(tmp_path / "table.csv", [{"id": "/etc/passwd"}])
    done = made(table, tmp_path / "to", images, id_column="id", pattern="sub/{id}")
    assert done.dropped == {"missing": 1}


def test_missing_and_unreadable_pictures_are_dropped_with_their_rows(tmp_path, images):
    (images / "3.jpg").write_bytes(b"no picture")
    (images / "cut.jpg").write_bytes(jpeg(photo(5, 400, 300))[:-9000])
    names = ["0.jpg", "3.jpg", "gone.jpg", "cut.jpg"]
    table = write_table(tmp_path / "table.csv", [{"path": name} for name in names])
    done = made(table, tmp_path / "to", images, size=(32, 32))
    assert done.dropped == {"missing": 1, "unreadable": 2}
    assert dropped_rows(tmp_path / "to") == [(3, "unreadable"), (4, "missing"), (5, "unreadable")]


def test_a_row_with_too_many_cells_is_dropped_and_one_with_too_few_is_filled(tmp_path, images):
    table = tmp_path / "table.csv"
    table.write_text("path,title\n0.jpg,a,b,c\n1.jpg\n2.jpg,c\n")
    assert made(table, tmp_path / "to", images).dropped == {"malformed": 1}
    assert [row["title"] for row in kept_rows(tmp_path / "to")] == ["", "c"]


def test_texts_of_one_picture_stay_and_rows_that_contradict_go(tmp_path, images):
    table = tmp_path / "table.csv"
    table.write_text(
        "path,label,caption\n0.jpg,cat,one\n0.jpg,cat,two\n0.jpg,cat,one\n0.jpg,dog,three\n"
        "0.jpg,cat,two\n"
    )
    done = made(table, tmp_path / "to", images)
    assert done.dropped == {"doubled": 2, "conflict": 1}
    assert [row["caption"] for row in kept_rows(tmp_path / "to")] == ["one", "two"]


rows_of_ids = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.sampled_from(["", "one", "two"])),
    max_size=12,
)


@settings(max_examples=40)
@given(rows_of_ids)
def test_verdicts_are_those_of_a_plain_comparison_with_all_earlier_rows(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("state")
    table = folder / "table.jsonl"
    table.write_text('{"path": "", "label": "", "text": ""}\n')
    options = Prepare(str(table), folder / "to", str(folder))
    reader = RowReader.of(open_source(str(table), "path"), options)
    wanted = [
        reader.read(SourceRow(number, dict(zip(("path", "label", "text"), row, strict=True))))
        for number, row in enumerate(rows)
    ]
    assert all(isinstance(one, Wanted) for one in wanted)
    (folder / "to").mkdir()
    state = State(folder / "to", {})
    state.plan(iter(enumerate(wanted)))
    reasons = []
    for number, (path, label, _) in enumerate(rows):
        before = [row for row in rows[:number] if row[0] == path]
        doubled, first = rows[number] in before, before[0] if before else rows[number]
        reasons.append("doubled" if doubled else "conflict" if first[1] != label else "")
    assert [str(state.verdict(*pair).reason) for pair in enumerate(wanted)] == reasons
    state.close()


def test_missing_columns_are_an_error_that_names_those_that_are_there(tmp_path, images):
    table = write_table(tmp_path / "table.csv", [{"key": 1, "title": "a"}])
    with pytest.raises(UsageError, match="its columns are key, title"):
        made(table, tmp_path / "to", images)
    with pytest.raises(UsageError, match=r"no column 'text'.*its columns are key, title"):
        made(table, tmp_path / "to", images, id_column="key", require=("text",))
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [("a.xlsx", "x", UsageError), ("a.csv", "", LabelError), ("a.csv", "a,a\n1,2", LabelError),
     ("a.jsonl", "[1]\n", LabelError), ("a.parquet", "no", LabelError),
     ("a.csv", 'path\n"never closed', LabelError)],
)  # fmt: skip
def test_a_file_that_is_no_table_is_one_clear_error(name, content, error, tmp_path, images):
    (tmp_path / name).write_text(content)
    with pytest.raises(error, match=name):
        made(tmp_path / name, tmp_path / "to", images)


def test_every_column_travels_with_its_type_into_parquet(tmp_path, images):
    pq = pytest.importorskip("pyarrow.parquet")
    rows = [
        {"path": f"{n}.jpg", "size": n, "tags": ["sea", "sky"], "bytes": b"raw", "file_name": "x"}
        for n in range(2)
    ]
    table = write_table(tmp_path / "table.parquet", rows)
    done = made(table, tmp_path / "to", images, id_column="path", tables=[tmp_path / "o.parquet"])
    assert done.notes == ("columns of bytes are left out: bytes",)
    written = pq.read_table(tmp_path / "o.parquet").to_pylist()
    assert written[1] == {
        "file_name": "images/1.jpg", "path": "1.jpg", "size": 1, "tags": ["sea", "sky"],
        "source_file_name": "x",
    }  # fmt: skip
    assert kept_rows(tmp_path / "to")[1]["tags"] == "sea;sky"


@pytest.mark.parametrize(
    ("columns", "written"),
    [
        (["file_name", "source_file_name"], ["source_file_name_2", "source_file_name"]),
        (["File_Name", " file_name "], ["source_file_name", "source_file_name_2"]),
        (["source_file_name", "FILE_NAME"], ["source_file_name", "source_file_name_2"]),
    ],
)
def test_what_is_written_of_a_table_can_be_read_whatever_its_columns_are_called(
    columns, written, tmp_path, images
):
    table = write_table(tmp_path / "table.jsonl", [{"path": "0.jpg"} | dict.fromkeys(columns, "x")])
    made(table, tmp_path / "to", images, id_column="path")
    header = (tmp_path / "to" / "metadata.csv").read_text().splitlines()[0].split(",")
    assert header == ["file_name", "path", *written]
    made(tmp_path / "to" / "metadata.csv", tmp_path / "again", tmp_path / "to")


def test_a_table_without_types_becomes_text_in_parquet(tmp_path, images):
    pq = pytest.importorskip("pyarrow.parquet")
    table = write_table(tmp_path / "table.jsonl", [{"path": "0.jpg", "mixed": {"a": [1, None]}}])
    made(table, tmp_path / "to", images, tables=[tmp_path / "o.parquet"])
    assert pq.read_table(tmp_path / "o.parquet").to_pylist()[0]["mixed"] == '{"a": [1, null]}'


def test_bytes_that_are_no_text_pass_through(tmp_path, images):
    table = tmp_path / "table.csv"
    table.write_bytes(b"path,title\n0.jpg,caf\xe9\n")
    made(table, tmp_path / "to", images)
    assert b"caf\xe9" in (tmp_path / "to" / "metadata.csv").read_bytes()


def test_an_id_that_is_no_text_costs_one_row(tmp_path, images):
    table = tmp_path / "table.csv"
    table.write_bytes(b"path,title\n\xff.jpg,a\n0.jpg,b\n")
    done = made(table, tmp_path / "to", images)
    assert (done.kept, dict(done.dropped)) == (1, {"bad-name": 1})
    assert dropped_rows(tmp_path / "to") == [(2, "bad-name")]


@pytest.mark.parametrize("title", [r'"\ud800"', r'["a", "\udfff\ud800"]', r'{"a": "\uD800"}'])
def test_half_a_character_in_json_costs_one_row(title, tmp_path, images):
    table = tmp_path / "table.jsonl"
    lines = [
        f'{{"path": "0.jpg", "title": {title}}}',
        r'{"path": "1.jpg", "title": "\ud83d\ude00"}',
    ]
    table.write_text("".join(f"{line}\n" for line in lines))
    done = made(table, tmp_path / "to", images, tables=(tmp_path / "more.parquet",))
    assert (done.kept, dict(done.dropped)) == (1, {"malformed": 1})
    assert kept_rows(tmp_path / "to")[0]["title"] == "\U0001f600"


def test_half_a_character_in_the_name_of_a_column_costs_its_rows(tmp_path, images):
    table = tmp_path / "table.jsonl"
    table.write_text('{"path": "0.jpg", "\\ud800": 1}\n{"path": "1.jpg"}\n')
    done = made(table, tmp_path / "to", images)
    assert (done.kept, dict(done.dropped)) == (1, {"malformed": 1})


@pytest.mark.parametrize(
    ("link", "words"),
    [("https://me:secret@host/a?secret=1", "https://host/a"), ("http://h?secret", "http://h"),
     ("http://h#secret", "http://h"), ("https://a@b:secret@host/x", "https://host/x"),
     ("http://me:sec/ret@host/x", "http://..."), ("http://me:sec?ret@host/x", "http://..."),
     ("http://me:sec#ret@host/x", "http://..."), ("http://[::1]:80/x", "http://[::1]:80/x"),
     ("http://me:secret", "http://..."), ("http://h:80/a@b?c", "http://h:80/a@b")],
)  # fmt: skip
def test_a_link_is_shown_without_its_secrets(link, words):
    assert shown(link) == words


def test_a_name_that_is_no_text_is_dropped_and_the_others_are_made(tmp_path, images):
    table = tmp_path / "table.csv"
    table.write_bytes(b"file_name,title\ncaf\xe9.jpg,x\n1.jpg,caf\xe9\n2.jpg,z\n")
    done = made(table, tmp_path / "to", images)
    assert (done.kept, done.dropped) == (2, {"bad-name": 1})


def test_half_a_character_drops_its_row_alone(tmp_path, images):
    table = tmp_path / "table.jsonl"
    lines = (r'{"file_name": "1.jpg", "title": "\ud800"}', r'{"file_name": "2.jpg", "title": "z"}')
    table.write_text("\n".join(lines))
    done = made(table, tmp_path / "to", images)
    assert (done.kept, done.dropped) == (1, {"malformed": 1})
