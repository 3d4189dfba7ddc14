"""Connect to the index's file: create it, bring its tables up to date, tell damage from a lock."""

import contextlib
import os
import sqlite3
import time
import uuid
from pathlib import Path

from imgbatch.index.sqlite.schema import MIGRATIONS

FILE_NAME = "catalogue.sqlite"
_BUSY_SECONDS = 60.0
_SIGNS_OF_DAMAGE = (
    "malformed",
    "no such",
    "not a database",
    "unsupported file format",
    "Could not decode",
    "already exists",  # this and the next: the version is lower than that of the tables
    "duplicate column",
)
_OLD_AND_READ_ONLY = (
    "an older imgbatch wrote it, and it cannot be brought up to date in a place that is read-only"
)


class NewerIndexError(Exception):
    """The index was written by a newer imgbatch."""


def connect(file: Path, folder: str) -> sqlite3.Connection:
    """Open the file, create it if it is missing, bring its tables up to date.

    An index in a place that cannot be written is opened as it is, to be read alone.

    Raises
    ------
    NewerIndexError
        A newer imgbatch has written the file.
    sqlite3.Error
        The file is damaged, locked or out of reach.
    """
    writable = os.access(file.parent, os.W_OK) or not file.exists()
    name = f"{file.absolute().as_uri()}?{'mode=rwc' if writable else _read_only_mode(file)}"
    # Any thread may be the one that drops the last reference, and so closes the connection.
    db = sqlite3.connect(
        name, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=True
    )
    try:
        if writable:
            _use_write_ahead_log(db)
            db.execute("PRAGMA synchronous = NORMAL")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise NewerIndexError
        if version < len(MIGRATIONS):
            if not writable:
                raise sqlite3.OperationalError(_OLD_AND_READ_ONLY)
            _migrate(db, folder)
        db.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()
    except BaseException:
        db.close()
        raise
    return db


def _read_only_mode(file: Path) -> str:
    """How SQLite opens a file beside which it cannot make one of its own.

    Without a log nobody is writing, so that SQLite needs no locks (``immutable``).
    """
    log = file.with_name(f"{file.name}-wal")
    return "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"


def _use_write_ahead_log(db: sqlite3.Connection) -> None:
    """Switch the journal's mode; if two connections do so at once, SQLite itself does not wait."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _migrate(db: sqlite3.Connection, folder: str) -> None:
    db.execute("BEGIN EXCLUSIVE")
    try:
        # Asked again inside the transaction: another process may have been faster.
        version = db.execute("PRAGMA user_version").fetchone()[0]
        for migration in MIGRATIONS[version:]:
            for statement in migration:
                db.execute(statement)
        if version == 0:
            db.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [("identity", uuid.uuid4().hex), ("generation", "0"), ("folder", repr(folder))],
            )
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # SQLite itself has rolled back what a full disk ended
            db.execute("ROLLBACK")
        raise


def file_state(directory: Path) -> str:
    """Text that changes whenever anything, even an accident, writes to the index's file.

    The log's inode counts not, since SQLite changes it when it opens the log; what is wrong in the
    log SQLite notices itself, by checksums.
    """
    parts = []
    with contextlib.suppress(FileNotFoundError):
        status = (directory / FILE_NAME).stat()
        parts.append(f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}")
    with contextlib.suppress(FileNotFoundError):
        status = (directory / f"{FILE_NAME}-wal").stat()
        if status.st_size:  # an empty log comes and goes with its readers
            parts.append(f"{status.st_size} {status.st_mtime_ns}")
    return ", ".join(parts)


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error means a damaged file, and not a lock or a full disk."""
    if not isinstance(error, sqlite3.OperationalError):
        return True
    return any(sign in str(error) for sign in _SIGNS_OF_DAMAGE)


def is_of_unknown_format(error: sqlite3.OperationalError, file: Path) -> bool:
    """Whether SQLite only reads a file that may be written: its header names a newer format.

    The header is not read here: to open and close a file takes away the locks that SQLite has on it
    (https://www.sqlite.org/howtocorrupt.html, section 2.2).
    """
    return error.sqlite_errorcode == sqlite3.SQLITE_READONLY and os.access(file, os.W_OK)


def move_aside(file: Path, error: Exception) -> str:
    """Rename a file that cannot be used; the note says so to the user.

    SQLite's log goes with it: it holds what a newer imgbatch, which may still run, wrote last.
    """
    kind = "newer" if isinstance(error, NewerIndexError) else "damaged"
    aside = file.with_name(f"{FILE_NAME}.{kind}-{time.time_ns()}")
    file.replace(aside)
    for end in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            file.with_name(FILE_NAME + end).replace(aside.with_name(aside.name + end))
    reason = "was written by a newer imgbatch" if kind == "newer" else f"is damaged ({error})"
    return f"the index {reason}; it was moved to {aside} and is rebuilt"
