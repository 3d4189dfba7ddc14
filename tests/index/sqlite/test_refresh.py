"""Bringing an index up to date: only what changed is read, only what is new is decoded."""

import contextlib
import hashlib
import os
import sqlite3

import pytest

import imgbatch
from imgbatch.config import default_config_path, load_config
from imgbatch.errors import FolderError
from imgbatch.files.cache import index_directory
from imgbatch.index.extract import Chunk, FileTask, chunks, read_chunk
from imgbatch.index.sqlite import refresh as indexing
from imgbatch.index.sqlite.connect import FILE_NAME
from tests.drawing import OLD, jpeg, photo, png, settle

OPTIONS = load_config(default_config_path()).config.images.as_options()


def config(text="", tmp_path=None):
    if not text:
        return None
    (tmp_path / "c.toml").write_text(text)
    return tmp_path / "c.toml"


def refresh(folder, config=None):
    """(read, described, removed) of bringing the index up to date."""
    report = imgbatch.load(folder, config=config).report
    return report.read, report.described, report.removed


def vectors(folder, config=None):
    """What the index holds of each path: {(path, fingerprint): bytes}."""
    directory = imgbatch.load(folder, config=config).index_directory
    db = sqlite3.connect(directory / FILE_NAME)
    rows = db.execute(
        "SELECT path, fingerprint, data FROM images JOIN vectors USING (content_id)"
        " JOIN descriptors ON descriptors.id = descriptor_id"
    ).fetchall()
    db.close()
    return {(path, fingerprint): data for path, fingerprint, data in rows}


def held(folder):
    """How many contents and vectors the index holds, whether files have them or not."""
    directory = index_directory(str(folder))
    with contextlib.closing(sqlite3.connect(directory / FILE_NAME)) as db:
        tables = ("contents", "vectors")
        return tuple(db.execute(f"SELECT count(*) FROM {one}").fetchone()[0] for one in tables)


def test_a_second_request_reads_and_decodes_nothing(photos, monkeypatch):
    assert refresh(photos) == (12, 12, 0)
    monkeypatch.setattr("imgbatch.images.decode.decode", lambda *_, **__: pytest.fail("decoded"))
    assert refresh(photos) == (0, 0, 0)
    collection = imgbatch.load(photos)
    collection.similar(3, seed=1)
    collection.different(3, seed=1)
    assert refresh(photos) == (0, 0, 0)


def test_an_added_file_alone_is_read(photos):
    refresh(photos)
    (photos / "new.png").write_bytes(png(photo(77)))
    settle(photos)
    assert refresh(photos)[1:] == (1, 0)
    assert len(imgbatch.load(photos)) == 13


def test_a_changed_file_of_the_same_size_is_decoded_again(photos):
    before = vectors(photos)
    file = photos / "image003.jpg"
    other = jpeg(photo(555), quality=60)
    size = max(file.stat().st_size, len(other))
    file.write_bytes(file.read_bytes().ljust(size, b"\0"))
    os.utime(file, (OLD + 1000, OLD + 1000))
    vectors(photos)
    file.write_bytes(other.ljust(size, b"\0"))
    os.utime(file, (OLD + 2000, OLD + 2000))
    assert refresh(photos) == (1, 1, 0)
    after = vectors(photos)
    changed = {path for path, mark in after if after[path, mark] != before[path, mark]}
    assert changed == {b"image003.jpg"}


def test_a_touched_file_is_read_but_not_decoded(photos):
    refresh(photos)
    os.utime(photos / "image003.jpg", (OLD + 9999, OLD + 9999))
    assert refresh(photos) == (1, 0, 0)
    assert refresh(photos) == (0, 0, 0)


def test_a_renamed_file_is_read_but_not_decoded(photos):
    before = vectors(photos)
    (photos / "sub").mkdir()
    (photos / "image003.jpg").rename(photos / "sub" / "renamed.jpg")
    assert refresh(photos) == (1, 0, 1)
    after = vectors(photos)
    marks = {mark for _, mark in before}
    assert all(after[b"sub/renamed.jpg", m] == before[b"image003.jpg", m] for m in marks)
    assert not any(path == b"image003.jpg" for path, _ in after)


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 200, 5000])
@pytest.mark.parametrize("most", [1, 7, 128, 4096])
def test_chunks_hold_every_file_once_and_shrink_towards_the_end(count, most):
    files = [FileTask(f"{number}.jpg", 100) for number in range(count)]
    sizes, left = [], count
    cut = list(chunks("photos", files, (), OPTIONS, most))
    assert [file for chunk in cut for file in chunk.files] == files
    for chunk in cut:
        sizes.append(len(chunk.files))
        assert sizes[-1] <= min(most, max(16, left / 8))
        left -= sizes[-1]
    assert sizes == sorted(sizes, reverse=True)


