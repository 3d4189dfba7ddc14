"""What a `Collection` is built on: the index of a folder, brought up to date and opened.

`OpenedIndex` is what both kinds of index offer: the one in SQLite and the one in shards. The
functions here do what both have in common.
"""

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from imgbatch.embedding.projection import Projection
from imgbatch.embedding.whitening import Augmented
from imgbatch.errors import CatalogueError, FolderError
from imgbatch.files.atomic import publishing, remove, write_bytes
from imgbatch.files.seals import BrokenSealError, check_seal, seal
from imgbatch.index.ignored import ignored_notes
from imgbatch.index.records import Records
from imgbatch.types import Floats, Rows, Skipped, View

REFRESH_HINT = "run without `refresh=False` once, where the folder is at hand"
"""What to do if an index that is to be trusted is missing or incomplete."""
_LISTINGS_KEPT = 2
_SKIPPED_FILE, _STATE_FILE, _SEAL_FILE = "skipped.json", "index-seen.txt", "seal.json"


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """What bringing the index up to date did.

    Attributes
    ----------
    read
        Number of files that were opened.
    described
        Number of files, of those, that were decoded.
    removed
        Number of files that the index held and the folder no longer holds.
    unlisted
        What could not be listed: dangling links, folders without permission.
    ignored
        Numbers of files that were not opened, by ending; none if the folder was not looked at.
    """

    read: int
    described: int
    removed: int
    unlisted: tuple[Skipped, ...]
    ignored: Mapping[str, int] = field(default_factory=dict)

    def followed_by(self, later: "RefreshReport") -> "RefreshReport":
        """Both reports as one; what could not be listed is what the later one says."""
        return RefreshReport(
            self.read + later.read,
            self.described + later.described,
            self.removed + later.removed,
            later.unlisted,
            later.ignored,
        )


class OpenedIndex(Protocol):
    """An index that matched its folder when it was opened.

    Attributes
    ----------
    folder
        Absolute path of the image folder, or its URL; see `files.paths`.
    records
        The readable images in the order of rows.
    generation
        Text that changes whenever the records do.
    skipped
        Files that could not be read as images, with reasons, sorted by path.
    skipped_list
        The file that lists the skipped files; None if no file was skipped.
    ignored
        Numbers of files that are neither images nor metadata, by ending; see `split_ignored`.
    report
        What bringing the index up to date did.
    directory
        The local folder of the index or, for shards in a remote store, of what is derived from it.
    notes
        Remarks for the user; later calls may add some.
    """

    records: Records
    generation: str
    skipped: list[Skipped]
    skipped_list: Path | None
    ignored: dict[str, int]
    report: RefreshReport

    @property
    def folder(self) -> str:  # noqa: D102 - above
        ...

    @property
    def directory(self) -> Path:  # noqa: D102
        ...

    @property
    def notes(self) -> tuple[str, ...]:  # noqa: D102
        ...

    def projection(self) -> Projection:
        """Points and hashes of the records: read from the disk, or computed on first use.

        Raises
        ------
        CatalogueError
            The index has changed since it was opened, so that its rows are other images.
        """
        ...

    def contents(self) -> tuple[Rows, View]:
        """Sizes and content hashes of the records' files.

        Returns
        -------
        sizes, hashes
            (n,) int64 bytes; (n, 16) uint8, the beginning of each file's SHA-256.

        Raises
        ------
        CatalogueError
            The index has changed since it was opened, so that its rows are other images.
        """
        ...

    def features(self, rows: Rows) -> dict[str, Floats]:
        """Features of m rows, given in rising order: (m, d) float32 by descriptor name.

        Raises
        ------
        CatalogueError
            The index has changed since it was opened, so that its rows are other images.
        """
        ...

    def augmented(self) -> Augmented | None:
        """What the descriptors say of altered views; None if whitening is off.

        Raises
        ------
        CatalogueError
            The index has changed since it was opened, so that its rows are other images.
        """
        ...


def changed_meanwhile(folder: str) -> CatalogueError:
    """The error for an index whose rows are no longer the records."""
    return CatalogueError(
        f"the index of {folder} has changed since it was loaded", "load the folder again"
    )


def no_images(folder: str, skipped: Sequence[Skipped], ignored: Mapping[str, int]) -> FolderError:
    """The error for a folder without a readable image."""
    if not skipped:
        why = "; ".join((f"no images in {folder}", *ignored_notes(ignored)))
        return FolderError(why, "expected .jpg, .jpeg, .png and the like")
    first = skipped[0]
    return FolderError(
        f"no readable image in {folder}: all {len(skipped):,} were skipped",
        f"the first, {first.path!r}: {first.reason}",
    )


def write_skipped(directory: Path, skipped: Sequence[Skipped]) -> Path | None:
    """List skipped files beside the index, one a line.

    Returns the file; None if no file was skipped, or if the directory cannot be written.
    """
    target = directory / "skipped.tsv"
    # The list is a convenience: an index in a place that is read-only serves without it.
    with contextlib.suppress(OSError):
        if target.is_dir():
            remove(target)
        if not skipped:
            target.unlink(missing_ok=True)
            return None
        lines = "".join(f"{file.path!r}\t{file.reason}\n" for file in skipped)
        write_bytes(target, lines.encode(errors="backslashreplace"))
        return target
    return None


@dataclass(frozen=True, slots=True)
class Listing:
    """The readable images and the skipped files of an index; `notes` say what was repaired."""

    records: Records
    skipped: list[Skipped]
    notes: tuple[str, ...] = ()


def cached_listing(directory: Path, state: str, read: Callable[[], Listing]) -> Listing:
    """The listing of an index, packed in a directory on first use.

    Reading a million rows of an index takes seconds; a packed listing opens at once. The packed
    listing is used as long as `state`, a text that changes with the index, is the same; otherwise
    `read` reads the index and its answer is packed. A packed listing that is damaged is packed
    anew, with a note.
    """
    notes = list[str]()
    try:
        if listed_state(directory) == state:
            check_seal(directory / _SEAL_FILE, _packed(directory))
            pairs = json.loads((directory / _SKIPPED_FILE).read_text(encoding="utf-8"))
            return Listing(Records.load(directory), [Skipped(*pair) for pair in pairs])
    except BrokenSealError as error:
        notes.append(f"{error}; the listing was packed anew")
    except (OSError, ValueError):  # missing, or packed by a version that did not seal
        pass
    listing = read()
    remove(directory)
    # A listing that cannot be kept costs time the next time, and changes no answer.
    with contextlib.suppress(OSError), publishing(directory, _LISTINGS_KEPT) as made:
        listing.records.save(made)
        pairs = [(file.path, file.reason) for file in listing.skipped]
        (made / _SKIPPED_FILE).write_text(json.dumps(pairs), encoding="utf-8")
        (made / _STATE_FILE).write_text(state, encoding="utf-8")
        seal(made / _SEAL_FILE, _packed(made))
    return replace(listing, notes=(*notes, *listing.notes))


def listed_state(directory: Path) -> str | None:
    """The `state` of the index when this listing was packed; None if none was."""
    with contextlib.suppress(OSError, ValueError):
        return (directory / _STATE_FILE).read_text(encoding="utf-8")
    return None


def _packed(directory: Path) -> list[Path]:
    return [*Records.files(directory), directory / _SKIPPED_FILE]


def content_keys(contents: View) -> "np.ndarray[tuple[int], np.dtype[np.void]]":
    """Content hashes (n, h) uint8 as (n,) keys that can be compared, sorted and searched."""
    rows = np.ascontiguousarray(contents)
    return rows.view(f"V{rows.shape[1]}").reshape(-1)
