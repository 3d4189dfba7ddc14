"""Folders and files by name, on this machine or, as URLs, wherever fsspec reads.

A folder is an absolute path or a URL such as ``s3://bucket/photos``; a file in it is named by its
path inside, with ``/`` between the parts.
"""

import contextlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from imgbatch.errors import FolderError, UsageError

_ASKED_AT_ONCE = 16


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


def refuse_url(*given: str | os.PathLike[str] | None) -> None:
    """Raise `UsageError` for a URL where only a cluster's work can use one."""
    for place in given:
        if place is not None and is_url(os.fspath(place)):
            raise UsageError(
                f"{place} is a URL, which takes a cluster to read",
                "add --cluster local, or a scheduler's address",
            )


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
    with only_os_errors():
        data: bytes = system.cat_file(inside)
        return data


def entries(folder: str) -> list[dict[str, Any]]:
    """What lies in a folder given by its URL, as fsspec describes it: name, type, size and more.

    Raises
    ------
    OSError
        It cannot be listed; `NotADirectoryError` where it is a file.
    """
    system, inside = file_system(folder)
    with only_os_errors():
        system.invalidate_cache()
        found: list[dict[str, Any]] = system.ls(inside, detail=True)
    here = inside.rstrip("/")
    if [one["name"].rstrip("/") for one in found if one["type"] == "file"] == [here]:
        raise NotADirectoryError("not a folder")
    return [one for one in found if one["name"].rstrip("/") != here]


def describe(files: list[str]) -> list[dict[str, Any]]:
    """What fsspec tells of each file given by its URL, asked some at a time; {} where nothing."""

    def ask(place: str) -> dict[str, Any]:
        system, inside = file_system(place)
        with contextlib.suppress(OSError), only_os_errors():
            told: dict[str, Any] = system.info(inside)
            return told
        return {}

    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        return list(pool.map(ask, files))


@contextlib.contextmanager
def only_os_errors() -> Iterator[None]:
    """Turn whatever the library behind a file system raises into an `OSError`."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - each has errors of its own
        raise OSError(" ".join(str(error).split()) or type(error).__name__) from None


def file_system(place: str) -> tuple[Any, str]:
    """The fsspec file system of a URL or a local path, and the place in it.

    Raises
    ------
    UsageError
        fsspec, or what it needs for this kind of URL, is not installed; or there is no such kind.
    """
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise UsageError(
            f"{place} cannot be opened without fsspec",
            'install it: pip install "imgbatch[cluster]"',
        ) from None
    try:
        system, inside = url_to_fs(place)
    except (ImportError, ValueError) as error:
        raise UsageError(
            f"{place} cannot be opened: {error}", "install what its kind of storage needs"
        ) from None
    return system, inside
