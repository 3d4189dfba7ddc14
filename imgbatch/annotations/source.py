"""Where a folder's metadata come from."""

import os
import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from imgbatch.errors import LabelError, UsageError
from imgbatch.files import paths
from imgbatch.files.regular import only_regular
from imgbatch.types import ImageRecord

MetadataFiles = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
"""A metadata file, or several of which later ones win."""

SIDECAR_ENDING = ".txt"


class Images(Protocol):
    """A folder's images in the order of rows, such as the records of an index."""

    def __len__(self) -> int: ...

    def __getitem__(self, row: int, /) -> ImageRecord: ...

    def all_paths(self) -> Iterator[str]:
        """The path of each image inside the folder."""
        ...

    @property
    def top_folder(self) -> str:
        """The first-level subfolder that holds all images; "" if there is no single one."""
        ...


def sidecar_of(path: str) -> str:
    """The text file that belongs to an image.

    >>> sidecar_of("sea/1.jpg")
    'sea/1.txt'
    """
    return posixpath.splitext(path)[0] + SIDECAR_ENDING


@dataclass(frozen=True, slots=True)
class Given:
    """Which metadata files are read, and how; see `MetadataSource`."""

    files: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    trust_predicted: bool = False


@dataclass(frozen=True, slots=True)
class MetadataSource:
    """Where a folder's metadata come from.

    Attributes
    ----------
    folder
        Absolute path of the image folder, or its URL.
    directory
        The folder of the index, in which what was read is kept; None keeps nothing.
    generation
        Text that changes whenever an image of the index does.
    given
        Files that the user named, in place of those that are looked for; later ones win.
    trust_predicted
        Whether rows count that this program has written (``source`` is ``imgbatch``).
    own
        Absolute paths of tables that the program keeps for the user. They are read after all
        others, as leniently as files that are found, and replace none of what is looked for.
    """

    folder: str
    directory: Path | None = None
    generation: str = ""
    given: tuple[str, ...] = ()
    trust_predicted: bool = False
    own: tuple[str, ...] = ()

    def is_by_hand(self, file: str) -> bool:
        """Whether the user named a file, which then has to fit."""
        return file in self.given and os.path.abspath(file) not in self.own


def given_files(metadata: MetadataFiles | None) -> tuple[str, ...]:
    """The files that the user named; raises `LabelError` for one that cannot be opened."""
    if metadata is None:
        return ()
    files = (metadata,) if isinstance(metadata, str | os.PathLike) else metadata
    given = tuple(os.fspath(file) for file in files)
    for file in given:
        if paths.is_url(file):
            raise UsageError(f"the metadata {file} is a URL", "copy the file to this machine")
        try:
            os.close(only_regular(file, os.O_RDONLY))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise LabelError(
                f"the metadata {file or repr(file)} cannot be read: {reason}",
                "give `metadata` a file",
            ) from None
    return given
