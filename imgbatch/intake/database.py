"""The database of a folder that is prepared: opened, held by one process, with notes by name."""

# ruff: noqa: S608 - queries are put together in this room; values are bound

import contextlib
import json
import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from imgbatch.errors import UsageError
from imgbatch.intake.records import IMAGES

PLACE = ".imgbatch"
"""The folder of the database, inside the folder that is made."""
PENDING, MADE, FAILED = 0, 1, 2
"""How far a picture is."""
_FILE = "prepare.sqlite"
_CACHE_KIB = 131_072
_CHECKPOINT_PAGES = 20_000
"""Random pages are written many times otherwise; a page has 4 kB."""
_TABLES = f"""
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS images(
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, row INTEGER NOT NULL, source TEXT NOT NULL,
    whole BLOB NOT NULL, others BLOB NOT NULL, run INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT {PENDING}, reason TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '', stamp TEXT NOT NULL DEFAULT '',
    file TEXT NOT NULL DEFAULT '', size INTEGER NOT NULL DEFAULT 0, content BLOB, same_as INTEGER);
CREATE TABLE IF NOT EXISTS later_rows(
    key BLOB NOT NULL, whole BLOB NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (key, whole)
) WITHOUT ROWID;
"""


class Database:
    """The database of one folder, held by one process at a time.

    Parameters
    ----------
    to
        The folder that is made; it must exist.
    settings
        What is asked for, by option. A folder that was made otherwise is refused.

    Attributes
    ----------
    pictures
        The folder of pictures.
    drafts
        The folder of files that are being made: a run's own, since workers of a run that was killed
        may write for a moment longer.
    """

    def __init__(self, to: Path, settings: Mapping[str, Any]) -> None:
        place = to.absolute() / PLACE
        place.mkdir(exist_ok=True)
        self.pictures, self.drafts = (
            to.absolute() / IMAGES,
            str(place / "drafts" / uuid.uuid4().hex),
        )
        self._db = sqlite3.connect(place / _FILE, timeout=0.5, isolation_level=None)
        try:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")  # a second process is refused
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self._db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            self._db.execute("BEGIN EXCLUSIVE")
            for statement in _TABLES.split(";"):
                self._db.execute(statement)
            self._db.execute("COMMIT")
            self._check_settings(to, dict(settings))
        except sqlite3.OperationalError as error:
            self._db.close()
            if "locked" not in str(error):
                raise
            raise UsageError(
                f"another imgbatch prepare is at work in {to}", "wait for its end"
            ) from None
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Let others open the database."""
        self._db.close()

    def _check_settings(self, to: Path, settings: dict[str, Any]) -> None:
        kept = self.noted("settings")
        if kept is None:
            self.note("settings", settings)
            return
        unlike = [name for name in settings if kept.get(name) != settings[name]]
        if unlike:
            name = unlike[0]
            raise UsageError(
                f"{to} was prepared with {name} {_worded(kept.get(name))}, "
                f"and now it is {_worded(settings[name])}",
                "choose another folder with --to",
            )

    def noted(self, name: str) -> Any:
        """What was noted under a name; None if nothing was."""
        found = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if found is None else json.loads(found[0])

    def note(self, name: str, value: Any) -> None:
        """Note a value of JSON under a name."""
        self._db.execute("REPLACE INTO meta VALUES (?, ?)", (name, json.dumps(value)))

    def _count(self, condition: str) -> int:
        ((count,),) = self._rows(f"SELECT COUNT(*) FROM images WHERE {condition}")
        return int(count)

    def _rows(self, query: str) -> Iterator[Any]:
        return iter(self._db.execute(query))

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _worded(value: object) -> str:
    return "none" if value in (None, [], "") else str(value)
