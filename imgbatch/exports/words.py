"""Words of a folder in PostgreSQL: known texts to be searched, and the maps from pictures to words.

They are tables beside the points, joined by the image's id, each row of one feature space:

- `image_word_maps`: a row for each space, with the arrays that every search needs, as .npz;
- `image_stems`: a row for each stem that some text holds;
- `image_words`: a row for each stem of each image's texts, tags and class, with its weight by BM25;
- `image_looks`: a row for each image, with the learned images that one without texts looks like.

Arrays in a column are numbers in little-endian order, and nothing is pickled.
"""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from imgbatch.exports.base import ImageTable
from imgbatch.types import Rows

if TYPE_CHECKING:
    import scipy.sparse as sp
    from psycopg import Connection

    from imgbatch.words.kept import FolderWords
    from imgbatch.words.text_index import TextIndex
    from imgbatch.words.visual import VisualSearch

VERSION = 1
"""Of the form of these tables; raised whenever what is in them means something else."""
MAPS = ("text_mean", "point_mean", "ridge", "image_axes", "text_axes")
"""Arrays of `WordMaps` that do not depend on what is asked."""

_LONGEST = 1000
"""Bytes of the longest stem that is written: an index of PostgreSQL takes 2,700 at most."""

TABLES = {
    "image_word_maps": """
        CREATE TABLE image_word_maps (
            fingerprint text PRIMARY KEY REFERENCES image_spaces ON DELETE CASCADE,
            version integer NOT NULL,
            state text NOT NULL,
            images integer NOT NULL,
            learned integer NOT NULL,
            language text NOT NULL,
            function_words text[] NOT NULL,
            arrays bytea NOT NULL
        );
    """,
    "image_stems": """
        CREATE TABLE image_stems (
            fingerprint text NOT NULL REFERENCES image_word_maps ON DELETE CASCADE,
            stem text NOT NULL,
            form text NOT NULL,
            images integer NOT NULL,
            idf real,
            topics bytea,
            PRIMARY KEY (fingerprint, stem)
        );
    """,
    # No reference to images: millions of rows would each be looked up. They go with their space.
    "image_words": """
        CREATE TABLE image_words (
            fingerprint text NOT NULL REFERENCES image_word_maps ON DELETE CASCADE,
            stem text NOT NULL,
            image_id uuid NOT NULL,
            weight real NOT NULL,
            tfidf real,
            PRIMARY KEY (fingerprint, stem, image_id)
        );
    """,
    "image_looks": """
        CREATE TABLE image_looks (
            image_id uuid NOT NULL REFERENCES images ON DELETE CASCADE,
            fingerprint text NOT NULL REFERENCES image_word_maps ON DELETE CASCADE,
            row integer NOT NULL,
            position integer,
            neighbours bytea,
            weights bytea,
            lengths bytea,
            PRIMARY KEY (image_id, fingerprint),
            UNIQUE (fingerprint, row)
        );
    """,
}


def send(db: "Connection[Any]", table: ImageTable) -> None:
    """Make the words of a space what they are in the table, within the caller's transaction.

    The images and the space are already there. Nothing is sent if nothing has changed; without
    words, none stay.
    """
    words, fingerprint = table.words, table.space.fingerprint
    query = "SELECT state FROM image_word_maps WHERE fingerprint = %s AND version = %s"
    there = db.execute(query, (fingerprint, VERSION)).fetchone()
    if words is not None and there == (words.state,):
        return
    db.execute("DELETE FROM image_word_maps WHERE fingerprint = %s", (fingerprint,))
    if words is None:
        return
    _send_maps(db, fingerprint, words)
    ids = [image_id.hex for batch in table.batches() for image_id in batch.ids]
    learned = _Learned(words.texts, words.visual)
    _copy(db, "image_stems", learned.stems(fingerprint))
    _copy(db, "image_words", learned.words(fingerprint, ids))
    _copy(db, "image_looks", learned.looks(fingerprint, ids))


