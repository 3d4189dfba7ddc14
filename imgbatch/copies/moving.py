"""Move one file, so that at every moment it has at least one name."""

import contextlib
import errno
import json
import os
import shutil
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgbatch.files.atomic import (
    TEMPORARY,
    drafts,
    give_free_name,
    remove_drafts,
    temporary_file,
)
from imgbatch.files.regular import only_regular

_COPIED_INSTEAD = {errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS}
"""Where a second name cannot be given to a file, it is copied and then removed."""
_CHECKED_FROM = 3
"""The first version of journals whose rows have checksums."""
_COARSE_NS = 2_000_000_000
"""Some file systems keep times to two seconds."""


@dataclass(frozen=True, slots=True)
class Move:
    """From where to where; the size and time by which the file is known in its new place."""

    source: str
    target: str
    size: int = -1
    mtime_ns: int = -1

    @classmethod
    def of(cls, source: str, target: str) -> "Move":
        """From the place where a file is now."""
        with contextlib.suppress(OSError):
            status = os.lstat(source)
            return cls(source, target, status.st_size, status.st_mtime_ns)
        return cls(source, target, 0, 0)  # gone: no file is this one

    @classmethod
    def listed(cls, row: Mapping[str, Any], version: int) -> "Move":
        """The move of a journal's row; the inverse of `row`.

        Rows of version 1 know no sizes, those of version 2 have no checksum.

        Raises
        ------
        ValueError, KeyError
            It is no such row, or its numbers and paths are not those that were written.
        """
        move = cls(row["from"], row["to"], row.get("size", -1), row.get("mtime_ns", -1))
        numbers = (type(move.size), type(move.mtime_ns))
        if not (_is_path(move.source) and _is_path(move.target)) or numbers != (int, int):
            raise ValueError("it is no move")
        if (version >= _CHECKED_FROM or "crc32" in row) and row["crc32"] != move._checksum():
            raise ValueError("its checksum is another one")
        return move

    def row(self) -> dict[str, str | int]:
        """A row of a journal, with a checksum: a path that was damaged could name another file."""
        return {
            "from": self.source,
            "to": self.target,
            "size": self.size,
            "mtime_ns": self.mtime_ns,
            "crc32": self._checksum(),
        }

    def _checksum(self) -> int:
        fields = [self.source, self.target, self.size, self.mtime_ns]
        return zlib.crc32(json.dumps(fields).encode("ascii"))

    def back(self) -> "Move":
        """The same way in the other direction; its file is whatever lies there."""
        return Move(self.target, self.source)

    def is_at(self, path: str) -> bool:
        """Whether a path is this file, and no other one that has come to the place."""
        if self.size < 0:
            return os.path.lexists(path)
        try:
            status = os.lstat(path)
        except OSError:
            return False
        as_old = abs(status.st_mtime_ns - self.mtime_ns) <= _COARSE_NS
        return status.st_size == self.size and as_old


def _is_path(value: object) -> bool:
    """Whether it is an absolute path that a file can have; JSON knows characters no path holds."""
    if not isinstance(value, str) or not os.path.isabs(value) or "\0" in value:
        return False
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        return False
    return True


def move_one(move: Move) -> bool:
    """Move a file to a free name; whether there was anything to do.

    Both names may be there, or the new one alone, after a kill.
    """
    source, target = move.source, move.target
    there, done = os.path.lexists(source), os.path.lexists(target)
    if not there and not move.is_at(target):
        raise FileNotFoundError(errno.ENOENT, "the file is gone")
    if not there:
        return False
    if os.path.islink(source):
        raise OSError(errno.EINVAL, "it is a link, which would lead elsewhere from another place")
    if done:
        _check_second_name(source, target)
    else:
        _give_second_name(source, target)
    try:
        os.unlink(source)
    except FileNotFoundError:  # another process finishes the same journal
        return False
    except OSError:
        if not done:
            os.unlink(target)  # a file that cannot leave its place must not be in two
        raise
    return True


def _check_second_name(source: str, target: str) -> None:
    """Raise unless the file, or a copy of it, has this name beside its old one."""
    if os.path.islink(target) or not _equal(source, target):
        raise FileExistsError(errno.EEXIST, f"{target} is there already")
    if _one_entry(source, target):
        raise OSError(errno.EINVAL, f"{target} is this very file, by another path to its folder")


def _one_entry(a: str, b: str) -> bool:
    """Whether two paths lead to one name of a file, so that taking one away takes both.

    Folders have two paths by links and by mounts.
    """
    if not os.path.samefile(a, b):
        return False
    (folder_a, name_a), (folder_b, name_b) = os.path.split(a), os.path.split(b)
    one = name_a == name_b and os.path.samefile(folder_a, folder_b)
    return one or os.stat(a).st_nlink < 2


def _give_second_name(source: str, target: str) -> None:
    """Let a file be at another path, too; as a copy where links are impossible."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _COPIED_INSTEAD:
            raise
        _copy(source, Path(target))


def _copy(source: str, target: Path) -> None:
    with temporary_file(target.parent) as temporary:
        with open(source, "rb", opener=only_regular) as reader, temporary.open("wb") as writer:
            shutil.copyfileobj(reader, writer)
            writer.flush()
            os.fsync(writer.fileno())
        shutil.copystat(source, temporary)
        give_free_name(temporary, target)


def _equal(a: str, b: str) -> bool:
    """Whether two names are of one file, or of files of equal bytes."""
    if os.path.samefile(a, b):
        return True
    if os.path.getsize(a) != os.path.getsize(b):
        return False
    with open(a, "rb", opener=only_regular) as one, open(b, "rb", opener=only_regular) as two:
        while block := one.read(1 << 20):
            if block != two.read(1 << 20):
                return False
    return True


def remove_remains(moves: Collection[Move], directory: Path) -> None:
    """Remove what a killed process left of files that it wrote: drafts, and names without bytes.

    Without hard links a draft gets its name in two steps, between which the name has no bytes. Such
    a name is known by the whole file, which is in its other place or still a draft beside it.
    """
    paths = (path for move in moves for path in (move.source, move.target))
    folders = {directory, *map(Path, map(os.path.dirname, paths))}
    for move in moves:
        with contextlib.suppress(OSError):
            _remove_empty(move)
    for folder in folders:
        remove_drafts(folder, TEMPORARY)


def _remove_empty(move: Move) -> None:
    """Remove the one of two names of a file that has no bytes, if the file is not lost with it."""
    there = [path for path in (move.source, move.target) if os.path.lexists(path)]
    empty = [path for path in there if os.path.isfile(path) and not os.lstat(path).st_size]
    if len(empty) != 1 or move.size <= 0:
        return
    whole = any(os.lstat(path).st_size == move.size for path in there)
    if whole or any(move.is_at(str(draft)) for draft in drafts(Path(empty[0]).parent, TEMPORARY)):
        os.unlink(empty[0])
