"""Which pictures a table asks for, and what became of each: a small database beside the result.

It is the journal of `prepare`. A picture is written first and noted here afterwards, so that a kill
in between costs making this picture again, under the same name. The rows of the table are not kept:
each pass reads them from the table.
"""

# ruff: noqa: S608 - queries are put together from what stands in this file; values are bound

import contextlib
import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from imgbatch.errors import OutputError
from imgbatch.intake.database import FAILED, MADE, PENDING, Database
from imgbatch.intake.records import Reason
from imgbatch.intake.rows import Wanted

_BATCH = 1000


class Pending(NamedTuple):
    """A picture to be made: its number, and its path inside the folder of images or its link."""

    id: int
    source: str


class Outcome(NamedTuple):
    """What became of a picture.

    Attributes
    ----------
    id
        Its number.
    reason, detail
        Why there is none; "" if there is one.
    stamp
        Size and time of the local file that it was made from.
    file, size
        Its path inside the folder of pictures, and its bytes.
    content
        SHA-256 of what it was made from.
    """

    id: int
    reason: str = ""
    detail: str = ""
    stamp: str = ""
    file: str = ""
    size: int = 0
    content: bytes = b""


class Verdict(NamedTuple):
    """What becomes of a row: the file of its picture, or the reason why it is dropped."""

    file: str
    reason: str = ""
    detail: str = ""


