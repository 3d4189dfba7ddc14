"""FOLDER ``-``: the files that standard input lists, in place of a folder."""

import sys
from collections.abc import Iterable
from typing import Any

from imgbatch.errors import UsageError

STANDARD_INPUT = "-"


class ListedFolder(str):
    """The folder that holds the listed files; whatever is asked of a folder can be asked of it.

    Attributes
    ----------
    files
        The names as they were read.
    """

    __slots__ = ("files",)
    files: tuple[str, ...]

    @classmethod
    def of(cls, files: Iterable[str]) -> "ListedFolder":
        """The deepest folder that holds all files."""
        from imgbatch.files.listed import ListedFiles

        names = tuple(files)
        folder = cls(ListedFiles.of(names).folder)
        folder.files = names
        return folder


def read_folder(options: dict[str, Any]) -> None:
    """Put the files of standard input in the place of FOLDER ``-``, if a command takes them.

    Raises
    ------
    UsageError
        Nothing is read or printed that -0 would bear on; --paths and --json were both given; no
        file is listed.
    """
    null, shows_paths = options.get("null"), options.get("paths", False)
    if null is None:
        return
    is_listed = options.get("folder") == STANDARD_INPUT and options.get("database") is None
    if null and not (is_listed or shows_paths):
        raise UsageError("-0 was given without FOLDER - or --paths", "leave it out")
    if shows_paths and options.get("json"):
        raise UsageError("--paths and --json were both given", "give one of them")
    if is_listed:
        from imgbatch.files.listed import split_names

        names = split_names(sys.stdin.buffer.read(), null=null) if sys.stdin else []
        if not names:
            raise UsageError(
                "FOLDER is -, and standard input lists no file",
                "pipe names into it, as find -print0 | imgbatch ... - -0; ./- is a folder",
            )
        options["folder"] = ListedFolder.of(names)
