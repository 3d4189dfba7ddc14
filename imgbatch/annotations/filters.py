"""Which images have a class or a tag."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from imgbatch.annotations.metadata import Metadata
from imgbatch.errors import LabelError, SelectionError
from imgbatch.types import Rows

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Filters:
    """Which images to take.

    Attributes
    ----------
    label
        Images of any of these classes; empty for all.
    tag
        Images that have all of these tags.
    without_tag
        Images that have none of these tags.
    """

    label: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    without_tag: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        label: str | Iterable[str],
        tag: str | Iterable[str],
        without_tag: str | Iterable[str],
    ) -> "Filters":
        """Filters given by one name or by several."""
        given = (label, tag, without_tag)
        return cls(*((names,) if isinstance(names, str) else tuple(names) for names in given))

    def __bool__(self) -> bool:
        return bool(self.label or self.tag or self.without_tag)

    def __str__(self) -> str:
        parts = [" or ".join(("label " + name) for name in self.label)] if self.label else []
        parts += [f"tag {name}" for name in self.tag]
        parts += [f"no tag {name}" for name in self.without_tag]
        return ", ".join(parts)


class Tags(Protocol):
    """Which images have which tags."""

    def counts(self) -> dict[str, int]:
        """How many images have each tag."""
        ...

    def rows_with(self, strings: Sequence[str], /) -> npt.NDArray[np.bool_]:
        """(n,) whether each image has at least one of these tags."""
        ...


def filtered_rows(metadata: Metadata, filters: Filters, tags: Tags | None = None) -> Rows:
    """The rows of the images that pass all filters, rising.

    `tags` are those of the images; None takes the given ones alone.

    Raises
    ------
    LabelError
        No image has a class or a tag of this name; the message names similar ones.
    SelectionError
        No image passes all filters.

    Examples
    --------
    >>> import imgbatch
    >>> filtered_rows(imgbatch.load("photos").metadata, Filters(label=("class1",))).tolist()
    [8, 9, 10, 11, 12, 13, 14, 15]
    """
    passes = np.ones(len(metadata), np.bool_)
    if filters.label:
        labels = metadata.column("labels")
        _check_known("label", filters.label, labels.counts())
        passes &= labels.rows_with(filters.label)
    if filters.tag or filters.without_tag:
        tags = tags or metadata.column("tags")
        _check_known("tag", (*filters.tag, *filters.without_tag), tags.counts())
        for name in filters.tag:
            passes &= tags.rows_with((name,))
        passes &= ~tags.rows_with(filters.without_tag)
    rows = np.flatnonzero(passes)
    if not len(rows):
        raise SelectionError(f"no image has: {filters}", "leave one of the filters out")
    return rows


def _check_known(kind: str, names: Sequence[str], counts: dict[str, int]) -> None:
    for name in names:
        if name not in counts:
            raise unknown(kind, name, counts)


def unknown(kind: str, name: str, counts: dict[str, int]) -> LabelError:
    """The error for a class or tag that is not among those counted; it names similar ones."""
    if not counts:
        return LabelError(
            f"no image has the {kind} {name!r}: none has any",
            f"give `metadata` a file with the column {kind}{'s' * (kind == 'tag')}",
        )
    folded = {known.casefold(): known for known in counts}
    near = difflib.get_close_matches(name.casefold(), folded, _MOST_NAMED, cutoff=0.5)
    common = sorted(counts, key=lambda known: (-counts[known], known))[:_MOST_NAMED]
    shown = [f"{known!r} ({counts[known]:,})" for known in map(folded.get, near) if known]
    shown = shown or [f"{known!r} ({counts[known]:,})" for known in common]
    return LabelError(
        f"no image has the {kind} {name!r}; {len(counts):,} are known",
        f"{'near it are' if near else 'the most frequent are'} {', '.join(shown)}",
    )
