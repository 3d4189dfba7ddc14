"""The index's file: damage, newer versions, several processes at once."""

import contextlib
import random
import re
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from imgbatch.errors import CatalogueError
from imgbatch.index.sqlite.connect import FILE_NAME, is_damage
from imgbatch.index.sqlite.schema import MIGRATIONS
from imgbatch.index.sqlite.store import Catalogue
from tests.commands import environment
from tests.index.sqlite.catalogues import LIMITS, read, rows


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


@pytest.mark.parametrize("value", [0x03, 0x7F, 0xFF])
@pytest.mark.parametrize("offset", range(16, 100))
def test_damage_of_the_header_is_harmless_or_the_index_is_begun_anew(directory, offset, value):
    file = fill(directory, count=3)
    data = bytearray(file.read_bytes())
    data[offset] = value
    file.write_bytes(data)
    with Catalogue.open(directory, "/photos") as catalogue:
        assert all("rebuilt" in note for note in catalogue.notes)
        error = None
        try:
            catalogue.record([read("more")], LIMITS)
        except sqlite3.DatabaseError as found:
            error = found
        if error is None:
            assert "more" in [record.path for record in catalogue.records()]
        else:
            assert is_damage(error)  # whoever asked begins it anew


def test_an_index_that_is_opened_twice_keeps_its_locks_against_other_processes(directory):
    """Whoever closes an index last removes its log, and must not do so while another has it open."""
    fill(directory, count=3)
    code = f"""
from pathlib import Path
from imgbatch.index.sqlite.store import Catalogue
Catalogue.open(Path({str(directory)!r}), "/photos").close()
"""
    with Catalogue.open(directory, "/photos") as first:
        first.record([read("one")], LIMITS)
        Catalogue.open(directory, "/photos").close()
        subprocess.run([sys.executable, "-c", code], env=environment(), check=True)
        assert (directory / f"{FILE_NAME}-wal").exists()
        first.record([read("two")], LIMITS)
    with Catalogue.open(directory, "/photos") as again:
        assert {"one", "two"} <= {record.path for record in again.records()}


def test_a_folder_in_the_place_of_the_index_is_moved_aside_with_a_note(directory):
    (directory / FILE_NAME / "inside").mkdir(parents=True)
    with Catalogue.open(directory, "/photos") as catalogue:
        assert list(catalogue.records()) == []
        (note,) = catalogue.notes
        assert "it is a folder" in note
    (aside,) = [path for path in directory.iterdir() if ".damaged-" in path.name]
    assert (aside / "inside").is_dir()


@pytest.mark.parametrize("end", ["-wal", "-shm"])
def test_a_folder_in_the_place_of_sqlites_log_has_the_index_begun_anew(directory, end):
    fill(directory)
    (directory / f"{FILE_NAME}{end}" / "inside").mkdir(parents=True)
    with Catalogue.open(directory, "/photos") as catalogue:
        assert list(catalogue.records()) == []
        (note,) = catalogue.notes
        assert "it is a folder" in note
    with Catalogue.open(directory, "/photos") as catalogue:
        assert catalogue.notes == []


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


def test_what_a_running_newer_version_wrote_last_is_moved_aside_with_its_index(directory):
    file = fill(directory)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as newer:
        newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
        newer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        newer.execute("INSERT INTO meta VALUES ('last', 'word')")
        with Catalogue.open(directory, "/photos") as catalogue:
            assert "newer" in catalogue.notes[0]
        (aside,) = [path for path in directory.iterdir() if re.search(r"newer-\d+$", path.name)]
        with contextlib.closing(sqlite3.connect(aside)) as db:
            found = db.execute("SELECT value FROM meta WHERE key = 'last'").fetchone()
    assert found == ("word",)


@pytest.mark.parametrize("version", range(len(MIGRATIONS)))
def test_a_version_lower_than_that_of_the_tables_has_the_index_begun_anew(directory, version):
    file = fill(directory)
    with contextlib.closing(sqlite3.connect(file)) as db, db:
        db.execute(f"PRAGMA user_version = {version}")
    with Catalogue.open(directory, "/photos") as catalogue:
        assert list(catalogue.records()) == []
        (note,) = catalogue.notes
        assert "is damaged" in note


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
