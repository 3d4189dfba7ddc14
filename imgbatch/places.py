"""Folders and files by name, on this machine or, as URLs, wherever fsspec reads.

A folder is an absolute path or a URL such as ``s3://bucket/photos``; a file in it is named by its
path inside, with ``/`` between the parts.
"""

import os
from typing import Any

from imgbatch.errors import FolderError, UsageError


def is_url(place: str) -> bool:
    """Whether a place is read through fsspec."""
    return "://" in place


def absolute(folder: str | os.PathLike[str]) -> str:
    """The folder as an absolute path, or as a URL without a slash at its end.

    Raises
    ------
    FolderError
        The name is empty.
    """
    name = os.fspath(folder)
    if not name:
        raise FolderError("no folder was given", "give the folder that holds the images")
    return name.rstrip("/") if is_url(name) else os.path.abspath(name)


def join(folder: str, path: str) -> str:
    """The full name of a path inside a folder."""
    return f"{folder}/{path}" if is_url(folder) else os.path.join(folder, *path.split("/"))


def read(place: str) -> bytes:
    """All bytes of a file.

    Raises
    ------
    OSError
        It cannot be read, whatever its file system raises for that.
    """
    if not is_url(place):
        with open(place, "rb") as file:
            return file.read()
    system, inside = file_system(place)
    try:
        data: bytes = system.cat_file(inside)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - each file system has errors of its own
        raise OSError(" ".join(str(error).split()) or type(error).__name__) from None
    return data


def file_system(url: str) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the place in it.

    Raises
    ------
    UsageError
        fsspec, or what it needs for this kind of URL, is not installed; or there is no such kind.
    """
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise UsageError(
            f"{url} is a URL, which needs fsspec", 'install it: pip install "imgbatch[cluster]"'
        ) from None
    try:
        system, inside = url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise UsageError(
            f"{url} cannot be opened: {error}", "install what its kind of storage needs"
        ) from None
    return system, inside