def _folded(name: str) -> str:
    """A name that all names have which may be one on some file system."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


class State(Database):
    """Which pictures are wanted, and how far each is; see `Database`."""

    # ----- the first pass -------------------------------------------------------------------------

    def plan(self, rows: Iterable[tuple[int, Wanted]]) -> None:
        """List the pictures that the rows ask for; forget those that no row asks for any more."""
        run = int(self.noted("run") or 0) + 1
        self.note("run", run)
        self._db.execute("DELETE FROM later_rows")
        insert = (
            "INSERT INTO images(key, row, source, whole, others, run) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT(key) DO UPDATE SET row = excluded.row, whole = excluded.whole,"
            " others = excluded.others, run = excluded.run WHERE images.run <> excluded.run"
        )
        later = "INSERT OR IGNORE INTO later_rows VALUES (?, ?, ?)"
        execute = self._db.execute
        with self._transaction():
            for number, (source, key, whole, others) in rows:
                first = execute(insert, (key, number, source, whole, others, run)).rowcount
                if not first:
                    execute(later, (key, whole, number))
        self._remove_files(f"run <> {run}", f"run = {run}")
        self._db.execute("DELETE FROM images WHERE run <> ?", (run,))

    def name_files(self, name: Callable[[str], str]) -> None:
        """Name the files of pictures that have no name yet, by a function of their source.

        Where two names would be one on some file system, since they are equal but for the case of
        letters or for how Unicode composes them, the later one gets a number.
        """
        self._db.create_function("named", 1, name, deterministic=True)
        self._db.create_function("folded", 1, _folded, deterministic=True)
        self._db.execute("UPDATE images SET file = named(source) WHERE file = ''")
        places = (
            "SELECT id, key, file, state, ROW_NUMBER() OVER"
            f" (PARTITION BY folded(file) ORDER BY state = {PENDING}, id) AS place FROM images"
        )
        # A picture that is made already has its name for good.
        wanted = f"place > 1 AND state = {PENDING}"
        doubled = list(self._rows(f"SELECT id, key, file FROM ({places}) WHERE {wanted}"))
        with self._transaction():
            for number, key, file in doubled:
                stem, ending = os.path.splitext(file)
                unlike = f"{stem}-{key.hex()[:16]}{ending}"
                self._db.execute("UPDATE images SET file = ? WHERE id = ?", (unlike, number))

    # ----- making pictures ------------------------------------------------------------------------

    def reopen(self, is_stale: Callable[..., bool]) -> None:
        """Let pictures be made again for which `is_stale(source, made, stamp, file, size)`.

        Pictures that were left out since they equal another one have no file.
        """
        rows = self._rows(
            f"SELECT id, source, state = {MADE}, stamp, CASE WHEN same_as IS NULL THEN file"
            f" ELSE '' END, size FROM images WHERE state <> {PENDING}"
        )
        stale = [(row[0],) for row in rows if is_stale(*row[1:])]
        with self._transaction():
            self._db.executemany(f"UPDATE images SET state = {PENDING} WHERE id = ?", stale)

    def retry(self, reasons: Iterable[str]) -> None:
        """Let pictures be made again that failed for one of these reasons."""
        with self._transaction():
            for reason in reasons:
                self._db.execute(
                    f"UPDATE images SET state = {PENDING} WHERE state = {FAILED} AND reason = ?",
                    (reason,),
                )

    def count_pending(self) -> int:
        """How many pictures are still to be made."""
        return self._count(f"state = {PENDING}")

    def pending(self, *, mixed: bool) -> Iterator[tuple[Pending, str]]:
        """Pictures still to be made, each with its file's name, in the order of the table.

        If `mixed`, they come in the order of their digests, so that links of one host stand apart.
        Those that are noted meanwhile do no harm.
        """
        order, after = ("key", b"") if mixed else ("id", 0)
        while True:
            batch = self._db.execute(
                f"SELECT {order}, id, source, file FROM images"
                f" WHERE state = {PENDING} AND {order} > ? ORDER BY {order} LIMIT {_BATCH}",
                (after,),
            ).fetchall()
            if not batch:
                return
            for _, number, source, file in batch:
                yield Pending(number, source), file
            after = batch[-1][0]

    def record(self, outcomes: Iterable[Outcome]) -> None:
        """Note what became of some pictures."""
        with self._transaction():
            self._db.executemany(
                "UPDATE images SET state = ?, reason = ?, detail = ?, stamp = ?, file = ?,"
                " size = ?, content = ?, same_as = NULL WHERE id = ?",
                (
                    (
                        FAILED if one.reason else MADE,
                        one.reason, one.detail, one.stamp, one.file, one.size,
                        one.content or None, one.id,
                    )
                    for one in outcomes
                ),
            )  # fmt: skip

    def settle_equal_pictures(self) -> int:
        """Keep equal contents once, for the first row; remove the files of the others.

        Returns how many pictures are to be made again: their file was removed, since they were
        equal to one that has changed.
        """
        db, made = self._db, f"state = {MADE}"
        with self._transaction():  # an index of what is there already is sorted, and so fast
            db.execute(f"CREATE INDEX IF NOT EXISTS contents ON images(content) WHERE {made}")
            db.execute("UPDATE images SET same_as = -same_as WHERE same_as IS NOT NULL")
            db.execute(
                "CREATE TEMP TABLE firsts AS SELECT content, MIN(row) AS row FROM images"
                f" WHERE {made} GROUP BY content HAVING COUNT(*) > 1"
            )
            db.execute(
                "UPDATE images SET same_as = firsts.row FROM firsts WHERE images.row > firsts.row"
                f" AND images.content = firsts.content AND images.{made}"
            )
            db.execute("DROP TABLE firsts")
            freed = list(self._rows(f"SELECT id, file FROM images WHERE same_as < 0 AND {made}"))
            lost = [(number,) for number, file in freed if not (self.pictures / file).exists()]
            db.executemany(f"UPDATE images SET state = {PENDING} WHERE id = ?", lost)
            db.execute("UPDATE images SET same_as = NULL WHERE same_as < 0")
        self._remove_files("same_as IS NOT NULL", "same_as IS NULL")
        return len(lost)

    def _remove_files(self, unneeded: str, needed: str) -> None:
        """Remove the files of pictures for which a condition holds, unless others share them."""
        made = f"state = {MADE}"
        files = self._rows(f"SELECT file, content FROM images WHERE {made} AND {unneeded}")
        shared = f"SELECT 1 FROM images WHERE content = ? AND file = ? AND {made} AND {needed}"
        for file, content in files:
            if self._db.execute(shared, (content, file)).fetchone() is None:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(self.pictures, file))

    # ----- the second pass ------------------------------------------------------------------------

    def verdict(self, number: int, wanted: Wanted) -> Verdict:
        """What becomes of a row, now that all pictures are made."""
        found = self._db.execute(
            "SELECT row, whole, others, state, reason, detail, file, same_as FROM images"
            " WHERE key = ?",
            (wanted.key,),
        ).fetchone()
        if found is None:
            raise OutputError("the table changed while it was read", "run the command again")
        row, whole, others, state, reason, detail, file, same_as = found
        if number != row:
            first = self._first_row_like(wanted, row) if wanted.whole != whole else row
            if first != number:
                return Verdict("", Reason.DOUBLED, f"says the same as row {first}")
            if wanted.others != others:
                return Verdict("", Reason.CONFLICT, f"contradicts row {row}, which holds")
        if state != MADE:
            return Verdict("", reason, detail)
        if same_as is not None:
            return Verdict("", Reason.SAME_PICTURE, f"the picture of row {same_as}")
        return Verdict(file)

    def _first_row_like(self, wanted: Wanted, default: int) -> int:
        found = self._db.execute(
            "SELECT row FROM later_rows WHERE key = ? AND whole = ?", (wanted.key, wanted.whole)
        ).fetchone()
        return default if found is None else int(found[0])

    def count_kept(self) -> int:
        """How many pictures there are."""
        return self._count(f"state = {MADE} AND same_as IS NULL")

    def failures(self) -> dict[str, int]:
        """How many pictures could not be made, by reason."""
        return dict(
            self._rows(
                f"SELECT reason, COUNT(*) FROM images WHERE state = {FAILED} GROUP BY reason"
            )
        )
