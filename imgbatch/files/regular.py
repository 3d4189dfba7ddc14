"""Read regular files alone, so that no pipe or device in a folder blocks a run."""

import errno
import io
import os
import stat


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


def open_regular(path: str | os.PathLike[str]) -> io.FileIO:
    """Open a regular file for reading bytes, without a buffer.

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
    >>> with open_regular("note.txt") as file:
    ...     file.read()
    b'hello'
    """
    file = io.FileIO(path, opener=_without_blocking)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "not a regular file")
    return file


def read_regular(path: str | os.PathLike[str], most_bytes: int) -> tuple[bytes, os.stat_result]:
    """All bytes of a regular file, and its status when it was opened; see `open_regular`.

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
    with open_regular(path) as file:
        status = os.fstat(file.fileno())
        if status.st_size > most_bytes:
            raise TooLargeError(status.st_size)
        data = file.readall()
    if data is None:  # a file of /proc that has nothing to say now
        raise BlockingIOError(errno.EAGAIN, "it gives no data")
    return data, status


def _without_blocking(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
