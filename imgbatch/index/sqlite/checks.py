"""Checksums of the index's rows: SQLite notices a damaged page, but not a flipped bit in a value.

A row without a checksum was written by an older version and passes.
"""

import sqlite3
import zlib


class DamagedRowError(sqlite3.DatabaseError):
    """A row of the index is not what was written."""


def checksum(*values: object) -> int:
    """The CRC-32 of a row's values.

    >>> checksum(b"sea.jpg", 5000, None) == checksum(b"sea.jpg", 5001, None)
    False
    """
    return zlib.crc32(repr(values).encode())


def checksum_of_codes(fingerprint: str, content_hash: bytes, codes: bytes) -> int:
    """The CRC-32 of a descriptor's codes of one content."""
    return zlib.crc32(codes, zlib.crc32(content_hash, zlib.crc32(fingerprint.encode())))


def check_row(stored: int | None, expected: int) -> None:
    """Raise `DamagedRowError` unless the stored checksum is the one expected, or None."""
    if stored is not None and stored != expected:
        raise DamagedRowError("a row does not match its checksum")
