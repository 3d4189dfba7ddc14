"""The image folder is never written to: the check that every writer makes first."""

import os
from pathlib import Path

from imgbatch.errors import UsageError


def refuse_inside(
    target: str | os.PathLike[str],
    folder: str,
    name: str,
    hint: str = "choose a place outside it",
) -> None:
    """Raise `UsageError` if a target lies in the image folder.

    `name` says what the target is, usually the option that gave it, and begins the message.

    Examples
    --------
    >>> refuse_inside("sheets/a.png", "photos", "-o")
    >>> refuse_inside("photos/a.png", "photos", "-o")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    imgbatch.errors.UsageError: -o photos/a.png lies inside the image folder photos, ...
    """
    if lies_inside(target, folder):
        raise UsageError(
            f"{name} {target} lies inside the image folder {folder}, which is never written to",
            hint,
        )


def lies_inside(target: str | os.PathLike[str], folder: str) -> bool:
    """Whether a path or URL is a folder or lies in it; links and mounts here are seen through.

    Examples
    --------
    >>> lies_inside("photos/sub/a.png", "photos"), lies_inside("photos-2/a.png", "photos")
    (True, False)
    """
    location = os.fspath(target)
    if "\0" in location:  # nothing has such a name
        return False
    local_target, local_folder = _local_path(location), _local_path(folder)
    if local_target is None or local_folder is None:
        return f"{location.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/")
    # `Path.resolve` raises for a link that leads to itself, as a folder may become at any time.
    real, images = (Path(os.path.realpath(place)) for place in (local_target, local_folder))
    above = (real, *real.parents)
    return images in above or any(_same(place, images) for place in above)


def _same(a: Path, b: Path) -> bool:
    """Whether two paths are one file: a folder may be mounted twice, or have names in any case."""
    try:
        return os.path.samefile(a, b)
    except OSError:
        return False


def _local_path(location: str) -> str | None:
    """The path of a location on this machine, or of a ``file://`` URL; None for other URLs."""
    scheme, separator, path = location.partition("://")
    if not separator:
        return location
    return path if scheme in ("file", "local") else None
