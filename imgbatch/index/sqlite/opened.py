"""The index in SQLite, brought up to date and opened; damage that shows up later is repaired."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from imgbatch.embedding.projection import Projection
from imgbatch.embedding.whitening import Augmented
from imgbatch.errors import FolderError
from imgbatch.files import cache
from imgbatch.images.listing import check_folder
from imgbatch.index.ignored import ignored_notes, split_ignored
from imgbatch.index.opened import (
    REFRESH_HINT,
    Listing,
    RefreshReport,
    cached_listing,
    changed_meanwhile,
    no_images,
    write_skipped,
)
from imgbatch.index.records import Records
from imgbatch.index.sqlite.connect import FILE_NAME, file_state
from imgbatch.index.sqlite.points import features_of, project, views_of
from imgbatch.index.sqlite.refresh import SqliteFolder, refresh_index
from imgbatch.index.sqlite.store import LISTINGS, Catalogue
from imgbatch.types import Floats, Progress, Rows, Skipped, View

Answer = TypeVar("Answer")


@dataclass(slots=True)
class SqliteIndex:
    """An `OpenedIndex` in SQLite; ``records`` are those of ``generation``."""

    indexed: SqliteFolder
    catalogue: Catalogue
    records: Records
    generation: str
    skipped: list[Skipped]
    skipped_list: Path | None
    ignored: dict[str, int]
    report: RefreshReport
    repairs: tuple[str, ...]

    @property
    def folder(self) -> str:
        """See `OpenedIndex`."""
        return self.indexed.folder

    @property
    def directory(self) -> Path:
        """See `OpenedIndex`."""
        return self.catalogue.directory

    @property
    def notes(self) -> tuple[str, ...]:
        """What was repaired, and what was ignored."""
        return (*self.repairs, *self.catalogue.notes, *ignored_notes(self.ignored))

    def projection(self) -> Projection:
        """See `OpenedIndex.projection`."""
        return self._repaired(self._project)

    def contents(self) -> tuple[Rows, View]:
        """See `OpenedIndex.contents`."""
        return self._repaired(self._contents)

    def features(self, rows: Rows) -> dict[str, Floats]:
        """See `OpenedIndex.features`."""
        return self._repaired(lambda: features_of(self.catalogue, self.indexed.descriptors, rows))

    def augmented(self) -> Augmented | None:
        """See `OpenedIndex.augmented`."""
        return self._repaired(self._augmented)

    def _augmented(self) -> Augmented | None:
        views = views_of(self.catalogue, self.indexed.config)
        return None if views is None else views.load(self.indexed.viewed, self.indexed.config)

    def _repaired(self, read: Callable[[], Answer]) -> Answer:
        """What `read` reads of the index, which is made anew if it proves damaged."""
        try:
            return self._unchanged(read)
        except sqlite3.DatabaseError as error:
            self.repairs = (*self.repairs, *self.catalogue.notes)
            self.catalogue = _index_anew(self.catalogue, self.indexed, error)
            return self._unchanged(read)

    def _unchanged(self, read: Callable[[], Answer]) -> Answer:
        """What `read` reads of the index, if its rows are still the records."""
        with self.catalogue.snapshot():
            same = self.catalogue.generation() == self.generation
            # Another process that did the same work at the same time has changed nothing.
            if same or self.catalogue.records() == self.records:
                return read()
        raise changed_meanwhile(self.folder)

    def _project(self) -> Projection:
        config = self.indexed.config
        projection = project(self.catalogue, replace(self.indexed, extra=()).stored, config)
        if len(projection.points) != len(self.records):
            raise changed_meanwhile(self.folder)
        return projection

    def _contents(self) -> tuple[Rows, View]:
        readable = (file for _, file in self.catalogue.files() if file.error is None)
        pairs = [(file.size, file.content_hash or b"") for file in readable]
        hashes = np.frombuffer(b"".join(content_hash for _, content_hash in pairs), np.uint8)
        return np.array([size for size, _ in pairs], np.int64), hashes.reshape(len(pairs), -1)


def open_sqlite(
    indexed: SqliteFolder, progress: Progress | None = None, *, refresh: bool = True
) -> SqliteIndex:
    """Open the index of a folder, bring it up to date, and rebuild it if it proves damaged.

    Without `refresh` the index is trusted: the folder is not read and may be missing.

    Raises
    ------
    FolderError
        The folder is missing or unreadable, or holds no readable image; or, without `refresh`,
        there is no index of it, or the index lacks what the config asks for.
    CatalogueError
        The index cannot be written.

    Examples
    --------
    >>> from imgbatch.config import load_config
    >>> config = load_config().config
    >>> index = open_sqlite(SqliteFolder("photos", Path("index"), config))
    >>> index.report.read == len(index.records) == 24
    True
    """
    folder, directory = indexed.folder, indexed.directory
    if refresh:
        check_folder(folder)
    elif not (directory / FILE_NAME).is_file():
        raise FolderError(f"there is no index of {folder} yet", REFRESH_HINT)
    catalogue = Catalogue.open(directory, folder)
    prepare = _bring_up_to_date if refresh else _trust
    try:
        try:
            report = prepare(catalogue, indexed, progress)
            listing, generation = _read_listing(catalogue)
        except sqlite3.DatabaseError as error:  # opening alone does not show all damage
            catalogue.close()
            catalogue = Catalogue.rebuild(directory, folder, error)
            report = prepare(catalogue, indexed, progress)
            listing, generation = _read_listing(catalogue)
        records = listing.records
        unusable = (*listing.skipped, *report.unlisted)
        if indexed.only is not None:
            only = frozenset(indexed.only)
            unusable = tuple(file for file in unusable if file.path in only)
        skipped, ignored = split_ignored(unusable, report.ignored)
        skipped_list = write_skipped(directory, skipped)
        if not (records or skipped or refresh):  # damaged, moved aside and begun anew
            notes = "; ".join((f"the index of {folder} holds no image", *catalogue.notes))
            raise FolderError(notes, REFRESH_HINT)
        if not records:
            raise no_images(folder, skipped, ignored)
    except BaseException:
        catalogue.close()
        raise
    found = records, generation, skipped, skipped_list, ignored, report
    return SqliteIndex(indexed, catalogue, *found, listing.notes)


def _index_anew(
    catalogue: Catalogue, indexed: SqliteFolder, error: sqlite3.DatabaseError
) -> Catalogue:
    """Replace an index that proved damaged by a new one of the same folder, with a note in it."""
    catalogue.close()
    new = Catalogue.rebuild(catalogue.directory, indexed.folder, error)
    _bring_up_to_date(new, indexed, None)
    return new


def _bring_up_to_date(
    catalogue: Catalogue, indexed: SqliteFolder, progress: Progress | None
) -> RefreshReport:
    cache.remember_folder(catalogue.directory, indexed.folder)
    return refresh_index(catalogue, indexed, progress)


def _trust(
    catalogue: Catalogue, indexed: SqliteFolder, _progress: Progress | None
) -> RefreshReport:
    """Make sure that the index, as it is, has what the config asks for."""
    if lacking := catalogue.lacking(indexed.fingerprints, indexed.limits):
        raise FolderError(
            f"the index of {indexed.folder} lacks what these settings ask for, of "
            f"{len(lacking):,} images",
            REFRESH_HINT,
        )
    return RefreshReport(0, 0, 0, ())


def _read_listing(catalogue: Catalogue) -> tuple[Listing, str]:
    """The readable images and the files that cannot be used, and the generation of both.

    The packed listing is used as long as nobody has written to the index's file. Otherwise all rows
    are read, which shows damage, too.
    """
    catalogue.settle()
    state = file_state(catalogue.directory)
    with catalogue.snapshot():
        generation = catalogue.generation()
        directory = catalogue.directory / LISTINGS / generation
        listing = cached_listing(
            directory, state, lambda: Listing(catalogue.records(), catalogue.skipped())
        )
    return listing, generation
