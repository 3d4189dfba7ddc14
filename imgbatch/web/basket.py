"""The basket: images that the user has set aside, kept across pages and restarts."""

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from imgbatch.errors import CatalogueError
from imgbatch.files.atomic import write_bytes
from imgbatch.web.turns import Turns

_UNDOABLE = 50
_Change = tuple[dict[str, None], dict[str, None]]
"""The images before a change, and after it."""


class Basket:
    """Paths inside the folder, in the order in which they were added, and the last changes.

    Every change is written at once and in one step, so that a killed server loses nothing. Two
    servers of one folder have one basket. A file that is no basket is moved aside, and told of; one
    that cannot be read now stays, and what was read last is shown.

    The file is a JSON list of paths, and a checksum of it in a second line: a damaged path could be
    that of another image. Those of version 0.9 have none.

    Examples
    --------
    >>> basket = Basket(Path("basket.json"), Turns(Path("turns.sqlite")))
    >>> basket.add(["a.jpg", "b.jpg"]), basket.remove(["a.jpg"]), basket.paths
    (2, 1, ('b.jpg',))
    >>> basket.undo(), basket.paths
    (True, ('a.jpg', 'b.jpg'))
    """

    def __init__(self, file: Path, turns: Turns) -> None:
        self._file, self._turns = file, turns
        self._lock = threading.Lock()
        self._done: list[_Change] = []
        self._paths: dict[str, None] = {}
        self._seen: tuple[int, int] | None = None
        self._moved: tuple[str, ...] = ()
        self._unread = ""
        self._read()

    @property
    def notes(self) -> tuple[str, ...]:
        """What is wrong with the file, a line each."""
        with self._lock:
            self._read()
            return (*self._moved, *filter(None, [self._unread]))

    @property
    def paths(self) -> tuple[str, ...]:
        """The images, those added first at the front."""
        with self._lock:
            self._read()
            return tuple(self._paths)

    def __len__(self) -> int:
        with self._lock:
            self._read()
            return len(self._paths)

    def __contains__(self, path: object) -> bool:
        return path in self._paths

    @property
    def can_undo(self) -> bool:
        """Whether a change of this server can be taken back."""
        return bool(self._done)

    def add(self, paths: Iterable[str], *, without: Iterable[str] = ()) -> int:
        """Add images, and remove those `without`; returns how many are there more, or less."""
        gone = set(without)
        with self._changing():
            kept = {path: None for path in self._paths if path not in gone}
            return self._change({**kept, **dict.fromkeys(paths)})

    def remove(self, paths: Iterable[str]) -> int:
        """Remove images; returns how many were there."""
        gone = set(paths)
        with self._changing():
            return self._change({path: None for path in self._paths if path not in gone})

    def clear(self) -> int:
        """Remove all images; returns how many there were."""
        return self.remove(self.paths)

    def undo(self) -> bool:
        """Take back the last change of this server; False if there is none.

        What another server has added or removed since stays so.
        """
        with self._changing():
            if not self._done:
                return False
            former, then = self._done[-1]
            back = {path: None for path in former if path in self._paths or path not in then}
            others = {path: None for path in self._paths if path not in former and path not in then}
            self._take({**back, **others})
            self._done.pop()
            return True

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock, self._turns.taken():
            self._read()
            if self._unread:
                raise CatalogueError(self._unread, "try again once it can be read")
            yield

    def _change(self, paths: dict[str, None]) -> int:
        changed = abs(len(paths) - len(self._paths))
        if paths != self._paths:
            former = self._paths
            self._take(paths)
            self._done = [*self._done[1 - _UNDOABLE :], (former, paths)]
        return changed

    def _read(self) -> None:
        """Take over what is in the file, if it has changed."""
        state = None
        try:
            state = self._state()
            if state == self._seen and not self._unread:
                return
            data = self._file.read_bytes() if state else b"[]"
        except FileNotFoundError:
            state, data = None, b"[]"
        except IsADirectoryError as error:
            self._paths = {}
            self._move_aside(error)
            return
        except OSError as error:
            self._seen, self._unread = None, self._told(error)
            return
        self._seen, self._unread = state, ""
        try:
            names = _unpacked(data)
        except (ValueError, RecursionError) as error:
            self._move_aside(error)
            names = []
        self._paths = dict.fromkeys(names)

    def _move_aside(self, error: Exception) -> None:
        """What people chose cannot be made again: nothing is written over it."""
        aside = self._file.with_name(f"{self._file.name}.damaged-{time.time_ns()}")
        reason = getattr(error, "strerror", None) or str(error).partition(" (")[0]
        try:
            self._file.replace(aside)
        except OSError as refused:
            self._seen, self._unread = None, self._told(refused)
        else:
            self._moved += (
                f"the basket is damaged ({reason}); it was moved to {aside}, and one begins anew",
            )
            self._seen = None

    def _told(self, error: OSError) -> str:
        return f"the basket {self._file} cannot be read: {error.strerror or error}"

    def _take(self, paths: dict[str, None]) -> None:
        """Write these images; if that fails, the basket stays as it was."""
        write_bytes(self._file, _packed(paths))
        self._paths, self._seen = paths, None
        with contextlib.suppress(OSError):
            self._seen = self._state()

    def _state(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self._file)
        except FileNotFoundError:
            return None
        return status.st_mtime_ns, status.st_ino


def _packed(paths: Iterable[str]) -> bytes:
    # Bytes that are no text stand as lone surrogates, which JSON escapes.
    listed = json.dumps(list(paths)).encode("ascii")
    return listed + b"\n" + _checksum(listed) + b"\n"


def _unpacked(data: bytes) -> list[str]:
    """The paths of a file; raises `ValueError` or `RecursionError` for what is no basket."""
    listed, _, checksum = data.partition(b"\n")
    names = json.loads(listed)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("it is no list of paths")
    if checksum and checksum.strip() != _checksum(listed):
        raise ValueError("its checksum is another")
    return names


def _checksum(listed: bytes) -> bytes:
    return hashlib.blake2b(listed, digest_size=16).hexdigest().encode()
