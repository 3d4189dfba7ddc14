"""What is known of each image as one document: its texts, tags and class name alike."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from imgbatch.annotations.columns import Column, First
from imgbatch.annotations.metadata import Metadata
from imgbatch.annotations.splits import part_numbers

_KINDS = ("texts", "tags", "labels")


@dataclass(frozen=True)
class Documents:
    r"""The words of each image of a folder, by row; empty where nothing is known.

    Attributes
    ----------
    columns
        Texts, tags and labels of all images.
    splits
        The split of each image; None for none.

    Examples
    --------
    >>> captions, tags = Column.of([("A dog.", "A pet."), ()]), Column.of([("dog",), ()])
    >>> list(Documents((captions, tags)))
    ['A dog.\nA pet.\ndog', '']
    """

    columns: tuple[Column, ...]
    splits: Column | None = None

    @classmethod
    def of(cls, metadata: Metadata) -> "Documents":
        """What metadata know of all images of the folder, whichever pass a filter."""
        whole = metadata.of_folder
        return cls(tuple(whole.column(kind) for kind in _KINDS), whole.column("splits"))

    def __len__(self) -> int:
        return len(self.columns[0])

    def __iter__(self) -> Iterator[str]:
        for strings in zip(*self.columns, strict=True):
            yield "\n".join(string for of_kind in strings for string in of_kind)

    @property
    def known(self) -> bool:
        """Whether anything is known of any image."""
        return any(len(column.codes) > 0 for column in self.columns)

    @property
    def texts(self) -> Column:
        """The texts alone, without tags and labels."""
        return self.columns[0]

    @property
    def to_measure(self) -> npt.NDArray[np.bool_]:
        """(n,) whether an image's split keeps it for measuring: for validation or test."""
        if self.splits is None:
            return np.zeros(len(self), np.bool_)
        return part_numbers(First(self.splits)) > 0

    @cached_property
    def state(self) -> str:
        """24 hexadecimal digits that change with any word of any image; reads all of them."""
        digest = hashlib.blake2b(digest_size=12)
        for column in self.columns:
            for array in (column.ends, column.codes, column.string_ends, column.strings):
                digest.update(f"{array.shape} {array.dtype}".encode())
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()
