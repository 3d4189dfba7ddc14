"""The index of one image folder: what it knows of files, images and codes, and what is recorded."""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from imgbatch.descriptors.base import Codes
from imgbatch.errors import CatalogueError
from imgbatch.images.listing import FoundFile
from imgbatch.index.augmented import Sample
from imgbatch.index.records import Records
from imgbatch.index.sqlite.checks import (
    DamagedRowError,
    check_row,
    checksum,
    checksum_of_codes,
)
from imgbatch.index.sqlite.database import Database
from imgbatch.index.sqlite.record import (
    USED,
    forget_files,
    limits_of_unreadable,
    purge_contents,
    record_ctimes,
    record_files,
)
from imgbatch.types import ReadFile, Rows, Skipped

LISTINGS = "listings"
"""The folder of packed listings, beside the index's file."""


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the index holds of one file.

    ``error`` says why it is unusable. ``ctime_ns`` is None if an older version recorded it.
    """

    size: int
    mtime_ns: int
    content_hash: bytes | None
    error: str | None
    ctime_ns: int | None = None


class _Row(NamedTuple):
    """A row of ``images`` with its row of ``contents``, whose columns are NULL without one."""

    path: bytes
    size: int
    mtime_ns: int
    ctime_ns: int | None
    file_error: str | None
    file_checksum: int | None
    content_id: int | None
    content_hash: bytes | None
    limits: str
    width: int
    height: int
    note: str
    content_error: str | None
    checksum: int | None

    @property
    def error(self) -> str | None:
        return self.file_error if self.content_hash is None else self.content_error

    def check(self) -> None:
        """Raise `DamagedRowError` if the row is not what was written."""
        if (self.content_hash is None) != (self.content_id is None) or (
            self.content_hash is None and self.file_error is None
        ):
            raise DamagedRowError("a file has neither a content nor an error")
        times = self.mtime_ns, self.ctime_ns
        of_file = checksum(self.path, self.size, *times, self.content_hash, self.file_error)
        check_row(self.file_checksum, of_file)
        if self.content_hash is not None:
            values = self.limits, self.width, self.height, self.note, self.content_error
            check_row(self.checksum, checksum(self.content_hash, *values))


_USABLE = "images.error IS NULL AND contents.error IS NULL"


class Catalogue(Database):
    """The index of one folder: begin with `Catalogue.open`; see `Database` for what it survives.

    The rows of an index are its readable images, sorted by the bytes of their paths.

    Examples
    --------
    >>> from pathlib import Path
    >>> from imgbatch.types import ReadFile
    >>> with Catalogue.open(Path("catalogue"), "/photos") as catalogue:
    ...     image = ReadFile("sea.jpg", 5000, -1, b"hash", 640, 480, codes={"hsv-1": b"ab"})
    ...     catalogue.record([image], limits="")
    ...     print(catalogue.records()[0].path, next(catalogue.codes("hsv-1", dim=2)))
    sea.jpg [[97 98]]
    """

    # ----- what changed -------------------------------------------------------------------------

    def generation(self) -> str:
        """Text that changes whenever an image is added, changed, renamed or removed."""
        identity, generation = self._meta("identity"), self._meta("generation")
        if identity is None or generation is None:
            raise DamagedRowError("the index has lost its identity")
        return f"{identity}-{generation}"

    def files(self) -> Iterator[tuple[str, KnownFile]]:
        """Every file the index knows, with its path, sorted by the bytes of the path."""
        for row in self._rows("TRUE"):
            known = KnownFile(row.size, row.mtime_ns, row.content_hash, row.error, row.ctime_ns)
            yield os.fsdecode(row.path), known

    def matches(self, listing: str) -> bool:
        """Whether the folder had this listing when the index last matched it."""
        return self._meta("listing") == f"{self.generation()} {listing}"

    def remember_match(self, listing: str, generation: str) -> None:
        """Note that the index, as of this generation, had nothing to read for this listing."""
        self._remember("listing", f"{generation} {listing}")

    def lacking(self, fingerprints: Sequence[str], limits: str) -> dict[bytes, frozenset[str]]:
        """Hashes of contents that lack some of these descriptors, with those they lack.

        Contents that were read under other limits lack all: they may have become readable or
        unreadable. So do unreadable ones, if other formats were read then.
        """
        unreadable = limits_of_unreadable(limits)
        state = f"{self.generation()} {unreadable} {' '.join(fingerprints)}"
        if self._meta("complete") == state:
            return {}
        other_limits = self._db.execute(
            "SELECT hash FROM contents"  # noqa: S608
            f" WHERE limits != CASE WHEN error IS NULL THEN ? ELSE ? END AND {USED}",
            (limits, unreadable),
        )
        lacking = {content_hash: frozenset(fingerprints) for (content_hash,) in other_limits}
        for fingerprint in fingerprints:
            not_described = self._db.execute(
                "SELECT hash FROM contents WHERE error IS NULL AND id NOT IN (SELECT content_id"  # noqa: S608
                " FROM vectors JOIN descriptors ON descriptors.id = descriptor_id"
                f" WHERE fingerprint = ?) AND {USED}",
                (fingerprint,),
            )
            for (content_hash,) in not_described:
                lacking[content_hash] = lacking.get(content_hash, frozenset()) | {fingerprint}
        if not lacking:
            self._remember("complete", state)
        return lacking

    def hashes_of_sizes(self, sizes: Iterable[int]) -> dict[int, tuple[bytes, ...]]:
        """For each file size in bytes, the content hashes of known files of that size."""
        wanted = set(sizes)
        if not wanted:
            return {}
        hashes: dict[int, set[bytes]] = {}
        for size, content_hash in self._db.execute(
            "SELECT size, hash FROM images JOIN contents ON contents.id = content_id"
        ):
            if size in wanted:
                hashes.setdefault(size, set()).add(content_hash)
        return {size: tuple(sorted(of_size)) for size, of_size in hashes.items()}

    def sample(self, count: int) -> Sample:
        """The readable images with the smallest content hashes, `count` at most.

        Raises
        ------
        DamagedRowError
            SQLite's own index of hashes, which gives the order, says other than the rows.
        """
        found = self._db.execute(
            "SELECT hash, MIN(path), size, limits, width, height, note, contents.error,"  # noqa: S608
            " contents.checksum FROM contents JOIN images ON contents.id = content_id"
            f" WHERE {_USABLE} GROUP BY hash ORDER BY hash LIMIT ?",
            (count,),
        ).fetchall()
        for content, _, _, *values, stored in found:
            check_row(stored, checksum(content, *values))
        return Sample(
            tuple((content, os.fsdecode(path), size) for content, path, size, *_ in found)
        )

    def _meta(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def _remember(self, key: str, value: str) -> None:
        """Note what saves time later; in a place that is read-only it saves none."""
        with contextlib.suppress(CatalogueError), self._change() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    # ----- changing -----------------------------------------------------------------------------

    def record(self, files: Sequence[ReadFile], limits: str) -> None:
        """Write what reading some files under these limits gave, in one transaction."""
        with self._change() as db:
            record_files(db, files, limits)

    def record_ctimes(self, files: Sequence[FoundFile]) -> None:
        """Note when the inodes of unchanged files changed, which an older version did not ask."""
        with self._change() as db:
            record_ctimes(db, files)

    def forget(self, paths: Sequence[str]) -> None:
        """Remove files that are gone; their contents stay until `purge`."""
        with self._change() as db:
            forget_files(db, paths)

    def purge(self) -> None:
        """Remove contents that no file has any more, and their vectors."""
        with self._change() as db:
            purge_contents(db)

    # ----- rows ---------------------------------------------------------------------------------

    def records(self) -> Records:
        """Every readable image, in the order of rows."""
        return Records.pack(
            (row.path, row.width, row.height, row.note) for row in self._rows(_USABLE)
        )

    def skipped(self) -> list[Skipped]:
        """Every file that cannot be used, with the reason, sorted by path."""
        unusable = self._rows(f"NOT ({_USABLE})")
        return [Skipped(os.fsdecode(row.path), row.error or "") for row in unusable]

    def _rows(self, condition: str) -> Iterator[_Row]:
        """Rows that are what was written, sorted by path; raises `DamagedRowError` for others."""
        rows = self._db.execute(
            "SELECT path, size, mtime_ns, ctime_ns, images.error, images.checksum, content_id,"  # noqa: S608
            " hash, limits, width, height, note, contents.error, contents.checksum"
            " FROM images LEFT JOIN contents ON contents.id = content_id"
            f" WHERE {condition} ORDER BY path"
        )
        before = None
        for row in (_Row(*values) for values in rows):
            row.check()
            if before is not None and row.path <= before:  # SQLite's own index of paths is damaged
                raise DamagedRowError("paths are not in order")
            before = row.path
            yield row

    def codes(self, fingerprint: str, dim: int, batch: int = 4096) -> Iterator[Codes]:
        """A descriptor's codes in the order of rows, as arrays (<= batch, dim) uint8."""
        rows = self._db.execute(
            "SELECT hash, data, vectors.checksum"
            " FROM images JOIN contents ON contents.id = images.content_id"
            " LEFT JOIN vectors ON vectors.content_id = contents.id AND descriptor_id ="
            " (SELECT id FROM descriptors WHERE fingerprint = ?)"
            " WHERE contents.error IS NULL ORDER BY path",
            (fingerprint,),
        )
        while several := rows.fetchmany(batch):
            joined = b"".join(_checked_codes(fingerprint, dim, *row) for row in several)
            yield np.frombuffer(joined, np.uint8).reshape(len(several), dim)

    def contents(self) -> Rows:
        """(n,) int64: the id of each row's content, in the order of rows; see `codes_of`."""
        rows = self._db.execute(
            "SELECT content_id FROM images JOIN contents ON contents.id = content_id"
            " WHERE contents.error IS NULL ORDER BY path"
        )
        return np.fromiter((content for (content,) in rows), np.int64)

    def codes_of(self, fingerprint: str, dim: int, contents: Rows) -> Codes:
        """A descriptor's codes of some contents, in the order given: (len(contents), dim) uint8."""
        query = (
            "SELECT hash, data, vectors.checksum FROM contents LEFT JOIN vectors"
            " ON content_id = contents.id AND descriptor_id ="
            " (SELECT id FROM descriptors WHERE fingerprint = ?) WHERE contents.id = ?"
        )
        rows = (
            self._db.execute(query, (fingerprint, content)).fetchone() or (None, None, None)
            for content in contents.tolist()
        )
        joined = b"".join(_checked_codes(fingerprint, dim, *row) for row in rows)
        return np.frombuffer(joined, np.uint8).reshape(len(contents), dim)


def _checked_codes(
    fingerprint: str, dim: int, content_hash: bytes | None, codes: bytes | None, stored: int | None
) -> bytes:
    if content_hash is None or codes is None or len(codes) != dim:
        raise DamagedRowError("codes are missing")
    check_row(stored, checksum_of_codes(fingerprint, content_hash, codes))
    return codes
