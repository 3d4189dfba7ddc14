"""An index that is trusted, and one whose packed listing is damaged or whose folder changes."""

import contextlib
import shutil
import sqlite3

import pytest

import imgbatch
from imgbatch.errors import FolderError
from imgbatch.index.sqlite.connect import FILE_NAME
from tests.drawing import settle


def config(text, tmp_path):
    (tmp_path / "c.toml").write_text(text)
    return tmp_path / "c.toml"


def test_an_index_is_trusted_where_the_folder_is_gone(photos, tmp_path):
    seen = imgbatch.load(photos).similar(5, seed=3)
    photos.rename(tmp_path / "elsewhere")
    trusted = imgbatch.load(photos, refresh=False)
    assert trusted.similar(5, seed=3).images == seen.images
    assert (trusted.report.read, trusted.report.removed) == (0, 0)
    with pytest.raises(FolderError, match="folder not found"):
        imgbatch.load(photos)


def test_trust_needs_an_index_and_one_that_serves_the_settings(photos, tmp_path):
    with pytest.raises(FolderError, match=r"there is no index .*`refresh=False`"):
        imgbatch.load(photos, refresh=False)
    imgbatch.load(photos)
    other = config("[descriptors.hog]\norientations = 9", tmp_path)
    with pytest.raises(FolderError, match="lacks what these settings ask for, of 12 images"):
        imgbatch.load(photos, refresh=False, config=other)
    assert len(imgbatch.load(photos, refresh=False)) == 12


LISTING = ["paths.npy", "ends.npy", "sizes.npy", "notes.json", "skipped.json", "seal.json"]


@pytest.mark.parametrize("damage", [lambda _: b"damaged", lambda data: data[:-3] + b"odd"])
@pytest.mark.parametrize("name", LISTING)
def test_a_damaged_listing_is_packed_anew_with_a_note(photos, name, damage):
    (photos / "broken.jpg").write_bytes(b"no picture")
    settle(photos)
    for _ in range(6):  # until nothing is left to be noted in the index
        first = imgbatch.load(photos)
    expected = list(first.records)
    (place,) = (first.index_directory / "listings").iterdir()
    damaged = damage((place / name).read_bytes())
    (place / name).unlink()  # not written over: the first collection has it mapped
    (place / name).write_bytes(damaged)
    again = imgbatch.load(photos)
    assert list(again.records) == expected
    assert again.skipped == first.skipped
    assert again.notes == (f"{place / name} is damaged; the listing was packed anew",)
    assert (place / name).read_bytes() != damaged


def test_records_stay_those_of_the_points_whatever_happens_to_the_index(photos):
    early = imgbatch.load(photos)
    expected = early.similar(4, seed=1).images
    for name in ("image001.jpg", "image002.jpg"):
        (photos / name).unlink()
    assert len(imgbatch.load(photos)) == 10
    assert early.similar(4, seed=1).images == expected
    assert len(early.records) == 12


def test_a_listing_is_packed_once_for_each_change_of_the_index(photos):
    imgbatch.load(photos)._opened.catalogue.close()
    imgbatch.load(photos)._opened.catalogue.close()  # notes that nothing was left to read
    before = imgbatch.load(photos)
    (place,) = (before.index_directory / "listings").iterdir()
    packed = place.stat().st_ino
    before._opened.catalogue.close()
    imgbatch.load(photos)._opened.catalogue.close()
    assert place.stat().st_ino == packed


ACCIDENTS = {
    "an image's content": "UPDATE images SET content_id = content_id % 12 + 1 WHERE rowid = 3",
    "an image without content": "UPDATE images SET content_id = 999 WHERE rowid = 3",
    "an image with nothing": "UPDATE images SET content_id = NULL WHERE rowid = 3",
    "a path": "UPDATE images SET path = x'ff' WHERE rowid = 3",
    "a path of another type": "UPDATE images SET path = 17 WHERE rowid = 3",
    "a file's error": "UPDATE images SET error = 'odd', content_id = NULL WHERE rowid = 3",
    "a width": "UPDATE contents SET width = width + 1024 WHERE id = 4",
    "a size of another type": "UPDATE contents SET height = 'high' WHERE id = 4",
    "a note": "UPDATE contents SET note = 'odd' WHERE id = 4",
    "a content's error": "UPDATE contents SET error = 'odd' WHERE id = 4",
    "limits": "UPDATE contents SET limits = 'other' WHERE id = 4",
    "a hash": "UPDATE contents SET hash = x'00112233445566778899aabbccddeeff' WHERE id = 4",
    "codes": "UPDATE vectors SET data = CAST(x'ff' || substr(data, 2) AS BLOB) WHERE content_id = 4",
    "codes of another type": "UPDATE vectors SET data = x'ff' || data WHERE content_id = 4",
    "codes of another length": "UPDATE vectors SET data = x'00' WHERE content_id = 4",
    "codes of another image": "UPDATE vectors SET content_id = 99 WHERE content_id = 4",
    "codes of another descriptor": "UPDATE vectors SET descriptor_id = descriptor_id + 50 WHERE content_id = 4",
    "a descriptor": "UPDATE descriptors SET fingerprint = 'odd' WHERE id = 1",
    "a missing image": "DELETE FROM images WHERE rowid = 3",
    "a missing content": "DELETE FROM contents WHERE id = 4",
    "the generation": "UPDATE meta SET value = 'odd' WHERE key = 'generation'",
    "no identity": "DELETE FROM meta WHERE key = 'identity'",
}


@pytest.mark.parametrize("accident", ACCIDENTS)
@pytest.mark.parametrize("kept", ["spaces", "no space"])
def test_a_flipped_bit_in_a_row_changes_no_answer(photos, accident, kept):
    before = imgbatch.load(photos)
    expected, directory = before.similar(5, seed=3), before.index_directory
    paths, points = before.paths, before.points.tobytes()
    before._opened.catalogue.close()
    with contextlib.closing(sqlite3.connect(directory / FILE_NAME)) as db, db:
        assert db.execute(ACCIDENTS[accident]).rowcount > 0
    if kept == "no space":
        shutil.rmtree(directory / "spaces")
    after = imgbatch.load(photos)
    assert after.similar(5, seed=3).images == expected.images
    assert after.paths == paths
    assert after.points.tobytes() == points


def test_a_row_that_is_not_what_was_written_has_the_index_rebuilt_with_a_note(photos):
    before = imgbatch.load(photos)
    _ = before.points
    directory = before.index_directory
    before._opened.catalogue.close()
    with contextlib.closing(sqlite3.connect(directory / FILE_NAME)) as db, db:
        db.execute(ACCIDENTS["a width"])
    after = imgbatch.load(photos)
    note, small = after.notes
    assert "whitening is off" in small
    assert "a row does not match its checksum" in note
    assert "rebuilt" in note
    after._opened.catalogue.close()
    assert imgbatch.load(photos).notes == ()
