"""PostgreSQL with pgvector: images as rows, points as vectors, an HNSW index for each space.

Rows are upserted in transactions of some thousand, so that a killed export goes on where it was.
Points are sent only where the file's content or the space differs from what is there; the small
rows of `images` are compared on the server. The new space takes the old one's place when it is
complete, index included; until then searches use the old one.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from imgbatch.errors import DatabaseError, UsageError
from imgbatch.exports import known, words
from imgbatch.exports.base import Batch, Exporter, ImageTable, Written, as_text
from imgbatch.exports.connection import Address, need_psycopg, use_vectors
from imgbatch.types import Progress

if TYPE_CHECKING:
    from psycopg import Connection

MOST_DIMENSIONS = 2000
"""Most dimensions that pgvector's HNSW index takes of the type `vector`."""
SEARCHED = ("images", "image_spaces", "image_embeddings")
"""The tables that a search needs; exports of earlier versions have no others."""

_MARK = "imgbatch export, version 1"
_TABLES = {
    "images": """
        CREATE TABLE images (
            id uuid PRIMARY KEY,
            folder text NOT NULL,
            path text NOT NULL,
            label text NOT NULL,
            width integer NOT NULL,
            height integer NOT NULL,
            size bigint NOT NULL,
            hash bytea NOT NULL,
            phash bit(64) NOT NULL,
            note text NOT NULL
        );
        CREATE INDEX images_by_folder ON images (folder);
    """,
    "image_spaces": """
        CREATE TABLE image_spaces (
            fingerprint text PRIMARY KEY,
            folder text NOT NULL,
            dimensions integer NOT NULL,
            images bigint NOT NULL,
            complete boolean NOT NULL DEFAULT false,
            exported_at timestamptz NOT NULL DEFAULT now(),
            settings jsonb NOT NULL,
            arrays bytea NOT NULL
        );
    """,
    "image_embeddings": """
        CREATE TABLE image_embeddings (
            image_id uuid NOT NULL REFERENCES images ON DELETE CASCADE,
            fingerprint text NOT NULL REFERENCES image_spaces,
            embedding vector NOT NULL,
            PRIMARY KEY (image_id, fingerprint)
        );
    """,
    **known.TABLES,
    **words.TABLES,
}
_UPSERT = """
    INSERT INTO images (id, folder, path, label, width, height, size, hash, phash, note)
    SELECT id, %s, path, label, width, height, size, hash, phash, note FROM imgbatch_rows
    ON CONFLICT (id) DO UPDATE SET
        label = excluded.label, width = excluded.width, height = excluded.height,
        size = excluded.size, hash = excluded.hash, phash = excluded.phash, note = excluded.note
    WHERE (images.label, images.width, images.height, images.size, images.hash, images.phash,
           images.note)
        IS DISTINCT FROM (excluded.label, excluded.width, excluded.height, excluded.size,
                          excluded.hash, excluded.phash, excluded.note)
    RETURNING id
"""  # path and folder need no update: the id is made of them
_ARRIVALS = """
    CREATE TEMP TABLE imgbatch_rows ON COMMIT DELETE ROWS AS
        SELECT id, path, label, width, height, size, hash, phash, note FROM images WITH NO DATA;
    CREATE TEMP TABLE imgbatch_points (id uuid, embedding vector) ON COMMIT DELETE ROWS;
    CREATE TEMP TABLE imgbatch_here (id uuid);
"""


def index_name(fingerprint: str) -> str:
    """Name of a space's HNSW index; each space has its own, since spaces differ in dimensions."""
    return f"image_embeddings_{fingerprint}_hnsw"


