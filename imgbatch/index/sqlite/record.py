"""Write to the tables of the index, inside a transaction of the caller.

A content is what equal files share: its key is the hash of its bytes, and it has the picture's size
or the reason why it is unreadable, and the descriptors' codes.
"""

import os
import sqlite3
from collections.abc import Sequence

from imgbatch.types import ReadFile

USED = "id IN (SELECT content_id FROM images)"
"""Whether a file has the content; NULL instead of false if there are unreadable files."""


def record_files(db: sqlite3.Connection, files: Sequence[ReadFile], limits: str) -> None:
    """Write what reading some files under these limits gave."""
    contents = [_content_id(db, file, limits) for file in files]
    # Another process may have purged a content that was known when its file was read. Such a file
    # is not recorded: it counts as new the next time.
    present = [
        (file, content)
        for file, content in zip(files, contents, strict=True)
        if not (file.known and content is None)
    ]
    rows = [
        (os.fsencode(file.path), content, None if content else file.error)
        for file, content in present
    ]
    unchanged = "SELECT 1 FROM images WHERE path = ? AND content_id IS ? AND error IS ?"
    changed = any(
        not file.known or db.execute(unchanged, row).fetchone() is None
        for (file, _), row in zip(present, rows, strict=True)
    )
    db.executemany(
        "INSERT OR REPLACE INTO images (path, content_id, error, size, mtime_ns)"
        " VALUES (?, ?, ?, ?, ?)",
        [(*row, file.size, file.mtime_ns) for row, (file, _) in zip(rows, present, strict=True)],
    )
    _insert_vectors(db, present)
    db.execute("DELETE FROM meta WHERE key = 'listing'")
    if changed:
        _next_generation(db)


def _content_id(db: sqlite3.Connection, file: ReadFile, limits: str) -> int | None:
    """The id of a file's content, written first if the file was decoded.

    None if the file could not be read, or if its content was known and is gone.
    """
    if file.content_hash is None:
        return None
    if file.known:
        row = db.execute("SELECT id FROM contents WHERE hash = ?", (file.content_hash,)).fetchone()
        return None if row is None else int(row[0])
    row = db.execute(
        "INSERT INTO contents (hash, limits, width, height, note, error)"
        " VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (hash) DO UPDATE SET limits = excluded.limits,"
        " width = excluded.width, height = excluded.height, note = excluded.note,"
        " error = excluded.error RETURNING id",
        (
            file.content_hash,
            limits,
            file.width or None,
            file.height or None,
            file.note,
            file.error,
        ),
    ).fetchone()
    return int(row[0])


def _insert_vectors(
    db: sqlite3.Connection, contents: Sequence[tuple[ReadFile, int | None]]
) -> None:
    described = [(content, file.codes) for file, content in contents if file.codes]
    fingerprints = {fingerprint for _, codes in described for fingerprint in codes}
    db.executemany(
        "INSERT OR IGNORE INTO descriptors (fingerprint) VALUES (?)",
        [(fingerprint,) for fingerprint in fingerprints],
    )
    ids = dict(db.execute("SELECT fingerprint, id FROM descriptors").fetchall())
    db.executemany(
        "INSERT OR REPLACE INTO vectors (descriptor_id, content_id, data) VALUES (?, ?, ?)",
        [
            (ids[fingerprint], content, data)
            for content, codes in described
            for fingerprint, data in codes.items()
        ],
    )


def forget_files(db: sqlite3.Connection, paths: Sequence[str]) -> None:
    """Remove files that are gone; their contents stay until `purge_contents`."""
    db.executemany("DELETE FROM images WHERE path = ?", [(os.fsencode(path),) for path in paths])
    _next_generation(db)


def purge_contents(db: sqlite3.Connection) -> None:
    """Remove contents that no file has any more, and their vectors."""
    unused = f"SELECT id FROM contents WHERE NOT coalesce({USED}, 0)"  # noqa: S608
    db.execute(f"DELETE FROM vectors WHERE content_id IN ({unused})")  # noqa: S608
    db.execute(f"DELETE FROM contents WHERE id IN ({unused})")  # noqa: S608


def _next_generation(db: sqlite3.Connection) -> None:
    db.execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation'")
