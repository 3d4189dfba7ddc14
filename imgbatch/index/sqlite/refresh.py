"""Bring the index of a folder up to date: compare, read what changed, write."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from pathlib import Path

from imgbatch.config.schema import Config
from imgbatch.descriptors import build_descriptors
from imgbatch.embedding.projection import Descriptors
from imgbatch.images.listing import FoundFile, list_files
from imgbatch.images.scan import Scanned, scan
from imgbatch.index import DESCRIBING_MODULES
from imgbatch.index.augmented import too_few
from imgbatch.index.extract import (
    Chunk,
    FileTask,
    chunks,
    limits_of,
    with_fingerprints,
)
from imgbatch.index.opened import RefreshReport, listed_state
from imgbatch.index.sqlite.connect import file_state
from imgbatch.index.sqlite.points import views_of
from imgbatch.index.sqlite.store import LISTINGS, Catalogue, KnownFile
from imgbatch.index.views import ImageCodes, ViewsTask, describe, describe_quietly
from imgbatch.measures.measured import Measures
from imgbatch.runners import SerialRunner, build_runner
from imgbatch.types import DecodeOptions, Progress, ReadFile


@dataclass(frozen=True)
class SqliteFolder:
    """A folder whose index lies in SQLite, and what its index is to hold.

    Attributes
    ----------
    folder
        Absolute path of the image folder.
    directory
        The folder of the index.
    config
        The settings in force.
    extra
        Names of descriptors to compute besides those with a weight.
    only
        Paths of the files to look at, sorted by their bytes; what the index holds of others stays.
        None means all files of the folder.
    """

    folder: str
    directory: Path
    config: Config
    extra: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None

    @cached_property
    def descriptors(self) -> Descriptors:
        """The descriptors to compute, with their fingerprints."""
        return with_fingerprints(build_descriptors(self.config, self.extra), self.options)

    @property
    def stored(self) -> Descriptors:
        """All that is computed of an image: the descriptors, and its measured quantities."""
        return self.descriptors + with_fingerprints([Measures()], self.options)

    @property
    def viewed(self) -> Descriptors:
        """Those of which altered views are described: they make points, or may do so."""
        weights = self.config.weights
        return tuple(
            (fingerprint, descriptor)
            for fingerprint, descriptor in self.descriptors
            if weights[descriptor.name] > 0 or descriptor.name in self.extra
        )

    @property
    def fingerprints(self) -> list[str]:
        """The fingerprints of all that is computed."""
        return [fingerprint for fingerprint, _ in self.stored]

    @property
    def options(self) -> DecodeOptions:
        """How files are decoded."""
        return self.config.images.as_options()

    @property
    def limits(self) -> str:
        """Text that changes whenever a file may become readable or unreadable."""
        return limits_of(self.options)


def refresh_index(
    catalogue: Catalogue, indexed: SqliteFolder, progress: Progress | None = None
) -> RefreshReport:
    """Make the index match the folder and the config.

    Only new and changed files are read, only new contents are decoded, and only missing descriptors
    are computed. Results are written chunk by chunk, so that a stopped run goes on where it
    stopped. The index does not depend on the number of workers.
    """
    files, unlisted, ignored = _found(indexed)
    lacking = catalogue.lacking(indexed.fingerprints, indexed.limits)
    listing = _digest(files, indexed.only)
    if not lacking and catalogue.matches(listing) and _untouched(catalogue):
        _complete_views(catalogue, indexed, {}, new=False)
        return RefreshReport(0, 0, 0, tuple(unlisted), ignored)
    generation = catalogue.generation()
    plan = _plan(catalogue, files, lacking, whole=indexed.only is None)
    described, early = _read_files(catalogue, indexed, plan.tasks, progress)
    if plan.undated:
        catalogue.record_ctimes(plan.undated)
    if plan.gone:
        catalogue.forget(plan.gone)
    if plan.any_known and (plan.gone or described):
        catalogue.purge()
    if not (plan.tasks or plan.gone or catalogue.matches(listing)):
        catalogue.remember_match(listing, generation)
    _complete_views(catalogue, indexed, early, new=described > 0)
    done = len(plan.tasks), described, len(plan.gone)
    return RefreshReport(*done, tuple(unlisted), ignored)


def _found(indexed: SqliteFolder) -> Scanned:
    if indexed.only is None:
        return scan(indexed.folder)
    listed = list_files(indexed.folder, indexed.only)
    return Scanned([*listed.files], [*listed.skipped], {})


def _read_files(
    catalogue: Catalogue,
    indexed: SqliteFolder,
    tasks: Sequence[FileTask],
    progress: Progress | None,
) -> tuple[int, dict[bytes, ImageCodes]]:
    """Read and record files; the number of those described, and altered views of some of them."""
    described, done, early = 0, 0, dict[bytes, ImageCodes]()
    if not tasks:
        return described, early
    settings = indexed.config.index
    todo = chunks(indexed.folder, tasks, indexed.stored, indexed.options, settings.chunk_images)
    work: Iterable[Chunk | ViewsTask] = chain(todo, _views_so_far(catalogue, indexed))
    if progress:
        progress(0, len(tasks))
    for answers in _run(work, settings.workers, sum(task.size for task in tasks)):
        if isinstance(answers, dict):
            early |= answers
            continue
        catalogue.record(answers, indexed.limits)
        described += sum(answer.codes is not None for answer in answers)
        done += len(answers)
        if progress:
            progress(done, len(tasks))
    return described, early


def _untouched(catalogue: Catalogue) -> bool:
    """Whether nobody has written to the index's file since its rows were last read.

    Otherwise rows may be missing: damage does not always show as an error.
    """
    directory = catalogue.directory / LISTINGS / catalogue.generation()
    return listed_state(directory) == file_state(catalogue.directory)


def _digest(files: Iterable[FoundFile], only: tuple[str, ...] | None) -> str:
    """A hash of paths, sizes and times, by which an unchanged listing is recognised.

    A list of files that happens to name all of them leaves files that are gone in the index.
    """
    digest = hashlib.blake2b(b"" if only is None else b"listed", digest_size=16)
    for file in files:
        path, times = os.fsencode(file.path), (file.mtime_ns, file.ctime_ns)
        digest.update(b"%b\0%d\0%d\0%d\0" % (path, file.size, *times))
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Plan:
    """What there is to do.

    Attributes
    ----------
    tasks
        Files to read.
    gone
        Files that the folder no longer holds.
    undated
        Known files whose inode's time of change the index lacks.
    any_known
        Whether the index knows any file.
    """

    tasks: list[FileTask]
    gone: list[str]
    undated: list[FoundFile]
    any_known: bool


def _plan(
    catalogue: Catalogue,
    files: Sequence[FoundFile],
    lacking: dict[bytes, frozenset[str]],
    *,
    whole: bool,
) -> _Plan:
    """Compare the folder's files with those the index knows, and what their contents lack.

    Both lists are sorted by path and are walked side by side, so that a million known files need no
    memory. Of known files with equal contents, only the first is read. Unless the files are the
    `whole` folder, others are neither gone nor looked at, but complete what they lack: points are
    made of all.
    """
    tasks: list[FileTask] = []
    new: list[FoundFile] = []
    gone: list[str] = []
    undated: list[FoundFile] = []
    planned: set[bytes] = set()
    any_known = False
    for path, file, known in _side_by_side(files, catalogue.files()):
        any_known = any_known or known is not None
        if file is None and whole:
            gone.append(path)
        elif file is not None and (known is None or _is_other(known, file)):
            new.append(file)
        elif known is None or known.content_hash is None:  # read before, and not listed
            continue
        elif known.content_hash in lacking and known.content_hash not in planned:
            planned.add(known.content_hash)
            tasks.append(FileTask(path, known.size, wanted=lacking[known.content_hash]))
        elif file is not None and known.ctime_ns is None:
            undated.append(file)
    hashes = catalogue.hashes_of_sizes(file.size for file in new) if any_known else {}
    for file in new:
        complete = tuple(known for known in hashes.get(file.size, ()) if known not in lacking)
        tasks.append(FileTask(file.path, file.size, complete))
    return _Plan(tasks, gone, undated, any_known)


def _is_other(known: KnownFile, file: FoundFile) -> bool:
    """Whether a file could not be read, or is another than when it was read.

    Two files of equal size and time that swap their names differ in the time at which their inodes
    changed. The inode's number is not compared: some network file systems number anew each day.
    """
    ctime_ns = file.ctime_ns if known.ctime_ns is None else known.ctime_ns
    found = file.size, file.mtime_ns, file.ctime_ns
    return known.content_hash is None or (known.size, known.mtime_ns, ctime_ns) != found


def _side_by_side(
    files: Iterable[FoundFile], known_files: Iterator[tuple[str, KnownFile]]
) -> Iterator[tuple[str, FoundFile | None, KnownFile | None]]:
    """Every path with its file in the folder and in the index, None where it has none; sorted."""
    known_path, known = next(known_files, ("", None))
    for file in files:
        while known is not None and os.fsencode(known_path) < os.fsencode(file.path):
            yield known_path, None, known
            known_path, known = next(known_files, ("", None))
        if known is not None and known_path == file.path:
            yield file.path, file, known
            known_path, known = next(known_files, ("", None))
        else:
            yield file.path, file, None
    while known is not None:
        yield known_path, None, known
        known_path, known = next(known_files, ("", None))


def _run(
    tasks: Iterable[Chunk | ViewsTask], workers: int, total_bytes: int
) -> Iterator[list[ReadFile] | dict[bytes, ImageCodes]]:
    """Do tasks on the workers; `total_bytes` are those of the files to read."""
    runner = build_runner(workers, total_bytes, DESCRIBING_MODULES)
    function = describe_quietly if isinstance(runner, SerialRunner) else describe
    return runner.run(function, tasks, split=_split, crashed=_crashed)


def _split(task: Chunk | ViewsTask) -> list[Chunk | ViewsTask]:
    return [*task.split()]


def _crashed(task: Chunk | ViewsTask) -> list[ReadFile] | dict[bytes, ImageCodes]:
    return task.crashed()


# ----- altered views ------------------------------------------------------------------------------


def _views_so_far(catalogue: Catalogue, indexed: SqliteFolder) -> Iterator[ViewsTask]:
    """Tasks on the sample of what is recorded when the first of them is asked for.

    The workers that have read the folder then take them on. Of a sample of hundreds, the files that
    are still being read will change a few; these are described later.
    """
    if (views := views_of(catalogue, indexed.config)) is not None:
        yield from views.tasks(indexed.folder, indexed.viewed, indexed.options)


def _complete_views(
    catalogue: Catalogue, indexed: SqliteFolder, early: Mapping[bytes, ImageCodes], *, new: bool
) -> None:
    """Describe altered views that are missing; of `new` images, note if they are too few."""
    if (views := views_of(catalogue, indexed.config)) is not None:
        run = partial(_run_views, indexed.config.index.workers)
        views.complete(indexed.folder, indexed.viewed, indexed.options, run, early)
        if new:
            catalogue.notes.extend(too_few(views.sample))


def _run_views(workers: int, tasks: Sequence[ViewsTask]) -> Iterator[dict[bytes, ImageCodes]]:
    total_bytes = sum(size for task in tasks for _, _, size in task.images)
    answers = _run(tasks, workers, total_bytes)
    return (answer for answer in answers if isinstance(answer, dict))
