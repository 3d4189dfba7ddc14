"""The index of one image folder: a SQLite file that survives kills, neighbours and old versions."""

import contextlib
import os
import sqlite3
import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from imgbatch.errors import CatalogueError
from imgbatch.index.records import Records
from imgbatch.index.sqlite.connect import FILE_NAME, NewerIndexError, connect, is_damage, move_aside
from imgbatch.types import ReadFile, Rows, Skipped

_IN_USE = "id IN (SELECT content_id FROM images)"

Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the index holds of one file; ``error`` says why it is unusable."""

    size: int
    mtime_ns: int
    content_hash: bytes | None
    error: str | None


class Catalogue:
    """The index of one folder. Use `Catalogue.open`; close it, or use it as a context manager.

    Every change is one transaction; readers and one writer at a time may share the file, others
    wait for up to a minute. `notes` says what was repaired on opening.
    """

    def __init__(self, directory: Path, connection: sqlite3.Connection, notes: list[str]) -> None:
        self.directory = directory
        self.notes = notes
        self._db = connection
        # Whoever forgets to close it, a collection say that goes out of use, leaves nothing open.
        self._closing = weakref.finalize(self, connection.close)

    @classmethod
    def open(cls, directory: Path, folder: str) -> "Catalogue":
        """Open or create the index in a directory.

        A damaged index, or one written by a newer imgbatch, is moved aside and begun anew, with a
        note.

        Raises
        ------
        CatalogueError
            The directory cannot be written, or the index is locked by another process.
        """
        file, notes = directory / FILE_NAME, list[str]()
        try:
            directory.mkdir(parents=True, exist_ok=True)
            try:
                connection = connect(file, folder)
            except (sqlite3.DatabaseError, NewerIndexError) as error:
                if isinstance(error, sqlite3.OperationalError) and not is_damage(error):
                    raise
                notes.append(move_aside(file, error))
                connection = connect(file, folder)
        except (OSError, sqlite3.Error) as error:
            raise CatalogueError(
                f"the index cannot be opened: {file}: {error}",
                "check the folder's permissions, or give another with --index DIR",
            ) from None
        return cls(directory, connection, notes)

    @classmethod
    def rebuild(cls, directory: Path, folder: str, error: sqlite3.DatabaseError) -> "Catalogue":
        """Move a (closed) index aside in which damage showed up later, and begin anew.

        Raises
        ------
        CatalogueError
            It is no damage but another trouble, or the directory cannot be written.
        """
        file = directory / FILE_NAME
        if isinstance(error, sqlite3.OperationalError) and not is_damage(error):
            raise CatalogueError(
                f"the index cannot be used: {file}: {error}", "try again, or give --index DIR"
            ) from None
        note = move_aside(file, error)
        catalogue = cls.open(directory, folder)
        catalogue.notes.insert(0, note)
        return catalogue

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
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if is_damage(error):
                raise
            raise CatalogueError(
                f"the index cannot be written: {self.directory / FILE_NAME}: {error}",
                "check free space and permissions, or give another place with --index DIR",
            ) from None

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything read inside is of one state, whatever other processes write meanwhile."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("COMMIT")

    # ----- what changed -------------------------------------------------------------------------

    def generation(self) -> str:
        """Text that changes whenever a picture is added, changed, renamed or removed."""
        rows = dict(self._db.execute("SELECT key, value FROM meta").fetchall())
        return f"{rows['identity']}-{rows['generation']}"

    def files(self) -> Iterator[tuple[str, KnownFile]]:
        """Every file the index knows, with its path, sorted by the bytes of the path."""
        rows = self._db.execute(
            "SELECT path, size, mtime_ns, hash, coalesce(images.error, contents.error)"
            " FROM images LEFT JOIN contents ON contents.id = content_id ORDER BY path"
        )
        for path, *rest in rows:
            yield os.fsdecode(path), KnownFile(*rest)

    def matches(self, listing: str) -> bool:
        """Whether the folder showed this very listing when the index last matched it."""
        return self._meta("listing") == f"{self.generation()} {listing}"

    def remember_match(self, listing: str, generation: str) -> None:
        """Note that the index, as of this generation, had nothing to read for this listing."""
        with self._change() as db:
            value = f"{generation} {listing}"
            db.execute("INSERT OR REPLACE INTO meta VALUES ('listing', ?)", (value,))

    def _meta(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def lacking(self, fingerprints: Sequence[str], limits: str) -> dict[bytes, frozenset[str]]:
        """Content hashes that need work, with the fingerprints they lack.

        Contents read under other limits lack everything: they may now be readable, or no longer.
        """
        state = f"{self.generation()} {limits} {' '.join(fingerprints)}"
        if self._meta("complete") == state:
            return {}
        everything = frozenset(fingerprints)
        lacking: dict[bytes, frozenset[str]] = {
            content_hash: everything
            for (content_hash,) in self._db.execute(
                f"SELECT hash FROM contents WHERE limits != ? AND {_IN_USE}",  # noqa: S608
                (limits,),
            )
        }
        for fingerprint in fingerprints:
            rows = self._db.execute(
                "SELECT hash FROM contents WHERE error IS NULL AND id NOT IN (SELECT content_id"  # noqa: S608
                " FROM vectors JOIN descriptors ON descriptors.id = descriptor_id"
                f" WHERE fingerprint = ?) AND {_IN_USE}",
                (fingerprint,),
            )
            for (content_hash,) in rows:
                lacking[content_hash] = lacking.get(content_hash, frozenset()) | {fingerprint}
        if not lacking:
            with self._change() as db:
                db.execute("INSERT OR REPLACE INTO meta VALUES ('complete', ?)", (state,))
        return lacking

    def hashes_of_sizes(self, sizes: Iterable[int]) -> dict[int, tuple[bytes, ...]]:
        """For each file size, the content hashes of known files of that size."""
        wanted = set(sizes)
        found: dict[int, set[bytes]] = {}
        if wanted:
            for size, content_hash in self._db.execute(
                "SELECT size, hash FROM images JOIN contents ON contents.id = content_id"
            ):
                if size in wanted:
                    found.setdefault(size, set()).add(content_hash)
        return {size: tuple(sorted(hashes)) for size, hashes in found.items()}

    # ----- changing -----------------------------------------------------------------------------

    def record(self, files: Sequence[ReadFile], limits: str) -> None:
        """Write what reading some files gave, in one transaction."""
        with self._change() as db:
            contents = [_content_id(db, file, limits) for file in files]
            # Contents that another process purged meanwhile: those files count as new next time.
            lost = [file.known and at is None for file, at in zip(files, contents, strict=True)]
            files = [file for file, gone in zip(files, lost, strict=True) if not gone]
            contents = [at for at, gone in zip(contents, lost, strict=True) if not gone]
            rows = [
                (os.fsencode(file.path), content, None if content else file.error)
                for file, content in zip(files, contents, strict=True)
            ]
            same = "SELECT 1 FROM images WHERE path = ? AND content_id IS ? AND error IS ?"
            changed = any(
                not file.known or db.execute(same, row).fetchone() is None
                for file, row in zip(files, rows, strict=True)
            )
            db.executemany(
                "INSERT OR REPLACE INTO images (path, content_id, error, size, mtime_ns)"
                " VALUES (?, ?, ?, ?, ?)",
                [(*row, file.size, file.mtime_ns) for row, file in zip(rows, files, strict=True)],
            )
            _insert_vectors(db, files, contents)
            db.execute("DELETE FROM meta WHERE key = 'listing'")
            if changed:
                _next_generation(db)

    def forget(self, paths: Sequence[str]) -> None:
        """Remove files that are gone."""
        with self._change() as db:
            db.executemany(
                "DELETE FROM images WHERE path = ?", [(os.fsencode(path),) for path in paths]
            )
            _next_generation(db)

    def purge(self) -> None:
        """Remove contents, with their vectors, that no file holds any more."""
        with self._change() as db:
            orphans = f"SELECT id FROM contents WHERE NOT coalesce({_IN_USE}, 0)"  # noqa: S608
            db.execute(f"DELETE FROM vectors WHERE content_id IN ({orphans})")  # noqa: S608
            db.execute(f"DELETE FROM contents WHERE NOT coalesce({_IN_USE}, 0)")  # noqa: S608

    # ----- reading ------------------------------------------------------------------------------

    def records(self) -> Records:
        """Every readable image, sorted by the bytes of its path: the order of rows everywhere."""
        return Records.pack(
            self._db.execute(
                "SELECT path, width, height, note"
                " FROM images JOIN contents ON contents.id = content_id"
                " WHERE contents.error IS NULL ORDER BY path"
            )
        )

    def skipped(self) -> list[Skipped]:
        """Every file that cannot be used, with the reason, sorted by path."""
        rows = self._db.execute(
            "SELECT path, coalesce(images.error, contents.error) AS reason"
            " FROM images LEFT JOIN contents ON contents.id = content_id"
            " WHERE reason IS NOT NULL ORDER BY path"
        )
        return [Skipped(os.fsdecode(path), reason) for path, reason in rows]

    def codes(self, fingerprint: str, dim: int, batch: int = 4096) -> Iterator[Codes]:
        """A descriptor's codes in the order of `records`, as arrays (<= batch, dim) uint8."""
        rows = self._db.execute(
            "SELECT data FROM images JOIN contents ON contents.id = images.content_id"
            " JOIN vectors ON vectors.content_id = contents.id"
            " WHERE contents.error IS NULL AND descriptor_id ="
            " (SELECT id FROM descriptors WHERE fingerprint = ?) ORDER BY path",
            (fingerprint,),
        )
        while some := rows.fetchmany(batch):
            joined = b"".join(data for (data,) in some)
            yield np.frombuffer(joined, np.uint8).reshape(len(some), dim)

    def contents(self) -> Rows:
        """(n,) int64: the number of each readable image's content, in the order of `records`."""
        rows = self._db.execute(
            "SELECT content_id FROM images JOIN contents ON contents.id = content_id"
            " WHERE contents.error IS NULL ORDER BY path"
        )
        return np.fromiter((number for (number,) in rows), np.int64)

    def codes_of(self, fingerprint: str, dim: int, contents: Rows) -> Codes:
        """A descriptor's codes of some contents, in the order given: (len(contents), dim) uint8."""
        find = (
            "SELECT data FROM vectors WHERE content_id = ? AND descriptor_id ="
            " (SELECT id FROM descriptors WHERE fingerprint = ?)"
        )
        found = (
            self._db.execute(find, (number, fingerprint)).fetchone()[0]
            for number in contents.tolist()
        )
        return np.frombuffer(b"".join(found), np.uint8).reshape(len(contents), dim)


