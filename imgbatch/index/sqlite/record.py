"""Write to the tables of the index, inside a transaction of the caller.

A content is what equal files share: its key is the hash of its bytes, and it has the picture's size
or the reason why it is unreadable, and the descriptors' codes.
"""

import os
import sqlite3
from collections.abc import Sequence

from imgbatch.images.formats import formats_text
from imgbatch.images.listing import FoundFile
from imgbatch.index.sqlite.checks import checksum, checksum_of_codes
from imgbatch.types import ReadFile

USED = "id IN (SELECT content_id FROM images)"
"""Whether a file has the content; NULL instead of false if there are unreadable files."""


def limits_of_unreadable(limits: str) -> str:
    """The limits of a content that cannot be read, which one more format may change."""
    return f"{limits} {formats_text()}"


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
        "INSERT OR REPLACE INTO images"
        " (path, content_id, error, size, mtime_ns, ctime_ns, checksum)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *row,
                file.size,
                file.mtime_ns,
                file.ctime_ns,
                _checksum_of_file(file, known=row[1] is not None),
            )
            for row, (file, _) in zip(rows, present, strict=True)
        ],
    )
    _insert_vectors(db, present)
    db.execute("DELETE FROM meta WHERE key = 'listing'")
    if changed:
        _next_generation(db)


def _checksum_of_file(file: ReadFile, *, known: bool) -> int:
    """The checksum of a file's row; the content counts by its hash, as ids are SQLite's own."""
    path, content_hash, error = os.fsencode(file.path), file.content_hash, file.error
    times = file.mtime_ns, file.ctime_ns
    return checksum(
        path, file.size, *times, content_hash if known else None, None if known else error
    )


def _content_id(db: sqlite3.Connection, file: ReadFile, limits: str) -> int | None:
    """The id of a file's content, written first if the file was decoded.

    None if the file could not be read, or if its content was known and is gone.
    """
    if file.content_hash is None:
        return None
    if file.known:
        row = db.execute("SELECT id FROM contents WHERE hash = ?", (file.content_hash,)).fetchone()
        return None if row is None else int(row[0])
    size = file.width or None, file.height or None
    if file.error is not None:
        limits = limits_of_unreadable(limits)
    values = file.content_hash, limits, *size, file.note, file.error
    row = db.execute(
        "INSERT INTO contents (hash, limits, width, height, note, error, checksum)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (hash) DO UPDATE SET limits = excluded.limits,"
        " width = excluded.width, height = excluded.height, note = excluded.note,"
        " error = excluded.error, checksum = excluded.checksum RETURNING id",
        (*values, checksum(*values)),
    ).fetchone()
    return int(row[0])


def _insert_vectors(
    db: sqlite3.Connection, contents: Sequence[tuple[ReadFile, int | None]]
) -> None:
    described = [
        (content, file.content_hash, file.codes)
        for file, content in contents
        if file.codes and file.content_hash is not None
    ]
    fingerprints = {fingerprint for *_, codes in described for fingerprint in codes}
    db.executemany(
        "INSERT OR IGNORE INTO descriptors (fingerprint) VALUES (?)",
        [(fingerprint,) for fingerprint in fingerprints],
    )
    ids = dict(db.execute("SELECT fingerprint, id FROM descriptors").fetchall())
    db.executemany(
        "INSERT OR REPLACE INTO vectors (descriptor_id, content_id, data, checksum)"
        " VALUES (?, ?, ?, ?)",
        [
            (
                ids[fingerprint],
                content,
                data,
                checksum_of_codes(fingerprint, content_hash, data),
            )
            for content, content_hash, codes in described
            for fingerprint, data in codes.items()
        ],
    )


def record_ctimes(db: sqlite3.Connection, files: Sequence[FoundFile]) -> None:
    """Note when the inodes of unchanged files changed, which an older version did not ask."""
    for file in files:
        path = os.fsencode(file.path)
        row = db.execute(
            "SELECT size, mtime_ns, hash, images.error FROM images"
            " LEFT JOIN contents ON contents.id = content_id WHERE path = ?",
            (path,),
        ).fetchone()
        if row is not None:
            size, mtime_ns, content_hash, error = row
            expected = checksum(path, size, mtime_ns, file.ctime_ns, content_hash, error)
            db.execute(
                "UPDATE images SET ctime_ns = ?, checksum = ? WHERE path = ?",
                (file.ctime_ns, expected, path),
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
    """Random, not counted: a damaged number must not be that of another state of the index."""
    db.execute("UPDATE meta SET value = lower(hex(randomblob(8))) WHERE key = 'generation'")
