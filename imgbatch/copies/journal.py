"""Move files by a journal, so that a kill in the middle loses nothing and all can be taken back.

The journal is written before the first file is moved. It lists where each file comes from and
where it goes. A file is moved by giving it its new name, and then taking the old one away: at every
moment it has at least one of them. So what is left to do is seen from the files themselves, and
doing a journal twice does no harm. In the end it lists only what was moved, so that undoing it
touches nothing else. The name of a journal says how far it is: ``pending`` while files are moved,
``undone`` after they were moved back. One process at a time works on the journals of a folder: if
one moved a file and another moved it back at the same moment, each would take away the name that
the other relies on.
"""

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgbatch.copies.moving import Move, move_one, remove_remains
from imgbatch.errors import OutputError, UsageError
from imgbatch.files.alone import alone_in
from imgbatch.files.atomic import give_free_name, temporary_file
from imgbatch.files.regular import TooLargeError, read_regular

_START, _ENDING = "imgbatch-moves-", ".jsonl"
_PENDING, _UNDONE = ".pending", ".undone"
_KIND = "imgbatch moves"
_VERSION = 3
_MOST_BYTES = 1 << 30
_HINT = f"give a file {_START}*{_ENDING} that duplicates --apply has written"


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


def move_files(
    moves: Sequence[tuple[str, str]], directory: Path, folder: Path | None = None
) -> Moved:
    """Move files to free names, by a new journal in a directory.

    Parameters
    ----------
    moves
        Absolute paths: from, to. Folders on the way are made.
    directory
        Gets the journal.
    folder
        That of the images; nobody else moves files of it to another directory meanwhile.

    Raises
    ------
    OutputError
        The journal cannot be written, or another process moves files to or from the directory; no
        file was moved then.

    Examples
    --------
    >>> _ = Path("a.jpg").write_bytes(b"picture")
    >>> moved = move_files([(os.path.abspath("a.jpg"), os.path.abspath("out/a.jpg"))], Path("out"))
    >>> moved.files, Path("a.jpg").exists(), Path("out/a.jpg").exists()
    (1, False, True)
    >>> undo(moved.journal).files, Path("a.jpg").exists()
    (1, True)
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _no_journal(directory, error) from None
    with _alone(directory, folder):
        plan = [Move.of(*move) for move in moves]
        try:
            with _written(plan, directory) as temporary:
                journal = _under_free_number(temporary, directory)
        except OSError as error:
            raise _no_journal(directory, error) from None
        return _finish(journal, plan)


def _no_journal(directory: Path, error: OSError) -> OutputError:
    return OutputError(
        f"no journal can be written to {directory}: {error.strerror or error}; no file was moved",
        "choose another folder",
    )


def finish_pending(directory: Path, folder: Path | None = None) -> list[Moved]:
    """Finish what a kill interrupted: do every pending journal of a directory.

    Raises
    ------
    OutputError
        Another process moves files to or from the directory.
    """
    if not directory.is_dir():
        return []
    with _alone(directory, folder):
        _tidy(directory)
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
    OutputError
        Another process moves files to or from the journal's folder.

    A file whose old place is taken by another one stays where it is.
    """
    with _alone(journal.parent):
        listed = _read(journal)
        _tidy(journal.parent, listed)
        moved, left = 0, list[tuple[str, str]]()
        for move in reversed(listed):
            try:
                moved += move_one(move.back())
            except OSError as error:
                left.append((move.target, error.strerror or str(error)))
        return Moved(_renamed(journal, _UNDONE) if not left else journal, moved, tuple(left))


@contextlib.contextmanager
def _alone(*folders: Path | None) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for folder in folders:
            if folder is None:
                continue
            try:
                stack.enter_context(alone_in(folder))
            except BlockingIOError:
                raise OutputError(
                    f"another command moves files to or from {folder} at this moment",
                    "wait until it has ended, then run this again",
                ) from None
        yield


def _tidy(directory: Path, listed: Iterable[Move] = ()) -> None:
    """Remove what killed processes left, which may have moved files back by a finished journal.

    Of all journals at once, and of moves that are `listed`: what one journal takes for a draft
    shows another which of its names has no bytes yet.
    """
    moves = set(listed)
    for journal in directory.glob(f"{_START}*{_ENDING}"):
        if _is_unwritten(journal):
            with contextlib.suppress(OSError):
                journal.unlink()
            continue
        with contextlib.suppress(UsageError):  # told where it is needed
            moves.update(_read(journal))
    remove_remains(moves, directory)


def _is_unwritten(journal: Path) -> bool:
    """Whether its writer was killed as it gave the journal its name, before the first move."""
    pending = journal.name.endswith(f"{_PENDING}{_ENDING}")
    return pending and journal.is_file() and not journal.stat().st_size


def _finish(journal: Path, moves: Sequence[Move]) -> Moved:
    """Move what is not moved yet; then the journal lists what is in its new place.

    After a kill, a file that cannot leave its old place may be in both; it is listed, too.
    """
    left = list[tuple[str, str]]()
    for move in moves:
        try:
            move_one(move)
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


def _read(journal: Path) -> list[Move]:
    """The moves of a journal."""
    if _is_unwritten(journal):
        return []
    lines = _lines(journal)
    moves, version = list[Move](), 0
    try:
        version = _version(journal, json.loads(lines[0] if lines else ""))
        for line in lines[1:]:
            moves.append(Move.listed(json.loads(line), version))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        number = len(moves) + 2 if version else 1
        raise UsageError(
            f"{journal} is no journal of moves, or is damaged: see its line {number}; "
            "no file was moved",
            _HINT if number == 1 else "take the line out, and move the file that it names by hand",
        ) from None
    return moves


def _lines(journal: Path) -> list[str]:
    try:
        return read_regular(journal, _MOST_BYTES)[0].decode("ascii").splitlines()
    except (OSError, TooLargeError) as error:
        reason = getattr(error, "strerror", None) or f"it has {error}"
        raise UsageError(f"{journal} cannot be read: {reason}", _HINT) from None
    except UnicodeDecodeError:
        raise UsageError(f"{journal} is no journal of moves: it is no ASCII text", _HINT) from None
    except ValueError as error:
        raise UsageError(f"{journal} cannot be read: {error}", _HINT) from None


def _version(journal: Path, header: Any) -> int:
    """That of a journal's first row; `ValueError` and others if it is none."""
    version = header["version"]
    if header["kind"] != _KIND or type(version) is not int:
        raise ValueError("it is no journal")
    if version > _VERSION:
        raise UsageError(
            f"{journal} is of version {version}, and {_VERSION} is known",
            "use the imgbatch that wrote it",
        )
    return version


@contextlib.contextmanager
def _written(moves: Iterable[Move], directory: Path) -> Iterator[Path]:
    """A journal under a temporary name, on disk; it goes away unless it is renamed."""
    lines = [{"kind": _KIND, "version": _VERSION}, *(move.row() for move in moves)]
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
