"""Search by words in an export: the rows of a query's stems are fetched, then searched as here.

What a database holds of a few stems makes a small text index and small maps, and the function
that searches a folder searches these. So both give the same images. Of each image without a text
2.2 kB are fetched for points of 352 dimensions, and nothing with ``only="known"``.
"""

import io
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from imgbatch.errors import DatabaseError, LabelError
from imgbatch.exports import known
from imgbatch.exports.base import as_name
from imgbatch.exports.connection import Address
from imgbatch.exports.words import MAPS, TABLES, VERSION
from imgbatch.files.unpacked import unpacked_arrays
from imgbatch.types import Floats, ImageRecord, Known, Rows
from imgbatch.words.maps import Placed, WordMaps
from imgbatch.words.text_index import TextIndex
from imgbatch.words.tokens import Stemmer, words_of
from imgbatch.words.visual import VisualSearch

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import Connection

_AGAIN = "export the folder again, with this version and the extra text"


class StoredWords:
    """What an export holds of the words of one query; fetched as it is asked for.

    Parameters
    ----------
    db
        A connection inside a transaction, in which all that is fetched belongs together.
    address
        For messages.
    fingerprint
        Of the space.
    text
        The query.

    Raises
    ------
    DatabaseError
        The export holds no words, or those of another version, or damaged ones.
    LabelError
        Nothing was known of any image.
    """

    def __init__(
        self, db: "Connection[Any]", address: Address, fingerprint: str, text: str
    ) -> None:
        self._db, self._fingerprint, self._text = db, fingerprint, text
        facts = None
        if all(self._ask("SELECT to_regclass(%s)::text", name)[0][0] for name in TABLES):
            facts = self._ask(
                "SELECT images, learned, language, function_words, arrays FROM image_word_maps"
                " WHERE fingerprint = %s AND version = %s",
                fingerprint,
                VERSION,
            )
        if not facts:
            raise DatabaseError(f"the export in {address.shown} holds no words to search", _AGAIN)
        self._total, self._learned, self._language, self._function_words, arrays = facts[0]
        try:
            self._arrays: dict[str, npt.NDArray[Any]] = unpacked_arrays(io.BytesIO(arrays))
        except ValueError as error:
            raise DatabaseError(
                f"the words of the export in {address.shown} are damaged: {error}",
                "delete its row in image_word_maps, and export the folder again",
            ) from None
        if not len(self._arrays["rows"]):
            raise LabelError(
                f"no image of the export in {address.shown} has a text, a tag or a class",
                "export the folder again with `metadata`, a file of file_name and text, tags or"
                " label",
            )

    def _ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a query, transferred in binary form, which is several times as fast."""
        return self._db.execute(query, values, binary=True).fetchall()

    @cached_property
    def _stems(self) -> list[tuple[str, float | None, bytes | None]]:
        """The known stems of the query in its order: each with IDF and topics, if learned."""
        stemmer = Stemmer(self._language)
        asked = list(dict.fromkeys(stemmer.stems(self._text)))
        rows = self._ask(
            "SELECT stem, idf, topics FROM image_stems WHERE fingerprint = %s AND stem = ANY(%s)",
            self._fingerprint,
            asked,
        )
        return sorted(rows, key=lambda row: asked.index(row[0]))

    @cached_property
    def _held(self) -> npt.NDArray[np.float64]:
        """(h, 5) for each stem of each text: number of the stem, row, weight, TF-IDF, position.

        Position and TF-IDF are NaN for images that were not learned from.
        """
        names = [stem for stem, _, _ in self._stems]
        rows = self._ask(
            "SELECT array_position(%s::text[], stem) - 1, row, weight, tfidf, position"
            " FROM image_words JOIN image_looks USING (fingerprint, image_id)"
            " WHERE fingerprint = %s AND stem = ANY(%s) ORDER BY 1, 2",
            names,
            self._fingerprint,
            names,
        )
        return np.array(rows, np.float64).reshape(-1, 5)

    @cached_property
    def texts(self) -> TextIndex:
        """The known texts, of the stems that are asked for."""
        rows, held = np.asarray(self._arrays["rows"], np.int64), self._held
        counts = np.bincount(held[:, 0].astype(np.int64), minlength=len(self._stems))
        return TextIndex(
            self._language,
            self._total,
            rows,
            tuple(stem for stem, _, _ in self._stems),
            self._forms,
            held[:, 2].astype(np.float32),
            np.searchsorted(rows, held[:, 1]).astype(np.int32),
            np.cumsum(counts),
            frozenset(self._function_words),
        )

    @cached_property
    def _forms(self) -> tuple[str, ...]:
        """All known words, if some word of the query is none, to tell what is near it."""
        stemmer = Stemmer(self._language)
        if {stemmer.stem(word) for word in words_of(self._text)} == {
            stem for stem, _, _ in self._stems
        }:
            return ()
        query = "SELECT form FROM image_stems WHERE fingerprint = %s"
        return tuple(form for (form,) in self._ask(query, self._fingerprint))

    @cached_property
    def visual(self) -> VisualSearch | None:
        """What was learned of these stems, and of all images without texts."""
        if not self._learned:
            return None
        looks = self._looks
        near, weights, lengths = (
            _unpacked([row[column] for row in looks], kind)
            for column, kind in ((1, "<i4"), (2, "<f4"), (3, "<f4"))
        )
        rows = np.array([row[0] for row in looks], np.int64)
        return VisualSearch(
            self._maps, rows, Placed(near, weights, lengths), self._arrays["expectation"]
        )

    @cached_property
    def _maps(self) -> WordMaps:
        """The maps of these stems, without what only learning needs."""
        learned = [number for number, (_, idf, _) in enumerate(self._stems) if idf is not None]
        topics = [self._stems[number][2] or b"" for number in learned]
        held = self._held[~np.isnan(self._held[:, 3])]
        held = held[np.lexsort((held[:, 0], held[:, 4]))]  # text by text
        texts = np.bincount(held[:, 4].astype(np.int64), minlength=self._learned)
        arrays = {name: self._arrays[name] for name in MAPS}
        nothing = np.zeros(0, np.float32)
        return WordMaps(
            stems=np.array(learned, np.int64),
            idf=np.array([self._stems[number][1] for number in learned], np.float32),
            topics=_unpacked(topics, "<f4").reshape(-1, len(arrays["text_mean"])),
            **arrays,
            points=nothing.reshape(0, 0),
            data=held[:, 3].astype(np.float32),
            indices=np.searchsorted(learned, held[:, 0]).astype(np.int32),
            ends=np.cumsum(texts),
            width=nothing,
        )

    @cached_property
    def _looks(self) -> list[tuple[Any, ...]]:
        """Row, neighbours, weights, lengths and point of each image without a text."""
        return self._ask(
            "SELECT row, neighbours, weights, lengths, vector_send(embedding) FROM image_looks"
            " JOIN image_embeddings USING (image_id, fingerprint)"
            " WHERE fingerprint = %s AND neighbours IS NOT NULL ORDER BY row",
            self._fingerprint,
        )

    def points(self, rows: Rows) -> Floats:
        """The points of some images without texts."""
        # Two 16-bit numbers stand before the coordinates.
        points = _unpacked([row[4][4:] for row in self._looks], ">f4")
        return points[np.searchsorted([row[0] for row in self._looks], rows)]

    def distances(self, point: Floats) -> Floats:
        """(n,) from a point (p,) to all images, computed in the database."""
        rows = self._ask(
            "SELECT embedding <-> %s FROM image_looks JOIN image_embeddings"
            " USING (image_id, fingerprint) WHERE fingerprint = %s ORDER BY row",
            point,
            self._fingerprint,
        )
        return np.array(rows, np.float32).reshape(-1)

    def describe(self, rows: list[int]) -> list[tuple[ImageRecord, Known]]:
        """What the database holds of the images of some rows, in their order."""
        stored = self._ask(
            "SELECT row, id, path, width, height, note, label FROM image_looks"
            " JOIN images ON id = image_id WHERE fingerprint = %s AND row = ANY(%s)",
            self._fingerprint,
            rows,
        )
        by_row = {row[0]: row[1:] for row in stored}
        ids: list[UUID] = [by_row[row][0] for row in rows]
        texts = known.fetch(self._db, ids)
        described = []
        for row in rows:
            image, path, width, height, note, label = by_row[row]
            of_image = texts.get(image, Known())
            record = ImageRecord(as_name(path), width, height, as_name(note))
            described.append((record, Known(as_name(label), of_image.tags, of_image.texts)))
        return described


def _unpacked(arrays: list[bytes], kind: str) -> npt.NDArray[Any]:
    """The arrays (of equal length) that `words.packed` made, one below the other."""
    joined = np.frombuffer(b"".join(arrays), kind)
    width = len(joined) // len(arrays) if arrays else 0
    return joined.astype(joined.dtype.newbyteorder("=")).reshape(len(arrays), width)
