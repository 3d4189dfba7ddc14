"""Write files so that no reader ever sees half of one and nothing of the user's is overwritten."""

import contextlib
import math
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Container, Iterator, Sequence
from pathlib import Path

from imgbatch.errors import OutputError, UsageError
from imgbatch.files.paths import file_system, is_url, lies_inside, only_os_errors, read


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A temporary path beside the target that becomes the target if nothing goes wrong.

    Raises
    ------
    OutputError
        The place cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=".imgbatch-", suffix=target.suffix, dir=target.parent
        )
        os.close(handle)
    except OSError as error:
        raise _not_written(target, error) from None
    temporary = Path(name)
    try:
        yield temporary
        _give_usual_permissions(temporary)
        temporary.replace(target)
    except OSError as error:
        raise _not_written(target, error) from None
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(target: Path, ours: Callable[[Path], Container[str]]) -> Iterator[Path]:
    """An empty temporary folder beside the target that becomes the target if nothing goes wrong.

    A folder that stands there is replaced only if it holds nothing but files whose names `ours`
    gives for it, and only once the new one is complete.

    Raises
    ------
    OutputError
        The place holds something else, or cannot be written.
    """
    try:
        _refuse_other_files(target, ours)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".imgbatch-", dir=target.parent))
    except OSError as error:
        raise _not_written(target, error) from None
    made, old = temporary / "made", temporary / "old"
    try:
        made.mkdir()
        yield made
        _refuse_other_files(target, ours)  # again, as making it may have taken hours
        if target.exists():
            target.rename(old)
        made.rename(target)
    except OSError as error:
        raise _not_written(target, error) from None
    finally:
        if os.path.lexists(old) and not target.exists():  # stopped between the two renames
            old.rename(target)
        shutil.rmtree(temporary, ignore_errors=True)


def _refuse_other_files(target: Path, ours: Callable[[Path], Container[str]]) -> None:
    if not target.exists():
        return
    names = ours(target)
    if not target.is_dir() or any(
        one.name not in names or one.is_dir() for one in target.iterdir()
    ):
        raise OutputError(
            f"{target} exists and holds other files; it will not be replaced",
            "choose another folder with -o",
        )


@contextlib.contextmanager
def publishing(place: Path, kept: int) -> Iterator[Path]:
    """An empty temporary directory that becomes `place`; of its neighbours the newest are kept.

    No reader ever sees half of it. Raises `OSError`, also where another process was faster.
    """
    place.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, ignore_cleanup_errors=True) as temporary:
        made = Path(temporary) / place.name
        made.mkdir()
        yield made
        made.rename(place)
    neighbours = sorted(place.parent.iterdir(), key=_age_of)
    for old in neighbours[kept:]:
        shutil.rmtree(old, ignore_errors=True)


def _age_of(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except FileNotFoundError:  # removed by another process meanwhile
        return math.inf


def _not_written(target: Path, error: OSError) -> OutputError:
    return OutputError(f"cannot write {target}: {error.strerror or error}", "choose another place")


def _give_usual_permissions(path: Path) -> None:
    """Mkstemp makes files for the owner only; others may read what any program writes."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)


def refuse_inside(target: Path, folder: str, option: str) -> None:
    """Raise if the target lies in the image folder, which is never written to."""
    if is_inside(target, folder):
        raise UsageError(
            f"{option} {target} lies inside the image folder {folder}, which is never written to",
            "choose a place outside it",
        )


def is_inside(target: Path, folder: str) -> bool:
    """Whether the target, links resolved, lies in the folder."""
    return lies_inside(str(target), folder)


def hand_out(sources: Sequence[str], directory: Path, *, link: bool) -> list[Path]:
    """Copy or link files into a directory, as ``01-name.jpg``, ``02-name.jpg``, ...

    An existing file is never overwritten: the new one's name gets a number instead.

    Raises
    ------
    OutputError
        The directory or a file cannot be written, or a source is gone.
    """
    digits = max(2, len(str(len(sources))))
    made = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for rank, source in enumerate(sources, start=1):
            name = Path(source)
            wanted = directory / _fitting(f"{rank:0{digits}}-", name)
            made.append(_place(source, wanted, link=link))
    except OSError as error:
        what = "link" if link else "copy"
        raise OutputError(
            f"cannot {what} into {directory}: {error.strerror or error}",
            "choose another folder, or use --copy-to" if link else "choose another folder",
        ) from None
    return made


def _fitting(prefix: str, name: Path) -> str:
    """The prefixed name, shortened where file systems' 255 bytes would not hold it."""
    room = 255 - len(os.fsencode(prefix + name.suffix)) - 8  # and a number, if it is taken
    return prefix + os.fsdecode(os.fsencode(name.stem)[: max(room, 1)]) + name.suffix


def _place(source: str, wanted: Path, *, link: bool) -> Path:
    number, target = 1, wanted
    data = read(source) if is_url(source) and not link else b""
    while True:
        try:
            if link:
                target.symlink_to(Path(source).absolute())
            elif is_url(source):
                with open(target, "xb") as writer:
                    writer.write(data)
            else:
                with open(source, "rb") as reader, open(target, "xb") as writer:
                    shutil.copyfileobj(reader, writer)
                shutil.copystat(source, target)
        except FileExistsError:
            number += 1
            target = wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
        else:
            return target


TEMPORARY = ".tmp"
"""How the names of files end that `write_bytes` has not finished."""


def write_bytes(target: str, data: bytes) -> None:
    """Write a file, given by its path or URL, so that no reader sees half of it.

    Object stores show a file only when it is whole; on this machine a finished file is renamed.

    Raises
    ------
    OSError
        It cannot be written.
    """
    if is_url(target):
        system, inside = file_system(target)
        with only_os_errors():
            system.makedirs(os.path.dirname(inside), exist_ok=True)
            system.pipe_file(inside, data)
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    temporary = Path(f"{target}.{uuid.uuid4().hex}{TEMPORARY}")
    try:
        temporary.write_bytes(data)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


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
