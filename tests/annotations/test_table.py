"""Tables of metadata: every format gives the rows it was written with; malformed files are told."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgbatch.annotations.formats import READERS
from imgbatch.annotations.matching import Finder, Rules, read_file
from imgbatch.annotations.misfits import MOST_LISTED, Misfit, Misfits
from imgbatch.errors import ImgbatchError, LabelError
from tests.annotations.tables import IMAGES, known_by_path, metadata_of, read_naively, write_rows

word = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters=";"), max_size=8
)
row = st.fixed_dictionaries(
    {"file_name": st.sampled_from([*IMAGES[:3], IMAGES[4], "gone.jpg"])},
    optional={
        "label": st.just("kind"),  # by hand, an image may have one label only
        "tags": st.lists(word, max_size=3),
        "text": st.lists(word, max_size=3),
        "split": word,
        "group": word,
        "source": st.sampled_from(["", "me", "imgbatch"]),
    },
)


@settings(max_examples=60)
@given(st.lists(row, max_size=12), st.sampled_from(sorted(set(READERS) - {".json"})))
def test_every_format_gives_the_rows_it_was_written_with(tmp_path_factory, rows, ending):
    if ending == ".parquet":
        pytest.importorskip("pyarrow", reason="needs pyarrow")
    rows = [{"file_name": IMAGES[0], "label": "kind", "split": "x"}, *rows]
    folder = tmp_path_factory.mktemp("tables")
    file = write_rows(folder / f"rows{ending}", rows)
    assert known_by_path(metadata_of(folder, file)) == read_naively(rows)


@given(st.lists(row, min_size=1, max_size=12))
def test_coco_captions_give_the_texts_they_were_written_with(tmp_path_factory, rows):
    rows = [
        {"file_name": one["file_name"], "text": one.get("text", [])}
        for one in (*rows, {"file_name": IMAGES[1], "text": ["a dog"]})
    ]
    folder = tmp_path_factory.mktemp("coco")
    file = write_rows(folder / "captions.json", rows)
    single = [one | {"text": [text]} for one in rows for text in one["text"]]
    known = known_by_path(metadata_of(folder, file))
    texts = {
        path: {k: one for k, one in kinds.items() if k == "texts"} for path, kinds in known.items()
    }
    assert texts == read_naively(single)


def test_columns_have_other_names_and_texts_several_columns(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("Image, Class ,title,caption,other\na/1.jpg,cat,A,B,x\n")
    known = known_by_path(metadata_of(tmp_path, file))["a/1.jpg"]
    assert known == {"labels": ("cat",), "texts": ("A", "B")}


def test_values_of_json_are_text_numbers_or_lists(tmp_path):
    file = tmp_path / "t.jsonl"
    row = {"file_name": "a/1.jpg", "label": 3, "tags": "sea; sky", "text": [1.5, None, "x"]}
    file.write_text(json.dumps(row | {"split": True, "group": float("nan")}))
    known = known_by_path(metadata_of(tmp_path, file))["a/1.jpg"]
    assert known == {"labels": ("3",), "tags": ("sea", "sky"), "texts": ("1.5", "x"), "splits": ("true",)}  # fmt: skip


# ----- malformed files ----------------------------------------------------------------------------

REFUSED = {
    "no header.csv": (b"", "has the columns none"),
    "other columns.csv": (b"id,kind\n1,cat\n", "has the columns id, kind, and none is called file_name"),
    "nothing said.csv": (b"file_name,width\na/1.jpg,8\n", "columns file_name, width, and says nothing"),
    "header alone.csv": (b"file_name,label\n", "names none of the 5 images"),
    "empty cells.csv": (b"file_name,label\na/1.jpg,\n", "says nothing of the 1 images that it names"),
    "foreign.csv": (b"file_name,label\nx/1.jpg,cat\n", r"names none .* \(its first path: x/1.jpg\)"),
    "two labels.csv": (b"path,label\na/1.jpg,cat\na/1.jpg,dog\n", "line 3: a/1.jpg is 'dog' here, but 'cat' above"),
    "open quote.csv": (b'path,label\na/1.jpg,"cat\na/2.jpg,dog\n', "line 2: a quote is never closed"),
    "open quote in header.csv": (b'path,"label\na/1.jpg,cat\n', "line 1: a quote is never closed"),
    "text after quote.csv": (b'path,label\n"a/1.jpg"x,cat\n', "line 2: .*expected after"),
    "open quote.tsv": (b'path\tlabel\na/1.jpg\t"cat\n', "line 2: a quote is never closed"),
    "semicolons.csv": (b"file_name;label\na/1.jpg;cat\n", "has the columns file_name;label"),
    "utf-16.csv": ("file_name,label\na/1.jpg,cat\n".encode("utf-16"), "it is UTF-16"),
    "image.csv": (b"\xff\xd8\xff\xe0\0\x10JFIF" * 50, "has the columns "),
    "long line.csv": (b"path,label\na/1.jpg," + b"x" * 200_000 + b"\n", "line 2: field larger"),
    "endless line.jsonl": (b'{"path": "' + b"x" * (1 << 24), "line 1 is too long"),
    "cut off.jsonl": (b'{"file_name": "a/1.jpg", "label": "cat"}\n{"file_name": "a/2', "line 2: Unterminated"),
    "no json.jsonl": (b"file_name,label\na/1.jpg,cat\n", "line 1: Expecting value"),
    "array.jsonl": (b'["a/1.jpg", "cat"]\n', "line 1 is no object"),
    "no name.jsonl": (b'{"label": "cat"}\n', "has the columns label, and none is called"),
    "nested.jsonl": (b'{"file_name": ' + b"[" * 100_000, "line 1: "),
    "huge number.jsonl": (b'{"file_name": "a/1.jpg", "label": ' + b"1" * 9999 + b"}", "line 1: .*huge number"),
    "empty.jsonl": (b"", "names none of the 5 images"),
    "no json.json": (b"{", "it is no JSON"),
    "list.json": (b'[{"file_name": "a/1.jpg"}]', "it holds list, no COCO captions"),
    "other keys.json": (b'{"a/1.jpg": "cat"}', "it holds a/1.jpg, no COCO captions"),
    "boxes.json": (b'{"images": [], "annotations": [{"image_id": 1, "bbox": []}]}', "none of its annotations has a caption"),
    "no images.json": (b'{"images": [], "annotations": []}', "names none of the 5 images"),
    "no parquet.parquet": (b"file_name,label\na/1.jpg,cat\n", "cannot be read: .*[Pp]arquet"),
    "cut off.parquet": (b"PAR1\x15\x04\x15", "cannot be read: "),
    "empty.parquet": (b"", "cannot be read: .*size is 0"),
}  # fmt: skip
"""Files that are refused when they are given by hand, with what is said."""


@pytest.fixture
def malformed(request, tmp_path):
    file = tmp_path / request.param
    if file.suffix == ".parquet":
        pytest.importorskip("pyarrow", reason="needs pyarrow")
    file.write_bytes(REFUSED[request.param][0])
    return file


@pytest.mark.parametrize("malformed", REFUSED, indirect=True)
def test_a_malformed_file_given_by_hand_is_refused_with_the_reason(tmp_path, malformed):
    with pytest.raises(LabelError, match=REFUSED[malformed.name][1]) as raised:
        metadata_of(tmp_path, malformed).read_files()
    assert str(malformed) in raised.value.message
    assert raised.value.hint
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("malformed", REFUSED, indirect=True)
def test_the_same_file_found_in_the_folder_is_a_note(tmp_path, malformed):
    malformed.rename(tmp_path / f"metadata{malformed.suffix}")
    metadata = metadata_of(tmp_path)
    metadata.read_files()
    said = " ".join(metadata.notes)
    assert "metadata" in said
    assert "left out" in said or "nothing is known" in said or "contradict" in said


NOTED = {
    "gone.csv": (b"path,label\na/1.jpg,cat\ngone.jpg,dog\n", Misfit.NO_IMAGE, "line 3", "gone.jpg"),
    "outside.csv": (b"path,label\na/1.jpg,cat\n../x/1.jpg,dog\n", Misfit.OUTSIDE, "line 3", "../x/1.jpg"),
    "absolute.csv": (b"path,label\na/1.jpg,cat\n/etc/passwd,dog\n", Misfit.OUTSIDE, "line 3", "/etc/passwd"),
    "no name.csv": (b"path,label\na/1.jpg,cat\n ,dog\n", Misfit.NO_NAME, "line 3", ""),
    "nul in name.csv": (b"path,label\na/1.jpg,cat\na\0b.jpg,dog\n", Misfit.NO_IMAGE, "line 3", "a\\x00b.jpg"),
    "no row.csv": (b"path,label\na/1.jpg,cat\n", Misfit.NO_ROW, "", "a/2.jpg"),
    "doubled.csv": (b"path,text\na/1.jpg,x\na/2.jpg,x\na/1.jpg,x\n", Misfit.DOUBLED, "line 4", ""),
    "too long.csv": (b"path,text\na/1.jpg,x\na/2.jpg,one, two\n", Misfit.TOO_LONG, "line 3", "a/2.jpg"),
    "latin-1.csv": (b"path,text\na/1.jpg,caf\xe9\n", Misfit.NOT_TEXT, "line 2", "a/1.jpg"),
    "nul.csv": (b"path,text\na/1.jpg,x\0y\n", Misfit.NOT_TEXT, "line 2", "a/1.jpg"),
    "surrogate.jsonl": (b'{"path": "a/1.jpg", "text": "\\ud800"}\n', Misfit.NOT_TEXT, "line 1", "a/1.jpg"),
    "bom.csv": (b"\xef\xbb\xbfpath,label\na/1.jpg,cat\n", Misfit.BYTE_ORDER_MARK, "line 1", ""),
    "bom.json": (b'\xef\xbb\xbf{"images": [{"id": 1, "file_name": "a/1.jpg"}], "annotations": [{"image_id": 1, "caption": "x"}]}', Misfit.BYTE_ORDER_MARK, "line 1", ""),
    "two splits.csv": (b"path,split\na/1.jpg,test\na/1.jpg,train\n", Misfit.TWO_VALUES, "line 3", "train, above test"),
    "object.jsonl": (b'{"path": "a/1.jpg", "label": {"a": 1}, "text": "x"}\n', Misfit.WRONG_TYPE, "line 1", "labels: dict"),
    "list as label.jsonl": (b'{"path": "a/1.jpg", "label": ["a"], "text": "x"}\n', Misfit.WRONG_TYPE, "line 1", "labels: list"),
    "number as name.jsonl": (b'{"path": "a/1.jpg", "text": "x"}\n{"path": 7, "text": "x"}\n', Misfit.NO_NAME, "line 2", ""),
    "name left out.jsonl": (b'{"path": "a/1.jpg", "text": "x"}\n{"text": "x"}\n', Misfit.NO_NAME, "line 2", ""),
    "unknown id.json": (b'{"images": [{"id": 1, "file_name": "a/1.jpg"}], "annotations": [{"image_id": 1, "caption": "x"}, {"image_id": 2, "caption": "y"}]}', Misfit.NO_NAME, "annotation 2", ""),
    "strange.json": (b'{"images": [7, {"id": [1], "file_name": "a/1.jpg"}], "annotations": [null, {"image_id": [1], "caption": "x"}]}', Misfit.NO_NAME, "annotation 1", ""),
}  # fmt: skip
"""Files that are read all the same, with what is counted and listed."""


@pytest.mark.parametrize("name", NOTED)
def test_what_does_not_fit_is_counted_and_listed(tmp_path, name):
    data, kind, where, what = NOTED[name]
    file = tmp_path / name
    file.write_bytes(data)
    metadata = metadata_of(tmp_path, file, directory=tmp_path)
    assert known_by_path(metadata)["a/1.jpg"]
    (note,) = [note for note in metadata.notes if "list: " in note]
    assert kind in note
    listed = note.rpartition("list: ")[2].removesuffix(")")
    with open(listed, encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]
    assert [str(file), where, str(kind), what] in rows


def test_a_name_that_is_not_utf_8_finds_its_image(tmp_path):
    file = tmp_path / "t.csv"
    file.write_bytes(b"path,label\nb/\xff.jpg,cat\n")
    assert known_by_path(metadata_of(tmp_path, file))["b/\udcff.jpg"] == {"labels": ("cat",)}


@pytest.mark.parametrize(
    "name", ["a/1.jpg", "./a/1.jpg", "a//1.jpg", "b/../a/1.jpg", "a\\1.jpg", " a/1.jpg", "{}/a/1.jpg", "../{.name}/a/1.jpg"]
)  # fmt: skip
def test_an_image_may_be_named_in_many_ways(tmp_path, name):
    finder = Finder(str(tmp_path), IMAGES)
    assert finder.find(name.format(tmp_path)) == 0


def test_the_list_is_bounded_and_the_count_is_not(tmp_path):
    file = tmp_path / "t.csv"
    rows = "".join(f"gone{row}.jpg,dog\n" for row in range(MOST_LISTED + 5))
    file.write_text(f"path,label\na/1.jpg,cat\n{rows}")
    misfits = Misfits()
    read_file(str(file), Finder(str(tmp_path), IMAGES), Rules(by_hand=True), misfits)
    assert misfits.counts[Misfit.NO_IMAGE] == MOST_LISTED + 5
    lines = misfits.listed().splitlines()
    assert sum(Misfit.NO_IMAGE in line for line in lines) == MOST_LISTED + 1
    assert "5 more" in lines[-1]


def test_parquet_of_another_shape_is_refused(tmp_path):
    pa = pytest.importorskip("pyarrow", reason="needs pyarrow")
    import pyarrow.parquet as pq

    file = tmp_path / "t.parquet"
    for table, words in (
        ({"image": [{"bytes": b"x"}], "label": ["cat"]}, "its column image holds struct"),
        ({"path": [7], "label": ["cat"]}, "its column path holds int64"),
    ):
        pq.write_table(pa.table(table), file)
        with pytest.raises(LabelError, match=words):
            metadata_of(tmp_path, file).read_files()
    pq.write_table(pa.table([pa.array(["a"])] * 3, ["path", "text", "text"]), file)
    with pytest.raises(LabelError, match="two of its columns have one name"):
        metadata_of(tmp_path, file).read_files()


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(ImgbatchError, match=r"imgbatch\[parquet\]"):
        metadata_of(tmp_path, tmp_path / "t.parquet").read_files()
