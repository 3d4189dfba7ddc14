"""Small pictures for pages: made when they are first shown, and kept beside the index.

They are kept by the hash of a file's bytes, so that copies share one; which bytes a file has is
known by its path, size and times. The store is a cache: whatever is wrong with it, pictures are
made anew.
"""

import contextlib
import hashlib
import os
import sqlite3
import threading
from pathlib import Path

import cv2

from imgbatch.config.schema import Config
from imgbatch.files import paths
from imgbatch.files.atomic import remove
from imgbatch.images.decode import decode
from imgbatch.images.quiet import quiet_codecs
from imgbatch.types import View

SIDE_PX = 256
LARGE_PX = 1600
_QUALITY, _LARGE_QUALITY = 80, 88
_MOST_ENTRIES = 200_000
"""Some 2 GB. Beyond, the oldest half goes."""
_EVERY = 1000
"""Entries added between two looks at their number."""
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS contents (file BLOB PRIMARY KEY, content BLOB NOT NULL)",
    """CREATE TABLE IF NOT EXISTS thumbnails
    (id INTEGER PRIMARY KEY, content BLOB NOT NULL UNIQUE, jpeg BLOB NOT NULL)""",
)
_FIND = "SELECT t.content, jpeg FROM contents JOIN thumbnails t USING (content) WHERE file = ?"
_BUSY_SECONDS = 2.0


def version_of(file: str) -> str:
    """What changes when a file does, for addresses of its pictures; "" if there is no such file."""
    try:
        status = os.stat(file)
    except (OSError, ValueError):
        return ""
    told = f"{status.st_size}.{status.st_mtime_ns}.{status.st_ctime_ns}"
    return hashlib.blake2b(told.encode(), digest_size=6).hexdigest()


def shown_size(width: int, height: int, side: int = SIDE_PX) -> tuple[int, int]:
    """Width and height of a small picture, at most `side` pixels each.

    >>> shown_size(1000, 500), shown_size(30, 20)
    ((256, 128), (30, 20))
    """
    scale = min(side / max(width, height, 1), 1.0)
    return max(1, round(width * scale)), max(1, round(height * scale))


class Thumbnails:
    """The small pictures of a folder, in one SQLite file; several servers may share it."""

    def __init__(self, file: Path, config: Config) -> None:
        self._file, self._config = file, config
        self._local = threading.local()

    def get(self, path: str, version: str) -> tuple[bytes, str]:
        """The small picture of a file, as JPEG, and the hash of the file's bytes.

        Parameters
        ----------
        path
            Of the file.
        version
            As `version_of` gives it.

        Raises
        ------
        OSError, UnreadableImage
            The file cannot be read or decoded.
        """
        file = _hash(os.fsencode(path), version.encode())
        kept = self._read(_FIND, file)
        if kept is not None:
            return bytes(kept[1]), bytes(kept[0]).hex()
        data = paths.read(path)
        content = _hash(data)
        same = self._read("SELECT content, jpeg FROM thumbnails WHERE content = ?", content)
        jpeg = _decoded(data, self._config, SIDE_PX, _QUALITY) if same is None else bytes(same[1])
        self._write(file, content, jpeg)
        return jpeg, content.hex()

    def large(self, path: str) -> bytes:
        """A picture of a file to look at closely, as JPEG, at most `LARGE_PX`; it is not kept."""
        return _decoded(paths.read(path), self._config, LARGE_PX, _LARGE_QUALITY)

    def _read(self, query: str, key: bytes) -> tuple[bytes, bytes] | None:
        with contextlib.suppress(sqlite3.Error, OSError):
            found: tuple[bytes, bytes] | None = self._store().execute(query, (key,)).fetchone()
            return found
        return None

    def _write(self, file: bytes, content: bytes, jpeg: bytes) -> None:
        with contextlib.suppress(sqlite3.Error, OSError):
            store = self._store()
            store.execute("INSERT OR REPLACE INTO contents VALUES (?, ?)", (file, content))
            adding = "INSERT OR IGNORE INTO thumbnails VALUES (NULL, ?, ?)"
            added = store.execute(adding, (content, jpeg))
            if added.rowcount and (added.lastrowid or 0) % _EVERY == 0:
                self._shrink(store)

    @staticmethod
    def _shrink(store: sqlite3.Connection) -> None:
        (count,) = store.execute("SELECT count(*) FROM thumbnails").fetchone()
        if count > _MOST_ENTRIES:
            half = "SELECT id FROM thumbnails ORDER BY id LIMIT ?"
            store.execute(f"DELETE FROM thumbnails WHERE id IN ({half})", (count // 2,))  # noqa: S608
            store.execute(
                "DELETE FROM contents WHERE content NOT IN (SELECT content FROM thumbnails)"
            )

    def _store(self) -> sqlite3.Connection:
        """The connection of this thread; a file that is no store is replaced by an empty one."""
        store: sqlite3.Connection | None = getattr(self._local, "store", None)
        if store is None:
            try:
                store = self._connected()
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                remove(self._file)
                store = self._connected()
            self._local.store = store
        return store

    def _connected(self) -> sqlite3.Connection:
        store = sqlite3.connect(self._file, timeout=_BUSY_SECONDS, isolation_level=None)
        store.execute("PRAGMA journal_mode = WAL")
        store.execute("PRAGMA synchronous = OFF")  # what is lost is made again
        for table in _SCHEMA:
            store.execute(table)
        return store


def _decoded(data: bytes, config: Config, side: int, quality: int) -> bytes:
    with quiet_codecs():
        view = decode(data, config.images.as_options(), view_px=side).view
    return encoded(view, side, quality)


def _hash(*parts: bytes) -> bytes:
    return hashlib.blake2b(b"\0".join(parts), digest_size=16).digest()


def encoded(view: View, side: int, quality: int) -> bytes:
    """A picture as a JPEG, at most `side` pixels wide and high."""
    height, width = view.shape[:2]
    size = shown_size(width, height, side)
    if size != (width, height):
        view = cv2.resize(view, size, interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(view, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()
