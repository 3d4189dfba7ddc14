"""Exports to files: every column comes back as it was, whatever the names; memory stays flat."""

import builtins
import csv
import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import imgbatch
from imgbatch.errors import ImgbatchError, OutputError, UsageError
from imgbatch.exports import EXPORTERS, PortableSpace, exporter_of, npz, parquet
from imgbatch.exports import run as exporting
from imgbatch.exports.base import BATCH_ROWS, as_name, as_text, image_id
from tests.drawing import jpeg, photo, settle
from tests.exports.tables import FOLDER, make_space, make_table

FILES = [kind for kind in EXPORTERS if kind.startswith(".")]
COLUMNS = ["id", "path", "label", "width", "height", "size", "hash", "phash", "note", "split", "group"]  # fmt: skip
LISTS = ["tags", "texts", "machine_tags"]


@pytest.fixture(params=FILES)
def ending(request):
    if request.param == ".parquet":
        pytest.importorskip("pyarrow", reason="needs pyarrow")
    return request.param


def write(target, table):
    return exporter_of(str(target)).write(str(target), table, None)


def read(target):
    """Columns by name as plain values, points, folder and fingerprint."""
    if target.suffix == ".parquet":
        import pyarrow.parquet as pq

        table = pq.read_table(target)
        about = json.loads(table.schema.metadata[b"imgbatch"])
        columns = {name: table[name].to_pylist() for name in COLUMNS + LISTS}
        return columns, table["point"].to_pylist(), about["folder"], about["fingerprint"]
    if target.suffix == ".csv":
        with target.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        columns = {name: [row[name] for row in rows] for name in COLUMNS}
        for name in ("width", "height", "size"):
            columns[name] = list(map(int, columns[name]))
        columns["phash"] = [int(one, 16) for one in columns["phash"]]
        columns["tags"] = [row["tags"].split(";") if row["tags"] else [] for row in rows]
        machine = [row["machine_tags"] for row in rows]
        columns["machine_tags"] = [tags.split(";") if tags else [] for tags in machine]
        columns["texts"] = [json.loads(row["texts"]) for row in rows]
        points = [json.loads(row["point"]) for row in rows]
        return columns, points, rows[0]["folder"], rows[0]["fingerprint"]
    with np.load(target, allow_pickle=False) as stored:
        columns = {name: stored["phashes" if name == "phash" else f"{name}es" if name == "hash" else f"{name}s"].tolist() for name in COLUMNS}  # fmt: skip
        columns["id"] = [str(uuid.UUID(bytes=bytes(one))) for one in columns["id"]]
        columns["hash"] = [bytes(one).hex() for one in columns["hash"]]
        for name in LISTS:
            starts = [0, *stored[f"{name[:-1]}_ends"].tolist()]
            data = stored[name].tobytes()
            columns[name] = [json.loads(data[a:b]) for a, b in pairwise(starts)]
        points, folder, mark = (stored[one].tolist() for one in ("points", "folder", "fingerprint"))
        return columns, points, folder, mark


def assert_same(target, table):
    columns, points, folder, mark = read(target)
    records = list(table.records)
    assert [as_name(one) for one in columns["path"]] == [one.path for one in records]
    labels = list(table.labels or [one.label for one in records])
    assert [as_name(one) for one in columns["label"]] == labels
    assert columns["id"] == [str(image_id(table.folder, one.path)) for one in records]
    assert columns["width"] == [one.width for one in records]
    assert columns["height"] == [one.height for one in records]
    assert columns["note"] == [one.note for one in records]
    assert columns["size"] == table.sizes.tolist()
    assert columns["split"] == table.splits
    assert columns["group"] == table.groups
    assert [tuple(one) for one in columns["tags"]] == table.tags
    assert [tuple(one) for one in columns["texts"]] == table.texts
    assert [tuple(one) for one in columns["machine_tags"]] == table.machine_tags
    assert columns["hash"] == [one.tobytes().hex() for one in table.hashes]
    assert columns["phash"] == table.phashes.tolist()
    assert np.array_equal(np.array(points, np.float32), table.points)
    assert as_name(folder) == table.folder
    assert mark == table.space.fingerprint


