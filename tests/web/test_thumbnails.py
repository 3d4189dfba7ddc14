"""Small pictures are made once, belong to the bytes of a file, and survive a broken store."""

import io
import shutil
import sqlite3
import threading

import pytest
from PIL import Image

from imgbatch.errors import UnreadableImage
from imgbatch.web.thumbnails import SIDE_PX, Thumbnails, version_of
from tests.drawing import jpeg, photo
from tests.web.conftest import CONFIG


@pytest.fixture
def store(tmp_path):
    return Thumbnails(tmp_path / "thumbnails.sqlite", CONFIG)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "sea.jpg"
    path.write_bytes(jpeg(photo(1, 600, 400)))
    return str(path)


def rows(store):
    return sqlite3.connect(store._file).execute("SELECT count(*) FROM thumbnails").fetchone()[0]


def test_a_picture_is_small_kept_and_the_same_again(store, file):
    made, content = store.get(file, version_of(file))
    with Image.open(io.BytesIO(made)) as picture:
        assert max(picture.size) == SIDE_PX
    assert store.get(file, version_of(file)) == (made, content)
    assert Thumbnails(store._file, CONFIG).get(file, version_of(file)) == (made, content)
    assert rows(store) == 1


def test_a_file_that_changes_gets_another_picture(store, file):
    before = store.get(file, version_of(file))
    with open(file, "wb") as opened:
        opened.write(jpeg(photo(2, 600, 400)))
    after = store.get(file, version_of(file))
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_copies_share_a_picture(store, file, tmp_path):
    copy = str(tmp_path / "copy.jpg")
    shutil.copyfile(file, copy)
    assert store.get(file, version_of(file)) == store.get(copy, version_of(copy))
    assert rows(store) == 1


def test_what_is_no_picture_or_gone_is_an_error_and_not_kept(store, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    with pytest.raises(UnreadableImage):
        store.get(str(bad), version_of(bad))
    with pytest.raises(OSError, match="No such file"):
        store.get(str(tmp_path / "none.jpg"), "")
    assert version_of(tmp_path / "none.jpg") == ""


@pytest.mark.parametrize(
    "broken", [b"no database at all" * 99, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_broken_store_is_made_anew(store, file, broken):
    store._file.write_bytes(broken)
    assert store.get(file, version_of(file))[0][:2] == b"\xff\xd8"
    assert Thumbnails(store._file, CONFIG).get(file, version_of(file))[0][:2] == b"\xff\xd8"


def test_a_store_that_cannot_be_written_costs_time_and_nothing_else(file, tmp_path):
    store = Thumbnails(tmp_path / "no" / "such" / "folder.sqlite", CONFIG)
    assert store.get(file, version_of(file))[0][:2] == b"\xff\xd8"


def test_the_oldest_half_goes_when_there_are_too_many(store, tmp_path, monkeypatch):
    monkeypatch.setattr("imgbatch.web.thumbnails._MOST_ENTRIES", 10)
    monkeypatch.setattr("imgbatch.web.thumbnails._EVERY", 1)
    for number in range(15):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(jpeg(photo(number, 40, 30)))
        store.get(str(path), version_of(path))
    assert rows(store) <= 11
    last = str(tmp_path / "14.jpg")
    assert store._read("SELECT file, content FROM contents WHERE file NOT NULL LIMIT ?", 1)
    assert store.get(last, version_of(last))[0][:2] == b"\xff\xd8"


def test_threads_may_ask_for_one_picture_at_once(store, file):
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(store.get(file, version_of(file))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 1
    assert len(answers) == 8