def _send_maps(db: "Connection[Any]", fingerprint: str, words: "FolderWords") -> None:
    index, visual = words.texts, words.visual
    arrays: dict[str, npt.NDArray[Any]] = {"rows": index.rows}
    if visual is not None:
        arrays |= {name: getattr(visual.maps, name) for name in MAPS}
        arrays["expectation"] = visual.expectation
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    learned = 0 if visual is None else len(visual.maps.ends)
    db.execute(
        "INSERT INTO image_word_maps (fingerprint, version, state, images, learned, language,"
        " function_words, arrays) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            fingerprint, VERSION, words.state, index.total, learned, index.language,
            sorted(index.function_words), file.getvalue(),
        ),
    )  # fmt: skip


def _copy(db: "Connection[Any]", name: str, rows: Iterator[tuple[object, ...]]) -> None:
    with db.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


class _Learned:
    """Known texts and what was learned of them, as rows of the tables."""

    def __init__(self, index: "TextIndex", visual: "VisualSearch | None") -> None:
        self.index, self.visual = index, visual

    def stems(self, fingerprint: str) -> Iterator[tuple[object, ...]]:
        """A row for each stem; what only learned stems have is NULL elsewhere."""
        index, maps = self.index, None if self.visual is None else self.visual.maps
        places = {} if maps is None else {stem: at for at, stem in enumerate(maps.stems.tolist())}
        for number, (stem, form) in enumerate(zip(index.stems, index.forms, strict=True)):
            if _is_long(stem):
                continue
            held, idf, topics = int(index.frequencies[number]), None, None
            if maps is not None and (place := places.get(number)) is not None:
                idf, topics = float(maps.idf[place]), packed(maps.topics[place])
            yield fingerprint, stem, form, held, idf, topics

    def words(self, fingerprint: str, ids: list[str]) -> Iterator[tuple[object, ...]]:
        """A row for each stem of each image's texts."""
        index, (rows, columns) = self.index, self._tfidf()
        starts = (index.ends - index.frequencies).tolist()
        for number, (start, end) in enumerate(zip(starts, index.ends.tolist(), strict=True)):
            if _is_long(index.stems[number]):
                continue
            held = index.rows[index.indices[start:end]].tolist()
            known: dict[int, float] = {}
            if columns is not None:
                own = slice(columns.indptr[number], columns.indptr[number + 1])
                places = rows[columns.indices[own]].tolist()
                known = dict(zip(places, columns.data[own].tolist(), strict=True))
            for row, weight in zip(held, index.data[start:end].tolist(), strict=True):
                yield fingerprint, index.stems[number], ids[row], weight, known.get(row)

    def looks(self, fingerprint: str, ids: list[str]) -> Iterator[tuple[object, ...]]:
        """A row for each image: where it stands among the learned ones, or what it looks like."""
        positions = {row: position for position, row in enumerate(self._rows().tolist())}
        unknown = {}
        if self.visual is not None:
            unknown = {row: place for place, row in enumerate(self.visual.rows.tolist())}
        for row, image_id in enumerate(ids):
            looks: tuple[bytes | None, ...] = (None, None, None)
            if self.visual is not None and (place := unknown.get(row)) is not None:
                of = self.visual.placed
                looks = tuple(packed(array[place]) for array in (of.near, of.weights, of.lengths))
            yield image_id, fingerprint, row, positions.get(row), *looks

    def _rows(self) -> Rows:
        """The learned images, in the order of the maps' texts."""
        from imgbatch.words.visual import learned_rows

        rows = None if self.visual is None else learned_rows(self.index)
        return np.zeros(0, np.int64) if rows is None else rows

    def _tfidf(self) -> "tuple[Rows, sp.csc_array | None]":
        """The learned images, and the weight of each stem (column) in the text of each."""
        if self.visual is None:
            return self._rows(), None
        import scipy.sparse as sp

        maps = self.visual.maps
        starts, shape = np.concatenate([[0], maps.ends]), (len(maps.ends), len(self.index.stems))
        weights = sp.csr_array((maps.data, maps.stems[maps.indices], starts), shape)
        return self._rows(), weights.tocsc()


def _is_long(stem: str) -> bool:
    """Whether a stem is no word of a language: nobody asks for it."""
    return len(stem.encode()) > _LONGEST


def packed(array: npt.NDArray[Any]) -> bytes:
    """The bytes of an array of 32-bit numbers, in little-endian order."""
    return array.astype(array.dtype.newbyteorder("<")).tobytes()