def check_tables(
    db: "Connection[Any]", address: Address, names: Iterable[str] = tuple(_TABLES)
) -> list[str]:
    """Names of the missing tables; raises `DatabaseError` if a table of such a name is not ours."""
    find = (
        "SELECT obj_description(pg_class.oid, 'pg_class') FROM pg_class"
        " JOIN pg_namespace ON pg_namespace.oid = relnamespace"
        " WHERE relname = %s AND nspname = current_schema()"
    )
    missing = []
    for name in names:
        comment = db.execute(find, (name,)).fetchone()
        if comment is None:
            missing.append(name)
        elif comment[0] != _MARK:
            raise DatabaseError(
                f"{address.shown} holds a table {name} that is not of this version's exports",
                "use another database, or another schema: ...?options=-csearch_path%3DSCHEMA",
            )
    return missing


def _check(target: str) -> str:
    address = Address.parse(target)
    with address.connect() as db:
        _prepare(db, address)
    return address.shown


def _prepare(db: "Connection[Any]", address: Address) -> None:
    """Create the extension and the tables that are missing."""
    sql = need_psycopg().sql
    with db.transaction():  # IF NOT EXISTS alone fails where two do so at once
        db.execute("SELECT pg_advisory_xact_lock(%s)", (_lock_number(_MARK),))
        use_vectors(db, address, create=True)
        for name in check_tables(db, address):
            db.execute(_TABLES[name])
            comment = sql.SQL("COMMENT ON TABLE {} IS {}")
            db.execute(comment.format(sql.Identifier(name), sql.Literal(_MARK)))


def _write(target: str, table: ImageTable, progress: Progress | None) -> Written:
    if table.points.shape[1] > MOST_DIMENSIONS:
        raise UsageError(
            f"the points have {table.points.shape[1]:,} dimensions, but an HNSW index of pgvector"
            f" takes at most {MOST_DIMENSIONS:,}",
            "lower the numbers in [space.components], or export to a file",
        )
    address = Address.parse(target)
    with address.connect() as db:
        _prepare(db, address)
        return _Export(db, table).run(progress or (lambda _done, _total: None))