def _content_id(db: sqlite3.Connection, file: ReadFile, limits: str) -> int | None:
    """The id of a file's content, written if it was read anew; None if unread, or known no more."""
    if file.content_hash is None:
        return None
    if file.known:
        found = db.execute(
            "SELECT id FROM contents WHERE hash = ?", (file.content_hash,)
        ).fetchone()
        return int(found[0]) if found else None
    shape = (file.width or None, file.height or None)
    found = db.execute(
        "INSERT INTO contents (hash, limits, width, height, note, error)"
        " VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (hash) DO UPDATE SET limits = excluded.limits,"
        " width = excluded.width, height = excluded.height, note = excluded.note,"
        " error = excluded.error RETURNING id",
        (file.content_hash, limits, *shape, file.note, file.error),
    ).fetchone()
    return int(found[0])


def _insert_vectors(
    db: sqlite3.Connection, files: Sequence[ReadFile], contents: Sequence[int | None]
) -> None:
    described = [(one.codes, at) for one, at in zip(files, contents, strict=True) if one.codes]
    marks = {mark for codes, _ in described for mark in codes}
    db.executemany(
        "INSERT OR IGNORE INTO descriptors (fingerprint) VALUES (?)", [(mark,) for mark in marks]
    )
    ids = dict(db.execute("SELECT fingerprint, id FROM descriptors").fetchall())
    db.executemany(
        "INSERT OR REPLACE INTO vectors (descriptor_id, content_id, data) VALUES (?, ?, ?)",
        [(ids[mark], at, data) for codes, at in described for mark, data in codes.items()],
    )


def _next_generation(db: sqlite3.Connection) -> None:
    db.execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation'")