def test_every_column_comes_back(tmp_path, ending):
    table = make_table(50)
    written = write(tmp_path / f"out{ending}", table)
    assert written.changed == 50
    assert_same(tmp_path / f"out{ending}", table)
    assert [one.name for one in tmp_path.iterdir()] == [f"out{ending}"]


def test_rows_of_several_batches_stay_in_order(tmp_path, ending):
    table = make_table(BATCH_ROWS + 3, dims=2)
    write(tmp_path / f"out{ending}", table)
    assert_same(tmp_path / f"out{ending}", table)


names = st.one_of(
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1),
    st.binary(min_size=1).filter(lambda name: b"\0" not in name).map(os.fsdecode),
    st.sampled_from(["\\x41", "\\x", "a\nb", '"', ",", "\r", "a/\udcff", "é" * 200]),
)


@settings(deadline=None, max_examples=40)
@given(
    paths=st.lists(names, min_size=1, max_size=5, unique=True),
    label=names,
    which=st.sampled_from(FILES),
)
def test_any_name_survives(tmp_path_factory, paths, label, which):
    if which == ".parquet":
        pytest.importorskip("pyarrow", reason="needs pyarrow")
    table = make_table(len(paths), paths=paths, labels=[label] * len(paths))
    target = tmp_path_factory.mktemp("names") / f"out{which}"
    write(target, table)
    assert_same(target, table)


@given(one=names, other=names)
def test_names_as_text_are_valid_and_differ_where_names_do(one, other):
    assert as_name(as_text(one)) == one
    as_text(one).encode()
    assert (as_text(one) == as_text(other)) == (one == other)


def test_ids_are_stable_and_differ_between_folders():
    assert str(image_id("/a", "b.jpg")) == "702786e7-fae1-7627-3040-65fb37e766b2"
    assert len({image_id(folder, "b.jpg") for folder in ("/a", "/b", "/\udcff")}) == 3


class Slices(Sequence):
    """A sequence that remembers how many elements were asked for at once."""

    def __init__(self, inner):
        self.inner, self.most = inner, 0

    def __len__(self):
        return len(self.inner)

    def __getitem__(self, at):
        found = self.inner[at]
        self.most = max(self.most, len(found) if isinstance(at, slice) else 1)
        return found


def test_rows_are_taken_some_thousand_at_a_time(tmp_path, ending):
    table = make_table(2 * BATCH_ROWS + 1, dims=1)
    records = Slices(table.records)
    write(tmp_path / f"out{ending}", replace(table, records=records))
    assert records.most == BATCH_ROWS


def test_a_failing_export_leaves_the_old_file(tmp_path, ending):
    target = tmp_path / f"out{ending}"
    write(target, make_table(3))

    def fail(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exporter_of(str(target)).write(str(target), make_table(5), fail)
    assert_same(target, make_table(3))
    assert len(list(tmp_path.iterdir())) == 1


# ----- texts as vectors ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def captioned(tmp_path_factory):
    """Thirty photos, of which the last three have no text; every third has two."""
    pytest.importorskip("bm25s")
    base = tmp_path_factory.mktemp("captioned")
    (base / "photos").mkdir()
    texts = ["a red car", "the blue sea", "green trees"]
    with (base / "captions.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file_name", "text", "split"])
        for row in range(30):
            (base / "photos" / f"{row:02}.jpg").write_bytes(jpeg(photo(row, 60, 60)))
            for text in [] if row > 26 else texts[row % 3 :] if row % 3 == 1 else [texts[row % 3]]:
                rows.writerow([f"{row:02}.jpg", text, "test" if row > 24 else "train"])
    return imgbatch.load(base / "photos", metadata=str(base / "captions.csv"))