def test_chunks_of_large_files_are_small():
    files = [FileTask(f"{number}.jpg", 9_000_000) for number in range(5)]
    assert [len(chunk.files) for chunk in chunks("photos", files, (), OPTIONS, 128)] == [1] * 5
    files = [FileTask(f"{number}.jpg", 1_000_000) for number in range(200)]
    sizes = [len(chunk.files) for chunk in chunks("photos", files, (), OPTIONS, 128)]
    assert sizes[0] == 16
    assert sizes[-1] == 1
    assert sizes == sorted(sizes, reverse=True)


def test_the_content_hash_is_the_beginning_of_the_files_sha256(photos):
    data = (photos / "image003.jpg").read_bytes()
    (read,) = read_chunk(Chunk(str(photos), (FileTask("image003.jpg", 0),), (), OPTIONS))
    assert read.content_hash == hashlib.sha256(data).digest()[:16]
    assert read.size == len(data)


def test_a_copy_of_a_known_file_is_not_decoded(photos):
    refresh(photos)
    (photos / "copy.jpg").write_bytes((photos / "image003.jpg").read_bytes())
    os.utime(photos / "copy.jpg", (OLD, OLD))
    assert refresh(photos) == (1, 0, 0)
    assert len(imgbatch.load(photos)) == 13


def test_a_deleted_file_is_forgotten(photos):
    refresh(photos)
    (photos / "image003.jpg").unlink()
    assert refresh(photos) == (0, 0, 1)
    assert not any("image003" in path for path in imgbatch.load(photos).paths)


def test_what_a_deleted_and_a_changed_file_held_is_purged(photos):
    refresh(photos)
    contents, codes = held(photos)
    assert contents == 12
    each = codes // 12
    (photos / "image003.jpg").unlink()
    refresh(photos)
    assert held(photos) == (11, 11 * each)
    (photos / "image004.jpg").write_bytes(jpeg(photo(444)))
    settle(photos)
    assert refresh(photos)[1:] == (1, 0)
    assert held(photos) == (11, 11 * each)


def test_of_two_known_copies_one_is_decoded_for_new_settings(photos, tmp_path):
    (photos / "copy.jpg").write_bytes((photos / "image003.jpg").read_bytes())
    settle(photos)
    assert refresh(photos)[0] == 13
    changed = config("[descriptors.hog]\norientations = 9\n", tmp_path)
    assert refresh(photos, changed) == (12, 12, 0)
    codes = vectors(photos, changed)
    copied = {mark: data for (path, mark), data in codes.items() if path == b"copy.jpg"}
    assert copied == {m: data for (path, m), data in codes.items() if path == b"image003.jpg"}


def test_a_file_changed_a_moment_ago_is_read_again(photos):
    (photos / "fresh.jpg").write_bytes(jpeg(photo(1234)))
    assert refresh(photos) == (13, 13, 0)
    assert refresh(photos) == (1, 0, 0)


def test_a_bad_file_is_not_read_again_until_it_changes(photos):
    (photos / "bad.jpg").write_bytes(b"nothing")
    settle(photos)
    assert refresh(photos) == (13, 12, 0)
    assert [s.path for s in imgbatch.load(photos).skipped] == ["bad.jpg"]
    assert refresh(photos) == (0, 0, 0)
    (photos / "bad.jpg").write_bytes(jpeg(photo(4321)))
    settle(photos)
    assert refresh(photos)[:2] == (1, 1)
    assert imgbatch.load(photos).skipped == []


def test_other_limits_bring_files_back_and_take_them_away(photos, tmp_path):
    refresh(photos)
    tight = config("[images]\nmax_megapixels = 0.01\n", tmp_path)
    (photos / "small.jpg").write_bytes(jpeg(photo(5, 60, 60)))
    settle(photos)
    collection = imgbatch.load(photos, config=tight)
    assert [record.path for record in collection.records] == ["small.jpg"]
    assert len(collection.skipped) == 12
    assert len(imgbatch.load(photos)) == 13


def test_a_changed_hog_recomputes_hog_alone(photos, tmp_path):
    before = vectors(photos)
    changed = config(
        "[descriptors.hog]\nwindow_px = 64\ncell_px = 16\norientations = 9\n", tmp_path
    )
    assert refresh(photos, changed) == (12, 12, 0)
    after = vectors(photos, changed)
    marks_before, marks_after = ({mark for _, mark in one} for one in (before, after))
    assert marks_before < marks_after
    assert len(marks_after - marks_before) == 1
    assert all(after[key] == data for key, data in before.items())
    assert refresh(photos) == (0, 0, 0)  # the old ones are still there


