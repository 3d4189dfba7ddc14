"""Search a folder that was exported to PostgreSQL; neither folder nor index need be at hand.

The database gives the anchor's nearest images as candidates. The function that answers on one
machine then re-ranks them and leaves near-duplicates out. So the answers are equal whenever the
database finds the true nearest images. HNSW nearly always does with the list length used here. If
the list would be longer than pgvector allows, the database compares all images instead.
"""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from imgbatch.config import load_config
from imgbatch.config.schema import Config
from imgbatch.errors import DatabaseError, UsageError
from imgbatch.exports import known
from imgbatch.exports.base import as_name, as_text, image_id
from imgbatch.exports.connection import Address, need_psycopg, use_vectors
from imgbatch.exports.postgres import SEARCHED, check_tables, index_name
from imgbatch.exports.stored import COLUMNS, StoredImage
from imgbatch.files import cache, paths
from imgbatch.index.portable import PortableSpace
from imgbatch.neighbours.search import NeighbourSearch
from imgbatch.seeds import checked_seed
from imgbatch.selection.answer import (
    Choice,
    RequestClock,
    check_count,
    names_inside,
    outside_anchor,
)
from imgbatch.selection.explain import shares_of_set
from imgbatch.selection.similar import Anchor, SimilarOptions, distinct_mask, similar
from imgbatch.types import Floats, Known, PickedImage, Selection

if TYPE_CHECKING:
    from psycopg import Connection

    from imgbatch.words.results import Found, FoundImage

_EF_SEARCH = 1000  # pgvector's limit: 3 times the usual candidates, 100 times a usual set
_LEAST_LONGER = 2  # the list must be this many times as long as k; else all images are compared
_MOST_NAMED = 10
_EXPORT_FIRST = "export the folder there first, to the end"


