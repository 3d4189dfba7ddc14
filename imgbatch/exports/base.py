r"""What every exporter gets: a folder's images as rows, some thousand at a time.

All names are written as valid text. A file name whose bytes are not UTF-8 is written as ``\x`` and
its bytes in hexadecimal digits, as PostgreSQL writes bytes. A name that begins with ``\x`` is
written in this way, too, so that no two names are written alike. `as_name` reads both forms.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from imgbatch.errors import ImgbatchError
from imgbatch.files.atomic import replacing
from imgbatch.index.portable import PortableSpace
from imgbatch.types import Floats, Hashes, ImageRecord, Progress, Rows, View

if TYPE_CHECKING:  # a search for similar images needs no words
    from imgbatch.words.kept import FolderWords

BATCH_ROWS = 4096
_HEX = "\\x"


@dataclass(frozen=True, slots=True, eq=False)
class ImageTable:
    """The images of one folder, ready to be exported.

    Attributes
    ----------
    folder
        Absolute path, links resolved.
    records
        Path, pixels and note of each image.
    labels
        The class of each image, "" for no class; None takes the first-level subfolders.
    sizes, hashes
        (n,) int64 bytes of each file; (n, 16) uint8, the first bytes of its SHA-256.
    phashes
        (n,) uint64, first bit highest.
    points
        (n, p) float32, may be memory-mapped.
    space
        The space of the points.
    tags, texts
        What is known of each image; None for nothing.
    splits, groups
        The split and the group of each image, "" for none; None for nothing.
    machine_tags
        Measured and learned tags of each image: no statement of a person. None for nothing.
    words
        What is known of the folder in words, and learned from it; None if nothing is known, or the
        target does not hold it.
    """

    folder: str
    records: Sequence[ImageRecord]
    labels: Sequence[str] | None
    sizes: Rows
    hashes: View
    phashes: Hashes
    points: Floats
    space: PortableSpace
    tags: Sequence[tuple[str, ...]] | None = None
    texts: Sequence[tuple[str, ...]] | None = None
    splits: Sequence[str] | None = None
    groups: Sequence[str] | None = None
    machine_tags: Sequence[tuple[str, ...]] | None = None
    words: "FolderWords | None" = None

    def __len__(self) -> int:
        return len(self.records)

    def batches(self, rows: int = BATCH_ROWS) -> "Iterator[Batch]":
        """All images in order, `rows` at a time, in constant memory."""
        for start in range(0, len(self), rows):
            yield Batch(self, slice(start, start + rows))


class Batch:
    """A slice of a table's rows as columns of equal length, each made on first use."""

    def __init__(self, table: ImageTable, rows: slice) -> None:
        self._table, self._rows = table, rows

    def __len__(self) -> int:
        return len(range(*self._rows.indices(len(self._table))))

    @cached_property
    def _records(self) -> Sequence[ImageRecord]:
        return self._table.records[self._rows]

    @cached_property
    def ids(self) -> list[UUID]:
        """See `image_id`."""
        return [image_id(self._table.folder, image.path) for image in self._records]

    @cached_property
    def paths(self) -> list[str]:
        """Paths inside the folder, as `as_text` writes them."""
        return [as_text(image.path) for image in self._records]

    @cached_property
    def labels(self) -> list[str]:
        """Classes, as `as_text` writes them."""
        if self._table.labels is None:
            return [as_text(image.label) for image in self._records]
        return [as_text(label) for label in self._table.labels[self._rows]]

    @cached_property
    def widths(self) -> list[int]:
        """Pixels."""
        return [image.width for image in self._records]

    @cached_property
    def heights(self) -> list[int]:
        """Pixels."""
        return [image.height for image in self._records]

    @cached_property
    def sizes(self) -> list[int]:
        """Bytes of the files."""
        sizes: list[int] = self._table.sizes[self._rows].tolist()
        return sizes

    @cached_property
    def hashes(self) -> list[bytes]:
        """The first 16 bytes of each file's SHA-256."""
        return [digest.tobytes() for digest in self._table.hashes[self._rows]]

    @cached_property
    def phashes(self) -> list[int]:
        """64 bits of each perceptual hash, the first bit highest."""
        phashes: list[int] = self._table.phashes[self._rows].tolist()
        return phashes

    @cached_property
    def notes(self) -> list[str]:
        """Remarks on each file, as `as_text` writes them."""
        return [as_text(image.note) for image in self._records]

    @cached_property
    def tags(self) -> list[tuple[str, ...]]:
        """What is known of each image; metadata hold valid text without NUL."""
        tags = self._table.tags
        return [()] * len(self) if tags is None else list(tags[self._rows])

    @cached_property
    def machine_tags(self) -> list[tuple[str, ...]]:
        """What was measured and learned of each image."""
        tags = self._table.machine_tags
        return [()] * len(self) if tags is None else list(tags[self._rows])

    @cached_property
    def texts(self) -> list[tuple[str, ...]]:
        """What is said of each image."""
        texts = self._table.texts
        return [()] * len(self) if texts is None else list(texts[self._rows])

    @cached_property
    def splits(self) -> list[str]:
        """Such as "train"; "" for none."""
        splits = self._table.splits
        return [""] * len(self) if splits is None else list(splits[self._rows])

    @cached_property
    def groups(self) -> list[str]:
        """The group of each image; "" for none."""
        groups = self._table.groups
        return [""] * len(self) if groups is None else list(groups[self._rows])

    @property
    def points(self) -> Floats:
        """(m, p) float32."""
        return self._table.points[self._rows]


def image_id(folder: str, path: str) -> UUID:
    """An id that depends on folder and path alone, so that every export gives the same."""
    both = os.fsencode(folder) + b"\0" + os.fsencode(path)
    return UUID(bytes=hashlib.blake2b(both, digest_size=16).digest())


def as_text(name: str) -> str:
    r"""A name as valid text without NUL.

    >>> as_text("cat.jpg"), as_text("caf\udce9.jpg")
    ('cat.jpg', '\\x636166e92e6a7067')
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        plain = False
    else:
        plain = not name.startswith(_HEX) and "\0" not in name
    return name if plain else _HEX + os.fsencode(name).hex()


def as_name(text: str) -> str:
    r"""The name that `as_text` wrote.

    >>> as_name(as_text("caf\udce9.jpg")) == "caf\udce9.jpg"
    True
    """
    return os.fsdecode(bytes.fromhex(text[2:])) if text.startswith(_HEX) else text


@dataclass(frozen=True, slots=True)
class Written:
    """What an export did.

    ``changed`` images were new or differed from those at the target, tags and texts included;
    ``sent`` points were transferred, ``removed`` rows belonged to files that are gone. A file is
    always written whole.
    """

    changed: int
    sent: int
    removed: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exporter:
    """One kind of target.

    Attributes
    ----------
    check
        Returns the target as it may be shown, without a password. Raises an `ImgbatchError` if
        the target cannot be written. Called before any image is read.
    write
        Writes all images and reports its progress.
    local
        The file that will be written; None if the target is no file.
    folder
        The folder that will be written; None if the target is none.
    holds_space
        Whether the feature space goes there, too, and the decoder with it.
    holds_words
        Whether what was learned from texts goes there, too.
    """

    check: Callable[[str], str]
    write: Callable[[str, ImageTable, Progress | None], Written]
    local: Callable[[str], Path | None] = lambda _target: None
    folder: Callable[[str], Path | None] = lambda _target: None
    holds_space: bool = True
    holds_words: bool = False


def no_space(path: str | Path, error: Exception) -> ImgbatchError:
    """The error for a file whose feature space cannot be read."""
    reason = getattr(error, "strerror", None) or " ".join(str(error).split())
    if isinstance(error, KeyError):
        reason = f"it lacks {reason}"
    return ImgbatchError(
        f"the feature space in {path} cannot be read: {reason}", "export the folder again"
    )


def file_exporter(
    write: Callable[[Path, ImageTable, Progress], tuple[str, ...]],
    need: Callable[[], object] = lambda: None,
    *,
    holds_space: bool = True,
    holds_words: bool = False,
) -> Exporter:
    """An exporter that replaces a file in one step.

    `write` returns remarks for the user; `need` raises if a library is missing.
    """

    def check(target: str) -> str:
        need()
        return target

    def write_file(target: str, table: ImageTable, progress: Progress | None) -> Written:
        with replacing(Path(target)) as temporary:
            notes = write(temporary, table, progress or (lambda _done, _total: None))
        return Written(len(table), len(table), notes=notes)

    return Exporter(check, write_file, Path, holds_space=holds_space, holds_words=holds_words)
