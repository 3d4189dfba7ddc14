"""Texts in files of the images' names: ``a.txt`` beside ``a.jpg``, a text on each line."""

import hashlib
import os
import posixpath
from array import array
from collections.abc import Iterable, Iterator

import numpy as np

from imgbatch.annotations.columns import Column, StringPool, as_numbers
from imgbatch.annotations.misfits import Misfit, Misfits
from imgbatch.annotations.source import SIDECAR_ENDING, sidecar_of
from imgbatch.files.paths import join
from imgbatch.files.regular import TooLargeError, read_regular

_MOST_BYTES = 1 << 20


def find_sidecars(folder: str, paths: Iterable[str]) -> dict[str, str]:
    """Text files in the folders that hold images, each with a text that changes when it does.

    Each folder is listed once, in O(files) of all of them.

    Parameters
    ----------
    folder
        Absolute path of the image folder, on this machine.
    paths
        The path of each image.
    """
    found: dict[str, str] = {}
    for inside in dict.fromkeys(map(posixpath.dirname, paths)):
        try:
            with os.scandir(join(folder, inside) if inside else folder) as entries:
                for entry in entries:
                    if entry.name.endswith(SIDECAR_ENDING):
                        name = f"{inside}/{entry.name}" if inside else entry.name
                        found[name] = _state_of(entry)
        except OSError:  # the folder is gone, or may not be read: the index says so
            continue
    return found


def _state_of(entry: "os.DirEntry[str]") -> str:
    """A text that changes when a file does; none of a link to nothing, which reading will tell."""
    try:
        status = entry.stat()
    except OSError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def state_of(sidecars: dict[str, str]) -> str:
    """A digest that changes when any of the text files does."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(sidecars):
        digest.update(os.fsencode(f"{path}\0{sidecars[path]}\n"))
    return digest.hexdigest()


def read_sidecars(
    folder: str, paths: Iterable[str], sidecars: dict[str, str], misfits: Misfits
) -> Column:
    """The texts of all images.

    Parameters
    ----------
    folder, paths
        As for `find_sidecars`.
    sidecars
        What it found.
    misfits
        Gets the files that cannot be read, and those that are not UTF-8.
    """
    ends, codes, pool = array("q"), array("q"), StringPool(None)
    for path in paths:
        sidecar = sidecar_of(path)
        if sidecar in sidecars:
            codes.extend(map(pool.code, texts_in(folder, sidecar, misfits)))
        ends.append(len(codes))
    return Column(np.asarray(as_numbers(ends)), as_numbers(codes), *pool.arrays())


def texts_in(folder: str, sidecar: str, misfits: Misfits) -> Iterator[str]:
    """The lines of a text file that hold text; none of a file that cannot be read."""
    try:
        data, _ = read_regular(join(folder, sidecar), _MOST_BYTES)
    except TooLargeError as error:
        misfits.add(Misfit.NOT_READ, sidecar, "", f"it has {error.size_bytes:,} bytes")
        return
    except OSError as error:
        misfits.add(Misfit.NOT_READ, sidecar, "", error.strerror or str(error))
        return
    text = data.decode("utf-8-sig", "replace").replace("\ufffd", "?").replace("\0", "?")
    if "?" in text and text.encode() != data.removeprefix(b"\xef\xbb\xbf"):
        misfits.add(Misfit.NOT_TEXT, sidecar, "")
    yield from (line.strip() for line in text.splitlines() if line.strip())
