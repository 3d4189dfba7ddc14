"""Hand out chosen images: copies or links in a folder, none written over an existing file."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from imgbatch.errors import OutputError
from imgbatch.files.paths import is_url, read

_NAME_BYTES = 255
"""The longest file name of the usual file systems."""
_NUMBER_BYTES = 8
"""Kept free at the end of a name, for the number it gets if it is taken: ``-2`` and so on."""


def hand_out(sources: Sequence[str], directory: Path, *, link: bool) -> list[Path]:
    """Copy or link files into a directory, as ``01-name.jpg``, ``02-name.jpg``, ...

    An existing file is never overwritten: the name of the new file gets a number instead.

    Parameters
    ----------
    sources
        Paths, or URLs of files to copy, in order of rank.
    directory
        Made if it is missing.
    link
        Whether to make symbolic links instead of copies; not possible for URLs.

    Returns
    -------
    paths
        The new files, in the order of sources.

    Raises
    ------
    OutputError
        The directory or a file cannot be written, or a source is gone.

    Examples
    --------
    >>> _ = Path("sea.jpg").write_bytes(b"waves")
    >>> [path.name for path in hand_out(["sea.jpg", "sea.jpg"], Path("picked"), link=False)]
    ['01-sea.jpg', '02-sea.jpg']
    >>> hand_out(["sea.jpg"], Path("picked"), link=False)[0].name
    '01-sea-2.jpg'
    """
    digits = max(2, len(str(len(sources))))
    made = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for rank, source in enumerate(sources, start=1):
            name = _shortened(f"{rank:0{digits}}-", Path(source))
            made.append(_make_file(source, directory / name, link=link))
    except OSError as error:
        action = "link" if link else "copy"
        raise OutputError(
            f"cannot {action} into {directory}: {error.strerror or error}",
            "choose another folder, or use --copy-to" if link else "choose another folder",
        ) from None
    return made


def _shortened(prefix: str, source: Path) -> str:
    """The prefix and the source's name, its stem cut so that a number still fits."""
    stem_bytes = _NAME_BYTES - _NUMBER_BYTES - len(os.fsencode(prefix + source.suffix))
    stem = os.fsdecode(os.fsencode(source.stem)[: max(stem_bytes, 1)])
    return prefix + stem + source.suffix


def _make_file(source: str, wanted: Path, *, link: bool) -> Path:
    """Copy or link a file under the wanted name or, if that is taken, the first numbered one."""
    number, target = 1, wanted
    data = read(source) if is_url(source) and not link else b""
    while True:
        try:
            if link:
                target.symlink_to(Path(source).absolute())
            elif is_url(source):
                with open(target, "xb") as writer:
                    writer.write(data)
            else:
                with open(source, "rb") as reader, open(target, "xb") as writer:
                    shutil.copyfileobj(reader, writer)
                shutil.copystat(source, target)
        except FileExistsError:
            number += 1
            target = wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
        else:
            return target
