"""Read regular files alone, so that no pipe or device in a folder blocks a run."""

import errno
import os
import stat

_RECENT_NS = 2_000_000_000
"""A file changed this shortly before it was read may change again within one tick of its clock."""


class TooLargeError(Exception):
    """A file is larger than the caller takes.

    Attributes
    ----------
    size_bytes : int
        The size of the file.
    """

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"{size_bytes} bytes")
        self.size_bytes = size_bytes


def only_regular(path: str, flags: int) -> int:
    """An opener for `open` that refuses whatever is not a regular file.

    The file is opened without blocking: a pipe without a writer, or a kernel log, would otherwise
    keep the caller waiting for ever.

    Raises
    ------
    OSError
        The file cannot be opened, or is not a regular file.

    Examples
    --------
    >>> with open("note.txt", "w") as file:
    ...     _ = file.write("hello")
    >>> with open("note.txt", opener=only_regular) as file:
    ...     file.read()
    'hello'
    """
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file")
    return descriptor


def read_regular(
    path: str | os.PathLike[str], most_bytes: int, *, head_bytes: int | None = None
) -> tuple[bytes, os.stat_result]:
    """All bytes of a regular file, and its status when it was opened; see `only_regular`.

    With `head_bytes`, only the first so many are read, of a file of any size.

    Raises
    ------
    TooLargeError
        The file has more than `most_bytes`; nothing is read.
    OSError
        The file cannot be read, or is not a regular file.

    Examples
    --------
    >>> with open("note.txt", "w") as file:
    ...     _ = file.write("hello")
    >>> read_regular("note.txt", most_bytes=100)[0]
    b'hello'
    """
    with open(path, "rb", buffering=0, opener=only_regular) as file:
        status = os.fstat(file.fileno())
        if head_bytes is None and status.st_size > most_bytes:
            raise TooLargeError(status.st_size)
        data = file.readall() if head_bytes is None else file.read(head_bytes)
    if data is None:  # a file of /proc that has nothing to say now
        raise BlockingIOError(errno.EAGAIN, "it gives no data")
    return data, status


def is_recent(status: os.stat_result, now_ns: int) -> bool:
    """Whether a file may change again within the tick of its clock, and keep its time.

    A time in the future is that of a camera, or of a zone, unless the inode was changed just now
    or in the future, too: then the file system's clock is ahead, and the file may be as new.
    """
    is_ahead = status.st_mtime_ns > now_ns + _RECENT_NS
    changed_ns = status.st_ctime_ns if is_ahead else status.st_mtime_ns
    return changed_ns > now_ns - _RECENT_NS
