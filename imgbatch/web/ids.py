"""How pages name images: by row and a checksum of the path, never by the path itself.

So no request can name a file that is not in the index, names may hold any bytes, and an address
that was kept means the same image after others came or went.
"""

import hashlib
import os
import re

from imgbatch.index.records import Records

_ID = re.compile(r"(\d{1,10})-([0-9a-f]{12})")


def id_of(records: Records, row: int) -> str:
    """The name of an image in addresses.

    >>> records = Records.pack([(b"a.jpg", 8, 6, ""), (b"b.jpg", 4, 3, "")])
    >>> id_of(records, 1)
    '1-6a065f1d26da'
    """
    return f"{row}-{_checksum(records[row].path)}"


def row_of(records: Records, name: str) -> int | None:
    """The row of the image of this name; None if there is none, or no longer.

    Takes O(1), and O(n) for an image whose row has changed.

    >>> records = Records.pack([(b"a.jpg", 8, 6, ""), (b"b.jpg", 4, 3, "")])
    >>> row_of(records, id_of(records, 1)), row_of(records, "1-000000000000")
    (1, None)
    >>> row_of(Records.pack([(b"b.jpg", 4, 3, "")]), id_of(records, 1))
    0
    """
    match = _ID.fullmatch(name)
    if match is None:
        return None
    row, checksum = int(match[1]), match[2]
    if row < len(records) and _checksum(records[row].path) == checksum:
        return row
    found = (at for at, path in enumerate(records.all_paths()) if _checksum(path) == checksum)
    return next(found, None)


def _checksum(path: str) -> str:
    return hashlib.blake2b(os.fsencode(path), digest_size=6).hexdigest()
