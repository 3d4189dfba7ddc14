"""The index on disk: what it keeps, what it forgets, and how it survives damage."""

import contextlib
import os
import random
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest

from imgbatch.errors import CatalogueError
from imgbatch.index.sqlite.connect import FILE_NAME
from imgbatch.index.sqlite.schema import MIGRATIONS
from imgbatch.index.sqlite.store import Catalogue
from imgbatch.types import ReadFile

LIMITS = "limits"


def read(path: str, content: bytes = b"", **values) -> ReadFile:
    content = content or path.encode()
    usual = {"size": len(path), "mtime_ns": 5, "width": 4, "height": 3, "codes": {"f": b"ab"}}
    return ReadFile(path=path, content_hash=content.ljust(16)[:16], **(usual | values))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def catalogue(directory):
    with Catalogue.open(directory, "/photos") as opened:
        yield opened


def rows(catalogue: Catalogue, fingerprint: str = "f", dim: int = 2) -> list[bytes]:
    return [bytes(row) for block in catalogue.codes(fingerprint, dim) for row in block]


def test_a_new_index_is_empty(catalogue):
    assert dict(catalogue.files()) == {}
    assert list(catalogue.records()) == []
    assert catalogue.skipped() == []
    assert catalogue.notes == []
    assert rows(catalogue) == []


def test_what_is_recorded_is_read_back_in_order_of_path(catalogue):
    catalogue.record([read("b.jpg", codes={"f": b"22"}), read("a/z.jpg", note="odd",
                      codes={"f": b"11"})], LIMITS)  # fmt: skip
    assert [(r.path, r.width, r.height, r.note, r.label) for r in catalogue.records()] == [
        ("a/z.jpg", 4, 3, "odd", "a"), ("b.jpg", 4, 3, "", ""),
    ]  # fmt: skip
    assert rows(catalogue) == [b"11", b"22"]
    known = dict(catalogue.files())["b.jpg"]
    assert (known.size, known.mtime_ns, known.error) == (5, 5, None)


def test_codes_come_in_batches_of_at_most_the_size_asked_for(catalogue):
    catalogue.record([read(f"{n:02}", codes={"f": bytes([n, n])}) for n in range(10)], LIMITS)
    blocks = list(catalogue.codes("f", 2, batch=4))
    assert [len(block) for block in blocks] == [4, 4, 2]
    assert np.array_equal(np.concatenate(blocks), np.arange(10)[:, None].repeat(2, 1))


def test_unusable_files_are_listed_with_their_reasons(catalogue):
    catalogue.record([
        read("bad.jpg", error="damaged", codes=None),
        ReadFile("closed.jpg", 3, -1, None, error="cannot be read"),
        read("good.jpg"),
    ], LIMITS)  # fmt: skip
    assert [(s.path, s.reason) for s in catalogue.skipped()] == [
        ("bad.jpg", "damaged"), ("closed.jpg", "cannot be read"),
    ]  # fmt: skip
    assert [r.path for r in catalogue.records()] == ["good.jpg"]


def test_names_may_hold_any_bytes(catalogue):
    names = ["\udcff\udc80.jpg", "a\nb.jpg", "ü.jpg", "'; DROP TABLE images; --.jpg"]
    catalogue.record([read(name, content=os.fsencode(name)) for name in names], LIMITS)
    assert {record.path for record in catalogue.records()} == set(names)
    assert set(dict(catalogue.files())) == set(names)


def test_two_files_of_one_content_share_its_vectors(catalogue):
    catalogue.record([read("a", b"same"), read("b", b"same", codes=None, known=True)], LIMITS)
    assert rows(catalogue) == [b"ab", b"ab"]


def test_a_renamed_file_keeps_its_vectors(catalogue):
    catalogue.record([read("a", b"c")], LIMITS)
    catalogue.forget(["a"])
    assert list(catalogue.records()) == []
    catalogue.record([read("b", b"c", codes=None, known=True, width=0, height=0)], LIMITS)
    assert [(r.path, r.width) for r in catalogue.records()] == [("b", 4)]
    assert rows(catalogue) == [b"ab"]


def test_the_generation_changes_with_every_real_change_and_only_then(catalogue):
    seen = [catalogue.generation()]

    def changed() -> bool:
        seen.append(catalogue.generation())
        return seen[-1] != seen[-2]

    catalogue.record([read("a", b"1"), read("b", b"2")], LIMITS)
    assert changed()
    catalogue.record([read("a", b"1", codes=None, known=True, mtime_ns=9)], LIMITS)
    assert not changed()
    assert dict(catalogue.files())["a"].mtime_ns == 9
    catalogue.record([read("a", b"2", codes=None, known=True)], LIMITS)
    assert changed()
    catalogue.forget(["a"])
    assert changed()


def test_what_is_lacking_is_told_for_each_content(catalogue):
    first, second = b"1".ljust(16), b"2".ljust(16)
    catalogue.record([read("a", b"1"), read("b", b"2", codes={"f": b"ab", "g": b"cd"}),
                      read("c", b"3", error="damaged", codes=None)], LIMITS)  # fmt: skip
    assert catalogue.lacking(["f"], LIMITS) == {}
    assert catalogue.lacking(["f", "g"], LIMITS) == {first: {"g"}}
    assert catalogue.lacking(["h"], LIMITS) == {first: {"h"}, second: {"h"}}
    assert catalogue.lacking(["f"], "other limits").keys() == {first, second, b"3".ljust(16)}
    catalogue.record([read("d", b"4", codes={})], LIMITS)
    assert catalogue.lacking(["f"], LIMITS) == {b"4".ljust(16): {"f"}}


