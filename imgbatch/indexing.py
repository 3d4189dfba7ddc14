"""Bring the index of a folder up to date: compare, read what changed, write."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from imgbatch import images, locations
from imgbatch.catalogue import Catalogue, KnownFile
from imgbatch.descriptors import build_descriptors
from imgbatch.errors import FolderError
from imgbatch.extraction import Chunk, Work, chunks, limits_of, read_chunk, with_fingerprints
from imgbatch.files import replacing
from imgbatch.runners import SerialRunner, build_runner
from imgbatch.scan import FoundFile, check_folder, scan
from imgbatch.settings import Config
from imgbatch.types import ImageRecord, Skipped

Progress = Callable[[int, int], None]
"""Called with (files done, files in all) while indexing."""


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """What bringing the index up to date did.

    ``read`` files were opened, of which ``described`` were decoded; ``removed`` are gone.
    ``unlisted`` could not even be listed (dangling links, closed folders).
    """

    read: int
    described: int
    removed: int
    unlisted: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class OpenIndex:
    """An index that matches its folder.

    ``records`` are the readable images in row order, as of ``generation``; ``skipped`` the files
    that are none, listed with reasons in the file ``skipped_list`` (None if there are none).
    """

    catalogue: Catalogue
    records: list[ImageRecord]
    generation: str
    skipped: list[Skipped]
    skipped_list: Path | None
    report: RefreshReport


def open_index(
    folder: str, directory: Path, config: Config, progress: Progress | None = None
) -> OpenIndex:
    """Open the index of a folder, bring it up to date, and rebuild it if it proves damaged.

    Raises
    ------
    FolderError
        The folder is missing or unreadable, or holds no readable image.
    CatalogueError
        The index cannot be written.
    """
    check_folder(folder)
    catalogue = Catalogue.open(directory, folder)
    try:
        locations.remember_folder(directory, folder)
        try:
            report = refresh(catalogue, folder, config, progress)
            records, unusable, generation = _read(catalogue)
        except sqlite3.DatabaseError as error:  # a page deep inside was damaged
            catalogue.close()
            catalogue = Catalogue.rebuild(directory, folder, error)
            report = refresh(catalogue, folder, config, progress)
            records, unusable, generation = _read(catalogue)
        skipped = sorted((*unusable, *report.unlisted), key=lambda one: one.path)
        skipped_list = _write_skipped(directory, skipped)
        if not records:
            raise _no_images(folder, skipped)
    except BaseException:
        catalogue.close()
        raise
    return OpenIndex(catalogue, records, generation, skipped, skipped_list, report)


def _read(catalogue: Catalogue) -> tuple[list[ImageRecord], list[Skipped], str]:
    with catalogue.snapshot():
        return catalogue.records(), catalogue.skipped(), catalogue.generation()


def _no_images(folder: str, skipped: Sequence[Skipped]) -> FolderError:
    if not skipped:
        return FolderError(f"no images in {folder}", "expected .jpg, .jpeg, .png and the like")
    first = skipped[0]
    return FolderError(
        f"no readable image in {folder}: all {len(skipped)} were skipped",
        f"the first, {first.path!r}: {first.reason}",
    )


def _write_skipped(directory: Path, skipped: Sequence[Skipped]) -> Path | None:
    target = directory / "skipped.tsv"
    if not skipped:
        target.unlink(missing_ok=True)
        return None
    lines = "".join(f"{one.path!r}\t{one.reason}\n" for one in skipped)
    with replacing(target) as temporary:
        temporary.write_text(lines, encoding="utf-8")
    return target


def refresh(
    catalogue: Catalogue, folder: str, config: Config, progress: Progress | None = None
) -> RefreshReport:
    """Make the index match the folder and the config.

    Only new and changed files are read, only new contents decoded, and only descriptors that are
    missing computed. Results are written chunk by chunk, so that a stopped run goes on where it
    was. What is found does not depend on the number of workers.
    """
    found, unlisted = scan(folder)
    descriptors = with_fingerprints(build_descriptors(config), config.images.as_options())
    limits = limits_of(config.images.as_options())
    known = catalogue.files()
    lacking = catalogue.lacking([mark for mark, _ in descriptors], limits)
    work = _plan(catalogue, found, known, lacking)
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
    gone = sorted(known.keys() - {file.path for file in found})
    if gone:
        catalogue.forget(gone)
    if known and (gone or described):
        catalogue.purge()
    return RefreshReport(len(work), described, len(gone), tuple(unlisted))


def _plan(
    catalogue: Catalogue,
    found: Sequence[FoundFile],
    known: dict[str, KnownFile],
    lacking: dict[bytes, frozenset[str]],
) -> list[Work]:
    """The files that must be read, and what is wanted of each."""
    work: list[Work] = []
    new: list[FoundFile] = []
    planned: set[bytes] = set()
    for file in found:
        old = known.get(file.path)
        if (
            old is None
            or old.content_hash is None
            or (old.size, old.mtime_ns)
            != (
                file.size,
                file.mtime_ns,
            )
        ):
            new.append(file)
        elif old.content_hash in lacking and old.content_hash not in planned:
            planned.add(old.content_hash)
            work.append(Work(file.path, file.size, (), lacking[old.content_hash]))
    by_size = catalogue.hashes_of_sizes(file.size for file in new) if known else {}
    for file in new:
        complete = tuple(h for h in by_size.get(file.size, ()) if h not in lacking)
        work.append(Work(file.path, file.size, complete))
    return work


def _read_quietly(chunk: Chunk) -> list:  # type: ignore[type-arg]
    with images.quiet_codecs():
        return read_chunk(chunk)
