"""Move files by a journal, so that a kill in the middle loses nothing and all can be taken back.

The journal is written before the first file is moved. It lists where each file comes from and
where it goes. A file is moved by giving it its new name, and then taking the old one away: at every
moment it has at least one of them. So what is left to do is seen from the files themselves, and
doing a journal twice does no harm. In the end it lists only what was moved, so that undoing it
touches nothing else. The name of a journal says how far it is: ``pending`` while files are moved,
``undone`` after they were moved back.
"""

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from imgbatch.errors import OutputError, UsageError
from imgbatch.files.atomic import give_free_name, temporary_file
from imgbatch.files.regular import only_regular

_START, _ENDING = "imgbatch-moves-", ".jsonl"
_PENDING, _UNDONE = ".pending", ".undone"
_KIND = "imgbatch moves"
_VERSION = 2
_COPIED_INSTEAD = {errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS}
"""Where a second name cannot be given to a file, it is copied and then removed."""
_COARSE_NS = 2_000_000_000
"""Some file systems keep times to two seconds."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of the files of a journal.

    Attributes
    ----------
    journal
        Where it lies now.
    files
        How many files are in their new place.
    left
        Files that were left where they are, with reasons.
    """

    journal: Path
    files: int
    left: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Move:
    """From where to where; the size and time by which the file is known in its new place."""

    source: str
    target: str
    size: int = -1
    mtime_ns: int = -1

    @classmethod
    def of(cls, source: str, target: str) -> "_Move":
        with contextlib.suppress(OSError):
            status = os.lstat(source)
            return cls(source, target, status.st_size, status.st_mtime_ns)
        return cls(source, target, 0, 0)  # gone: no file is this one

    def back(self) -> "_Move":
        return _Move(self.target, self.source)

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


def move_files(moves: Sequence[tuple[str, str]], directory: Path) -> Moved:
    """Move files to free names, by a new journal in a directory.

    Parameters
    ----------
    moves
        Absolute paths: from, to. Folders on the way are made.
    directory
        Gets the journal.

    Raises
    ------
    OutputError
        The journal cannot be written; no file was moved then.

    Examples
    --------
    >>> _ = Path("a.jpg").write_bytes(b"picture")
    >>> moved = move_files([(os.path.abspath("a.jpg"), os.path.abspath("out/a.jpg"))], Path("out"))
    >>> moved.files, Path("a.jpg").exists(), Path("out/a.jpg").exists()
    (1, False, True)
    >>> undo(moved.journal).files, Path("a.jpg").exists()
    (1, True)
    """
    plan = [_Move.of(*move) for move in moves]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with _written(plan, directory) as temporary:
            journal = _under_free_number(temporary, directory)
    except OSError as error:
        raise OutputError(
            f"no journal can be written to {directory}: {error.strerror or error}; "
            "no file was moved",
            "choose another folder",
        ) from None
    return _finish(journal, plan)


def finish_pending(directory: Path) -> list[Moved]:
    """Finish what a kill interrupted: do every pending journal of a directory."""
    return [_finish(journal, _read(journal)) for journal in pending_journals(directory)]


def pending_journals(directory: Path) -> list[Path]:
    """The journals of a directory that are not done, by name."""
    return sorted(directory.glob(f"{_START}*{_PENDING}{_ENDING}")) if directory.is_dir() else []


def undo(journal: Path) -> Moved:
    """Move all files of a journal back.

    Raises
    ------
    UsageError
        It is no journal, or cannot be read.

    A file whose old place is taken by another one stays where it is.
    """
    moves = [move.back() for move in reversed(_read(journal))]
    moved, left = 0, list[tuple[str, str]]()
    for move in moves:
        try:
            moved += _move(move)
        except OSError as error:
            left.append((move.source, error.strerror or str(error)))
    return Moved(_renamed(journal, _UNDONE) if not left else journal, moved, tuple(left))


def _finish(journal: Path, moves: Sequence[_Move]) -> Moved:
    """Move what is not moved yet; then the journal lists what is in its new place.

    After a kill, a file that cannot leave its old place may be in both; it is listed, too.
    """
    left = list[tuple[str, str]]()
    for move in moves:
        try:
            _move(move)
        except OSError as error:
            left.append((move.source, error.strerror or str(error)))
    moved = len(moves) - len(left)
    if left:
        there = [move for move in moves if move.is_at(move.target)]
        if not there:
            with contextlib.suppress(OSError):
                journal.unlink(missing_ok=True)
            return Moved(journal, 0, tuple(left))
        with contextlib.suppress(OSError), _written(there, journal.parent) as temporary:
            os.replace(temporary, journal)
    return Moved(_renamed(journal, ""), moved, tuple(left))


def _move(move: _Move) -> bool:
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
    if done and (os.path.islink(target) or not _equal(source, target)):
        raise FileExistsError(errno.EEXIST, f"{target} is there already")
    if not done:
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


def _read(journal: Path) -> list[_Move]:
    hint = f"give a file {_START}*{_ENDING} that duplicates --apply has written"
    try:
        lines = journal.read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise UsageError(f"{journal} cannot be read: {error.strerror or error}", hint) from None
    except ValueError:
        raise UsageError(f"{journal} is no journal of moves: it is no ASCII text", hint) from None
    moves = []
    for number, line in enumerate(lines or [""], start=1):
        try:
            row = json.loads(line)
            if number > 1:
                moves.append(_Move(row["from"], row["to"], row["size"], row["mtime_ns"]))
                good = all(map(_is_path, (row["from"], row["to"])))
            else:
                good = row["kind"] == _KIND and row["version"] == _VERSION
        except (ValueError, KeyError, TypeError, RecursionError):
            good = False
        if not good:
            raise UsageError(f"{journal} is no journal of moves: see its line {number}", hint)
    return moves


def _is_path(value: object) -> bool:
    return isinstance(value, str) and os.path.isabs(value) and "\0" not in value


@contextlib.contextmanager
def _written(moves: Iterable[_Move], directory: Path) -> Iterator[Path]:
    """A journal under a temporary name, on disk; it goes away unless it is renamed."""
    lines = [{"kind": _KIND, "version": _VERSION}]
    lines += [
        {"from": move.source, "to": move.target, "size": move.size, "mtime_ns": move.mtime_ns}
        for move in moves
    ]
    with temporary_file(directory) as temporary:
        temporary.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="ascii")
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        yield temporary


def _under_free_number(temporary: Path, directory: Path) -> Path:
    number = 1
    while True:
        names = [f"{_START}{number:03}{state}{_ENDING}" for state in (_PENDING, "", _UNDONE)]
        journal = directory / names[0]
        if not any(os.path.lexists(directory / name) for name in names):
            with contextlib.suppress(FileExistsError):
                give_free_name(temporary, journal)
                return journal
        number += 1


def _renamed(journal: Path, state: str) -> Path:
    """The journal under the name of another state; it stays where it is if that is impossible."""
    stem = journal.name.removesuffix(_ENDING).removesuffix(_PENDING).removesuffix(_UNDONE)
    renamed = journal.with_name(f"{stem}{state}{_ENDING}")
    try:
        os.rename(journal, renamed)
    except OSError:
        return renamed if renamed.exists() else journal
    return renamed
