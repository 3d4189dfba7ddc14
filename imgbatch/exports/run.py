"""Export a folder's images, with their points, classes and hashes."""

import os
import time
from dataclasses import dataclass, replace

from imgbatch.annotations.columns import First
from imgbatch.annotations.labels import find_labels
from imgbatch.collection import Collection
from imgbatch.embedding.decoder import Decoder
from imgbatch.errors import OutputError, SelectionError, UsageError
from imgbatch.exports import ImageTable, PortableSpace, Written, exporter_of
from imgbatch.files import paths
from imgbatch.files.readonly import refuse_inside
from imgbatch.files.targets import check_file
from imgbatch.measures.machine import MachineTags
from imgbatch.types import Progress
from imgbatch.version import __version__
from imgbatch.words.kept import FolderWords
from imgbatch.words.tokens import check_libraries


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written, and where; `target` holds no password."""

    target: str
    folder: str
    images: int
    dimensions: int
    fingerprint: str
    written: Written
    seconds: float
    notes: tuple[str, ...] = ()


def check_target(target: str, folder: str, *, is_filtered: bool = False) -> str:
    """Check a target before any work is done; returns it as it may be shown, without a password.

    `is_filtered` says that only a part of the images will be written.

    Raises
    ------
    UsageError
        No exporter fits, a library is missing, a file would lie in the image folder, or a part of
        the images would take the place of all in a database.
    DatabaseError
        The database cannot be reached or used.
    OutputError
        The target is a folder, or cannot be written for another reason that is known early.
    """
    exporter = exporter_of(target)
    if (local := exporter.local(target)) is not None:
        refuse_inside(local, folder, "`to`")
        if os.path.isdir(local):
            raise OutputError(f"`to` {target} is a folder", "name a file in it")
        check_file(local)
    elif (made := exporter.folder(target)) is not None:
        refuse_inside(made, folder, "`to`")
    elif is_filtered:
        raise UsageError(
            "a part of the images was asked for, but an export to a database removes all others",
            "leave `label`, `tag`, `without_tag` and lists of files out, or export to a file",
        )
    return exporter.check(target)


def export(
    collection: Collection,
    target: str | os.PathLike[str],
    *,
    labels: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> ExportReport:
    """Write all images of a collection to a file or a database.

    Parameters
    ----------
    collection
        The images.
    target
        A file (.parquet, .npz, .csv) or ``tensorboard:DIR``, replaced in one step; or
        ``postgresql://...``, to which only differences are sent, so that a stopped export goes on.
    labels
        A file of classes, see `find_labels`; None takes those of the collection.
    progress
        Called with (images done, images in all).

    Raises
    ------
    ImgbatchError
        See `check_target`; the labels do not fit; the target cannot be written.

    Notes
    -----
    Rows are made 4,096 at a time. Besides them, memory holds 24 bytes an image, labels and tags;
    where texts are known, also what was learned of them and, for PostgreSQL, 100 bytes an image.

    Examples
    --------
    >>> import imgbatch
    >>> export(imgbatch.load("photos"), "photos.npz").images
    24
    """
    started = time.perf_counter()
    shown = check_target(os.fspath(target), collection.folder, is_filtered=collection.is_filtered)
    given = None if labels is None else find_labels(collection.records, collection.folder, labels)
    known = collection.metadata
    folder = paths.real(collection.folder)
    projection = collection.projection
    sizes, hashes = collection.contents()
    exporter, space = exporter_of(os.fspath(target)), projection.space
    decoder, notes = _decoder(collection) if exporter.holds_space else (None, ())
    words, missing = _words(collection) if exporter.holds_words else (None, ())
    portable = PortableSpace.of(folder, collection.config, space, __version__)
    table = ImageTable(
        folder,
        collection.records,
        given.names if given else First(known.column("labels")),
        sizes,
        hashes,
        projection.hashes,
        projection.points,
        replace(portable, decoder=decoder),
        tags=known.column("tags"),
        texts=known.column("texts"),
        splits=First(known.column("splits")),
        groups=First(known.column("groups")),
        machine_tags=MachineTags(collection.tag_table()),
        words=words,
    )
    written = exporter.write(os.fspath(target), table, progress)
    learning = () if words is None else words.notes
    return ExportReport(
        target=shown,
        folder=folder,
        images=len(table),
        dimensions=table.points.shape[1],
        fingerprint=table.space.fingerprint,
        written=written,
        seconds=time.perf_counter() - started,
        notes=(*(given.notes if given else ()), *notes, *missing, *learning, *written.notes),
    )


def _decoder(collection: Collection) -> tuple[Decoder | None, tuple[str, ...]]:
    """What makes pictures of the points, or a note that says why there is none."""
    try:
        return collection.decoder, ()
    except SelectionError as error:
        return None, (f"points are exported without a way back to pictures: {error.message}",)


def _words(collection: Collection) -> tuple[FolderWords | None, tuple[str, ...]]:
    """What is known in words; or, if it cannot be used, a note that says why."""
    words = collection.words
    try:
        check_libraries()
    except UsageError as error:
        note = f"texts are exported as they are, without vectors or search: {error}"
        return None, (note,) if words.documents.known else ()
    return words, ()
