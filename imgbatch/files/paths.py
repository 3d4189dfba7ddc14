"""Folders and files by name: paths on this machine, or URLs of anything that fsspec reads.

A folder is an absolute path or a URL such as ``s3://bucket/photos``. A file in it is named by its
path inside the folder, with ``/`` between the parts. A "location" is a path or a URL.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from imgbatch.errors import FolderError, UsageError
from imgbatch.files.regular import only_regular

_REQUESTS_AT_ONCE = 16


def is_url(location: str) -> bool:
    """Whether a location is a URL, which fsspec reads.

    Examples
    --------
    >>> is_url("s3://bucket/photos"), is_url("/data/photos")
    (True, False)
    """
    return "://" in location


def absolute(folder: str | os.PathLike[str]) -> str:
    """The folder as an absolute path, or as a URL without a slash at its end.

    Raises
    ------
    FolderError
        The name is empty or holds a NUL.
    UsageError
        `check_url` refuses the URL.

    Examples
    --------
    >>> absolute("/data/photos/../photos/"), absolute("s3://bucket/photos/")
    ('/data/photos', 's3://bucket/photos')
    """
    name = os.fspath(folder)
    if not name:
        raise FolderError("no folder was given", "give the folder that holds the images")
    if "\0" in name:
        raise FolderError("the folder's name holds a NUL", "no folder has such a name")
    check_url(name)
    return name.rstrip("/") if is_url(name) else os.path.abspath(name)


def real(folder: str) -> str:
    """The one name of a folder: a path with its links resolved; a URL as it is."""
    return folder if is_url(folder) else os.path.realpath(folder)


def check_url(location: str) -> None:
    """Raise `UsageError` for a URL that holds a password or is a chain of URLs; paths pass.

    Examples
    --------
    >>> check_url("sftp://me@host/photos")
    >>> check_url("sftp://me:secret@host/photos")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    imgbatch.errors.UsageError: a sftp:// URL holds a password, which would be stored and shown ...
    """
    if not is_url(location):
        return
    _refuse_password(location)
    if "::" in location:
        raise UsageError(f"{location} is a chain of URLs", "give a single one, without '::'")


def _refuse_password(url: str) -> None:
    """Raise if a URL holds a password, which would be kept and shown in many places."""
    scheme, _, rest = url.partition("://")
    if ":" in rest.split("/", 1)[0].rpartition("@")[0]:
        raise UsageError(
            f"a {scheme}:// URL holds a password, which would be stored and shown",
            "leave it out, and give it in fsspec's configuration or its environment variables",
        )


def refuse_url(*locations: str | os.PathLike[str] | None) -> None:
    """Raise `UsageError` for a URL, where a command reads only this machine's files."""
    for location in locations:
        if location is not None and is_url(os.fspath(location)):
            check_url(os.fspath(location))
            raise UsageError(
                f"{location} is a URL, which takes a cluster to read",
                "index, similar, different, batches, evaluate and export read one with "
                "`cluster=local`, or a scheduler's address; for the others copy the images here",
            )


def join(folder: str, path: str) -> str:
    """The full name of a path inside a folder.

    Examples
    --------
    >>> join("/data/photos", "sea/1.jpg"), join("s3://bucket/photos", "sea/1.jpg")
    ('/data/photos/sea/1.jpg', 's3://bucket/photos/sea/1.jpg')
    """
    return f"{folder}/{path}" if is_url(folder) else os.path.join(folder, *path.split("/"))


def inside(path: str, folder: str) -> str:
    """The way from a folder to a path, ``/`` between its parts; both as `os.path` writes them.

    To another drive of Windows there is none: the path stays absolute.

    Examples
    --------
    >>> inside("/photos/sea/1.jpg", "/photos"), inside("/more/1.jpg", "/photos")
    ('sea/1.jpg', '../more/1.jpg')
    """
    try:
        path = os.path.relpath(path, folder)
    except ValueError:
        path = os.path.abspath(path)
    return path.replace(os.sep, "/")


def common_folder(folders: Iterable[str]) -> str:
    """The deepest folder that holds all of these.

    Raises
    ------
    UsageError
        There is none: they lie on several drives of Windows.
    """
    folders = list(folders)
    try:
        return os.path.commonpath(folders)
    except ValueError:
        drives = sorted({os.path.splitdrive(folder)[0] for folder in folders})
        raise UsageError(
            f"the images lie on several drives, {', '.join(drives)}", "give those of one drive"
        ) from None


def read(file: str) -> bytes:
    """All bytes of a file, given by its path or URL.

    Raises
    ------
    OSError
        It cannot be read, whatever its file system raises for that; or it is no regular file.
    """
    if not is_url(file):
        with open(file, "rb", opener=only_regular) as reader:
            return reader.read()
    system, inside = file_system(file)
    with only_os_errors():
        data: bytes = system.cat_file(inside)
        return data


def entries(folder: str) -> list[dict[str, Any]]:
    """The files and folders in a folder given by its URL, as fsspec describes them.

    Each is a dictionary with its name, type, size and more.

    Raises
    ------
    OSError
        The folder cannot be listed; `NotADirectoryError` if it is a file.
    """
    system, inside = file_system(folder)
    with only_os_errors():
        system.invalidate_cache()
        listed: list[dict[str, Any]] = system.ls(inside, detail=True)
    folder_name = inside.rstrip("/")
    files = [entry["name"].rstrip("/") for entry in listed if entry["type"] == "file"]
    if files == [folder_name]:
        raise NotADirectoryError("not a folder")
    return [entry for entry in listed if entry["name"].rstrip("/") != folder_name]


def describe(files: list[str]) -> list[dict[str, Any]]:
    """What fsspec says of each file given by its URL; {} if it cannot be asked.

    Several files are asked for at the same time.
    """

    def ask(file: str) -> dict[str, Any]:
        system, inside = file_system(file)
        with contextlib.suppress(OSError), only_os_errors():
            description: dict[str, Any] = system.info(inside)
            return description
        return {}

    with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
        return list(pool.map(ask, files))


@contextlib.contextmanager
def only_os_errors() -> Iterator[None]:
    """Turn whatever the library behind a file system raises into an `OSError`."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - each library has errors of its own
        raise OSError(" ".join(str(error).split()) or type(error).__name__) from None


def file_system(location: str) -> tuple[Any, str]:
    """The fsspec file system of a path or URL, and the name in it.

    fsspec reads ``::`` as a chain of URLs; here ``::`` in a file's name is part of the name.

    Raises
    ------
    UsageError
        fsspec, or what it needs for this kind of URL, is not installed; or it knows no such kind;
        or the URL holds a password.
    """
    try:
        from fsspec.core import url_to_fs
        from fsspec.implementations.local import LocalFileSystem
    except ImportError:
        raise UsageError(
            f"{location} cannot be opened without fsspec",
            'install it: pip install "imgbatch[cluster]"',
        ) from None
    if not is_url(location):
        return LocalFileSystem(), os.path.abspath(location)
    _refuse_password(location)
    before, colons, after = location.partition("::")
    try:
        if not colons:
            return url_to_fs(location)  # type: ignore[no-any-return]
        parent, _, name = before.rpartition("/")
        system, inside = url_to_fs(f"{parent}/")
        return system, f"{inside.rstrip('/')}/{name}::{after}"
    except (ImportError, ValueError) as error:
        raise UsageError(
            f"{location} cannot be opened: {error}", "install what its kind of storage needs"
        ) from None