@pytest.mark.parametrize("text", ["[weights]\nhsv = 0.9\n", "[sheet]\ncolumns = 2\n",
                                  "[different]\noutlier_share = 0.3\n"])  # fmt: skip
def test_other_weights_decode_nothing(photos, tmp_path, text):
    refresh(photos)
    assert refresh(photos, config(text, tmp_path)) == (0, 0, 0)


def test_another_view_size_describes_everything_again(photos, tmp_path):
    refresh(photos)
    changed = config("[images]\nview_px = 64\n", tmp_path)
    assert refresh(photos, changed) == (12, 12, 0)


@pytest.mark.skipif(os.name != "posix", reason="needs links")
def test_a_dangling_link_is_among_the_skipped_on_every_request(photos):
    (photos / "gone.jpg").symlink_to("nowhere")
    for _ in range(2):
        assert [s.reason for s in imgbatch.load(photos).skipped] == ["dangling link"]


def test_progress_counts_from_0_to_all(photos):
    seen = []
    imgbatch.load(photos, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 12)
    assert seen[-1] == (12, 12)
    assert seen == sorted(seen)


# ----- listings and trust -------------------------------------------------------------------------


def counted(monkeypatch):
    """How often the index compared the whole folder with what it knows."""
    compared = []
    plan = indexing._plan
    monkeypatch.setattr(indexing, "_plan", lambda *a: compared.append(1) or plan(*a))
    return compared


def test_an_unchanged_listing_is_known_by_its_hash_and_every_change_is_seen(photos, monkeypatch):
    for _ in range(2):
        imgbatch.load(photos)
    compared = counted(monkeypatch)
    assert refresh(photos) == (0, 0, 0)
    assert not compared
    file = photos / "image003.jpg"
    times = file.stat().st_mtime_ns
    os.utime(file, ns=(times, times + 1))
    assert refresh(photos) == (1, 0, 0)
    os.utime(file, ns=(times, times))
    assert refresh(photos) == (1, 0, 0), "the old listing, but not the index's state"
    file.rename(photos / "other.jpg")
    assert refresh(photos) == (1, 0, 1)
    (photos / "other.jpg").unlink()
    assert refresh(photos) == (0, 0, 1)
    assert len(compared) == 4


def test_a_file_read_within_two_seconds_of_its_change_is_read_again(photos, monkeypatch):
    file = photos / "image003.jpg"
    file.write_bytes(file.read_bytes())
    imgbatch.load(photos)
    compared = counted(monkeypatch)
    assert refresh(photos)[0] == 1
    assert refresh(photos)[0] in (0, 1)  # two seconds may have passed
    assert len(compared) == 2


def test_an_index_is_trusted_where_the_folder_is_gone(photos, tmp_path):
    seen = imgbatch.load(photos).similar(5, seed=3)
    photos.rename(tmp_path / "elsewhere")
    trusted = imgbatch.load(photos, refresh=False)
    assert trusted.similar(5, seed=3).images == seen.images
    assert (trusted.report.read, trusted.report.removed) == (0, 0)
    with pytest.raises(FolderError, match="folder not found"):
        imgbatch.load(photos)


def test_trust_needs_an_index_and_one_that_serves_the_settings(photos, tmp_path):
    with pytest.raises(FolderError, match=r"there is no index .*--no-refresh"):
        imgbatch.load(photos, refresh=False)
    imgbatch.load(photos)
    other = config("[descriptors.hog]\norientations = 9", tmp_path)
    with pytest.raises(FolderError, match="lacks what these settings ask for, of 12 images"):
        imgbatch.load(photos, refresh=False, config=other)
    assert len(imgbatch.load(photos, refresh=False)) == 12


@pytest.mark.parametrize("name", ["paths.npy", "ends.npy", "notes.json", "skipped.json"])
def test_a_damaged_listing_is_packed_anew(photos, name):
    (photos / "broken.jpg").write_bytes(b"no picture")
    settle(photos)
    for _ in range(4):  # until nothing is left to be noted in the index
        first = imgbatch.load(photos)
    expected = list(first.records)
    (place,) = (first.index_directory / "listings").iterdir()
    (place / name).unlink()  # not written over: the first collection has it mapped
    (place / name).write_bytes(b"damaged")
    again = imgbatch.load(photos)
    assert list(again.records) == expected
    assert again.skipped == first.skipped
    assert (place / name).read_bytes() != b"damaged"


def test_records_stay_those_of_the_points_whatever_happens_to_the_index(photos):
    early = imgbatch.load(photos)
    expected = early.similar(4, seed=1).images
    for name in ("image001.jpg", "image002.jpg"):
        (photos / name).unlink()
    assert len(imgbatch.load(photos)) == 10
    assert early.similar(4, seed=1).images == expected
    assert len(early.records) == 12
