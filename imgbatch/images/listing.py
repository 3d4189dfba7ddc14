"""The image files and subfolders of one folder, on this machine or behind a URL."""

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imgbatch.errors import FolderError
from imgbatch.files import paths
from imgbatch.images.formats import ending_of, may_be_image
from imgbatch.types import Skipped

NOT_THERE = "there is no such file"
"""The reason why a file that was named cannot be used."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that may hold a picture.

    Attributes
    ----------
    path
        Path inside the image folder, with ``/`` between its parts.
    size
        Bytes.
    mtime_ns
        Time of the last change in nanoseconds. For a file behind a URL, a digest of its entity tag
        or time: another number that changes when the file does.
    ctime_ns
        Time at which the inode changed, which no program can set back: renaming a file changes it,
        too. 0 for a file behind a URL.
    """

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """What one folder holds; hidden files and folders are left out.

    Attributes
    ----------
    inside
        The folder's path inside the image folder; "" for the image folder itself.
    identity
        Device and inode, which tell whether two paths lead to the same folder; None behind a URL.
    files
        Files whose name ends like an image's, or has no ending.
    skipped
        Files and folders that cannot be read, and links that lead nowhere.
    folders, links
        Paths of subfolders, and of links to folders.
    ignored
        Numbers of other files by ending.
    """

    inside: str
    identity: tuple[int, int] | None = None
    files: tuple[FoundFile, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    folders: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    ignored: Mapping[str, int] = field(default_factory=dict)


def list_folders(root: str, folders: Sequence[str]) -> list[Listed]:
    """List folders of an image folder.

    Parameters
    ----------
    root
        The image folder: a path, or a URL.
    folders
        Paths inside the image folder; "" is the image folder itself.

    Raises
    ------
    FolderError
        The image folder itself is missing, is not a folder or may not be read.
    """
    list_folder = _list_url if paths.is_url(root) else _list_local
    return [list_folder(root, inside) for inside in folders]


def check_folder(root: str) -> None:
    """Raise `FolderError` unless `root` is a folder on this machine."""
    try:
        if not stat.S_ISDIR(os.stat(root).st_mode):
            raise NotADirectoryError
    except OSError as error:
        raise _folder_error(root, error) from None
    except ValueError:  # a null character, which no name has
        raise _folder_error(root, FileNotFoundError()) from None


def _list_local(root: str, inside: str) -> Listed:
    if not inside:
        check_folder(root)
    directory = os.path.join(root, inside)
    try:
        status = os.stat(directory)
        with os.scandir(directory) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        return _unlisted(root, inside, error)
    files: list[FoundFile] = []
    skipped: list[Skipped] = []
    folders, links, ignored = [], [], Counter[str]()
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = f"{inside}/{entry.name}" if inside else entry.name
        if entry.is_dir(follow_symlinks=False):
            folders.append(path)
        elif entry.is_symlink() and _leads_to_folder(entry):
            links.append(path)
        elif may_be_image(ending := ending_of(entry.name)) and (ending or _is_file(entry)):
            _add_file(entry, path, files, skipped)
        else:
            ignored[ending] += 1
    identity = status.st_dev, status.st_ino
    found = tuple(files), tuple(skipped), tuple(folders), tuple(links)
    return Listed(inside, identity, *found, ignored)


def _list_url(root: str, inside: str) -> Listed:
    try:
        entries = paths.entries(paths.join(root, inside) if inside else root)
    except OSError as error:
        return _unlisted(root, inside, error)
    files, folders, names_only, ignored = [], [], [], Counter[str]()
    for entry in entries:
        name = entry["name"].rstrip("/").rsplit("/", 1)[-1]
        path = f"{inside}/{name}" if inside else name
        if name.startswith("."):
            continue
        if entry["type"] == "directory":
            folders.append(path)
        elif not may_be_image(ending := ending_of(name)):
            ignored[ending] += 1
        elif entry.get("size") is None:
            names_only.append(path)
        else:
            files.append(FoundFile(path, entry["size"], _stamp(entry)))
    # A web server lists names only, so each file is asked for. Without a size and a stamp it gets
    # size 0, which no readable file has: it is then read each time.
    details = paths.describe([paths.join(root, path) for path in names_only])
    for path, entry in zip(names_only, details, strict=True):
        size = (entry.get("size") or 0) if any(map(entry.get, _STAMPS)) else 0
        files.append(FoundFile(path, size, _stamp(entry)))
    return Listed(inside, None, tuple(files), folders=tuple(folders), ignored=ignored)


def _unlisted(root: str, inside: str, error: OSError) -> Listed:
    """A subfolder that cannot be listed is skipped; for the image folder itself, raise."""
    if not inside:
        raise _folder_error(root, error) from None
    reason = f"folder cannot be read: {error.strerror or error}"
    return Listed(inside, skipped=(Skipped(inside, reason),))


def _folder_error(root: str, error: OSError) -> FolderError:
    if isinstance(error, FileNotFoundError):
        return FolderError(f"folder not found: {root}", "check the path")
    if isinstance(error, NotADirectoryError):
        return FolderError(f"not a folder: {root}", "give the folder that holds the images")
    reason = error.strerror or str(error)
    return FolderError(f"the folder cannot be read: {root}: {reason}", "check its permissions")


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
"""What file systems call a file's entity tag or time of change, the surest first."""


def _stamp(entry: dict[str, Any]) -> int:
    """A number that changes when a remote file does: of its entity tag, or else of its time."""
    stamp = next((entry[key] for key in _STAMPS if entry.get(key)), "")
    return int.from_bytes(hashlib.blake2b(str(stamp).encode(), digest_size=7).digest(), "big")


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file, or a link to one; nobody said that it is an image."""
    try:
        return entry.is_file()
    except OSError:  # a link into a folder that may not be read
        return False


def _add_file(
    entry: os.DirEntry[str], path: str, files: list[FoundFile], skipped: list[Skipped]
) -> None:
    try:
        status = entry.stat()
    except OSError as error:
        reason = "dangling link" if entry.is_symlink() else f"cannot be read: {error.strerror}"
        skipped.append(Skipped(path, reason))
        return
    _add_regular(path, status, files, skipped)


def _add_regular(
    path: str, status: os.stat_result, files: list[FoundFile], skipped: list[Skipped]
) -> None:
    if stat.S_ISREG(status.st_mode):
        times = status.st_mtime_ns, status.st_ctime_ns
        files.append(FoundFile(path, status.st_size, *times))
    else:
        skipped.append(Skipped(path, "not a regular file"))


def list_files(root: str, inside: Sequence[str]) -> Listed:
    """What some files of a folder on this machine are, given by their paths inside it.

    Names that lead to no file are among those skipped.
    """
    files: list[FoundFile] = []
    skipped: list[Skipped] = []
    for path in inside:
        try:
            status = os.stat(paths.join(root, path))
        except FileNotFoundError:
            skipped.append(Skipped(path, NOT_THERE))
        except OSError as error:
            skipped.append(Skipped(path, f"cannot be read: {error.strerror}"))
        else:
            _add_regular(path, status, files, skipped)
    return Listed("", files=tuple(files), skipped=tuple(skipped))
