"""Bringing an index up to date: only what changed is read, only what is new is decoded."""

import contextlib
import os
import sqlite3
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import imgbatch
from imgbatch.config import default_config_path, load_config
from imgbatch.files.cache import index_directory
from imgbatch.images.scan import FoundFile
from imgbatch.index import extract
from imgbatch.index.sqlite import refresh as indexing
from imgbatch.index.sqlite.connect import FILE_NAME
from imgbatch.index.sqlite.store import KnownFile
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
    monkeypatch.setattr("imgbatch.index.extract.decode", lambda *_, **__: pytest.fail("decoded"))
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


def test_files_of_equal_size_and_time_that_swap_their_names_are_read_again(photos):
    first, second = photos / "image003.jpg", photos / "image007.jpg"
    size = max(first.stat().st_size, second.stat().st_size)
    for file in (first, second):
        file.write_bytes(file.read_bytes().ljust(size, b"\0"))
        os.utime(file, (OLD, OLD))
    before = vectors(photos)
    first.rename(photos / "elsewhere")
    second.rename(first)
    (photos / "elsewhere").rename(second)
    assert refresh(photos) == (2, 0, 0)
    after = vectors(photos)
    for mark in {mark for _, mark in before}:
        assert after[b"image003.jpg", mark] == before[b"image007.jpg", mark]
        assert after[b"image007.jpg", mark] == before[b"image003.jpg", mark]


def test_an_index_without_times_of_inodes_is_completed_and_reads_nothing(photos):
    imgbatch.load(photos)
    with contextlib.closing(sqlite3.connect(index_directory(str(photos)) / FILE_NAME)) as db, db:
        db.execute("UPDATE images SET ctime_ns = NULL, checksum = NULL")
    assert refresh(photos) == (0, 0, 0)
    assert refresh(photos) == (0, 0, 0)
    with contextlib.closing(sqlite3.connect(index_directory(str(photos)) / FILE_NAME)) as db, db:
        lacking = "SELECT count(*) FROM images WHERE ctime_ns IS NULL OR checksum IS NULL"
        assert db.execute(lacking).fetchone() == (0,)
    (photos / "image003.jpg").rename(photos / "elsewhere")
    (photos / "elsewhere").rename(photos / "image003.jpg")
    assert refresh(photos) == (1, 0, 0)


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
    os.utime(photos / "bad.jpg", (OLD, OLD))
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


# ----- unchanged listings -------------------------------------------------------------------------


def counted(monkeypatch):
    """How often the index compared the whole folder with what it knows."""
    compared = []
    plan = indexing._plan
    monkeypatch.setattr(indexing, "_plan", lambda *a, **b: compared.append(1) or plan(*a, **b))
    return compared


def test_an_unchanged_listing_is_known_by_its_hash_and_every_change_is_seen(photos, monkeypatch):
    for _ in range(3):
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


def test_times_in_the_future_are_trusted_once_the_files_have_settled(photos, monkeypatch):
    """Of a camera whose clock was wrong; unless the file system's own clock is ahead of ours."""
    later_ns = time.time_ns() + 10**9 * 3600 * 24 * 365
    for file in photos.iterdir():
        os.utime(file, ns=(later_ns, later_ns))
    count = len(list(photos.iterdir()))
    imgbatch.load(photos)
    assert refresh(photos)[0] == count, "changed just now"
    in_a_minute_ns = time.time_ns() + 60 * 10**9
    monkeypatch.setattr(extract.time, "time_ns", lambda: in_a_minute_ns)
    refresh(photos)
    assert refresh(photos) == (0, 0, 0)
    monkeypatch.setattr(extract.time, "time_ns", lambda: in_a_minute_ns - 120 * 10**9)
    (photos / "image000.jpg").touch()
    os.utime(photos / "image000.jpg", ns=(later_ns, later_ns))
    assert refresh(photos)[0] == 1
    assert refresh(photos)[0] == 1, "the change itself lies in the future"


NAMES = st.sets(st.text("ab/\udcff\u00fc\U0001f600", min_size=1, max_size=4), max_size=20)


@given(NAMES, NAMES)
def test_folder_and_index_side_by_side_equal_their_comparison_by_dictionaries(inside, known):
    files = {name: FoundFile(name, 1, 1) for name in inside}
    held = {name: KnownFile(2, 2, b"", None) for name in known}
    found = sorted(files.values(), key=lambda file: os.fsencode(file.path))
    pairs = sorted(held.items(), key=lambda pair: os.fsencode(pair[0]))
    assert list(indexing._side_by_side(found, iter(pairs))) == [
        (name, files.get(name), held.get(name)) for name in sorted({*files, *held}, key=os.fsencode)
    ]