class RemoteImages:
    """A folder's export in a database, ready for requests.

    Attributes
    ----------
    folder : str
        Absolute path of the folder where it was exported from; it need not be here.
    indexed : int
        Number of images.
    space : PortableSpace
        The space of their points.
    """

    skipped_list = None
    ignored: ClassVar[dict[str, int]] = {}

    def __init__(
        self, url: str, folder: str | os.PathLike[str] | None = None, config: Config | None = None
    ) -> None:
        """Connect, and read the space.

        Parameters
        ----------
        url
            ``postgresql://...``
        folder
            One of the exported folders; None takes the only one.
        config
            How sets are chosen and drawn; None takes what `load_config` finds. The weights are
            always those of the export.

        Raises
        ------
        UsageError
            The folder was not exported; several were and none is named; the URL is invalid;
            psycopg is missing.
        DatabaseError
            The server cannot be reached, or holds no complete export.
        """
        self._address = Address.parse(url)
        self.config = load_config().config if config is None else config
        started = time.perf_counter()
        with self._address.connect() as db:
            use_vectors(db, self._address)
            if check_tables(db, self._address, SEARCHED):
                raise DatabaseError(f"{self._address.shown} holds no export", _EXPORT_FIRST)
            folders = dict(
                db.execute("SELECT folder, fingerprint FROM image_spaces WHERE complete").fetchall()
            )
            wanted = None if folder is None else paths.real(paths.absolute(folder))
            chosen = self._folder(folders, wanted)
            row = db.execute(
                "SELECT images, settings, arrays FROM image_spaces WHERE fingerprint = %s",
                (folders[chosen],),
            ).fetchone()
        if row is None:
            raise self._replaced()
        self.folder = as_name(chosen)
        self.indexed = int(row[0])
        self.space = PortableSpace.restore(folders[chosen], *row[1:])
        self._clock = RequestClock(time.perf_counter() - started)

    @property
    def index_directory(self) -> Path:
        """Where the folder's index would lie."""
        return cache.index_directory(self.folder)

    def _replaced(self) -> DatabaseError:
        what = f"the export in {self._address.shown} was replaced meanwhile"
        return DatabaseError(what, "run the command again")

    def _folder(self, folders: dict[str, str], wanted: str | None) -> str:
        known = ", ".join(sorted(as_name(name) for name in folders))
        if not folders:
            raise DatabaseError(f"{self._address.shown} holds no complete export", _EXPORT_FIRST)
        if wanted is None:
            if len(folders) > 1:
                raise UsageError(
                    f"{self._address.shown} holds {len(folders)} folders", f"give one of {known}"
                )
            return next(iter(folders))
        if as_text(wanted) not in folders:
            raise UsageError(
                f"{self._address.shown} holds no complete export of {wanted}",
                f"it holds {known}",
            )
        return as_text(wanted)

    def similar(
        self,
        n: int = 10,
        *,
        like: str | os.PathLike[str],
        seed: int | None = None,
        keep_duplicates: bool = False,
    ) -> Selection:
        """Pick the n images most similar to a given image, as `Collection.similar` does.

        Parameters
        ----------
        n
            1 to the number of images. The anchor counts, unless it lies outside the folder.
        like
            An image file at hand, or the path of an exported image inside its folder.
        seed
            Carried into the answer; nothing is drawn.
        keep_duplicates
            Allow near-duplicates (by pHash) in the set.

        Raises
        ------
        SelectionError
            n is out of range, or `like` is neither readable nor an exported image.
        DatabaseError
            The database failed.
        """
        check_count(n, self.indexed, f"the export of {self.folder} holds {self.indexed:,} images")
        seed = checked_seed(seed)
        started = self._clock.start()
        with self._address.connect() as db:
            use_vectors(db, self._address)
            db.isolation_level = need_psycopg().IsolationLevel.REPEATABLE_READ
            with db.transaction():
                own = self._find(db, os.fspath(like))
                outside, anchor = self._anchor(os.fspath(like), own)
                reach, enough = max(self.config.similar.pool, 10 * n), False
                while not enough:  # as on one machine, further away until n are distinct
                    candidates, how = self._nearest(db, anchor.point, reach + 1)
                    images, distinct = self._choose(
                        candidates, anchor, own, n, keep=keep_duplicates
                    )
                    enough = distinct or reach + 1 >= self.indexed
                    reach *= 4
                images = self._with_known(db, images)
        return Selection(
            mode="similar",
            seed=seed,
            folder=self.folder,
            images=outside + images,
            indexed=self.indexed,
            seconds=time.perf_counter() - started,
            notes=(f"searched {self._address.shown} {how}", *_not_here(images)),
            config=self.config,
        )

    def search(
        self,
        words: str,
        n: int = 10,
        *,
        only: str | None = None,
        like: str | os.PathLike[str] | None = None,
    ) -> "Found":
        """Find images by words, as `Collection.search` does.

        The language is that of the export.

        Raises
        ------
        SelectionError
            There is no word, n is below 1, or `like` is neither readable nor an exported image.
        LabelError
            Nothing is known of any image.
        DatabaseError
            The export holds no words, or the database failed.
        """
        from imgbatch.exports.remote_words import StoredWords
        from imgbatch.selection.search import Asked, answer
        from imgbatch.words.search import closeness_of

        asked, started = Asked(words, n, only), self._clock.start()
        with self._address.connect() as db:
            use_vectors(db, self._address)
            db.isolation_level = need_psycopg().IsolationLevel.REPEATABLE_READ
            with db.transaction():
                stored = StoredWords(db, self._address, self.space.fingerprint, words)
                closeness = None
                if like is not None:
                    _, anchor = self._anchor(os.fspath(like), self._find(db, os.fspath(like)))
                    closeness = closeness_of(stored.distances(anchor.point))
                found = answer(stored, asked, self.folder, stored.describe, closeness=closeness)
        notes = (f"searched {self._address.shown}", *found.notes, *_not_here(found.images))
        seconds = time.perf_counter() - started
        return replace(found, seconds=seconds, notes=notes, config=self.config)

    def _choose(
        self,
        candidates: list[StoredImage],
        anchor: Anchor,
        own: StoredImage | None,
        n: int,
        *,
        keep: bool,
    ) -> tuple[tuple[PickedImage, ...], bool]:
        """Choose n candidates as on one machine.

        Returns the images, and False if near-duplicates had to fill up the set.
        """
        if own is not None and own.record not in {image.record for image in candidates}:
            candidates.append(own)
        # Rows in the order of paths, so that ties are broken as on one machine, too.
        candidates.sort(key=lambda image: os.fsencode(image.record.path))
        points = np.stack([image.point for image in candidates])
        if own is not None:
            row = next(row for row, image in enumerate(candidates) if image.record == own.record)
            anchor = Anchor(points[row], row)
        hashes = None if keep else np.array([image.phash for image in candidates], np.uint64)
        options = SimilarOptions(**self.config.similar.model_dump(), hashes=hashes)
        rows, distances = similar(NeighbourSearch(points), anchor, n, options)
        others = rows[rows != anchor.row]
        distinct = bool(distinct_mask(others, len(others), anchor, options).all())
        chosen = [candidates[row] for row in rows.tolist()]
        choice = Choice(
            [image.record for image in chosen],
            distances,
            shares_of_set(self.space.space, points[rows], anchor.point),
            [Known(image.label) for image in chosen],
            anchor_first=anchor.row is not None,
        )
        return choice.images(self.folder), distinct

    def _with_known(
        self, db: "Connection[Any]", images: tuple[PickedImage, ...]
    ) -> tuple[PickedImage, ...]:
        """The same images with their tags and texts."""
        ids = [image_id(self.folder, image.relative) for image in images]
        found = known.fetch(db, ids)
        pairs = zip(images, (found.get(one, Known()) for one in ids), strict=True)
        return tuple(replace(image, tags=one.tags, texts=one.texts) for image, one in pairs)

    def _find(self, db: "Connection[Any]", given: str) -> StoredImage | None:
        """The exported image named from the working directory or from inside the folder."""
        for inside in names_inside(self.folder, given):
            rows = db.execute(
                f"{COLUMNS} WHERE id = %s AND fingerprint = %s",
                (image_id(self.folder, inside), self.space.fingerprint),
            ).fetchall()
            if rows:
                return StoredImage.parse(rows[0])
        return None

    def _anchor(
        self, given: str, own: StoredImage | None
    ) -> tuple[tuple[PickedImage, ...], Anchor]:
        """The anchor, and what to show of an anchor that is not among the exported images."""
        if own is not None:
            return (), Anchor(own.point)
        hint = "give `like` a file that can be read here, or the path of an exported image"
        decoded, point, phash = self.space.project(given, hint)
        return (outside_anchor(given, decoded),), Anchor(point, hash=phash)

    def _nearest(
        self, db: "Connection[Any]", point: Floats, k: int
    ) -> tuple[list[StoredImage], str]:
        """At least the k nearest images, or all, and a text on how they were found."""
        sql = need_psycopg().sql
        k = min(k, self.indexed)
        fingerprint = self.space.fingerprint
        query = sql.SQL(
            "WITH nearest AS MATERIALIZED (SELECT image_id, fingerprint FROM image_embeddings"
            " WHERE fingerprint = %s ORDER BY embedding::vector({}) <-> %s LIMIT %s) {}"
            " JOIN nearest USING (image_id, fingerprint)"
        ).format(sql.Literal(len(point)), sql.SQL(COLUMNS))
        (there,) = db.execute(
            "SELECT to_regclass(%s) IS NOT NULL", (index_name(fingerprint),)
        ).fetchone()  # type: ignore[misc]
        if there and _LEAST_LONGER * k <= _EF_SEARCH:
            for name, value in (("hnsw.ef_search", str(_EF_SEARCH)), ("enable_seqscan", "off")):
                db.execute("SELECT set_config(%s, %s, true)", (name, value))
            rows = db.execute(query, (fingerprint, point, k)).fetchall()
            if len(rows) == k:
                how = f"by HNSW (approximate, ef_search {_EF_SEARCH})"
                return [StoredImage.parse(row) for row in rows], how
        for name, value in (("enable_seqscan", "on"), ("enable_indexscan", "off")):
            db.execute("SELECT set_config(%s, %s, true)", (name, value))
        rows = db.execute(query, (fingerprint, point, k)).fetchall()
        if not rows:
            raise self._replaced()
        return [StoredImage.parse(row) for row in rows], "by comparing all images (exact)"


def _not_here(picked: "tuple[PickedImage, ...] | tuple[FoundImage, ...]") -> list[str]:
    """A note on picked files that cannot be opened on this machine; [] if all can."""
    missing = [image.relative for image in picked if not os.access(image.path, os.R_OK)]
    if not missing:
        return []
    more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
    names = ", ".join(missing[:_MOST_NAMED]) + more
    return [f"{len(missing)} of {len(picked)} files cannot be opened from here: {names}"]