class _Export:
    """The export of one folder over one connection."""

    def __init__(self, db: "Connection[Any]", table: ImageTable) -> None:
        self.db, self.table = db, table
        self.folder = as_text(table.folder)
        self.fingerprint = table.space.fingerprint

    def run(self, progress: Progress) -> Written:
        """Export all rows, in an order that leaves a searchable state whenever it is killed."""
        waited = self._lock()
        self._begin()
        changed = sent = done = 0
        for batch in self.table.batches():
            with self.db.transaction():
                lacking = self._compare(batch)
                changed += len(self._upsert() | known.send(self.db, batch))
                sent += self._send_points(batch, lacking)
            done += len(batch)
            progress(done, len(self.table))
        self._index()
        with self.db.transaction():
            words.send(self.db, self.table)
            self.db.execute(
                "UPDATE image_spaces SET complete = (fingerprint = %s) WHERE folder = %s",
                (self.fingerprint, self.folder),
            )
        notes = ("waited for another export of this folder",) if waited else ()
        return Written(changed, sent, self._clean(), notes)

    def _lock(self) -> bool:
        """Wait until no other export of this folder runs; returns whether it had to wait."""
        number = (_lock_number(self.folder),)
        (free,) = self.db.execute("SELECT pg_try_advisory_lock(%s)", number).fetchone() or (False,)
        if not free:
            self.db.execute("SELECT pg_advisory_lock(%s)", number)
        return not free

    def _begin(self) -> None:
        space = self.table.space
        self.db.execute(
            "INSERT INTO image_spaces (fingerprint, folder, dimensions, images, settings, arrays)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (fingerprint) DO UPDATE"
            " SET images = excluded.images, exported_at = now(),"
            " settings = excluded.settings, arrays = excluded.arrays",
            (
                self.fingerprint,
                self.folder,
                self.table.points.shape[1],
                len(self.table),
                json.dumps(space.settings),
                space.arrays(),
            ),
        )
        self.db.execute(_ARRIVALS + known.ARRIVALS)

    def _compare(self, batch: Batch) -> set[UUID]:
        """Send the rows without their points; returns the ids whose points the database lacks.

        The points of a changed file are deleted from every space, unfinished exports included.
        """
        with (
            self.db.cursor() as cursor,
            cursor.copy("COPY imgbatch_rows FROM STDIN") as copy,
        ):
            phashes = (f"{phash:064b}" for phash in batch.phashes)
            for row in zip(
                batch.ids, batch.paths, batch.labels, batch.widths, batch.heights, batch.sizes,
                batch.hashes, phashes, batch.notes, strict=True,
            ):  # fmt: skip
                copy.write_row(row)
        self.db.execute("INSERT INTO imgbatch_here SELECT id FROM imgbatch_rows")
        self.db.execute(
            "DELETE FROM image_embeddings USING imgbatch_rows n JOIN images o USING (id)"
            " WHERE image_id = n.id AND o.hash <> n.hash"
        )
        lacking = self.db.execute(
            "SELECT n.id FROM imgbatch_rows n"
            " LEFT JOIN image_embeddings e ON e.image_id = n.id AND e.fingerprint = %s"
            " WHERE e.image_id IS NULL",
            (self.fingerprint,),
        )
        return {image_id for (image_id,) in lacking}

    def _upsert(self) -> set[UUID]:
        """Write the rows that are new or differ; returns their ids."""
        return {image_id for (image_id,) in self.db.execute(_UPSERT, (self.folder,))}

    def _send_points(self, batch: Batch, lacking: set[UUID]) -> int:
        if not lacking:
            return 0
        copy_in = "COPY imgbatch_points FROM STDIN (FORMAT BINARY)"
        with self.db.cursor() as cursor, cursor.copy(copy_in) as copy:
            copy.set_types(["uuid", "vector"])
            for image_id, point in zip(batch.ids, batch.points, strict=True):
                if image_id in lacking:
                    copy.write_row((image_id, point))
        self.db.execute(
            "INSERT INTO image_embeddings SELECT id, %s, embedding FROM imgbatch_points"
            " ON CONFLICT (image_id, fingerprint) DO UPDATE SET embedding = excluded.embedding",
            (self.fingerprint,),
        )
        return len(lacking)

    def _index(self) -> None:
        """Build the space's HNSW index after the bulk load, which is faster than row by row."""
        sql = need_psycopg().sql
        build = sql.SQL(
            "CREATE INDEX IF NOT EXISTS {} ON image_embeddings"
            " USING hnsw ((embedding::vector({})) vector_l2_ops) WHERE fingerprint = {}"
        )
        parts = sql.Literal(self.table.points.shape[1]), sql.Literal(self.fingerprint)
        self.db.execute(build.format(sql.Identifier(index_name(self.fingerprint)), *parts))

    def _clean(self) -> int:
        """Delete replaced spaces and rows of files that are gone; returns the number of rows."""
        sql = need_psycopg().sql
        gone = self.db.execute(
            "DELETE FROM images WHERE folder = %s AND NOT EXISTS"
            " (SELECT FROM imgbatch_here WHERE imgbatch_here.id = images.id)",
            (self.folder,),
        )
        old = self.db.execute(
            "SELECT fingerprint FROM image_spaces WHERE folder = %s AND fingerprint <> %s",
            (self.folder, self.fingerprint),
        ).fetchall()
        for (fingerprint,) in old:  # the index first: without it, rows go faster
            drop = sql.SQL("DROP INDEX IF EXISTS {}")
            self.db.execute(drop.format(sql.Identifier(index_name(fingerprint))))
            with self.db.transaction():
                self.db.execute(
                    "DELETE FROM image_embeddings WHERE fingerprint = %s", (fingerprint,)
                )
                self.db.execute("DELETE FROM image_spaces WHERE fingerprint = %s", (fingerprint,))
        return gone.rowcount


def _lock_number(name: str) -> int:
    """The number of an advisory lock."""
    digest = hashlib.blake2b(f"imgbatch {name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


EXPORTER = Exporter(_check, _write, holds_words=True)
