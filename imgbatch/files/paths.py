"""Folders and files by name, on this machine or, as URLs, wherever fsspec reads.

A folder is an absolute path or a URL such as ``s3://bucket/photos``; a file in it is named by its
path inside, with ``/`` between the parts.
"""

import contextlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
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
    UsageError
        The URL is one that `check_url` refuses.
    """
    name = os.fspath(folder)
    if not name:
        raise FolderError("no folder was given", "give the folder that holds the images")
    check_url(name)
    return name.rstrip("/") if is_url(name) else os.path.abspath(name)


def real(folder: str) -> str:
    """The one name of a folder: a path with its links resolved; a URL is left as it is."""
    return folder if is_url(folder) else os.path.realpath(folder)


def check_url(place: str) -> None:
    """Raise `UsageError` for a URL with a password or a chain of several; a path may be any."""
    if not is_url(place):
        return
    _refuse_password(place)
    if "::" in place:
        raise UsageError(f"{place} is a chain of URLs", "give a single one, without '::'")


def _refuse_password(url: str) -> None:
    """Raise if a URL holds a password, which would be kept and shown in many places."""
    kind, _, rest = url.partition("://")
    if ":" in rest.split("/", 1)[0].rpartition("@")[0]:
        raise UsageError(
            f"a {kind}:// URL holds a password, which would be stored and shown",
            "leave it out, and give it in fsspec's configuration or its environment variables",
        )


def refuse_url(*given: str | os.PathLike[str] | None) -> None:
    """Raise `UsageError` for a URL where only a cluster's work can use one."""
    for place in given:
        if place is not None and is_url(os.fspath(place)):
            check_url(os.fspath(place))
            raise UsageError(
                f"{place} is a URL, which takes a cluster to read",
                "index, similar, different, batches and evaluate read one with --cluster local, "
                "or a scheduler's address; for the others copy the images here",
            )


def lies_inside(place: str, folder: str) -> bool:
    """Whether a place, its links resolved if it is on this machine, is a folder or lies in it."""
    here, there = _on_this_machine(place), _on_this_machine(folder)
    if here is None or there is None:
        return f"{place.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/")
    return Path(here).resolve().is_relative_to(Path(there).resolve())


def _on_this_machine(place: str) -> str | None:
    """The path of a place, which may be given as a ``file://`` URL; None of any other URL."""
    kind, mark, path = place.partition("://")
    if not mark:
        return place
    return path if kind in ("file", "local") else None


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

    fsspec reads ``::`` as a chain of URLs; in a name it stands for itself here.

    Raises
    ------
    UsageError
        fsspec, or what it needs for this kind of URL, is not installed; or there is no such kind;
        or the URL holds a password.
    """
    try:
        from fsspec.core import url_to_fs
        from fsspec.implementations.local import LocalFileSystem
    except ImportError:
        raise UsageError(
            f"{place} cannot be opened without fsspec",
            'install it: pip install "imgbatch[cluster]"',
        ) from None
    if not is_url(place):
        return LocalFileSystem(), os.path.abspath(place)
    _refuse_password(place)
    before, chain, after = place.partition("::")
    try:
        if not chain:
            return url_to_fs(place)  # type: ignore[no-any-return]
        above, _, name = before.rpartition("/")
        system, inside = url_to_fs(f"{above}/")
        return system, f"{inside.rstrip('/')}/{name}::{after}"
    except (ImportError, ValueError) as error:
        raise UsageError(
            f"{place} cannot be opened: {error}", "install what its kind of storage needs"
        ) from None