def test_every_text_is_a_vector_in_the_space_of_the_images_beside_its_row(captioned, tmp_path):
    assert exporting.export(captioned, tmp_path / "all.npz").notes == ()
    with np.load(tmp_path / "all.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored}
    expected = [(row, text) for row, texts in enumerate(captioned.texts) for text in texts]
    assert arrays["text_rows"].tolist() == [row for row, _ in expected]
    shared = captioned.words.shared
    assert shared.maps.points.shape[0] == 25  # what is kept for measuring is not learned from
    vectors = shared.of_texts([text for _, text in expected])
    assert np.allclose(arrays["text_vectors"], vectors, atol=1e-6)
    placed = (arrays["points"] - arrays["vector_mean"]) @ arrays["vector_axes"]
    placed /= np.linalg.norm(placed, axis=1, keepdims=True)
    assert np.allclose(arrays["image_vectors"], placed, atol=1e-5)
    assert arrays["image_vectors"].shape == (30, arrays["text_vectors"].shape[1])


def test_a_part_of_the_images_has_rows_of_its_own_in_the_space_of_all(captioned, tmp_path):
    exporting.export(captioned, tmp_path / "all.npz")
    exporting.export(captioned.where(without_tag="red"), tmp_path / "some.npz")
    with np.load(tmp_path / "all.npz") as whole, np.load(tmp_path / "some.npz") as some:
        assert np.allclose(whole["vector_axes"], some["vector_axes"], atol=1e-6)
        places = {path: row for row, path in enumerate(whole["paths"].tolist())}
        rows = [places[path] for path in some["paths"].tolist()]
        assert 0 < len(rows) < 30
        assert np.allclose(whole["image_vectors"][rows], some["image_vectors"], atol=1e-6)
        own = np.isin(whole["text_rows"], rows)
        assert np.allclose(whole["text_vectors"][own], some["text_vectors"], atol=1e-6)
        assert [rows[row] for row in some["text_rows"]] == whole["text_rows"][own].tolist()


def test_too_few_texts_are_exported_without_vectors_and_a_note(tmp_path):
    pytest.importorskip("bm25s")
    (tmp_path / "photos").mkdir()
    for row in range(12):
        (tmp_path / "photos" / f"{row:02}.jpg").write_bytes(jpeg(photo(row, 60, 60)))
    (tmp_path / "photos" / "03.txt").write_text("a dog")
    photos = imgbatch.load(tmp_path / "photos")
    (note,) = exporting.export(photos, tmp_path / "all.npz").notes
    assert "only 1 image has a text" in note
    with np.load(tmp_path / "all.npz") as stored:
        assert stored["text_rows"].tolist() == [3]
        assert stored["text_vectors"].shape == (1, 0)
        assert stored["image_vectors"].shape == (12, 0)


def test_a_split_that_leaves_too_little_to_learn_from_is_named_in_the_note(captioned, tmp_path):
    rows = [f"{row:02}.jpg,a red car,{'test' if row > 5 else 'train'}" for row in range(30)]
    (tmp_path / "known.csv").write_text("file_name,text,split\n" + "\n".join(rows) + "\n")
    photos = imgbatch.load(captioned.folder, metadata=str(tmp_path / "known.csv"))
    (note,) = exporting.export(photos, tmp_path / "all.npz").notes
    assert "only 6 images have texts" in note
    assert "a split keeps" in note


def test_without_the_library_texts_are_exported_as_they_are(captioned, tmp_path, monkeypatch):
    def missing():
        raise UsageError("bm25s is not installed", "install it")

    monkeypatch.setattr(exporting, "check_libraries", missing)
    (note,) = exporting.export(captioned, tmp_path / "all.npz").notes
    assert "bm25s is not installed" in note
    assert tuple(read(tmp_path / "all.npz")[0]["texts"][0]) == captioned.texts[0]


# ----- the space ----------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [npz, parquet])
def test_the_space_of_a_file_places_pictures_where_the_folder_does(indexed, tmp_path, module):
    kind = module.__name__.rsplit(".", 1)[1]
    if kind == "parquet":
        pytest.importorskip("pyarrow", reason="needs pyarrow")
    target = tmp_path / f"out.{kind}"
    photos = imgbatch.load(indexed.folder, index=indexed.index)
    report = exporting.export(photos, target)
    space = module.read_space(target)
    assert space.fingerprint == report.fingerprint
    assert space.dimensions == report.dimensions == photos.points.shape[1]
    for row in (0, 7):
        decoded, point, phash = space.project(photos.paths[row], "")
        assert np.allclose(point, photos.points[row], atol=1e-5)
        assert phash == photos.projection.hashes[row]
        assert (decoded.width, decoded.height) == tuple(photos.records.sizes[row])


def test_the_fingerprint_tells_spaces_apart():
    same = make_space(), make_space.__wrapped__()  # the second one is made anew
    assert same[0].fingerprint == same[1].fingerprint
    config = imgbatch.load_config().config
    others = [
        make_space("/elsewhere"),
        make_space(seed=1),
        PortableSpace.of(FOLDER, config.with_emphasis("shape"), same[0].space, "0.1.0"),
    ]
    assert len({one.fingerprint for one in (same[0], *others)}) == 4
    newer = PortableSpace.of(FOLDER, config, same[0].space, "9.9")
    assert newer.fingerprint == same[0].fingerprint


def test_a_space_of_other_descriptors_is_refused(tmp_path):
    (tmp_path / "a.jpg").write_bytes(jpeg(photo()))
    space = make_space()
    described = [dict(one, fingerprint="0" * 16) for one in space.settings["descriptors"]]
    for settings_ in (
        {**space.settings, "descriptors": described},
        {**space.settings, "config": {**space.settings["config"], "images": {"view_px": -1}}},
        {**space.settings, "config": {}},
    ):
        other = replace(space, settings={**settings_, "version": "7.0"})
        with pytest.raises(ImgbatchError, match=r"imgbatch 7\.0"):
            other.project(str(tmp_path / "a.jpg"), "")


def test_damaged_arrays_are_an_error():
    space = make_space()
    arrays = space.arrays()
    restored = PortableSpace.restore("f", space.settings, arrays)
    assert np.array_equal(restored.space.blocks["hsv"].axes, space.space.blocks["hsv"].axes)
    for broken in (b"", arrays[: len(arrays) // 2], b"x" * 100):
        with pytest.raises(ImgbatchError, match="damaged"):
            PortableSpace.restore("f", space.settings, broken)


# ----- targets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target", ["out.txt", "out", "mysql://me:secret@host/db", "http://me:secret@host/a.csv"]
)
def test_an_unknown_target_is_refused_without_its_password(target):
    with pytest.raises(UsageError, match=r"\.parquet, \.npz, \.csv, postgresql://") as caught:
        exporter_of(target)
    assert "secret" not in str(caught.value)


def test_a_missing_library_says_what_to_install(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.split(".")[0] in ("pyarrow", "psycopg"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    for target, extra in ((str(tmp_path / "a.parquet"), "parquet"), ("postgres://a/b", "pgvector")):
        with pytest.raises(UsageError, match=rf"pip install 'imgbatch\[{extra}\]'"):
            exporting.check_target(target, str(tmp_path / "photos"))


def test_a_folder_is_no_target(tmp_path):
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        exporting.check_target(str(tmp_path / "out.csv"), str(tmp_path / "photos"))


def test_labels_come_from_a_file_if_one_is_given(photos, tmp_path):
    collection = imgbatch.load(photos)
    lines = [f"{one.path},kind {row % 2}\n" for row, one in enumerate(collection.records)]
    (tmp_path / "labels.csv").write_text("path,label\n" + "".join(lines))
    exporting.export(collection, tmp_path / "out.csv", labels=tmp_path / "labels.csv")
    assert read(tmp_path / "out.csv")[0]["label"] == ["kind 0", "kind 1"] * 6


# ----- the command --------------------------------------------------------------------------------


def test_the_command_writes_a_file_and_says_so(cli, indexed, tmp_path):
    target = tmp_path / "out.csv"
    arguments = ("export", indexed.folder, "--to", target, "--index", indexed.index)
    document = cli(*arguments, "--json").json
    assert document["indexed"] == document["changed"] == 24
    assert document["removed"] == 0
    assert document["to"] == str(target)
    assert document["skipped"] == []
    columns, points, folder, mark = read(target)
    assert columns["path"] == sorted(indexed.names)
    assert folder == str(indexed.folder.resolve())
    assert mark == document["fingerprint"]
    assert len(points[0]) == document["dimensions"]
    files = [Path(indexed.folder, one) for one in columns["path"]]
    assert columns["size"] == [one.stat().st_size for one in files]
    answer = cli(*arguments)
    assert answer.code == 0
    assert mark in answer.out


def test_the_command_writes_nothing_among_the_images(cli, photos):
    before = sorted(photos.rglob("*"))
    answer = cli("export", photos, "--to", photos / "out.csv")
    answer.assert_one_clear_line(2, "never written to", "--to")
    assert sorted(photos.rglob("*")) == before


def test_the_command_needs_a_target_it_knows(cli, photos):
    cli("export", photos, "--to", "postgres:/x").assert_one_clear_line(2, ".csv")
    assert cli("export", photos).code == 2


@pytest.mark.parametrize("module", [npz, parquet])
def test_a_picture_comes_back_from_a_point_that_was_exported(tmp_path, module):
    if module is parquet:
        pytest.importorskip("pyarrow", reason="needs pyarrow")
    (tmp_path / "photos").mkdir()
    for number in range(12):
        (tmp_path / "photos" / f"{number}.jpg").write_bytes(jpeg(photo(number, 60, 60)))
    photos = imgbatch.load(tmp_path / "photos")
    target = tmp_path / f"all.{module.__name__.rsplit('.', 1)[1]}"
    assert exporting.export(photos, target).notes == ()
    space = module.read_space(target)
    point = np.array(read(target)[1][3], np.float32)
    expected = photos.picture_of(photos.points[3])
    assert np.abs(space.picture_of(point).astype(int) - expected).max() <= 1
    with pytest.raises(ImgbatchError, match="those of the space"):
        space.picture_of(point[1:])


def test_points_of_too_few_images_travel_without_pictures_and_say_so(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").write_bytes(jpeg(photo(1, 60, 60)))
    photos = imgbatch.load(tmp_path / "photos")
    (note,) = exporting.export(photos, tmp_path / "all.npz").notes
    assert "without a way back" in note
    assert exporting.export(photos, tmp_path / "all.csv").notes == ()
    space = npz.read_space(tmp_path / "all.npz")
    with pytest.raises(ImgbatchError, match="makes no pictures"):
        space.picture_of(photos.points[0])


def test_an_export_of_a_new_index_has_the_bytes_of_a_later_one(cli, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.jpg").write_bytes(jpeg(photo(number)))
    settle(folder)
    files = [tmp_path / name for name in ("first.npz", "second.npz")]
    for file in files:
        assert cli("export", folder, "--to", file, "--index", tmp_path / "index").code == 0
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("module", [npz, parquet])
@pytest.mark.parametrize("what", ["missing", "no table", "another table"])
def test_a_file_that_holds_no_space_is_one_clear_error(tmp_path, module, what):
    pa = pytest.importorskip("pyarrow")
    file = tmp_path / "other.bin"
    if what == "no table":
        file.write_bytes(b"no table")
    elif what == "another table":
        with file.open("wb") as opened:
            if module is parquet:
                pytest.importorskip("pyarrow.parquet").write_table(pa.table({"a": [1]}), opened)
            else:
                np.savez(opened, a=1)
    with pytest.raises(
        ImgbatchError, match=r"the feature space in .* cannot be read: [^(]+ \(export"
    ):
        module.read_space(file)
