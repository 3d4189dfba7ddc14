"""The index of one image folder: what it knows of files, images and codes, and what is recorded."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from imgbatch.descriptors.base import Codes
from imgbatch.index.records import Records
from imgbatch.index.sqlite.database import Database
from imgbatch.index.sqlite.record import USED, forget_files, purge_contents, record_files
from imgbatch.types import ReadFile, Rows, Skipped


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the index holds of one file; ``error`` says why it is unusable."""

    size: int
    mtime_ns: int
    content_hash: bytes | None
    error: str | None


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
        values = dict(self._db.execute("SELECT key, value FROM meta").fetchall())
        return f"{values['identity']}-{values['generation']}"

    def files(self) -> Iterator[tuple[str, KnownFile]]:
        """Every file the index knows, with its path, sorted by the bytes of the path."""
        rows = self._db.execute(
            "SELECT path, size, mtime_ns, hash, coalesce(images.error, contents.error)"
            " FROM images LEFT JOIN contents ON contents.id = content_id ORDER BY path"
        )
        for path, *rest in rows:
            yield os.fsdecode(path), KnownFile(*rest)

    def matches(self, listing: str) -> bool:
        """Whether the folder had this listing when the index last matched it."""
        return self._meta("listing") == f"{self.generation()} {listing}"

    def remember_match(self, listing: str, generation: str) -> None:
        """Note that the index, as of this generation, had nothing to read for this listing."""
        with self._change() as db:
            value = f"{generation} {listing}"
            db.execute("INSERT OR REPLACE INTO meta VALUES ('listing', ?)", (value,))

    def lacking(self, fingerprints: Sequence[str], limits: str) -> dict[bytes, frozenset[str]]:
        """Hashes of contents that lack some of these descriptors, with those they lack.

        Contents that were read under other limits lack all: they may have become readable or
        unreadable.
        """
        state = f"{self.generation()} {limits} {' '.join(fingerprints)}"
        if self._meta("complete") == state:
            return {}
        other_limits = self._db.execute(
            f"SELECT hash FROM contents WHERE limits != ? AND {USED}",  # noqa: S608
            (limits,),
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
            with self._change() as db:
                db.execute("INSERT OR REPLACE INTO meta VALUES ('complete', ?)", (state,))
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

    def _meta(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    # ----- changing -----------------------------------------------------------------------------

    def record(self, files: Sequence[ReadFile], limits: str) -> None:
        """Write what reading some files under these limits gave, in one transaction."""
        with self._change() as db:
            record_files(db, files, limits)

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
        """A descriptor's codes in the order of rows, as arrays (<= batch, dim) uint8."""
        rows = self._db.execute(
            "SELECT data FROM images JOIN contents ON contents.id = images.content_id"
            " JOIN vectors ON vectors.content_id = contents.id"
            " WHERE contents.error IS NULL AND descriptor_id ="
            " (SELECT id FROM descriptors WHERE fingerprint = ?) ORDER BY path",
            (fingerprint,),
        )
        while several := rows.fetchmany(batch):
            joined = b"".join(data for (data,) in several)
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
            "SELECT data FROM vectors WHERE content_id = ? AND descriptor_id ="
            " (SELECT id FROM descriptors WHERE fingerprint = ?)"
        )
        codes = (
            self._db.execute(query, (content, fingerprint)).fetchone()[0]
            for content in contents.tolist()
        )
        return np.frombuffer(b"".join(codes), np.uint8).reshape(len(contents), dim)
