"""Where indexes are kept: one folder for each image folder, in the user's cache folder."""

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from imgbatch.errors import CatalogueError
from imgbatch.files import paths
from imgbatch.files.atomic import write_bytes
from imgbatch.files.readonly import refuse_inside

_FOLDER_FILE = "image-folder.txt"
"""The file in each index's folder that holds the name of its image folder."""


def cache_root(given: str | os.PathLike[str] | None = None) -> Path:
    """The folder of all indexes: as given, else ``IMGBATCH_CACHE_DIR``, else the user's cache."""
    named = given or os.environ.get("IMGBATCH_CACHE_DIR")
    paths.check_url(os.fspath(named or ""))
    return Path(named).absolute() if named else Path(platformdirs.user_cache_dir("imgbatch", False))


def index_directory(folder: str, given: str | os.PathLike[str] | None = None) -> Path:
    """The index folder of an image folder; all links to one image folder share its index.

    If the image folder or the index is given by a URL, this is the local folder for what is derived
    from them.

    Parameters
    ----------
    folder
        The image folder: a path or URL. It need not exist.
    given
        The folder of all indexes (see `cache_root`), or a URL (see `store_root`).

    Raises
    ------
    UsageError
        The index would lie inside the image folder, which is never written to; or `paths.check_url`
        refuses a URL.

    Examples
    --------
    >>> index_directory("/data/My photos", "/cache").as_posix()
    '/cache/My-photos-8307956eb936'
    """
    for location in (folder, given or ""):
        paths.check_url(os.fspath(location))
    real = paths.real(folder)
    local = None if given is None or paths.is_url(os.fspath(given)) else given
    directory = cache_root(local) / _name_of(real)
    _refuse_inside(str(directory), real)
    return directory


def store_root(folder: str, given: str | os.PathLike[str] | None = None) -> str:
    """Where an image folder's shards are kept: below the URL given, else in its index folder.

    Raises
    ------
    UsageError
        They would lie inside the image folder; or `paths.check_url` refuses the URL.
    """
    if given is not None and paths.is_url(os.fspath(given)):
        paths.check_url(os.fspath(given))
        root = f"{os.fspath(given).rstrip('/')}/{_name_of(paths.real(folder))}"
        _refuse_inside(root, folder)
        return root
    return str(index_directory(folder, given) / "store")


def _refuse_inside(index: str, folder: str) -> None:
    hint = "give a place outside it with --index DIR or IMGBATCH_CACHE_DIR"
    refuse_inside(index, folder, "the index", hint)


def _name_of(real: str) -> str:
    """A readable name that no other folder has."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", os.path.basename(real)).strip("-")[:32] or "folder"
    return f"{readable}-{hashlib.sha256(os.fsencode(real)).hexdigest()[:12]}"


def make_index_directory(directory: Path, folder: str) -> None:
    """Make an index folder that says which image folder it belongs to.

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
    """Write the name of the image folder into an index folder, for `list_indexes`."""
    file = directory / _FOLDER_FILE
    name = os.fsencode(paths.real(folder))
    if not file.is_file() or file.read_bytes() != name:
        write_bytes(file, name)


@dataclass(frozen=True, slots=True)
class StoredIndex:
    """An index on disk: its folder, its image folder, and the bytes it takes."""

    directory: Path
    folder: str
    size_bytes: int

    @property
    def orphaned(self) -> bool:
        """Whether the image folder is gone."""
        return not (paths.is_url(self.folder) or os.path.isdir(self.folder))


def list_indexes(root: Path) -> list[StoredIndex]:
    """Every index below a cache folder, sorted by image folder.

    Examples
    --------
    >>> make_index_directory(Path("cache/photos-1"), "/no/such/folder")
    >>> index, = list_indexes(Path("cache"))
    >>> index.folder, index.orphaned
    ('/no/such/folder', True)
    """
    indexes = []
    for file in root.glob(f"*/{_FOLDER_FILE}"):
        parts = file.parent.rglob("*")
        size_bytes = sum(part.stat().st_size for part in parts if part.is_file())
        indexes.append(StoredIndex(file.parent, os.fsdecode(file.read_bytes()), size_bytes))
    return sorted(indexes, key=lambda index: index.folder)


def remove_index(index: StoredIndex) -> None:
    """Delete an index; the next request for its image folder makes it anew."""
    shutil.rmtree(index.directory)
