r"""What every exporter gets: a folder's images as rows, some thousand at a time.

Names stand everywhere as text. Those that are none (bytes that are no UTF-8) or that would be
mistaken for such stand as ``\x`` and their bytes in hexadecimal digits, which is how PostgreSQL
writes bytes; `as_name` turns them back.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from uuid import UUID

from imgbatch.exports.portable import PortableSpace
from imgbatch.files.atomic import replacing
from imgbatch.types import Floats, Hashes, ImageRecord, Progress, Rows, View

BATCH_ROWS = 4096
_HEX = "\\x"


@dataclass(frozen=True, slots=True, eq=False)
class ImageTable:
    """The images of one folder, ready to be written.

    Attributes
    ----------
    folder
        Absolute path, links resolved.
    records
        Path, pixels and note of each image.
    labels
        The class of each image, "" where it has none; None takes the first-level subfolders.
    sizes, hashes
        (n,) int64 bytes of each file; (n, 16) uint8, the beginning of its SHA-256.
    phashes
        (n,) uint64, first bit highest.
    points
        (n, p) float32, may be memory-mapped.
    space
        What the points are points of.
    """

    folder: str
    records: Sequence[ImageRecord]
    labels: Sequence[str] | None
    sizes: Rows
    hashes: View
    phashes: Hashes
    points: Floats
    space: PortableSpace

    def __len__(self) -> int:
        return len(self.records)

    def batches(self, rows: int = BATCH_ROWS) -> "Iterator[Batch]":
        """All images in order, `rows` at a time, so that memory stays flat."""
        for start in range(0, len(self), rows):
            yield Batch(self, slice(start, start + rows))


class Batch:
    """Some rows of a table as columns of equal length, each made on first use."""

    def __init__(self, table: ImageTable, some: slice) -> None:
        self._table, self._some = table, some

    def __len__(self) -> int:
        return len(range(*self._some.indices(len(self._table))))

    @cached_property
    def _records(self) -> Sequence[ImageRecord]:
        return self._table.records[self._some]

    @cached_property
    def ids(self) -> list[UUID]:
        """See `image_id`."""
        return [image_id(self._table.folder, one.path) for one in self._records]

    @cached_property
    def paths(self) -> list[str]:
        """Paths inside the folder, as `as_text` writes them."""
        return [as_text(one.path) for one in self._records]

    @cached_property
    def labels(self) -> list[str]:
        """Classes, as `as_text` writes them."""
        if self._table.labels is None:
            return [as_text(one.label) for one in self._records]
        return [as_text(one) for one in self._table.labels[self._some]]

    @cached_property
    def widths(self) -> list[int]:
        """Pixels."""
        return [one.width for one in self._records]

    @cached_property
    def heights(self) -> list[int]:
        """Pixels."""
        return [one.height for one in self._records]

    @cached_property
    def sizes(self) -> list[int]:
        """Bytes of the files."""
        sizes: list[int] = self._table.sizes[self._some].tolist()
        return sizes

    @cached_property
    def hashes(self) -> list[bytes]:
        """The first 16 bytes of each file's SHA-256."""
        return [one.tobytes() for one in self._table.hashes[self._some]]

    @cached_property
    def phashes(self) -> list[int]:
        """64 bits, the first one highest."""
        phashes: list[int] = self._table.phashes[self._some].tolist()
        return phashes

    @cached_property
    def notes(self) -> list[str]:
        """What was odd about each file, as `as_text` writes it."""
        return [as_text(one.note) for one in self._records]

    @property
    def points(self) -> Floats:
        """(m, p) float32."""
        return self._table.points[self._some]


def image_id(folder: str, path: str) -> UUID:
    """The same for the same path in the same folder, wherever and whenever it is exported."""
    both = os.fsencode(folder) + b"\0" + os.fsencode(path)
    return UUID(bytes=hashlib.blake2b(both, digest_size=16).digest())


def as_text(name: str) -> str:
    r"""A name as valid text without NUL; what is none, or begins with ``\x``, as hexadecimal."""
    try:
        name.encode()
    except UnicodeEncodeError:
        plain = False
    else:
        plain = not name.startswith(_HEX) and "\0" not in name
    return name if plain else _HEX + os.fsencode(name).hex()


def as_name(text: str) -> str:
    """The name that `as_text` wrote."""
    return os.fsdecode(bytes.fromhex(text[2:])) if text.startswith(_HEX) else text


@dataclass(frozen=True, slots=True)
class Written:
    """What an export did.

    ``changed`` rows were new or differed from what was there, ``sent`` points were transferred,
    ``removed`` rows were of files that are gone. A file is written whole.
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
        Raises an `ImgbatchError` if the target cannot be written; else how it may be shown: without
        a password. Called before any image is read.
    write
        Writes all images, calling the progress now and then.
    local
        The file that will be written, if it is one.
    """

    check: Callable[[str], str]
    write: Callable[[str, ImageTable, Progress | None], Written]
    local: Callable[[str], Path | None] = lambda _target: None


def file_exporter(
    write: Callable[[Path, ImageTable, Progress], None], need: Callable[[], object] = lambda: None
) -> Exporter:
    """An exporter to a file that is replaced at once; `need` raises where a library is missing."""

    def check(target: str) -> str:
        need()
        return target

    def whole(target: str, table: ImageTable, progress: Progress | None) -> Written:
        with replacing(Path(target)) as temporary:
            write(temporary, table, progress or (lambda _done, _total: None))
        return Written(len(table), len(table))

    return Exporter(check, whole, Path)
