"""What a `Collection` is built on: an index of a folder, brought up to date and opened.

It knows the images and gives their points; whether they lie in SQLite or in shards is its own
affair.
"""

import contextlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from imgbatch.embedding.projection import Projection
from imgbatch.errors import CatalogueError, FolderError
from imgbatch.files.atomic import publishing, replacing
from imgbatch.index.records import Records
from imgbatch.types import Floats, Rows, Skipped, View

MAKE_ONE = "run without --no-refresh once, where the folder is at hand"
"""What to do where an index is to be trusted that is not there."""
_LISTINGS_KEPT = 2
_SKIPPED, _SEEN = "skipped.json", "index-seen.txt"


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


class OpenedIndex(Protocol):
    """An index that matches its folder, as of one moment.

    Attributes
    ----------
    folder
        Absolute path of the image folder, or its URL; see `files.paths`.
    records
        The readable images in the order of rows.
    skipped, skipped_list
        The files that are none, with reasons, and the file that lists them (None if there are
        none).
    report
        What bringing it up to date did.
    directory
        The local folder in which the index, or what is kept of it here, lies.
    notes
        Remarks for the user; they may grow with use.
    """

    records: Records
    skipped: list[Skipped]
    skipped_list: Path | None
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
        """Points and hashes of the records: read where they are kept, else computed.

        Raises
        ------
        CatalogueError
            The folder was indexed anew meanwhile, so that rows would be those of other images.
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
            The folder was indexed anew meanwhile, so that rows would be those of other images.
        """
        ...

    def features(self, rows: Rows) -> dict[str, Floats]:
        """What the descriptors say of some rows, given in rising order: (m, d) float32 by name."""
        ...


def changed_meanwhile(folder: str) -> CatalogueError:
    """The error for an index that is no longer that of the records."""
    return CatalogueError(
        f"the index of {folder} has changed since it was loaded", "load the folder again"
    )


def no_images(folder: str, skipped: Sequence[Skipped]) -> FolderError:
    """The error for a folder without a readable image."""
    if not skipped:
        return FolderError(f"no images in {folder}", "expected .jpg, .jpeg, .png and the like")
    first = skipped[0]
    return FolderError(
        f"no readable image in {folder}: all {len(skipped)} were skipped",
        f"the first, {first.path!r}: {first.reason}",
    )


def write_skipped(directory: Path, skipped: Sequence[Skipped]) -> Path | None:
    """List skipped files beside the index, one a line; None, and no file, where there are none."""
    target = directory / "skipped.tsv"
    if not skipped:
        target.unlink(missing_ok=True)
        return None
    lines = "".join(f"{one.path!r}\t{one.reason}\n" for one in skipped)
    with replacing(target) as temporary:
        temporary.write_text(lines, encoding="utf-8")
    return target


def kept_listing(
    place: Path, seen: str, read: Callable[[], tuple[Records, list[Skipped]]]
) -> tuple[Records, list[Skipped]]:
    """The readable images and the other files of an index, read once and packed in a directory.

    Reading a million rows takes seconds. What was packed is trusted while `seen`, text that
    changes with the index, is the same.
    """
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, EOFError):
        if (place / _SEEN).read_text(encoding="utf-8") == seen:
            pairs = json.loads((place / _SKIPPED).read_text(encoding="utf-8"))
            return Records.load(place), [Skipped(path, reason) for path, reason in pairs]
    records, skipped = read()
    shutil.rmtree(place, ignore_errors=True)
    # Failing to keep them costs time, never the answer.
    with contextlib.suppress(OSError), publishing(place, _LISTINGS_KEPT) as made:
        records.save(made)
        pairs = [(one.path, one.reason) for one in skipped]
        (made / _SKIPPED).write_text(json.dumps(pairs), encoding="utf-8")
        (made / _SEEN).write_text(seen, encoding="utf-8")
    return records, skipped
