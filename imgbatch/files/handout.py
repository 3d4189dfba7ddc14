"""Hand out chosen images: copies or links in a folder, none written over an existing file."""

import contextlib
import filecmp
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from imgbatch.errors import OutputError
from imgbatch.files.atomic import give_free_name, temporary_file
from imgbatch.files.names import fitted_name, folder_name
from imgbatch.files.paths import is_url, read
from imgbatch.files.regular import only_regular
from imgbatch.files.targets import nearest_folder, not_written, resolved

_NUMBER_BYTES = 8
"""Kept free at the end of a name, for the number it gets if it is taken: ``-2`` and so on."""
_ENDING_BYTES = 32
"""What is longer after the last dot is no ending to be kept."""


@dataclass(frozen=True, slots=True)
class HandedOut:
    """What `hand_out` did.

    Attributes
    ----------
    directory
        As it was given.
    files
        The copies or links, in the order of sources.
    made
        How many of them are new; the others were there already.
    link
        Whether they are links.
    """

    directory: Path
    files: tuple[Path, ...]
    made: int
    link: bool

    def in_words(self) -> str:
        """For the user.

        >>> HandedOut(Path("picked"), (Path("picked/01-sea.jpg"),), 0, link=False).in_words()
        '0 images copied to picked, 1 was there already'
        """
        there = len(self.files) - self.made
        told = f", {there} {'was' if there == 1 else 'were'} there already" if there else ""
        done = "linked" if self.link else "copied"
        return f"{self.made:,} images {done} to {self.directory}{told}"


def hand_out(sources: Sequence[str], directory: Path, *, link: bool) -> HandedOut:
    """Copy or link files into a directory, as ``01-name.jpg``, ``02-name.jpg``, ...

    An existing file is never overwritten: the name of the new file gets a number instead. What is
    there already, a file of the same bytes or a link to the same place, is not made once more.

    Parameters
    ----------
    sources
        Paths, or URLs of files to copy, in order of rank.
    directory
        Made if it is missing.
    link
        Whether to make symbolic links instead of copies; not possible for URLs.

    Raises
    ------
    OutputError
        The directory or a file cannot be written, or a source is gone. Those made before stay, and
        each is whole; the message counts them.

    Examples
    --------
    >>> _ = Path("sea.jpg").write_bytes(b"waves")
    >>> done = hand_out(["sea.jpg", "sea.jpg"], Path("picked"), link=False)
    >>> [file.name for file in done.files], done.made
    (['01-sea.jpg', '02-sea.jpg'], 2)
    >>> hand_out(["sea.jpg"], Path("picked"), link=False).made
    0
    >>> _ = Path("sea.jpg").write_bytes(b"other waves")
    >>> hand_out(["sea.jpg"], Path("picked"), link=False).files[0].name
    '01-sea-2.jpg'
    """
    digits = max(2, len(str(len(sources))))
    files: list[Path] = []
    made = 0
    try:
        place = resolved(directory)
        nearest_folder(place)
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_written(directory, error) from None
    current = ""
    try:
        for rank, source in enumerate(sources, start=1):
            current = Path(source).name
            wanted = place / _name(f"{rank:0{digits}}-", current)
            there = _there(source, wanted, link=link)
            files.append(there or (_link if link else _copy)(source, wanted))
            made += there is None
    except OSError as error:
        action, done = ("link", "linked") if link else ("copy", "copied")
        raise OutputError(
            f"cannot {action} {current} into {directory}: {error.strerror or error}; "
            f"{made:,} of {len(sources):,} images were {done}",
            "choose another folder, or copy them" if link else "choose another folder",
        ) from None
    return HandedOut(directory, tuple(files), made, link)


def hand_out_by_class(
    sources: Sequence[str], classes: Sequence[str], directory: Path
) -> tuple[int, int]:
    """Copy files into a folder for each class; a file that is there already is not copied again.

    An existing file of other content is never overwritten: the new one gets a number.

    Parameters
    ----------
    sources
        Paths, or URLs.
    classes
        The class of each; a name that is no name of a folder is written with ``%`` and digits.
    directory
        Gets a folder for each class.

    Returns
    -------
    copied, there
        How many files were copied, and how many were there with the same bytes.

    Raises
    ------
    OutputError
        The directory or a file cannot be written, or a source is gone. Those made before stay.

    >>> _ = Path("sea.jpg").write_bytes(b"waves")
    >>> hand_out_by_class(["sea.jpg"], ["water/salt"], Path("sorted"))
    (1, 0)
    >>> hand_out_by_class(["sea.jpg"], ["water/salt"], Path("sorted"))
    (0, 1)
    >>> [path.as_posix() for path in Path("sorted").rglob("*.jpg")]
    ['sorted/water%2Fsalt/sea.jpg']
    """
    copied = there = 0
    current = ""
    try:
        place = resolved(directory)
        nearest_folder(place)
        for source, name in zip(sources, classes, strict=True):
            current = Path(source).name
            folder = place / folder_name(name)
            folder.mkdir(parents=True, exist_ok=True)
            wanted = folder / _name("", current)
            if _there(source, wanted, link=False):
                there += 1
            else:
                _copy(source, wanted)
                copied += 1
    except OSError as error:
        raise OutputError(
            f"cannot copy {current} into {directory}: {error.strerror or error}; "
            f"{copied:,} of {len(sources):,} images were copied",
            "choose another folder",
        ) from None
    return copied, there


def _there(source: str, wanted: Path, *, link: bool) -> Path | None:
    """The file under the wanted name, or a numbered one, that is what would be made; else None."""
    for target in _names(wanted):
        if not os.path.lexists(target):
            return None
        if target.is_symlink():
            if link and os.readlink(target) == os.path.abspath(source):
                return target
        elif not link and _is_there(source, target):
            return target
    return None


def _names(wanted: Path) -> Iterator[Path]:
    """The wanted name, then the same with -2, -3 and so on."""
    yield wanted
    for number in count(2):
        yield wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")


def _is_there(source: str, wanted: Path) -> bool:
    return not is_url(source) and wanted.is_file() and filecmp.cmp(source, wanted, shallow=False)


def _name(start: str, source: str) -> str:
    """The source's name after a beginning, cut so that a number still fits."""
    stem, ending = os.path.splitext(source)
    if len(os.fsencode(ending)) > _ENDING_BYTES:
        stem, ending = source, ""
    return fitted_name(start, stem, ending, free_bytes=_NUMBER_BYTES)


def _link(source: str, wanted: Path) -> Path:
    return _under_free_name(wanted, lambda target: target.symlink_to(os.path.abspath(source)))


def _copy(source: str, wanted: Path) -> Path:
    """Copy a file, so that it appears under its name when it is whole."""
    with temporary_file(wanted.parent) as temporary:
        if is_url(source):
            temporary.write_bytes(read(source))
        else:
            with open(source, "rb", opener=only_regular) as reader, open(temporary, "wb") as writer:
                shutil.copyfileobj(reader, writer)
        made = _under_free_name(wanted, lambda target: give_free_name(temporary, target))
    if not is_url(source):
        with contextlib.suppress(OSError):  # the picture is there; some places keep no such times
            shutil.copystat(source, made)
    return made


def _under_free_name(wanted: Path, make: Callable[[Path], None]) -> Path:
    """Make a file under the wanted name or, if that is taken, the first numbered one."""
    for target in _names(wanted):
        with contextlib.suppress(FileExistsError):
            make(target)
            break
    return target
