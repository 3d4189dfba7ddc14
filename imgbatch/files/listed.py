"""A list of files as part of the folder that holds them all."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

from imgbatch.errors import FolderError, UsageError
from imgbatch.files.paths import common_folder, inside, is_url


@dataclass(frozen=True, slots=True)
class ListedFiles:
    """Files that were named one by one.

    Attributes
    ----------
    folder
        Absolute path of the deepest folder that holds them all.
    inside
        Their paths inside it, with ``/`` between the parts, each once, sorted by their bytes.
    given
        How many were named.
    """

    folder: str
    inside: tuple[str, ...]
    given: int

    @classmethod
    def of(cls, files: Iterable[str | os.PathLike[str]]) -> "ListedFiles":
        """Paths of files, from the working directory on; they need not exist, and links stay.

        Folders among them, which ``find`` lists as well, hold themselves.

        Raises
        ------
        FolderError
            There are none, or one is empty or holds a NUL.
        UsageError
            One is a URL.

        Examples
        --------
        >>> ListedFiles.of(["/data/sea/1.jpg", "/data/2.jpg", "/data/sea/../2.jpg"])
        ListedFiles(folder='/data', inside=('2.jpg', 'sea/1.jpg'), given=3)
        """
        names = [os.fspath(file) for file in files]
        if not names:
            raise FolderError("the list of files is empty", "name at least one image")
        for name in names:
            if not name or "\0" in name:
                raise FolderError(f"the list of files holds {name!r}", "no file has such a name")
            if is_url(name):
                raise UsageError(
                    f"the list of files holds a URL, {name}", "name files, or a folder"
                )
        places = [os.path.abspath(name) for name in names]
        folder = common_folder(_folder_of(place) for place in places)
        found = {inside(place, folder) for place in places}
        return cls(folder, tuple(sorted(found, key=os.fsencode)), len(names))


def _folder_of(place: str) -> str:
    return place if os.path.isdir(place) else os.path.dirname(place)


def split_names(data: bytes, *, null: bool, line_end: str = os.linesep) -> list[str]:
    r"""The names in a text, as ``find`` prints them: one a line, or with NUL after each.

    Empty ones are left out. A name's bytes need not be text. Where lines end in CR LF, no name does
    in CR.

    >>> split_names(b"a b.jpg\n\nc.jpg", null=False), split_names(b"a\nb.jpg\0", null=True)
    (['a b.jpg', 'c.jpg'], ['a\nb.jpg'])
    """
    if null:
        names = data.split(b"\0")
    else:
        end = line_end.removesuffix("\n").encode()
        names = [line.removesuffix(end) for line in data.split(b"\n")]
    return [os.fsdecode(name) for name in names if name]
