"""The basket: images that the user has set aside, kept across pages and restarts."""

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from imgbatch.files.atomic import write_bytes
from imgbatch.web.turns import Turns

_UNDOABLE = 50
_MOST_BYTES = 256 * 2**20
_Change = tuple[dict[str, None], dict[str, None]]
"""The images before a change, and after it."""


class Basket:
    """Paths inside the folder, in the order in which they were added, and the last changes.

    Every change is written at once and in one step, so that a killed server loses nothing. Two
    servers of one folder have one basket. A file that is no basket is moved aside, and told of.

    Attributes
    ----------
    notes
        What was wrong with the file, a line each.

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
        self.notes: tuple[str, ...] = ()
        self._read()

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
        state = self._state()
        if state == self._seen:
            return
        self._seen = state
        try:
            names = json.loads(self._file.read_bytes()[:_MOST_BYTES]) if state else []
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise ValueError("it is no list of paths")
        except (OSError, ValueError, RecursionError) as error:
            self._move_aside(error)
            names = []
        self._paths = dict.fromkeys(names)

    def _move_aside(self, error: Exception) -> None:
        """What people chose cannot be made again: nothing is written over it."""
        aside = self._file.with_name(f"{self._file.name}.damaged-{time.time_ns()}")
        reason = getattr(error, "strerror", None) or str(error).partition(" (")[0]
        with contextlib.suppress(OSError):
            self._file.replace(aside)
            self.notes += (
                f"the basket is damaged ({reason}); it was moved to {aside}, and one begins anew",
            )
            self._seen = None
            return
        self.notes += (f"the basket {self._file} cannot be read: {reason}",)

    def _take(self, paths: dict[str, None]) -> None:
        """Write these images; if that fails, the basket stays as it was."""
        # Bytes that are no text stand as lone surrogates, which JSON escapes.
        write_bytes(self._file, json.dumps(list(paths)).encode("ascii"))
        self._paths, self._seen = paths, self._state()

    def _state(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self._file)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino
