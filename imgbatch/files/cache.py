"""Where indexes lie: one folder each, named after the image folder, in the user's cache folder."""

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from imgbatch.errors import CatalogueError, UsageError
from imgbatch.files import paths

_MARK = "image-folder.txt"


def cache_root(given: str | os.PathLike[str] | None = None) -> Path:
    """The folder of all indexes: as given, else ``IMGBATCH_CACHE_DIR``, else the user's cache."""
    named = given or os.environ.get("IMGBATCH_CACHE_DIR")
    paths.check_url(os.fspath(named or ""))
    return Path(named).absolute() if named else Path(platformdirs.user_cache_dir("imgbatch", False))


def index_directory(folder: str, given: str | os.PathLike[str] | None = None) -> Path:
    """The index folder of an image folder; links to one folder share its index.

    Of a folder or an index given by a URL, it holds what is kept here of them.

    Raises
    ------
    UsageError
        It would lie inside the image folder, which is never written to; or a URL is one that
        `paths.check_url` refuses.
    """
    for place in (folder, given or ""):
        paths.check_url(os.fspath(place))
    real = paths.real(folder)
    local = None if given is None or paths.is_url(os.fspath(given)) else given
    directory = cache_root(local) / _name_of(real)
    _refuse_inside(str(directory), real)
    return directory


def _refuse_inside(place: str, folder: str) -> None:
    if paths.lies_inside(place, folder):
        raise UsageError(
            f"the index {place} would lie inside the image folder, which is never written to",
            "give a place outside it with --index DIR or IMGBATCH_CACHE_DIR",
        )


def store_root(folder: str, given: str | os.PathLike[str] | None = None) -> str:
    """Where an image folder's shards lie: below the URL given, else in its index folder.

    Raises
    ------
    UsageError
        They would lie inside the image folder; or the URL is one that `paths.check_url` refuses.
    """
    if given is not None and paths.is_url(os.fspath(given)):
        paths.check_url(os.fspath(given))
        root = f"{os.fspath(given).rstrip('/')}/{_name_of(paths.real(folder))}"
        _refuse_inside(root, folder)
        return root
    return str(index_directory(folder, given) / "store")


def _name_of(real: str) -> str:
    """A readable name that no other folder has."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", os.path.basename(real)).strip("-")[:32] or "folder"
    return f"{readable}-{hashlib.sha256(os.fsencode(real)).hexdigest()[:12]}"


def make_index_directory(directory: Path, folder: str) -> None:
    """Make an index folder, and note which image folder it belongs to.

    Raises
    ------
    CatalogueError
        It cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        remember_folder(directory, folder)
    except OSError as error:
        raise CatalogueError(
            f"the index {directory} cannot be written: {error.strerror}",
            "check its permissions, or give another place with --index DIR",
        ) from None


def remember_folder(directory: Path, folder: str) -> None:
    """Note beside an index which image folder it belongs to, for `list_indexes`."""
    mark = directory / _MARK
    text = os.fsencode(paths.real(folder))
    if not mark.is_file() or mark.read_bytes() != text:
        mark.write_bytes(text)


@dataclass(frozen=True, slots=True)
class StoredIndex:
    """An index on disk: its place, its image folder, and how many bytes it takes."""

    directory: Path
    folder: str
    size: int

    @property
    def orphaned(self) -> bool:
        """Whether the image folder is gone."""
        return not (paths.is_url(self.folder) or os.path.isdir(self.folder))


def list_indexes(root: Path) -> list[StoredIndex]:
    """Every index below a cache folder, sorted by image folder."""
    found = []
    for mark in root.glob(f"*/{_MARK}"):
        size = sum(file.stat().st_size for file in mark.parent.rglob("*") if file.is_file())
        found.append(StoredIndex(mark.parent, os.fsdecode(mark.read_bytes()), size))
    return sorted(found, key=lambda index: index.folder)


def remove_index(index: StoredIndex) -> None:
    """Delete an index; the next request on its folder makes it anew."""
    shutil.rmtree(index.directory)
