"""Where indexes are kept: one folder for each image folder, in the user's cache folder."""

import contextlib
import errno
import hashlib
import os
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from imgbatch.errors import CatalogueError, UsageError
from imgbatch.files import paths
from imgbatch.files.atomic import remove, write_bytes
from imgbatch.files.readonly import refuse_inside
from imgbatch.files.regular import TooLargeError, read_regular
from imgbatch.files.targets import nearest_folder

_FOLDER_FILE = "image-folder.txt"
"""The file in each index's folder that holds the name of its image folder."""
BASKET = "basket.json"
"""The images that a person set aside; nothing else in an index's folder is made by hand."""
_MOST_NAME_BYTES = 1_000_000
_TRIES, _PAUSE_SECONDS = 20, 0.05
_NO_RIGHT = "check its permissions"
_ELSEWHERE = "check its permissions, or give another with `index` or IMGBATCH_CACHE_DIR"


def cache_root(given: str | os.PathLike[str] | None = None) -> Path:
    """The folder of all indexes: as given, else ``IMGBATCH_CACHE_DIR``, else the user's cache.

    It need not exist. ``~`` at its beginning is the user's home; an empty environment variable
    counts as none.

    Raises
    ------
    UsageError
        The name is empty or a URL, or begins with ``~`` and names no home.
    CatalogueError
        It is not a folder, and cannot become one.
    """
    if given is not None and not os.fspath(given):
        raise UsageError("the name given with `index` is empty", "name a folder, or leave it out")
    named = os.fspath(given or os.environ.get("IMGBATCH_CACHE_DIR", ""))
    if not named:
        named = platformdirs.user_cache_dir("imgbatch", False)
    paths.check_url(named)
    if paths.is_url(named):
        raise UsageError(
            f"the folder for indexes, {named}, is a URL",
            "name a folder of this machine; `index` takes a URL only together with `cluster`",
        )
    root = os.path.expanduser(named)
    if root.startswith("~"):
        raise UsageError(
            f"the folder for indexes, {named}, begins with ~, but not with the name of a home",
            f"write ./{named} for a folder of this name",
        )
    try:
        nearest_folder(Path(root))
    except OSError as error:
        raise CatalogueError(
            f"the folder for indexes, {root}, cannot be used: {error.strerror or error}", _ELSEWHERE
        ) from None
    return Path(root).absolute()


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
    hint = "give a place outside it with `index` or IMGBATCH_CACHE_DIR"
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
    except OSError as error:
        raise _not_writable(directory, error) from None
    remember_folder(directory, folder)


def remember_folder(directory: Path, folder: str) -> None:
    """Write the name of the image folder into an index folder, for `list_indexes`.

    Raises
    ------
    CatalogueError
        It cannot be written.
    """
    file = directory / _FOLDER_FILE
    name = paths.real(folder)
    if _remembered(file) == name:
        return
    try:
        if file.is_dir():  # all in an index can be made anew
            remove(file)
        write_bytes(file, os.fsencode(name))
    except OSError as error:
        raise _not_writable(directory, error) from None


def _remembered(file: Path) -> str:
    """The name of the image folder, as `remember_folder` wrote it; "" if it cannot be read."""
    try:
        return os.fsdecode(read_regular(file, _MOST_NAME_BYTES)[0])
    except (OSError, TooLargeError):
        return ""


def _not_readable(root: Path, error: OSError) -> CatalogueError:
    reason = error.strerror or error
    return CatalogueError(f"the folder for indexes, {root}, cannot be read: {reason}", _ELSEWHERE)


def _not_writable(directory: Path, error: OSError) -> CatalogueError:
    reason = error.strerror or error
    return CatalogueError(f"the index {directory} cannot be written: {reason}", _ELSEWHERE)


@dataclass(frozen=True, slots=True)
class StoredIndex:
    """An index on disk: its folder, its image folder, and the bytes it takes.

    ``folder`` is "" if the index does not say to which image folder it belongs.
    """

    directory: Path
    folder: str
    size_bytes: int

    @property
    def orphaned(self) -> bool:
        """Whether the image folder is gone."""
        return not (not self.folder or paths.is_url(self.folder) or os.path.isdir(self.folder))


def list_indexes(root: Path) -> list[StoredIndex]:
    """Every index below a cache folder, sorted by image folder.

    Raises
    ------
    CatalogueError
        The cache folder cannot be read.

    Examples
    --------
    >>> make_index_directory(Path("cache/photos-1"), "/no/such/folder")
    >>> index, = list_indexes(Path("cache"))
    >>> index.folder, index.orphaned
    ('/no/such/folder', True)
    """
    try:
        with os.scandir(root) as entries:
            directories = [Path(entry.path) for entry in entries if entry.is_dir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _not_readable(root, error) from None
    found = (one for one in directories if os.path.lexists(one / _FOLDER_FILE))
    return sorted(map(_stored, found), key=lambda index: index.folder)


def find_index(folder: str, given: str | os.PathLike[str] | None = None) -> StoredIndex | None:
    """The index of an image folder, whatever state it is in; None if there is none.

    Takes the parameters of `index_directory` and raises the same errors; and `CatalogueError` if
    the folder of all indexes cannot be read.
    """
    directory = index_directory(folder, given)
    try:
        os.lstat(directory)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _not_readable(directory.parent, error) from None
    return _stored(directory)


def _stored(directory: Path) -> StoredIndex:
    size_bytes = 0
    for parent, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):  # it was removed meanwhile
                size_bytes += os.lstat(os.path.join(parent, name)).st_size
    return StoredIndex(directory, _remembered(directory / _FOLDER_FILE), size_bytes)


def remove_index(index: StoredIndex) -> tuple[Path, ...]:
    """Delete an index; the next request for its image folder makes it anew.

    Returns
    -------
    Files that stay: baskets that hold images, which cannot be made again.

    Raises
    ------
    CatalogueError
        It cannot be removed.
    """
    directory = index.directory
    try:
        if directory.is_symlink() or not directory.is_dir():
            directory.unlink(missing_ok=True)
            return ()
        baskets = sorted(path for path in directory.glob(f"{BASKET}*") if _holds_something(path))
        if not baskets:
            _remove_folder(directory)
        for entry in list(directory.iterdir()) if baskets else ():
            if entry.is_dir() and not entry.is_symlink():
                _remove_folder(entry)
            elif entry not in baskets and entry.name != _FOLDER_FILE:
                entry.unlink()
        return tuple(baskets)
    except OSError as error:
        written = error.errno == errno.ENOTEMPTY
        hint = "another command writes to it; wait for its end" if written else _NO_RIGHT
        raise CatalogueError(
            f"the index {directory} cannot be removed: {error.strerror}", hint
        ) from None


def _remove_folder(directory: Path) -> None:
    """Remove a folder, again if another command has put a file into it meanwhile."""
    for tries_left in reversed(range(_TRIES)):
        try:
            shutil.rmtree(directory)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY or not tries_left:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _holds_something(basket: Path) -> bool:
    """Whether the list of paths in its first line is not empty."""
    return basket.is_file() and basket.read_bytes().partition(b"\n")[0].strip() not in (b"", b"[]")
