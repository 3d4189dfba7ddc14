"""The index's file while it is open: repairs, transactions, closing."""

import contextlib
import sqlite3
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from imgbatch.errors import CatalogueError
from imgbatch.index.sqlite.connect import (
    FILE_NAME,
    NewerIndexError,
    connect,
    is_damage,
    is_of_unknown_format,
    move_aside,
)


class Database:
    """The SQLite file of one index, open until `close` or the end of a ``with`` block.

    Every change is one transaction. Any number of processes may read; one at a time may write, and
    others wait for up to a minute. `notes` says what was repaired.
    """

    def __init__(self, directory: Path, connection: sqlite3.Connection, notes: list[str]) -> None:
        self.directory = directory
        self.notes = notes
        self._db = connection
        # An index that nobody closes, such as that of a dropped collection, leaves nothing open.
        self._closing = weakref.finalize(self, connection.close)

    @classmethod
    def open(cls, directory: Path, folder: str) -> Self:
        """Open or create the index of a folder in a directory.

        A damaged index, or one written by a newer imgbatch, is moved aside and begun anew, with a
        note.

        Raises
        ------
        CatalogueError
            The directory cannot be written, or another process locks the index.
        """
        file, notes = directory / FILE_NAME, list[str]()
        try:
            directory.mkdir(parents=True, exist_ok=True)
            if any(file.with_name(FILE_NAME + end).is_dir() for end in ("", "-wal", "-shm")):
                notes.append(move_aside(file, IsADirectoryError("it is a folder")))
            try:
                connection = connect(file, folder)
            except (sqlite3.DatabaseError, NewerIndexError) as error:
                if isinstance(error, sqlite3.DatabaseError) and not is_damage(error):
                    raise
                notes.append(move_aside(file, error))
                connection = connect(file, folder)
        except (OSError, sqlite3.Error) as error:
            raise CatalogueError(
                f"the index cannot be opened: {file}: {error}",
                "check the folder's permissions, or give another with `index`",
            ) from None
        return cls(directory, connection, notes)

    @classmethod
    def rebuild(cls, directory: Path, folder: str, error: sqlite3.DatabaseError) -> Self:
        """Move a closed index aside that proved damaged after it was opened, and begin anew.

        Raises
        ------
        CatalogueError
            The error does not mean damage, or the directory cannot be written.
        """
        file = directory / FILE_NAME
        if not is_damage(error):
            raise CatalogueError(
                f"the index cannot be used: {file}: {error}", "try again, or give `index` a folder"
            ) from None
        try:
            note = move_aside(file, error)
        except OSError as refused:
            raise CatalogueError(
                f"the index is damaged ({error}) and cannot be replaced: {refused.strerror}",
                "give another place with `index`",
            ) from None
        database = cls.open(directory, folder)
        database.notes.insert(0, note)
        return database

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the index must not be used afterwards."""
        self._closing()

    @contextlib.contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """A transaction that writes: the block's changes happen together, or not at all.

        It locks out other writers from its beginning (IMMEDIATE), since SQLite refuses, without
        waiting, a transaction that first reads and finds another's changes when it then writes.
        """
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                if self._db.in_transaction:  # SQLite itself rolls back where a disk is full
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if is_damage(error):
                raise
            if is_of_unknown_format(error, self.directory / FILE_NAME):
                raise sqlite3.DatabaseError("its header names an unknown format") from None
            raise CatalogueError(
                f"the index cannot be written: {self.directory / FILE_NAME}: {error}",
                "check free space and permissions, or give another place with `index`",
            ) from None

    def settle(self) -> None:
        """Bring what the log holds into the index's file, whose state then outlasts closing it.

        Where another process is at work, the log stays, and the state changes once more.
        """
        wait_ms = self._db.execute("PRAGMA busy_timeout").fetchone()[0]
        self._db.execute("PRAGMA busy_timeout = 0")
        with contextlib.suppress(sqlite3.OperationalError):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.execute(f"PRAGMA busy_timeout = {wait_ms}")

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """A transaction that reads: the block sees one state, whatever other processes write."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("COMMIT")
