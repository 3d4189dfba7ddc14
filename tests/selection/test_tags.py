"""The tags of a folder: all at once, of some rows, of some images, after changes, in both indexes."""

import math
import sqlite3

import numpy as np
import pytest

import imgbatch
from imgbatch.index import extract
from imgbatch.measures.quantities import STORED
from imgbatch.selection import tags as folder_tags
from imgbatch.selection.tags import shared_tags
from imgbatch.types import ImageTag, PickedImage, Selection
from tests.drawing import write_photos


@pytest.fixture
def known(tmp_path, photos):
    file = tmp_path / "m.csv"
    file.write_text("file_name,tags\nimage003.jpg,sea;landscape\nimage004.jpg,sea\n")
    return imgbatch.load(photos, index=tmp_path / "cache", metadata=file)


def naive(photos):
    """The tags of each image with scores, by asking for one image at a time."""
    (table, tagging) = photos.tag_table(), photos.tagging
    found = []
    for row in range(len(photos)):
        scores = {tag.tag: tag.score for tag in tagging.of_rows(np.array([row]))[0]}
        found.append(scores)
        assert scores == pytest.approx(table.of_image(row), abs=1e-4)
    return found


def test_tags_of_one_row_are_those_of_the_table_and_counts_are_theirs(known):
    found = naive(known)
    counts = known.tag_table().counts()
    assert counts == {name: sum(name in one for one in found) for name in counts}
    assert known.tagging.counts() == counts
    for name in counts:
        assert known.tagging.rows_with((name,)).tolist() == [name in one for one in found]
        rows = known.tag_table().clearest(name).tolist()
        assert sorted(rows) == [row for row, one in enumerate(found) if name in one]
        assert [found[row][name] for row in rows] == sorted(
            (found[row][name] for row in rows), reverse=True
        )


def test_a_given_tag_replaces_the_measured_one_of_its_name(known):
    table = known.tag_table()
    sources = dict(zip(table.names, table.sources, strict=True))
    assert sources["landscape"] == sources["sea"] == "given"
    assert table.counts()["landscape"] == 1
    assert len(set(table.names)) == len(table.names)


def test_the_most_telling_tags_come_first(known):
    counts, total = known.tagging.counts(), len(known)
    for tags in known.tagging.of_rows(np.arange(total)):
        telling = [tag.score * math.log(total / counts[tag.tag]) for tag in tags]
        assert telling == sorted(telling, reverse=True)


def test_some_of_the_images_have_the_tags_and_the_counts_of_the_folder(known):
    chosen = known.where(tag="sea")
    assert len(chosen) == 2
    rows = [known.records.row_of(record.path) for record in chosen.records]
    whole = known.tagging.of_rows(np.array(rows))
    assert chosen.tagging.of_rows(np.arange(2)) == whole
    assert chosen.tagging.counts() == known.tagging.counts()
    assert chosen.tag_table().counts()["sea"] == 2
    quantities = known.quantities()
    for name, values in chosen.quantities().items():
        assert np.array_equal(values, quantities[name][rows], equal_nan=True)


def test_counts_are_kept_until_images_or_vocabulary_change(known, tmp_path, photos, monkeypatch):
    counts = known.tagging.counts()

    def load(vocabulary=None):
        metadata = tmp_path / "m.csv"
        return imgbatch.load(
            photos, index=tmp_path / "cache", metadata=metadata, vocabulary=vocabulary
        )

    with monkeypatch.context() as patch:
        patch.setattr(folder_tags, "measured_scores", None)
        assert load().tagging.counts() == counts
    own = tmp_path / "own.toml"
    own.write_text('[tags.dark]\nname = "dunkel"\n')
    assert "dunkel" in load(own).tagging.counts()
    write_photos(photos, 14)
    assert load().tagging.counts() == load().tag_table().counts()


def test_an_index_without_quantities_is_completed_and_nothing_else_is_computed(
    photos, tmp_path, monkeypatch
):
    cache = tmp_path / "cache"
    first = imgbatch.load(photos, index=cache)
    before = first.quantities()
    (mark,) = [mark for mark, one in first._opened.indexed.stored if one.name == "measures"]
    database = next(first.index_directory.glob("*.sqlite*"))
    first._opened.catalogue.close()
    with sqlite3.connect(database) as db:
        db.execute(
            "DELETE FROM vectors WHERE descriptor_id ="
            " (SELECT id FROM descriptors WHERE fingerprint = ?)",
            (mark,),
        )
        db.execute("DELETE FROM meta WHERE key = 'complete'")
    db.close()
    asked = []
    describe = extract._read_group

    def spy(chunk, group):
        asked.extend(file.wanted for file in group)
        return describe(chunk, group)

    monkeypatch.setattr(extract, "_read_group", spy)
    again = imgbatch.load(photos, index=cache)
    assert asked == [frozenset({mark})] * 12
    after = again.quantities()
    assert all(np.array_equal(before[name], after[name], equal_nan=True) for name in before)


def test_shards_hold_the_same_quantities(photos, tmp_path):
    pytest.importorskip("distributed")
    pytest.importorskip("pyarrow")
    one = imgbatch.load(photos, index=tmp_path / "one")
    many = imgbatch.load(photos, index=tmp_path / "many", cluster="local")
    for name in STORED:
        assert np.array_equal(one.quantities()[name], many.quantities()[name])
    assert one.tag_table().counts() == many.tag_table().counts()


def picked(rank, *names):
    tags = tuple(ImageTag(name, 1.0, "measured") for name in names)
    return PickedImage(rank, f"/{rank}", str(rank), 0.0, 8, 6, all_tags=tags)


@pytest.mark.parametrize(
    ("images", "shared"),
    [
        ([picked(1, "a", "b"), picked(2, "b", "a"), picked(3, "a", "b", "c")], ("a", "b")),
        ([picked(1, "a", "b"), picked(2, "b")], ("b",)),
        ([picked(0, "x"), picked(1, "a"), picked(2, "a")], ("a",)),
        ([picked(1, "a")], ()),
        ([picked(1, "a"), picked(2)], ()),
    ],
)
def test_shared_tags_are_those_of_all_images_of_the_set(images, shared):
    assert shared_tags(Selection("similar", 1, "/photos", tuple(images))) == shared
