"""Metadata files, read once and kept beside the index.

What is kept depends on every file that was read (size, times, inode) and on the images of the
index. As long as these are the same, a request maps the packed columns and reads no row.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from imgbatch.annotations.columns import Column
from imgbatch.annotations.matching import FileColumns, Finder, Rules, read_file
from imgbatch.annotations.misfits import Misfit, Misfits
from imgbatch.annotations.sidecars import find_sidecars, read_sidecars, state_of
from imgbatch.annotations.source import Images, MetadataSource
from imgbatch.errors import LabelError, UsageError
from imgbatch.files.atomic import publishing, remove
from imgbatch.files.names import shortened
from imgbatch.files.seals import BrokenSealError, check_seal, seal
from imgbatch.printable import printable

_VERSION = 2
"""Raised whenever the same files give other columns."""
_KEPT = 4
_FACTS, _SEAL, _LIST = "facts.json", "seal.json", "misfits.tsv"
_PLACE = "metadata"
"""The folder of what is kept, beside the index's files."""


@dataclass(frozen=True, slots=True)
class FilesKnown:
    """What metadata files say.

    Attributes
    ----------
    columns
        A column for each kind that is known; see `table.KINDS`.
    notes
        What was read.
    misfits
        What did not fit, counted by kind; "" if all fitted.
    misfits_list
        The file that lists it; None if nothing was listed.
    telling
        Whether each file says something of the images, or would if predictions counted.
    """

    columns: Mapping[str, Column]
    notes: tuple[str, ...]
    misfits: str = ""
    misfits_list: Path | None = None
    telling: tuple[bool, ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """All of this for the user, a line each."""
        if not self.misfits:
            return self.notes
        where = "" if self.misfits_list is None else f" (list: {self.misfits_list})"
        return (*self.notes, f"metadata: {self.misfits}{where}")


def known_of_files(images: Images, source: MetadataSource, files: Sequence[str]) -> FilesKnown:
    """What metadata files say of the images, from the disk if nothing has changed.

    Raises
    ------
    LabelError
        A file given by hand cannot be read, does not fit, or names none of the images.
    UsageError
        A file given by hand needs a library that is missing.
    """

    def state() -> str:
        lines = [f"{os.path.abspath(file)}\0{_state(file)}" for file in files]
        strict = [source.is_by_hand(file) for file in files]
        return "\n".join((*lines, f"{strict} {source.trust_predicted}"))

    return _kept(source, state, lambda misfits: _read_files(images, source, files, misfits))


def known_of_sidecars(images: Images, source: MetadataSource) -> FilesKnown:
    """The texts in files beside the images, from the disk if nothing has changed."""
    sidecars = find_sidecars(source.folder, images.all_paths())
    if not sidecars:
        return FilesKnown({}, ())

    def read(misfits: Misfits) -> FilesKnown:
        texts = read_sidecars(source.folder, images.all_paths(), sidecars, misfits)
        columns = {"texts": texts} if len(texts.codes) else {}
        note = f"metadata: .txt files beside images: {_described('texts', texts)}"
        return FilesKnown(columns, (note,) if columns else ())

    return _kept(source, lambda: state_of(sidecars), read)


def _state(file: str) -> str:
    """Text that changes with a file's size, times and inode."""
    try:
        status = os.stat(file)
    except (OSError, ValueError):
        return "missing"
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


# ----- reading ------------------------------------------------------------------------------------


def _read_files(
    images: Images, source: MetadataSource, files: Sequence[str], misfits: Misfits
) -> FilesKnown:
    """Read the files in their order; where two say something of one kind, the later one holds."""
    finder = Finder(source.folder, images.all_paths())
    columns: dict[str, Column] = {}
    notes: list[str] = []
    telling: list[bool] = []
    described = np.zeros(len(finder), np.bool_)
    for file in files:
        of_file = Misfits()
        rules = Rules(source.is_by_hand(file), source.trust_predicted)
        try:
            read = read_file(file, finder, rules, of_file)
            if rules.by_hand:
                _refuse_empty(file, source.folder, read, len(finder), of_file)
        except UsageError as error:  # it cannot be read, does not fit, or needs a library
            if rules.by_hand:
                raise
            notes.append(f"metadata: {error}; the file is left out")
            telling.append(False)
            continue
        misfits.extend(of_file)
        notes += _notes_of(file, read)
        telling.append(bool(read.columns or read.machine_rows))
        described |= read.described
        for kind, column in read.columns.items():
            if kind in columns:
                _count_changes(file, images, columns[kind], column, misfits)
                columns[kind] = columns[kind].overlaid(column)
            else:
                columns[kind] = column
    if described.any():
        for path in finder.missing(described):
            misfits.add(Misfit.NO_ROW, ", ".join(files), "", path)
    return FilesKnown(columns, tuple(notes), telling=tuple(telling))


def _refuse_empty(file: str, folder: str, read: FileColumns, images: int, misfits: Misfits) -> None:
    """Raise if a file that was given by hand names none of the images, or says nothing of them."""
    if read.columns or read.machine_rows:
        return
    if read.described.any():
        raise LabelError(
            f"{file} says nothing of the {read.described.sum():,} images that it names",
            "fill its columns, or leave it out",
        )
    raise LabelError(
        f"{file} names none of the {images:,} images of {folder} "
        f"(its first path: {printable(shortened(read.first_name or 'none'))})",
        "write paths as the folder does, in the same case and Unicode form (NFC, NFD)"
        if misfits.counts[Misfit.OTHER_SPELLING]
        else "write paths relative to the image folder, or absolute ones",
    )


def _count_changes(
    file: str, images: Images, earlier: Column, later: Column, misfits: Misfits
) -> None:
    both = np.flatnonzero((earlier.lengths > 0) & (later.lengths > 0))
    for row in both.tolist():
        if earlier[row] != later[row]:
            misfits.add(Misfit.LATER_FILE, file, "", images[row].path)


PREDICTIONS = "they are predictions"
"""How the note ends that tells of rows left out, since a program has written them."""


def _notes_of(file: str, read: FileColumns) -> list[str]:
    name = os.path.basename(file)
    described = [_described(kind, column) for kind, column in read.columns.items()]
    notes = [f"metadata: {name}: {', '.join(described) or 'nothing is known of the images'}"]
    if read.machine_rows:
        notes.append(
            f"metadata: {name}: {read.machine_rows:,} rows with source=imgbatch are left out: "
            f"{PREDICTIONS}"
        )
    return notes


def _described(kind: str, column: Column) -> str:
    """Such as "90 of 100 images have texts (450)"; for other kinds the number of unlike ones."""
    count = len(column.codes if kind == "texts" else np.unique(column.codes))
    images = int(np.count_nonzero(column.lengths))
    return f"{images:,} of {len(column):,} images have {kind} ({count:,})"


# ----- keeping ------------------------------------------------------------------------------------


def _kept(
    source: MetadataSource, state: Callable[[], str], read: Callable[[Misfits], FilesKnown]
) -> FilesKnown:
    """What was kept for this state of the files, else what `read` reads, which is then kept."""
    misfits = Misfits()
    if source.directory is None:
        return replace(read(misfits), misfits=misfits.summary())
    before = state()
    identity = f"{_VERSION}\n{source.generation}\n{before}"
    key = hashlib.blake2b(identity.encode(errors="surrogateescape"), digest_size=12).hexdigest()
    directory = source.directory / _PLACE / key
    notes: tuple[str, ...] = ()
    try:
        return _load(directory)
    except BrokenSealError as error:
        notes = (f"{error}; the metadata were read anew",)
    except (OSError, ValueError, KeyError, TypeError):  # missing, or of another version
        pass
    known = read(misfits)
    known = replace(known, misfits=misfits.summary())
    remove(directory)
    # What cannot be kept costs time the next time, and changes no answer.
    with contextlib.suppress(OSError):
        if state() == before:  # a file that changed while it was read is read again
            with publishing(directory, _KEPT) as made:
                _save(made, known, misfits)
    return replace(known, notes=(*notes, *known.notes), misfits_list=_list_in(directory))


def _save(directory: Path, known: FilesKnown, misfits: Misfits) -> None:
    for kind, column in known.columns.items():
        column.save(directory, kind)
    facts = {
        "kinds": list(known.columns),
        "notes": known.notes,
        "misfits": known.misfits,
        "telling": known.telling,
    }
    (directory / _FACTS).write_text(json.dumps(facts), encoding="utf-8")
    if misfits.counts:
        listed = misfits.listed().encode(errors="backslashreplace")
        (directory / _LIST).write_bytes(listed)
    seal(directory / _SEAL, _files(directory, list(known.columns)))


def _load(directory: Path) -> FilesKnown:
    facts = json.loads((directory / _FACTS).read_text(encoding="utf-8"))
    kinds = [str(kind) for kind in facts["kinds"]]
    check_seal(directory / _SEAL, _files(directory, kinds))
    columns = {kind: Column.load(directory, kind) for kind in kinds}
    notes = tuple(map(str, facts["notes"]))
    misfits, telling = str(facts["misfits"]), tuple(map(bool, facts["telling"]))
    return FilesKnown(columns, notes, misfits, _list_in(directory), telling)


def _list_in(directory: Path) -> Path | None:
    """The list of what did not fit; None if there is none, or nothing can be written there."""
    return directory / _LIST if (directory / _LIST).exists() else None


def _files(directory: Path, kinds: Sequence[str]) -> list[Path]:
    return [directory / _FACTS, *(file for kind in kinds for file in Column.files(directory, kind))]
