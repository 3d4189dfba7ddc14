"""Places to write to: what can be known of them before the work that fills them."""

import contextlib
import errno
import os
import tempfile
from pathlib import Path

from imgbatch.errors import OutputError, UsageError
from imgbatch.files.names import LONGEST_NAME_BYTES

_LONGEST_PATH_BYTES = 4095
_DEVICES = Path("/dev")


def check_file(target: Path) -> None:
    """Raise `OutputError` for a file that certainly cannot be written; nothing is made.

    A folder or a pipe stands there, a folder on the way is a file or may not be written to, or a
    name is too long.

    Examples
    --------
    >>> check_file(Path("new/sheet.png"))
    >>> check_file(Path("n" * 300 + ".png"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    imgbatch.errors.OutputError: cannot write nnn...: File name too long (choose another place)
    """
    _check(target, is_folder=False)


def check_folder(target: Path) -> None:
    """Raise `OutputError` for a folder into which certainly no file can be written; see above.

    Examples
    --------
    >>> check_folder(Path("new/folder"))
    """
    _check(target, is_folder=True)


def _check(target: Path, *, is_folder: bool) -> None:
    try:
        place = resolved(target)
        if not is_folder:
            refuse_other_than_file(place)
        existing = nearest_folder(place if is_folder else place.parent)
        with tempfile.TemporaryFile(dir=existing):  # on Linux a file that never has a name
            pass
    except OSError as error:
        raise not_written(target, error) from None


def nearest_folder(target: Path) -> Path:
    """The target if it exists, else the nearest of its parents that does.

    Raises
    ------
    OSError
        What exists is not a folder, or no folder can have this name.

    Examples
    --------
    >>> nearest_folder(Path("new/folder")) == Path.cwd().resolve()
    True
    """
    place = resolved(target)
    nearest = next(folder for folder in (place, *place.parents) if os.path.lexists(folder))
    if nearest.is_dir():
        return nearest
    if nearest.is_symlink() and not nearest.exists():
        raise OSError(errno.ENOENT, f"the link {nearest} leads nowhere")
    raise NotADirectoryError(errno.ENOTDIR, f"{nearest} is not a folder")


def resolved(target: Path) -> Path:
    """The target with the links and ``..`` on its way resolved; a link at its end stays a link.

    So folders that are made on the way lie where the target does, even if the path leads there
    through ``photos/new/../..``.

    Raises
    ------
    OSError
        No file can have this name, or a link on its way leads nowhere.
    """
    if "\0" in os.fspath(target):
        raise OSError(errno.EINVAL, "its name holds a NUL")
    for parent in target.absolute().parents:
        if parent.is_symlink() and not parent.exists():
            raise OSError(errno.ENOENT, f"the link {parent} leads nowhere")
    place = Path(os.path.realpath(target.parent), target.name)
    longest = max(len(os.fsencode(part)) for part in place.parts)
    if longest > LONGEST_NAME_BYTES or len(os.fsencode(place)) > _LONGEST_PATH_BYTES:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    return place


def refuse_other_than_file(place: Path) -> None:
    """Raise `OSError` if what stands in the place is no file, or one that is write-protected."""
    if place.is_dir():
        raise IsADirectoryError(errno.EISDIR, "a folder stands there")
    if place.exists() and not place.is_file():
        raise OSError(errno.EINVAL, "it is no regular file")
    if place.exists() and not os.access(place, os.W_OK):
        raise PermissionError(errno.EACCES, "it is write-protected")
    if place.parent == _DEVICES:
        raise OSError(errno.EINVAL, f"{_DEVICES} is no place for files")


def refuse_input(option: str, target: str | os.PathLike[str], *read: str | None) -> None:
    """Raise `UsageError` if a target is one of the files that the command reads.

    Examples
    --------
    >>> _ = Path("a.jpg").write_bytes(b"precious")
    >>> refuse_input("-o", "a.jpg", None, "b.jpg")
    >>> refuse_input("-o", "a.jpg", "./a.jpg")
    Traceback (most recent call last):
    imgbatch.errors.UsageError: -o a.jpg is also read (choose another place)
    """
    for file in read:
        with contextlib.suppress(OSError, ValueError):
            if file is not None and os.path.samefile(target, file):
                raise UsageError(f"{option} {target} is also read", "choose another place")


def not_written(target: Path, error: OSError) -> OutputError:
    """The error for a target that cannot be written."""
    return OutputError(f"cannot write {target}: {error.strerror or error}", "choose another place")