def test_contents_nobody_uses_are_dropped_by_a_purge(catalogue, directory):
    closed = ReadFile("closed.jpg", 3, -1, None, error="cannot be read")  # has no content
    catalogue.record([closed, *(read(f"{n:04}") for n in range(1500))], LIMITS)
    catalogue.forget([f"{n:04}" for n in range(1, 1500)])
    catalogue.purge()
    with contextlib.closing(sqlite3.connect(directory / FILE_NAME)) as db, db:
        assert db.execute("SELECT count(*) FROM contents").fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM vectors").fetchone() == (1,)
    db.close()
    assert rows(catalogue) == [b"ab"]


def test_a_file_whose_known_content_was_purged_meanwhile_is_not_recorded(catalogue):
    catalogue.record([read("a", b"lost"), read("b", b"kept")], LIMITS)
    catalogue.forget(["a"])
    catalogue.purge()  # as another process may, after this one saw that the content is known
    late = read("c", b"lost", codes=None, known=True)
    catalogue.record([late, read("d", b"kept", codes=None, known=True)], LIMITS)
    assert [path for path, _ in catalogue.files()] == ["b", "d"], "c counts as new next time"


def test_a_writer_that_reads_first_lets_no_other_write_in_between(catalogue, directory):
    catalogue.record([read("a", b"same")], LIMITS)
    refused = []
    with Catalogue.open(directory, "/photos") as other:
        other._db.execute("PRAGMA busy_timeout = 0")  # else it would wait for a minute

        def write_in_between(statement: str) -> None:
            if statement.startswith("SELECT id FROM contents"):
                try:
                    other.record([read("b")], LIMITS)
                except CatalogueError as error:
                    refused.append(str(error))

        catalogue._db.set_trace_callback(write_in_between)
        catalogue.record([read("c", b"same", codes=None, known=True)], LIMITS)
        catalogue._db.set_trace_callback(None)
        assert len(refused) == 1
        assert "locked" in refused[0]
        other.record([read("b")], LIMITS)
    assert [record.path for record in catalogue.records()] == ["a", "b", "c"]


def test_a_failing_record_changes_nothing(catalogue):
    catalogue.record([read("a")], LIMITS)
    with pytest.raises(Exception, match="type 'object' is not supported"):
        catalogue.record([read("b"), read("c", note=object())], LIMITS)
    assert [r.path for r in catalogue.records()] == ["a"]
    catalogue.record([read("b")], LIMITS)
    assert len(catalogue.records()) == 2


# ----- damage, versions, neighbours ---------------------------------------------------------------


def fill(directory: Path, count: int = 300) -> Path:
    with Catalogue.open(directory, "/photos") as catalogue:
        codes = random.Random(1)
        catalogue.record(
            [read(f"{n:04}", codes={"f": codes.randbytes(500)}) for n in range(count)], LIMITS
        )
    return directory / FILE_NAME


@pytest.mark.parametrize(
    "content", [b"garbage" * 1000, b"x" * 100, b"SQLite format 3\0" + b"z" * 5000]
)
def test_a_file_that_is_no_index_is_moved_aside_with_a_note(directory, content):
    file = fill(directory)
    file.write_bytes(content)
    with Catalogue.open(directory, "/photos") as catalogue:
        assert list(catalogue.records()) == []
        (note,) = catalogue.notes
        assert "damaged" in note
        assert "rebuilt" in note
    aside = [path for path in directory.iterdir() if ".damaged-" in path.name]
    assert [path.read_bytes() for path in aside] == [content]


def test_an_index_of_a_newer_version_is_moved_aside_whole(directory):
    file = fill(directory)
    with contextlib.closing(sqlite3.connect(file)) as db, db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    with Catalogue.open(directory, "/photos") as catalogue:
        assert list(catalogue.records()) == []
        assert "newer" in catalogue.notes[0]
    (aside,) = [path for path in directory.iterdir() if ".newer-" in path.name]
    with contextlib.closing(sqlite3.connect(aside)) as db, db:
        assert db.execute("SELECT count(*) FROM images").fetchone() == (300,)
    db.close()


def test_each_migration_may_be_the_first_to_apply(directory):
    """An index of any older version is brought up to date and keeps what it holds."""
    for version in range(1, len(MIGRATIONS) + 1):
        place = directory / str(version)
        place.mkdir(parents=True)
        db = sqlite3.connect(place / FILE_NAME)
        for migration in MIGRATIONS[:version]:
            for statement in migration:
                db.execute(statement)
        db.executemany("INSERT INTO meta VALUES (?, ?)", [("identity", "x"), ("generation", "7")])
        db.execute(f"PRAGMA user_version = {version}")
        db.commit()
        db.close()
        with Catalogue.open(place, "/photos") as catalogue:
            assert catalogue.notes == []
            assert "7" in catalogue.generation()
            catalogue.record([read("a")], LIMITS)
            assert rows(catalogue) == [b"ab"]
        db = sqlite3.connect(place / FILE_NAME)
        assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        db.close()


def test_a_place_that_cannot_be_written_is_one_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(CatalogueError, match="cannot be opened"):
        Catalogue.open(tmp_path / "file" / "index", "/photos")


def test_many_may_open_a_fresh_index_at_once(directory):
    for attempt in range(5):
        place, errors = directory / str(attempt), []

        def work(number: int, place=place, errors=errors) -> None:
            try:
                with Catalogue.open(place, "/photos") as catalogue:
                    catalogue.record([read(f"{number}-{n}") for n in range(20)], LIMITS)
            except Exception as error:  # noqa: BLE001 - shown below
                errors.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        with Catalogue.open(place, "/photos") as catalogue:
            assert len(catalogue.records()) == 160
            assert catalogue.notes == []
