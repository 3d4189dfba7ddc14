"""Tags and texts of images in PostgreSQL: a row for each, joined by the image's id."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from imgbatch.exports.base import Batch
from imgbatch.types import Known

if TYPE_CHECKING:
    from psycopg import Connection

TABLES = {
    "image_tags": """
        CREATE TABLE image_tags (
            image_id uuid NOT NULL REFERENCES images ON DELETE CASCADE,
            tag text NOT NULL,
            PRIMARY KEY (image_id, tag)
        );
        CREATE INDEX image_tags_by_tag ON image_tags (tag);
    """,
    "image_machine_tags": """
        CREATE TABLE image_machine_tags (
            image_id uuid NOT NULL REFERENCES images ON DELETE CASCADE,
            tag text NOT NULL,
            PRIMARY KEY (image_id, tag)
        );
        CREATE INDEX image_machine_tags_by_tag ON image_machine_tags (tag);
    """,
    "image_texts": """
        CREATE TABLE image_texts (
            image_id uuid NOT NULL REFERENCES images ON DELETE CASCADE,
            position integer NOT NULL,
            text text NOT NULL,
            PRIMARY KEY (image_id, position)
        );
    """,
}
ARRIVALS = """
    CREATE TEMP TABLE imgbatch_image_tags ON COMMIT DELETE ROWS AS
        SELECT * FROM image_tags WITH NO DATA;
    CREATE TEMP TABLE imgbatch_image_machine_tags ON COMMIT DELETE ROWS AS
        SELECT * FROM image_machine_tags WITH NO DATA;
    CREATE TEMP TABLE imgbatch_image_texts ON COMMIT DELETE ROWS AS
        SELECT * FROM image_texts WITH NO DATA;
"""
"""Where the tags and texts of a batch arrive."""
_FORGET = """
    DELETE FROM {table} old USING imgbatch_rows
    WHERE old.image_id = imgbatch_rows.id
        AND NOT EXISTS (SELECT FROM imgbatch_{table} new WHERE ROW(new.*) = ROW(old.*))
    RETURNING old.image_id
"""
_LEARN = """
    INSERT INTO {table} SELECT * FROM imgbatch_{table}
    ON CONFLICT DO NOTHING RETURNING image_id
"""


def send(db: "Connection[Any]", batch: Batch) -> set[UUID]:
    """Make the tags and texts of a batch's images what they are in the batch.

    The rows of the images are already there, and their ids in ``imgbatch_rows``.

    Returns
    -------
    The ids of the images of which some tag or text differed.
    """
    by_id = list(zip(map(str, batch.ids), batch.tags, batch.texts, strict=True))
    rows: dict[str, list[tuple[object, ...]]] = {
        "image_tags": [(image, tag) for image, tags, _ in by_id for tag in tags],
        "image_machine_tags": [
            (str(image), tag)
            for image, tags in zip(batch.ids, batch.machine_tags, strict=True)
            for tag in tags
        ],
        "image_texts": [
            (image, position, text)
            for image, _, texts in by_id
            for position, text in enumerate(texts)
        ],
    }
    changed: set[UUID] = set()
    for table, arriving in rows.items():
        with db.cursor() as cursor, cursor.copy(f"COPY imgbatch_{table} FROM STDIN") as copy:
            for row in arriving:
                copy.write_row(row)
        for statement in (_FORGET, _LEARN):
            changed |= {image for (image,) in db.execute(statement.format(table=table))}
    return changed


def fetch(db: "Connection[Any]", ids: list[UUID]) -> dict[UUID, Known]:
    """The tags, in the order of the alphabet, and the texts of some images; no labels.

    An export of an earlier version has no tables for them, and then nothing is known.
    """
    ((there,),) = db.execute("SELECT to_regclass('image_tags') IS NOT NULL").fetchall()
    if not there:
        return {}
    rows = db.execute(
        "SELECT id, ARRAY(SELECT tag FROM image_tags WHERE image_id = id ORDER BY tag),"
        " ARRAY(SELECT text FROM image_texts WHERE image_id = id ORDER BY position)"
        " FROM unnest(%s::uuid[]) AS id",
        (ids,),
    )
    return {image: Known("", tuple(tags), tuple(texts)) for image, tags, texts in rows}
