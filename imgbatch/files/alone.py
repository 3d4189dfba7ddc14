"""Let one process at a time work in a folder."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder for the block; no file is made for it.

    The system takes the lock back when a process ends, however it ends. Where folders cannot be
    locked, as on Windows and on some network drives, the block runs without.

    Raises
    ------
    BlockingIOError
        Another process, or another block of this one, holds the lock.

    Examples
    --------
    >>> with alone_in(Path.cwd()):
    ...     with alone_in(Path.cwd()):
    ...         pass
    Traceback (most recent call last):
    BlockingIOError: [Errno 11] Resource temporarily unavailable
    """
    with contextlib.ExitStack() as stack:
        if sys.platform != "win32":
            stack.enter_context(_locked(folder))
        yield


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    import fcntl

    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError:
        opened = -1
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(opened)
        raise
    except (OSError, ValueError):
        pass
    try:
        yield
    finally:
        if opened >= 0:
            os.close(opened)
