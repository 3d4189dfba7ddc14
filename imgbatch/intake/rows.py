"""What a row of the table asks for: a picture, or to be dropped for what stands in the row."""

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from imgbatch.annotations.table import KINDS, NAMES
from imgbatch.errors import UsageError
from imgbatch.files.names import shortened
from imgbatch.intake.records import Prepare, Reason
from imgbatch.intake.tables import Source, SourceRow, cell_text
from imgbatch.printable import printable

LINK, PATH = "url", "file_name"
"""The columns that a plain list is taken for."""
_DIGEST_BYTES = 16
_NO_PART = re.compile(r"[/\\]")
_HOST_SHAPE = re.compile(r"(\[[^\]]*\]|[^:]*)(:[0-9]*)?")
_LINK_SHAPE = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)


class Wanted(NamedTuple):
    """A row that asks for a picture.

    Attributes
    ----------
    source
        The picture's path inside the folder of images, or its link.
    key
        Digest of the source: what the picture is known by.
    whole
        Digest of all values: rows of equal digests say the same.
    others
        Digest of all values but texts, of which a picture may have several.
    """

    source: str
    key: bytes
    whole: bytes
    others: bytes


class Refused(NamedTuple):
    """A row that is dropped whatever the picture is."""

    reason: Reason
    detail: str
    what: str = ""


@dataclass(frozen=True, slots=True)
class RowReader:
    """Tells what each row of a table asks for.

    Attributes
    ----------
    source
        The table.
    named_by
        The column of ids, paths or links.
    require
        Columns that may not be empty.
    find
        Turns a value of `named_by` into a source, or says why there is none.
    """

    source: Source
    named_by: str
    require: tuple[str, ...]
    find: Callable[[str], str | Refused]

    @classmethod
    def of(cls, source: Source, options: Prepare) -> "RowReader":
        """The reader for what is asked of a table.

        Raises
        ------
        UsageError
            A column is missing; the message names those that are there.
        """
        named_by = options.url_column if options.from_links else options.id_column
        if named_by is None:
            named_by = _column_found(source, options)
        source.require((named_by, *options.require))
        find = _link if options.from_links else _path_finder(options)
        return cls(source, named_by, options.require, find)

    def read(self, row: SourceRow) -> Wanted | Refused:
        """The picture that a row asks for, or why it is dropped."""
        name = cell_text(self.named_by, row.values.get(self.named_by)).strip()
        if row.fault:
            return Refused(Reason.MALFORMED, row.fault)
        for column in (self.named_by, *self.require):
            if self.source.is_empty(row.values.get(column)):
                return Refused(Reason.EMPTY, f"{column} is empty", shown(name))
        found = self.find(name)
        if isinstance(found, Refused):
            return found
        return Wanted(found, _digest(found), *self._digests(row))

    def _digests(self, row: SourceRow) -> tuple[bytes, bytes]:
        texts, others = list[str](), list[str]()
        for column in self.source.columns:
            of_column = texts if column.strip().lower() in KINDS["texts"] else others
            of_column.append(cell_text(column, row.values.get(column)))
        joined = "\x1f".join(others)
        return _digest("\x1f".join((joined, *texts))), _digest(joined)


def _column_found(source: Source, options: Prepare) -> str:
    names = (LINK,) if options.from_links else NAMES
    for name in names:
        if name in source.columns:
            return name
    there = shortened(printable(", ".join(source.columns)))
    option = "--url COL, or --images DIR with --id COL" if options.from_links else "--id COL"
    raise UsageError(
        f"{source.file} has no column {' or '.join(names)}; its columns are {there}",
        f"name the column with {option}",
    )


def _path_finder(options: Prepare) -> Callable[[str], str | Refused]:
    def find(image_id: str) -> str | Refused:
        """The path of an id inside the folder of images; it never leads out of it."""
        path = options.path_of(image_id)
        parts = _NO_PART.split(path)
        if os.path.isabs(path) or os.path.splitdrive(path)[0] or parts[0] == "" or ".." in parts:
            return Refused(Reason.OUTSIDE, "the path leads out of --images", shown(image_id))
        if "\0" in path:
            return Refused(Reason.BAD_NAME, "the id holds a NUL", shown(image_id))
        if not _is_text(path):
            return Refused(Reason.BAD_NAME, "the id holds bytes that are no UTF-8", shown(image_id))
        return "/".join(part for part in path.split("/") if part not in {"", "."})

    return find


def _link(text: str) -> str | Refused:
    if not _LINK_SHAPE.match(text):
        return Refused(Reason.NO_LINK, "no http:// or https:// link", shown(text))
    if not _is_text(text):
        return Refused(Reason.NO_LINK, "the link holds bytes that are no UTF-8", shown(text))
    return text.partition("#")[0]


def _is_text(name: str) -> bool:
    """Whether UTF-8 can hold a name; other bytes of a table stand in it as surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(name: str) -> str:
    """An id or link as ``dropped.csv`` and messages show it: a link without password and query.

    Where a raw ``/``, ``?`` or ``#`` may stand in a password, nothing of the link is shown.

    Examples
    --------
    >>> shown("https://me:secret@host/a.jpg?key=secret"), shown("a.jpg")
    ('https://host/a.jpg', 'a.jpg')
    >>> shown("https://me:sec/ret@host/a.jpg")
    'https://...'
    """
    scheme, separator, rest = name.partition("://")
    if not separator:
        return shortened(printable(name))
    before, slash, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    host = before.rpartition("@")[2]
    if not _HOST_SHAPE.fullmatch(host):
        return shortened(printable(f"{scheme}://..."))
    return shortened(printable(f"{scheme}://{host}{slash}{path}"))


def _digest(text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest()
