"""Taking turns: two servers of one folder never write one file at the same time."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

_PATIENCE_SECONDS = 10.0


class Turns:
    """A lock that processes share; a killed one gives it back.

    SQLite's lock of a file is one that all systems have.

    Examples
    --------
    >>> with Turns(Path("turns.sqlite")).taken():
    ...     print("nobody else writes now")
    nobody else writes now
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for the turn and keep it inside the block; raises `OSError` if it does not come."""
        try:
            held = sqlite3.connect(self._file, timeout=_PATIENCE_SECONDS, isolation_level=None)
            held.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise OSError(f"another server of this folder keeps it: {error}") from None
        try:
            yield
        finally:
            held.execute("ROLLBACK")
            held.close()
