"""Find the image files of a folder and its subfolders."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from imgbatch.images.listing import FoundFile, Listed, list_folders
from imgbatch.types import Skipped


class Scanned(NamedTuple):
    """What a folder and its subfolders hold.

    Attributes
    ----------
    files
        That may be images, sorted by path.
    skipped
        Links that lead nowhere, folders and files that may not be read, files that are not regular.
    ignored
        Numbers of files of other kinds, by ending.
    """

    files: list[FoundFile]
    skipped: list[Skipped]
    ignored: Mapping[str, int]


def scan(
    folder: str | os.PathLike[str],
    list_all: Callable[[str, Sequence[str]], Iterable[Listed]] = list_folders,
) -> Scanned:
    """List every file of a folder and its subfolders whose name ends like an image's or not at all.

    The others are counted by ending. What a file without an ending holds is not looked at here.

    Folders are listed in waves: first the folder, then its subfolders, then theirs. Links to
    folders come last, each alone, so that a file is listed under its real path if it has one. A
    folder that was listed before (a loop, a second link) is not entered again. Hidden files and
    folders are ignored; links to files are followed.

    Parameters
    ----------
    folder
        A path, or a URL.
    list_all
        Lists the folders of a wave, given the folder and paths inside it, in any order; several
        machines may share the work.

    Raises
    ------
    FolderError
        The folder is missing, is not a folder or may not be read.

    Examples
    --------
    >>> found = scan("photos")
    >>> len(found.files), found.skipped, dict(found.ignored)
    (24, [], {})
    """
    root = os.fspath(folder)
    files: list[FoundFile] = []
    skipped: list[Skipped] = []
    ignored = Counter[str]()
    entered: set[tuple[int, int]] = set()
    folders: list[str] = [""]
    links: list[str] = []
    while folders or links:
        wave, folders = folders or [links.pop(0)], []
        for listed in sorted(list_all(root, wave), key=lambda listed: listed.inside):
            if listed.identity in entered:
                continue
            if listed.identity is not None:
                entered.add(listed.identity)
            files += listed.files
            skipped += listed.skipped
            folders += listed.folders
            links += listed.links
            ignored.update(listed.ignored)
    files.sort(key=lambda file: os.fsencode(file.path))
    return Scanned(files, skipped, ignored)
