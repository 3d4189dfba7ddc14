"""Which near-duplicates may be moved away without losing a picture, and why others stay."""

import filecmp
import os
from collections.abc import Iterator

from imgbatch.types import DuplicateImage, Duplicates


def movable(found: Duplicates) -> tuple[list[DuplicateImage], tuple[tuple[str, str], ...]]:
    """The images that may be moved; and the paths of others, with the reason why each stays.

    Files are looked at once more, since they may have changed after they were indexed. Images that
    are kept, or of one scene with what is kept, are in neither list.
    """
    folder = os.path.join(os.path.realpath(found.folder), "")
    may_move, stay = list[DuplicateImage](), list[tuple[str, str]]()
    for group in found.groups:
        for image in group.images:
            if image.keep or image.kind == "scene":
                continue
            reason = _why_it_stays(image, group.kept, folder)
            if reason:
                stay.append((image.path, reason))
            else:
                may_move.append(image)
    return may_move, tuple(stay)


def _why_it_stays(image: DuplicateImage, kept: DuplicateImage, folder: str) -> str:
    """The first reason, or nothing."""
    try:
        return next((why for holds, why in _reasons(image, kept, folder) if holds), "")
    except OSError as error:
        return error.strerror or str(error)


def _reasons(
    image: DuplicateImage, kept: DuplicateImage, folder: str
) -> Iterator[tuple[bool, str]]:
    """Whether each reason holds; later ones are looked at only if earlier ones do not."""
    yield not os.path.exists(kept.path), f"the kept image, {kept.path}, is gone"
    yield os.path.getsize(kept.path) != kept.size, f"the kept image, {kept.path}, has changed"
    yield os.path.getsize(image.path) != image.size, "it has changed"
    same = os.path.samefile(image.path, kept.path)
    yield same, f"it is the same file as the kept image, {kept.path}"
    real = os.path.join(os.path.realpath(os.path.dirname(image.path)), "")
    yield not real.startswith(folder), "it lies in another folder, to which a link leads"
    if image.kind == "exact":
        yield not filecmp.cmp(image.path, kept.path, shallow=False), "it has changed"
