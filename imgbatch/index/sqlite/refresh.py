"""Bring the index of a folder up to date: compare, read what changed, write."""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from imgbatch.config.schema import Config
from imgbatch.descriptors import build_descriptors
from imgbatch.embedding.projection import Descriptors, Projection, features_of, project
from imgbatch.errors import FolderError
from imgbatch.files import cache
from imgbatch.images.listing import FoundFile, check_folder
from imgbatch.images.quiet import quiet_codecs
from imgbatch.images.scan import scan
from imgbatch.index.extract import Chunk, Work, chunks, limits_of, read_chunk, with_fingerprints
from imgbatch.index.opened import (
    MAKE_ONE,
    RefreshReport,
    changed_meanwhile,
    kept_listing,
    no_images,
    write_skipped,
)
from imgbatch.index.records import Records
from imgbatch.index.sqlite.connect import FILE_NAME, signature
from imgbatch.index.sqlite.store import Catalogue, KnownFile
from imgbatch.runners import SerialRunner, build_runner
from imgbatch.types import Floats, Progress, Rows, Skipped, View

Answer = TypeVar("Answer")
_END: tuple[str, KnownFile | None] = ("", None)


@dataclass(slots=True)
class SqliteIndex:
    """An `OpenedIndex` in SQLite; ``records`` are those of ``generation``."""

    folder: str
    config: Config
    catalogue: Catalogue
    records: Records
    generation: str
    skipped: list[Skipped]
    skipped_list: Path | None
    report: RefreshReport
    repairs: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def directory(self) -> Path:
        """See `OpenedIndex`."""
        return self.catalogue.directory

    @property
    def notes(self) -> tuple[str, ...]:
        """What was repaired."""
        return (*self.repairs, *self.catalogue.notes)

    def projection(self) -> Projection:
        """See `OpenedIndex.projection`."""
        return self._current(self._project)

    def contents(self) -> tuple[Rows, View]:
        """See `OpenedIndex.contents`."""
        return self._current(self._contents)

    def _current(self, read: Callable[[], Answer]) -> Answer:
        """What is read of the index as it was opened; one that proves damaged is made anew."""
        try:
            return self._unchanged(read)
        except sqlite3.DatabaseError as error:  # damage where only now something is read
            self.repairs = self.notes
            self.catalogue = _index_anew(
                self.catalogue, self.folder, self.config, self.extra, error
            )
            return self._unchanged(read)

    def _unchanged(self, read: Callable[[], Answer]) -> Answer:
        with self.catalogue.snapshot():
            same = self.catalogue.generation() == self.generation
            # Another process that did the same work at the same time has changed nothing.
            if same or self.catalogue.records() == self.records:
                return read()
        raise changed_meanwhile(self.folder)

    def _project(self) -> Projection:
        projection = project(self.catalogue, self._descriptors(), self.config)
        if len(projection.points) != len(self.records):
            raise changed_meanwhile(self.folder)
        return projection

    def _contents(self) -> tuple[Rows, View]:
        readable = (file for _, file in self.catalogue.files() if file.error is None)
        pairs = [(file.size, file.content_hash or b"") for file in readable]
        hashes = np.frombuffer(b"".join(content_hash for _, content_hash in pairs), np.uint8)
        return np.array([size for size, _ in pairs], np.int64), hashes.reshape(len(pairs), -1)

    def features(self, rows: Rows) -> dict[str, Floats]:
        """See `OpenedIndex.features`."""
        return features_of(self.catalogue, self._descriptors(self.extra), rows)

    def _descriptors(self, extra: Sequence[str] = ()) -> Descriptors:
        descriptors = build_descriptors(self.config, extra)
        return with_fingerprints(descriptors, self.config.images.as_options())


def open_sqlite(
    folder: str,
    directory: Path,
    config: Config,
    progress: Progress | None = None,
    *,
    refresh: bool = True,
    extra: Sequence[str] = (),
) -> SqliteIndex:
    """Open the index of a folder, bring it up to date, and rebuild it if it proves damaged.

    Descriptors named in `extra` are computed besides those with a weight in the config.
    Without `refresh` the index is trusted: the folder is not looked at and need not be there.

    Raises
    ------
    FolderError
        The folder is missing or unreadable, or holds no readable image; or, without `refresh`,
        there is no index of it, or none that serves this config.
    CatalogueError
        The index cannot be written.
    """
    if refresh:
        check_folder(folder)
    elif not (directory / FILE_NAME).is_file():
        raise FolderError(f"there is no index of {folder} yet", MAKE_ONE)
    catalogue = Catalogue.open(directory, folder)
    try:
        bring = _bring_up_to_date if refresh else _trust
        try:
            report = bring(catalogue, folder, config, extra, progress)
            records, unusable, generation = _read(catalogue)
        except sqlite3.DatabaseError as error:  # a page deep inside was damaged
            catalogue.close()
            catalogue = Catalogue.rebuild(directory, folder, error)
            report = bring(catalogue, folder, config, extra, progress)
            records, unusable, generation = _read(catalogue)
        skipped = sorted((*unusable, *report.unlisted), key=lambda one: one.path)
        skipped_list = write_skipped(directory, skipped)
        if not records:
            raise no_images(folder, skipped)
    except BaseException:
        catalogue.close()
        raise
    return SqliteIndex(
        folder,
        config,
        catalogue,
        records,
        generation,
        skipped,
        skipped_list,
        report,
        extra=tuple(extra),
    )


