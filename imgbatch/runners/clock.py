"""How long a worker has been at a file; a worker that takes too long ends itself."""

import os
import threading
import time
from functools import cache

_deadlines: dict[int, float] = {}
"""When each thread has to be done with its file, in seconds of the monotonic clock."""


def start_clock(most_seconds: float) -> None:
    """Note that this thread begins with a file.

    Only a process that calls `watch` ends when the time is over.

    >>> start_clock(most_seconds=60)
    >>> is_overdue()
    False
    >>> stop_clock()
    """
    _deadlines[threading.get_ident()] = time.monotonic() + most_seconds


def stop_clock() -> None:
    """Note that this thread is done with its file."""
    _deadlines.pop(threading.get_ident(), None)


def is_overdue() -> bool:
    """Whether a thread has been at its file for too long."""
    return any(time.monotonic() > deadline for deadline in list(_deadlines.values()))


@cache
def watch(parent: int | None = None) -> None:
    """From now on, end this process when a file takes too long, or when `parent` is gone.

    It ends about a second later. Codecs let the watching thread run while they decode.

    Parameters
    ----------
    parent
        The process that waits for answers; None if another one sees to that.
    """
    threading.Thread(target=_end_when_due, args=(parent,), daemon=True).start()


def _end_when_due(parent: int | None) -> None:
    while not is_overdue() and parent in {None, os.getppid()}:
        time.sleep(1)
    os._exit(1)
