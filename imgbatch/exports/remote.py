"""Search a folder that was exported to PostgreSQL, with neither folder nor index at hand.

The database answers with the anchor's nearest images; they are then re-ranked, and near-duplicates
left out, by the very function that does so on one machine. So the answers are equal wherever the
database finds the true nearest ones. HNSW does so nearly always with a list as long as is asked
for here; where that would be longer than pgvector allows, all images are compared instead.
"""

import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgbatch.config import load_config
from imgbatch.config.schema import Config
from imgbatch.errors import DatabaseError, SelectionError, UsageError
from imgbatch.exports.base import as_name, as_text, image_id
from imgbatch.exports.connection import Address, need_psycopg, use_vectors
from imgbatch.exports.portable import PortableSpace
from imgbatch.exports.postgres import check_tables, index_name
from imgbatch.files import cache, paths
from imgbatch.neighbours.search import NeighbourSearch
from imgbatch.selection.explain import shares_of_set
from imgbatch.selection.similar import Anchor, SimilarOptions, distinct_mask, similar
from imgbatch.types import Floats, ImageRecord, PickedImage, Selection

if TYPE_CHECKING:
    from psycopg import Connection

_EF_SEARCH = 1000  # pgvector's limit: 3 times the usual candidates, 100 times a usual set
_LEAST_LONGER = 2  # times as long as what is asked for; beyond, all images are compared
_NAMED = 10
_SEEDS = 2**31


@dataclass(frozen=True, slots=True)
class _Found:
    """An image as the database holds it."""

    record: ImageRecord
    label: str
    hash: int
    point: Floats


class RemoteImages:
    """A folder's export in a database, ready for requests.

    Attributes
    ----------
    folder : str
        Absolute path of the folder where it was exported from; it need not be here.
    indexed : int
        Number of images.
    space : PortableSpace
        What their points are points of.
    """

    skipped_list = None

    def __init__(
        self, url: str, folder: str | os.PathLike[str] | None = None, config: Config | None = None
    ) -> None:
        """Connect, and read the space.

        Parameters
        ----------
        url
            ``postgresql://...``
        folder
            Which of the exported folders; None if there is but one.
        config
            How sets are chosen and drawn; None means as `load_config` finds it. The weights are
            those of the export.

        Raises
        ------
        UsageError
            No such folder, or several and none given; no valid URL; psycopg is missing.
        DatabaseError
            The server cannot be reached, or holds no complete export.
        """
        self._address = Address.parse(url)
        self.config = load_config().config if config is None else config
        self._started: float | None = time.perf_counter()
        with self._address.connect() as db:
            use_vectors(db, self._address)
            if check_tables(db, self._address):
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

    @property
    def index_directory(self) -> Path:
        """Where the folder's index would lie."""
        return cache.index_directory(self.folder)

    def _replaced(self) -> DatabaseError:
        what = f"the export in {self._address.shown} was replaced meanwhile"
        return DatabaseError(what, "run the command again")

    def _folder(self, folders: dict[str, str], wanted: str | None) -> str:
        known = ", ".join(sorted(as_name(one) for one in folders))
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
        """The n images most like one, as `Collection.similar` chooses them.

        Parameters
        ----------
        n
            1 to the number of images. The anchor counts, unless it lies outside the folder.
        like
            A picture to be read here, or the path inside the folder of an exported one.
        seed
            Nothing is drawn; it is only carried along.
        keep_duplicates
            Allow near-duplicates (by pHash) in the set.

        Raises
        ------
        SelectionError
            n is out of range, or `like` cannot be read and is no exported image.
        DatabaseError
            The database failed.
        """
        if not 1 <= n <= self.indexed:
            raise SelectionError(
                f"n is {n}, but the export of {self.folder} holds {self.indexed} images",
                f"give 1 to {self.indexed}",
            )
        started = time.perf_counter() if self._started is None else self._started
        self._started = None
        with self._address.connect() as db:
            use_vectors(db, self._address)
            db.isolation_level = need_psycopg().IsolationLevel.REPEATABLE_READ
            with db.transaction():
                own = self._find(db, os.fspath(like))
                outside, anchor = self._anchor(os.fspath(like), own)
                reach, enough = max(self.config.similar.pool, 10 * n), False
                while not enough:  # as on one machine, further away until n are distinct
                    found, how = self._nearest(db, anchor.point, reach + 1)
                    picked, distinct = self._choose(found, anchor, own, n, keep=keep_duplicates)
                    enough = distinct or reach + 1 >= self.indexed
                    reach *= 4
        if outside is not None:
            picked.insert(0, outside)
        return Selection(
            mode="similar",
            seed=secrets.randbelow(_SEEDS) if seed is None else seed,
            folder=self.folder,
            images=tuple(picked),
            indexed=self.indexed,
            seconds=time.perf_counter() - started,
            notes=(f"searched {self._address.shown} {how}", *_not_here(picked)),
            details={"database": self._address.shown, "search": how},
        )

    def _choose(
        self,
        found: list[_Found],
        anchor: Anchor,
        own: _Found | None,
        n: int,
        *,
        keep: bool,
    ) -> tuple[list[PickedImage], bool]:
        """Choose n of what was found just as on one machine; whether no two are duplicates."""
        if own is not None and own.record not in {one.record for one in found}:
            found.append(own)
        # Rows in the order of paths, so that ties are broken alike, too.
        found.sort(key=lambda one: os.fsencode(one.record.path))
        points = np.stack([one.point for one in found])
        if own is not None:
            row = next(row for row, one in enumerate(found) if one.record == own.record)
            anchor = Anchor(points[row], row)
        hashes = None if keep else np.array([one.hash for one in found], np.uint64)
        options = SimilarOptions(**self.config.similar.model_dump(), hashes=hashes)
        search = NeighbourSearch(points, large=0)
        rows, distances = similar(search, anchor, n, options)
        others = rows[rows != anchor.row]
        distinct = bool(distinct_mask(others, len(others), anchor, options).all())
        shares = shares_of_set(self.space.space, points[rows], anchor.point)
        chosen = zip(rows.tolist(), distances, shares, strict=True)
        picked = [
            self._picked(rank, found[row], float(away), why, anchor=row == anchor.row)
            for rank, (row, away, why) in enumerate(chosen, start=1)
        ]
        return picked, distinct

    def _find(self, db: "Connection[Any]", given: str) -> _Found | None:
        """An exported image named from here or, where there is none, from inside the folder."""
        path = given if os.path.exists(given) else os.path.join(self.folder, given)
        for place in (os.path.abspath, os.path.realpath):
            inside = os.path.relpath(place(path), self.folder).replace(os.sep, "/")
            rows = db.execute(
                f"{_COLUMNS} WHERE id = %s AND fingerprint = %s",
                (image_id(self.folder, inside), self.space.fingerprint),
            ).fetchall()
            if rows:
                return _found(rows[0])
        return None

    def _anchor(self, given: str, own: _Found | None) -> tuple[PickedImage | None, Anchor]:
        if own is not None:
            return None, Anchor(own.point)
        hint = "give --like a file that can be read here, or the path of an exported image"
        decoded, point, phash = self.space.project(given, hint)
        path = os.path.abspath(given)
        size = (decoded.width, decoded.height)
        picked = PickedImage(0, path, path, 0.0, *size, note=decoded.note, anchor=True)
        return picked, Anchor(point, hash=phash)

    def _nearest(self, db: "Connection[Any]", point: Floats, k: int) -> tuple[list[_Found], str]:
        """At least the k nearest images, if there are as many, and how they were sought."""
        sql = need_psycopg().sql
        k = min(k, self.indexed)
        mark = self.space.fingerprint
        query = sql.SQL(
            "WITH nearest AS MATERIALIZED (SELECT image_id, fingerprint FROM image_embeddings"
            " WHERE fingerprint = %s ORDER BY embedding::vector({}) <-> %s LIMIT %s) {}"
            " JOIN nearest USING (image_id, fingerprint)"
        ).format(sql.Literal(len(point)), sql.SQL(_COLUMNS))
        (there,) = db.execute("SELECT to_regclass(%s) IS NOT NULL", (index_name(mark),)).fetchone()  # type: ignore[misc]
        if there and _LEAST_LONGER * k <= _EF_SEARCH:
            for name, value in (("hnsw.ef_search", str(_EF_SEARCH)), ("enable_seqscan", "off")):
                db.execute("SELECT set_config(%s, %s, true)", (name, value))
            rows = db.execute(query, (mark, point, k)).fetchall()
            if len(rows) == k:
                how = f"by HNSW (approximate, ef_search {_EF_SEARCH})"
                return [_found(row) for row in rows], how
        for name, value in (("enable_seqscan", "on"), ("enable_indexscan", "off")):
            db.execute("SELECT set_config(%s, %s, true)", (name, value))
        rows = db.execute(query, (mark, point, k)).fetchall()
        if not rows:
            raise self._replaced()
        return [_found(row) for row in rows], "by comparing all images (exact)"

    def _picked(
        self, rank: int, one: _Found, away: float, why: dict[str, float], *, anchor: bool
    ) -> PickedImage:
        record = one.record
        return PickedImage(
            rank=rank,
            path=os.path.join(self.folder, *record.path.split("/")),
            relative=record.path,
            score=round(away, 4),
            width=record.width,
            height=record.height,
            label=one.label,
            note=record.note,
            anchor=anchor,
            shares=why,
        )


_EXPORT_FIRST = "run `imgbatch export FOLDER --to` it first, to its end"
_COLUMNS = (
    "SELECT path, width, height, note, label, phash::text, vector_send(embedding)"
    " FROM images JOIN image_embeddings ON image_id = images.id"
)


def _found(row: tuple[Any, ...]) -> _Found:
    path, width, height, note, label, bits, point = row
    record = ImageRecord(as_name(path), width, height, as_name(note))
    # Two 16-bit numbers stand before the coordinates. As bytes, they arrive ten times as fast.
    coordinates = np.frombuffer(point, ">f4", offset=4).astype(np.float32)
    return _Found(record, as_name(label), int(bits, 2), coordinates)


def _not_here(picked: list[PickedImage]) -> list[str]:
    """One note on the files that cannot be opened from here."""
    missing = [one.relative for one in picked if not os.access(one.path, os.R_OK)]
    if not missing:
        return []
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    names = ", ".join(missing[:_NAMED]) + more
    return [f"{len(missing)} of {len(picked)} files cannot be opened from here: {names}"]
