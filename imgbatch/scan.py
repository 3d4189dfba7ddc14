"""Find the image files of a folder."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from imgbatch.errors import FolderError
from imgbatch.types import Skipped

EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that may hold a picture: its path inside the folder, bytes and time of change."""

    path: str
    size: int
    mtime_ns: int


def scan(folder: str | os.PathLike[str]) -> tuple[list[FoundFile], list[Skipped]]:
    """List every file of a folder and its subfolders whose name ends like an image's.

    Hidden files and folders are ignored. Links are followed; a folder that was met already (a
    loop, a second link) is not entered again, and folders come before links to folders, so that a
    file is found under its own name where it has one. Sorted by path.

    Returns
    -------
    files, skipped
        `skipped` holds dangling links and folders that may not be read.

    Raises
    ------
    FolderError
        The folder is missing, is no folder or may not be read.
    """
    root = os.fspath(folder)
    check_folder(root)
    files: list[FoundFile] = []
    skipped: list[Skipped] = []
    entered: set[tuple[int, int]] = set()
    waiting: list[str] = [""]
    links: list[str] = []
    while waiting or links:
        inside = waiting.pop() if waiting else links.pop(0)
        try:
            where = os.stat(os.path.join(root, inside))
            if (where.st_dev, where.st_ino) in entered:
                continue
            entered.add((where.st_dev, where.st_ino))
            with os.scandir(os.path.join(root, inside)) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            if not inside:
                raise FolderError(
                    f"the folder cannot be read: {root}: {error.strerror}", "check its permissions"
                ) from None
            skipped.append(Skipped(inside, f"folder cannot be read: {error.strerror}"))
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            path = f"{inside}/{entry.name}" if inside else entry.name
            if entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            elif entry.is_symlink() and _leads_to_folder(entry):
                links.append(path)
            elif os.path.splitext(entry.name)[1].lower() in EXTENSIONS:
                _add_file(entry, path, files, skipped)
    files.sort(key=lambda found: os.fsencode(found.path))
    return files, skipped


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _add_file(
    entry: os.DirEntry[str], path: str, files: list[FoundFile], skipped: list[Skipped]
) -> None:
    try:
        status = entry.stat()
    except OSError as error:
        what = "dangling link" if entry.is_symlink() else f"cannot be read: {error.strerror}"
        skipped.append(Skipped(path, what))
        return
    if stat.S_ISREG(status.st_mode):
        files.append(FoundFile(path, status.st_size, status.st_mtime_ns))
    else:
        skipped.append(Skipped(path, "not a regular file"))


def check_folder(root: str) -> None:
    """Raise `FolderError` unless a folder stands there."""
    path = Path(root)
    try:
        if path.is_dir():
            return
        exists = path.exists()
    except OSError as error:
        raise FolderError(f"the folder cannot be read: {root}: {error.strerror}") from None
    if exists:
        raise FolderError(f"not a folder: {root}", "give the folder that holds the images")
    raise FolderError(f"folder not found: {root}", "check the path")
