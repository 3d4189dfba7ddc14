"""Write files and folders so that no reader ever sees half of one.

What is new is made under a temporary name in the same folder and then renamed, which a file system
does in one step.
"""

import contextlib
import math
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path

from imgbatch.errors import OutputError
from imgbatch.files.paths import file_system, is_url, only_os_errors
from imgbatch.files.targets import nearest_folder, not_written, refuse_other_than_file, resolved

TEMPORARY = ".tmp"
"""The end of the name of a file that `write_bytes` has not finished."""
_PREFIX = ".imgbatch-"


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A temporary path beside the target that becomes the target if the block succeeds.

    Missing parent folders are made. A block that fails leaves the former target as it was.

    Raises
    ------
    OutputError
        The target cannot be written.

    Examples
    --------
    >>> with replacing(Path("report.txt")) as temporary:
    ...     _ = temporary.write_text("complete")
    >>> Path("report.txt").read_text()
    'complete'
    """
    try:
        place = resolved(target)
        refuse_other_than_file(place)
        nearest_folder(place.parent)
        with _renamed_to(place, target.suffix) as temporary:
            yield temporary
    except OSError as error:
        raise not_written(target, error) from None


def write_bytes(target: str | os.PathLike[str], data: bytes) -> None:
    """Write a file, given by its path or URL, in one step; missing parent folders are made.

    Object stores show a file only when it is complete. On this machine, a process that is killed
    may leave a file whose name ends in `TEMPORARY`.

    Raises
    ------
    OSError
        The file cannot be written.

    Examples
    --------
    >>> write_bytes("made/data.bin", b"complete")
    >>> Path("made/data.bin").read_bytes()
    b'complete'
    """
    location = os.fspath(target)
    if not is_url(location):
        with _renamed_to(Path(location), TEMPORARY) as temporary:
            temporary.write_bytes(data)
        return
    system, inside = file_system(location)
    with only_os_errors():
        system.makedirs(os.path.dirname(inside), exist_ok=True)
        system.pipe_file(inside, data)


def move_file(finished: Path, target: str) -> None:
    """Move a finished local file to a path on the same file system, or upload it to a URL.

    Raises
    ------
    OSError
        The target cannot be written.
    """
    if not is_url(target):
        finished.replace(target)
        return
    system, inside = file_system(target)
    with only_os_errors():
        system.makedirs(os.path.dirname(inside), exist_ok=True)
        system.put_file(str(finished), inside)


@contextlib.contextmanager
def _renamed_to(target: Path, suffix: str) -> Iterator[Path]:
    target.parent.mkdir(parents=True, exist_ok=True)
    with temporary_file(target.parent, suffix) as temporary:
        yield temporary
        temporary.replace(target)


@contextlib.contextmanager
def temporary_file(folder: Path, suffix: str = TEMPORARY) -> Iterator[Path]:
    """An empty new file in a folder; the block may give it another name, else it is removed.

    Raises
    ------
    OSError
        It cannot be made.

    Examples
    --------
    >>> with temporary_file(Path.cwd()) as temporary:
    ...     temporary.exists()
    True
    >>> temporary.exists()
    False
    """
    temporary = folder / f"{_PREFIX}{uuid.uuid4().hex}{suffix}"
    try:
        temporary.touch(exist_ok=False)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def remove_drafts(folder: Path, suffix: str = "") -> None:
    """Remove temporary files that killed processes left in a folder that nobody else writes to.

    Only those whose name ends so, of several kinds.

    Examples
    --------
    >>> _ = Path(".imgbatch-of-a-killed-run.csv").write_text("half a row")
    >>> remove_drafts(Path.cwd())
    >>> Path(".imgbatch-of-a-killed-run.csv").exists()
    False
    """
    for draft in drafts(folder, suffix):
        draft.unlink(missing_ok=True)


def drafts(folder: Path, suffix: str = "") -> list[Path]:
    """The temporary files of a folder whose name ends so; those of `temporary_file` are among them.

    Examples
    --------
    >>> with temporary_file(Path.cwd()) as temporary:
    ...     drafts(Path.cwd()) == [temporary]
    True
    """
    return [draft for draft in folder.glob(f"{_PREFIX}*{suffix}") if draft.is_file()]


def give_free_name(temporary: Path, target: Path) -> None:
    """Let a finished file appear under another name in its folder, unless that name is taken.

    Raises
    ------
    FileExistsError
        There is such a file, folder or link; nothing has changed.
    OSError
        The name cannot be given.

    Examples
    --------
    >>> _ = Path("made.tmp").write_bytes(b"complete")
    >>> give_free_name(Path("made.tmp"), Path("made"))
    >>> Path("made").read_bytes()
    b'complete'
    """
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links, say a memory card
        target.touch(exist_ok=False)
        try:
            temporary.replace(target)
        except BaseException:
            target.unlink()
            raise


@contextlib.contextmanager
def replacing_folder(
    target: Path, written_names: Callable[[Path], Container[str]]
) -> Iterator[Path]:
    """An empty temporary folder beside the target that becomes the target if the block succeeds.

    An existing target is replaced only if every entry in it is a file whose name is among
    ``written_names(target)``, and only once the new folder is complete.

    Raises
    ------
    OutputError
        The target holds other files, or cannot be written.

    Examples
    --------
    >>> with replacing_folder(Path("plan"), lambda existing: {"a.txt"}) as folder:
    ...     _ = (folder / "a.txt").write_text("complete")
    >>> [path.name for path in Path("plan").iterdir()]
    ['a.txt']
    """
    given = target
    try:
        target = resolved(given)
        refuse_other_files(target, written_names)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=target.parent))
    except OSError as error:
        raise not_written(given, error) from None
    new, former = temporary / "new", temporary / "former"
    try:
        new.mkdir()
        yield new
        refuse_other_files(target, written_names)  # again, as the block may have taken hours
        if target.exists():
            target.rename(former)
        new.rename(target)
    except OSError as error:
        raise not_written(given, error) from None
    finally:
        if os.path.lexists(former) and not target.exists():  # stopped between the two renames
            former.rename(target)
        shutil.rmtree(temporary, ignore_errors=True)


def refuse_other_files(target: Path, written_names: Callable[[Path], Container[str]]) -> None:
    """Raise `OutputError` for a folder that `replacing_folder` would not replace."""
    if not target.exists():
        return
    names = written_names(target)
    if not target.is_dir() or any(
        entry.name not in names or entry.is_dir() for entry in target.iterdir()
    ):
        raise OutputError(
            f"{target} exists and holds other files; it will not be replaced",
            "choose another folder with -o",
        )


@contextlib.contextmanager
def publishing(directory: Path, kept: int) -> Iterator[Path]:
    """An empty temporary directory that becomes `directory` if the block succeeds.

    Of `directory` and its neighbours, the `kept` newest stay and the others are removed. Raises
    `OSError` if it cannot be written or another process published it first.

    Examples
    --------
    >>> with publishing(Path("spaces/a1"), kept=4) as temporary:
    ...     _ = (temporary / "points").write_text("complete")
    >>> Path("spaces/a1/points").read_text()
    'complete'
    """
    if directory.parent.is_file():  # by accident, as only folders are published here
        directory.parent.unlink()
    directory.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent, ignore_cleanup_errors=True) as temporary:
        new = Path(temporary) / directory.name
        new.mkdir()
        yield new
        new.rename(directory)
    keep_newest(directory.parent.iterdir(), kept)


def keep_newest(places: Iterable[Path], kept: int) -> None:
    """Remove all but the newest few of some files or folders; what cannot be removed stays.

    >>> for name in ("old", "new"):
    ...     _ = Path(name).write_text(name)
    >>> os.utime("old", (0, 0))
    >>> keep_newest([Path("old"), Path("new")], kept=1)
    >>> Path("old").exists(), Path("new").exists()
    (False, True)
    """
    for old in newest_first(places)[kept:]:
        remove(old)


def newest_first(places: Iterable[Path]) -> list[Path]:
    """Files or folders by the time of their last change; those that are gone are the last."""
    return sorted(places, key=_age_key)


def remove(target: Path) -> None:
    """Remove a folder with all in it, or a file that stands in a folder's place, if there is one.

    Examples
    --------
    >>> Path("spaces").mkdir()
    >>> remove(Path("spaces"))
    >>> Path("spaces").exists()
    False
    """
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            target.unlink()


def _age_key(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except FileNotFoundError:  # another process has removed it
        return math.inf
