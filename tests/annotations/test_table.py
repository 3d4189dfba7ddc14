"""Tables of metadata: every format gives the rows it was written with; malformed files are told."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgbatch.annotations.formats import READERS
from imgbatch.annotations.matching import Finder, Rules, read_file
from imgbatch.annotations.misfits import MOST_LISTED, Misfit, Misfits
from imgbatch.errors import ImgbatchError, LabelError
from tests.annotations.malformed import NOTED, REFUSED, said
from tests.annotations.tables import IMAGES, known_by_path, metadata_of, read_naively, write_rows
from tests.commands import ROOT

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


@settings(max_examples=200)
@given(st.data(), st.sampled_from(sorted(READERS)))
def test_a_damaged_file_is_read_or_refused_but_never_a_bug(tmp_path_factory, data, ending):
    if ending == ".parquet":
        pytest.importorskip("pyarrow", reason="needs pyarrow")
    folder = tmp_path_factory.mktemp("damaged")
    rows = [{"file_name": name, "label": "x", "tags": ["a"], "text": ["b"]} for name in IMAGES[:3]]
    damaged = bytearray(write_rows(folder / f"t{ending}", rows).read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=4)):
        damaged[at] = data.draw(st.integers(0, 255))
    (folder / f"t{ending}").write_bytes(damaged[: data.draw(st.integers(0, len(damaged)))])
    with contextlib.suppress(LabelError):
        known_by_path(metadata_of(folder, folder / f"t{ending}"))


def test_the_documentation_says_what_is_said():
    table = (ROOT / "docs" / "METADATA.md").read_text(encoding="utf-8")
    for name, (data, *_) in (REFUSED | NOTED).items():
        if not name.endswith(".parquet"):  # these words are pyarrow's
            assert f"| {said(name, data)} |" in table, name


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


def test_a_file_that_names_no_image_is_one_short_line_of_error(tmp_path):
    (tmp_path / "t.csv").write_text(f"path,label\n{'a' * 100_000},dog\n")
    with pytest.raises(LabelError) as error:
        metadata_of(tmp_path, tmp_path / "t.csv").read_files()
    assert len(str(error.value)) < 2000


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


def test_views_of_strings_in_parquet_are_text(tmp_path):
    pa = pytest.importorskip("pyarrow", reason="needs pyarrow")
    import pyarrow.parquet as pq

    if not hasattr(pa, "string_view"):
        pytest.skip("this pyarrow has no views of strings")
    file = tmp_path / "t.parquet"
    views = {"file_name": ["a/1.jpg"], "label": ["sea"], "text": ["t" * (1 << 17)]}
    table = {name: pa.array(texts, pa.string_view()) for name, texts in views.items()}
    pq.write_table(pa.table(table), file)
    known = metadata_of(tmp_path, file).of_image(0)
    assert (known.label, known.texts) == ("sea", (views["text"][0],))
    table["text"] = pa.array(["t" * ((1 << 17) + 1)], pa.string_view())
    pq.write_table(pa.table(table), file)
    with pytest.raises(LabelError, match=r"a text of 131,073 bytes is too long"):
        metadata_of(tmp_path, file).read_files()


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


@pytest.mark.parametrize("column", ["file_name", "text", "tags", "label"])
@pytest.mark.parametrize("stored", ["text", "dictionary"])
def test_a_small_parquet_file_with_gigabytes_of_text_is_refused(tmp_path, column, stored):
    pa = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet")
    large = pa.array(["x" * 1_000_000])
    often = pa.DictionaryArray.from_arrays(pa.array([0] * 3000, pa.int32()), large)
    values = often if stored == "dictionary" else often.slice(0, 20).cast(pa.string())
    columns = {"file_name": pa.array(["a/1.jpg"] * len(values)), "label": ["a"] * len(values)}
    pa.parquet.write_table(pa.table(columns | {column: values}), tmp_path / "bomb.parquet")
    with pytest.raises(LabelError, match="a text of 1,000,000 bytes is too long"):
        metadata_of(tmp_path, tmp_path / "bomb.parquet").read_files()


def test_days_that_python_does_not_know_are_one_clear_error(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet")
    far = pa.array([2**30], pa.date32())
    table = pa.table({"file_name": ["a/1.jpg"], "text": far})
    pa.parquet.write_table(table, tmp_path / "far.parquet")
    with pytest.raises(LabelError, match="cannot be read"):
        metadata_of(tmp_path, tmp_path / "far.parquet").read_files()
