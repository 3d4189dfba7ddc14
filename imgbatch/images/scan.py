"""Find the image files of a folder."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgbatch.errors import FolderError
from imgbatch.files import paths
from imgbatch.types import Skipped

EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that may hold a picture: its path inside the folder, bytes and time of change.

    In a folder given by a URL, ``mtime_ns`` is another number that changes when the file does.
    """

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Listed:
    """What one folder holds; ``inside`` is its path in the image folder.

    ``identity`` tells a folder that is met twice, where the file system has such a thing.
    """

    inside: str
    identity: tuple[int, int] | None = None
    files: tuple[FoundFile, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    folders: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


def list_folders(root: str, folders: Sequence[str]) -> list[Listed]:
    """List folders of the image folder, given by their paths inside it ("" is itself).

    Raises
    ------
    FolderError
        The image folder itself is missing, is no folder or may not be read.
    """
    list_one = _list_url if paths.is_url(root) else _list_local
    return [list_one(root, inside) for inside in folders]


def scan(
    folder: str | os.PathLike[str],
    list_all: Callable[[str, Sequence[str]], Iterable[Listed]] = list_folders,
) -> tuple[list[FoundFile], list[Skipped]]:
    """List every file of a folder and its subfolders whose name ends like an image's.

    Hidden files and folders are ignored. Links are followed; a folder that was met already (a
    loop, a second link) is not entered again, and folders come before links to folders, so that a
    file is found under its own name where it has one. Sorted by path.

    Parameters
    ----------
    folder
        A path, or a URL.
    list_all
        Lists some folders, in any order; several machines may do it at once.

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
    files: list[FoundFile] = []
    skipped: list[Skipped] = []
    entered: set[tuple[int, int]] = set()
    waiting: list[str] = [""]
    links: list[str] = []
    while waiting or links:
        wave = waiting or [links.pop(0)]
        waiting = []
        for listed in sorted(list_all(root, wave), key=lambda one: one.inside):
            if listed.identity in entered:
                continue
            if listed.identity is not None:
                entered.add(listed.identity)
            files += listed.files
            skipped += listed.skipped
            waiting += listed.folders
            links += listed.links
    files.sort(key=lambda found: os.fsencode(found.path))
    return files, skipped


def _list_local(root: str, inside: str) -> Listed:
    if not inside:
        check_folder(root)
    place = os.path.join(root, inside)
    try:
        where = os.stat(place)
        with os.scandir(place) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        return _closed(root, inside, error)
    files: list[FoundFile] = []
    skipped: list[Skipped] = []
    folders, links = [], []
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = f"{inside}/{entry.name}" if inside else entry.name
        if entry.is_dir(follow_symlinks=False):
            folders.append(path)
        elif entry.is_symlink() and _leads_to_folder(entry):
            links.append(path)
        elif _looks_like_image(entry.name):
            _add_file(entry, path, files, skipped)
    identity = where.st_dev, where.st_ino
    return Listed(inside, identity, tuple(files), tuple(skipped), tuple(folders), tuple(links))


def _list_url(root: str, inside: str) -> Listed:
    place = paths.join(root, inside) if inside else root
    files, folders, untold = [], [], []
    try:
        entries = paths.entries(place)
    except OSError as error:
        return _closed(root, inside, error)
    for entry in entries:
        name = entry["name"].rstrip("/").rsplit("/", 1)[-1]
        path = f"{inside}/{name}" if inside else name
        if name.startswith("."):
            continue
        if entry["type"] == "directory":
            folders.append(path)
        elif _looks_like_image(name) and entry.get("size") is None:
            untold.append(path)
        elif _looks_like_image(name):
            files.append(FoundFile(path, entry["size"], _stamp(entry)))
    # A web server's listing has names only. Without both answers, a file is read each time.
    told = paths.describe([paths.join(root, path) for path in untold])
    for path, entry in zip(untold, told, strict=True):
        sure = any(entry.get(key) for key in _STAMPS)
        files.append(FoundFile(path, (entry.get("size") or 0) if sure else 0, _stamp(entry)))
    return Listed(inside, None, tuple(files), folders=tuple(folders))


def _closed(root: str, inside: str, error: OSError) -> Listed:
    """A subfolder that cannot be listed is skipped; without the folder itself there is nothing."""
    why = error.strerror or str(error)
    if inside:
        return Listed(inside, skipped=(Skipped(inside, f"folder cannot be read: {why}"),))
    if isinstance(error, FileNotFoundError):
        raise FolderError(f"folder not found: {root}", "check the path") from None
    if isinstance(error, NotADirectoryError):
        raise FolderError(f"not a folder: {root}", "give the folder that holds the images")
    raise FolderError(f"the folder cannot be read: {root}: {why}", "check its permissions")


_STAMPS = (
    "ETag",
    "etag",
    "md5Hash",
    "mtime",
    "LastModified",
    "last_modified",
    "updated",
    "Last-Modified",
    "modified",
    "modify",
    "last_write_time",
    "created",
)


def _stamp(entry: dict[str, Any]) -> int:
    """A number that changes when a remote file does: of its entity tag, or else of its time."""
    said = next((entry[key] for key in _STAMPS if entry.get(key)), "")
    return int.from_bytes(hashlib.blake2b(str(said).encode(), digest_size=7).digest(), "big")


def _looks_like_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in EXTENSIONS


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
