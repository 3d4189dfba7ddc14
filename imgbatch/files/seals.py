"""Seals: digests of files that are kept, by which damage is noticed before it gives an answer.

Reading hundreds of megabytes to check them would cost more than most requests. So a file is
compared with its digest only if its size, times or inode have changed since the last comparison,
or if the machine has been started anew: what a crash leaves on a disk may look untouched.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from imgbatch.files.atomic import write_bytes
from imgbatch.files.paths import read

_DIGEST_BYTES = 32
_BOOT_ID = "/proc/sys/kernel/random/boot_id"


class BrokenSealError(Exception):
    """A file is not what was sealed."""


def seal(target: Path, files: Sequence[Path]) -> None:
    """Write the SHA-256 of some files, in their order, to a file of its own.

    Reads every byte: about half a second for a gigabyte.

    Raises
    ------
    OSError
        A file cannot be read, or the seal cannot be written.

    Examples
    --------
    >>> _ = Path("points.bin").write_bytes(b"precious")
    >>> seal(Path("points.seal"), [Path("points.bin")])
    >>> check_seal(Path("points.seal"), [Path("points.bin")])
    >>> _ = Path("points.bin").write_bytes(b"spoiled!")
    >>> check_seal(Path("points.seal"), [Path("points.bin")])
    Traceback (most recent call last):
    imgbatch.files.seals.BrokenSealError: points.bin is damaged
    """
    state = _state(files)
    _write(target, [_digest(file) for file in files], state)


def check_seal(target: Path, files: Sequence[Path]) -> None:
    """Make sure that files are those that were sealed.

    Parameters
    ----------
    target
        What `seal` wrote.
    files
        The sealed files in the order in which they were given to `seal`.

    Raises
    ------
    BrokenSealError
        A file, or the seal itself, is damaged.
    OSError
        A file or the seal is missing, or cannot be read.
    """
    data = target.read_bytes()
    try:
        content = json.loads(data)
        digests, checked = list(content["digests"]), content["checked"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BrokenSealError(f"{target} is damaged") from None
    state = _state(files)
    if len(digests) != len(files):
        raise BrokenSealError(f"{target} is damaged")
    if checked == state:
        return
    for file, digest in zip(files, digests, strict=True):
        if _digest(file) != digest:
            raise BrokenSealError(f"{file} is damaged")
    with contextlib.suppress(OSError):  # the next request then compares once more
        _write(target, digests, state)


def write_checked(file: str, data: bytes) -> None:
    """Write bytes after their SHA-256, to a path or URL; for files that are always read whole.

    The file's name counts, too: what lies under another name, as careless hands or a repaired disk
    leave it, may be whole and still speak of other images.

    Raises
    ------
    OSError
        The file cannot be written.

    Examples
    --------
    >>> write_checked("small.bin", b"precious")
    >>> read_checked("small.bin"), read_checked("missing.bin")
    (b'precious', None)
    """
    write_bytes(file, _named_digest(file, data) + data)


def read_checked(file: str) -> bytes | None:
    """What `write_checked` wrote there; None if the file is missing, damaged, or another one."""
    try:
        data = read(file)
    except OSError:
        return None
    digest, content = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    return content if _named_digest(file, content) == digest else None


def _named_digest(file: str, data: bytes) -> bytes:
    name = file.replace(os.sep, "/").rpartition("/")[2]
    return hashlib.sha256(os.fsencode(name) + b"\0" + data).digest()


def _write(target: Path, digests: list[str], state: str) -> None:
    write_bytes(target, json.dumps({"digests": digests, "checked": state}).encode())


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _state(files: Sequence[Path]) -> str:
    """Text that changes with each file's size, times and inode, and with the start of the machine.

    A program may set the time of a file's change back, but not the time of its inode's change.
    """
    parts = [_boot()]
    for file in files:
        status = file.stat()
        parts.append(f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}")
    return ", ".join(parts)


@cache
def _boot() -> str:
    """What Linux calls this run of the machine; "" elsewhere."""
    try:
        return Path(_BOOT_ID).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