def _index_anew(
    catalogue: Catalogue,
    folder: str,
    config: Config,
    extra: Sequence[str],
    error: sqlite3.DatabaseError,
) -> Catalogue:
    """Replace an index that proved damaged by a new one of the same folder, with a note in it."""
    catalogue.close()
    new = Catalogue.rebuild(catalogue.directory, folder, error)
    _bring_up_to_date(new, folder, config, extra, None)
    return new


def _bring_up_to_date(
    catalogue: Catalogue,
    folder: str,
    config: Config,
    extra: Sequence[str],
    progress: Progress | None,
) -> RefreshReport:
    cache.remember_folder(catalogue.directory, folder)
    return refresh(catalogue, folder, config, progress, extra)


def _trust(
    catalogue: Catalogue,
    folder: str,
    config: Config,
    extra: Sequence[str],
    _progress: Progress | None,
) -> RefreshReport:
    """Make sure that the index, as it is, has what the config asks for."""
    options = config.images.as_options()
    marks = [mark for mark, _ in with_fingerprints(build_descriptors(config, extra), options)]
    if lacking := catalogue.lacking(marks, limits_of(options)):
        raise FolderError(
            f"the index of {folder} lacks what these settings ask for, of {len(lacking)} images",
            MAKE_ONE,
        )
    return RefreshReport(0, 0, 0, ())


def _read(catalogue: Catalogue) -> tuple[Records, list[Skipped], str]:
    """The images, the files that are none, and the generation of both.

    What is kept of them is trusted while nobody has touched the index; otherwise all is read, which
    shows damage, too.
    """
    seen = signature(catalogue.directory)
    with catalogue.snapshot():
        generation = catalogue.generation()
        place = catalogue.directory / "listings" / generation
        records, skipped = kept_listing(
            place, seen, lambda: (catalogue.records(), catalogue.skipped())
        )
    return records, skipped, generation


def refresh(
    catalogue: Catalogue,
    folder: str,
    config: Config,
    progress: Progress | None = None,
    extra: Sequence[str] = (),
) -> RefreshReport:
    """Make the index match the folder and the config.

    Only new and changed files are read, only new contents decoded, and only descriptors that are
    missing computed. Results are written chunk by chunk, so that a stopped run goes on where it
    was. What is found does not depend on the number of workers.
    """
    found, unlisted = scan(folder)
    descriptors = with_fingerprints(build_descriptors(config, extra), config.images.as_options())
    limits = limits_of(config.images.as_options())
    lacking = catalogue.lacking([mark for mark, _ in descriptors], limits)
    listing = _digest(found)
    if not lacking and catalogue.matches(listing):
        return RefreshReport(0, 0, 0, tuple(unlisted))
    generation = catalogue.generation()
    work, gone, knew = _plan(catalogue, found, lacking)
    described = 0
    if work:
        runner = build_runner(config.index.workers, sum(one.size for one in work))
        todo = chunks(
            folder, work, descriptors, config.images.as_options(), config.index.chunk_images
        )
        function = _read_quietly if isinstance(runner, SerialRunner) else read_chunk
        done = 0
        if progress:
            progress(0, len(work))
        for answers in runner.run(function, todo, split=Chunk.split, crashed=Chunk.crashed):
            catalogue.record(answers, limits)
            described += sum(answer.codes is not None for answer in answers)
            done += len(answers)
            if progress:
                progress(done, len(work))
    if gone:
        catalogue.forget(gone)
    if knew and (gone or described):
        catalogue.purge()
    if not (work or gone):
        catalogue.remember_match(listing, generation)
    return RefreshReport(len(work), described, len(gone), tuple(unlisted))


def _digest(found: Iterable[FoundFile]) -> str:
    """A hash of paths, sizes and times: an unchanged listing is known by it alone."""
    digest = hashlib.blake2b(digest_size=16)
    for file in found:
        digest.update(b"%b\0%d\0%d\0" % (os.fsencode(file.path), file.size, file.mtime_ns))
    return digest.hexdigest()


def _plan(
    catalogue: Catalogue, found: Sequence[FoundFile], lacking: dict[bytes, frozenset[str]]
) -> tuple[list[Work], list[str], bool]:
    """The files to read, and what is wanted of each; those that are gone; whether any was known.

    Both listings are sorted by path and run side by side, so that a million known files need no
    memory.
    """
    work: list[Work] = []
    new: list[FoundFile] = []
    gone: list[str] = []
    planned: set[bytes] = set()
    known = catalogue.files()
    old_path, old = next(known, _END)
    knew = old is not None
    for file in found:
        name = os.fsencode(file.path)
        while old is not None and os.fsencode(old_path) < name:
            gone.append(old_path)
            old_path, old = next(known, _END)
        if old is None or old_path != file.path:
            new.append(file)
            continue
        seen = old
        old_path, old = next(known, _END)
        if seen.content_hash is None or (seen.size, seen.mtime_ns) != (file.size, file.mtime_ns):
            new.append(file)
        elif seen.content_hash in lacking and seen.content_hash not in planned:
            planned.add(seen.content_hash)
            work.append(Work(file.path, file.size, (), lacking[seen.content_hash]))
    while old is not None:
        gone.append(old_path)
        old_path, old = next(known, _END)
    by_size = catalogue.hashes_of_sizes(file.size for file in new) if knew else {}
    for file in new:
        complete = tuple(h for h in by_size.get(file.size, ()) if h not in lacking)
        work.append(Work(file.path, file.size, complete))
    return work, gone, knew


def _read_quietly(chunk: Chunk) -> list:  # type: ignore[type-arg]
    with quiet_codecs():
        return read_chunk(chunk)
