"""What is known of each image in one respect, such as its tags: strings in packed arrays.

A million images with five texts each would be six million Python objects. Packed, they are four
arrays, which are mapped from the disk; a string is made when it is asked for.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Self, TypeVar, overload

import numpy as np
import numpy.typing as npt

from imgbatch.types import Rows

_ARRAYS = ("ends", "codes", "string_ends", "strings")
_STRINGS_AT_HAND = 10_000
"""While all images are gone through: labels and tags are made once, and not for each image."""
Item = TypeVar("Item")


class ByRow(Sequence[Item]):
    """A sequence by row whose items are made when they are asked for."""

    def item(self, row: int) -> Item:
        """The item of a row, 0 <= row < len(self)."""
        raise NotImplementedError

    @overload
    def __getitem__(self, row: int) -> Item: ...
    @overload
    def __getitem__(self, row: slice) -> list[Item]: ...
    def __getitem__(self, row: int | slice) -> Item | list[Item]:
        if isinstance(row, slice):
            return [self.item(number) for number in range(*row.indices(len(self)))]
        number = row + len(self) if row < 0 else row
        if not 0 <= number < len(self):
            raise IndexError(f"row {row} of {len(self):,} images")
        return self.item(number)

    def __iter__(self) -> Iterator[Item]:
        return map(self.item, range(len(self)))


@dataclass(frozen=True, eq=False)
class Column(ByRow[tuple[str, ...]]):
    """Some strings for each of n images: a sequence of tuples, by row.

    Attributes
    ----------
    ends
        (n,) int64: where the strings of each image end in `codes`.
    codes
        (m,) int64: the number of each string.
    string_ends
        (s,) int64: where each string ends in `strings`.
    strings
        (bytes,) uint8: all strings in UTF-8, one after the other.

    Examples
    --------
    >>> tags = Column.of([("sea", "sky"), (), ("sky",)])
    >>> tags[0], tags[1], tags.counts()
    (('sea', 'sky'), (), {'sea': 1, 'sky': 2})
    """

    ends: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int64]
    string_ends: npt.NDArray[np.int64]
    strings: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, items: Sequence[Sequence[str]]) -> Self:
        """Pack the strings of n images; equal strings are stored once."""
        codes, strings = array("q"), StringPool()
        lengths = np.zeros(len(items), np.int64)
        for row, item in enumerate(items):
            lengths[row] = len(item)
            codes.extend(map(strings.code, item))
        return cls(np.cumsum(lengths), as_numbers(codes), *strings.arrays())

    @classmethod
    def empty(cls, n: int) -> Self:
        """Nothing is known of n images."""
        nothing = np.zeros(0, np.int64)
        return cls(np.zeros(n, np.int64), nothing, nothing, np.zeros(0, np.uint8))

    @classmethod
    def load(cls, directory: Path, name: str) -> Self:
        """Map what `save` wrote; raises `OSError` or `ValueError` if it is missing or damaged."""
        arrays = (np.load(file, "r", allow_pickle=False) for file in cls.files(directory, name))
        return cls(*map(np.asarray, arrays))  # a plain array is indexed faster than a memmap

    @staticmethod
    def files(directory: Path, name: str) -> list[Path]:
        """The files that `save` writes."""
        return [directory / f"{name}-{part}.npy" for part in _ARRAYS]

    def save(self, directory: Path, name: str) -> None:
        """Write the arrays into an existing directory; nothing is pickled."""
        for file, part in zip(self.files(directory, name), _ARRAYS, strict=True):
            np.save(file, getattr(self, part), allow_pickle=False)

    def __len__(self) -> int:
        return len(self.ends)

    def item(self, row: int) -> tuple[str, ...]:
        """The strings of one image."""
        start = int(self.ends[row - 1]) if row else 0
        return tuple(map(self._string, self.codes[start : int(self.ends[row])].tolist()))

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        start, string = 0, lru_cache(_STRINGS_AT_HAND)(self._string)
        for end in self.ends.tolist():
            yield tuple(map(string, self.codes[start:end].tolist())) if end > start else ()
            start = end

    @cached_property
    def lengths(self) -> Rows:
        """(n,) int64: how many strings each image has."""
        return np.diff(self.ends, prepend=0)

    def counts(self) -> dict[str, int]:
        """How many images have each string, by string in the order of the alphabet."""
        used, counts = np.unique(self.codes, return_counts=True)
        counted: dict[str, int] = {}
        for code, count in zip(used.tolist(), counts.tolist(), strict=True):
            string = self._string(code)
            counted[string] = counted.get(string, 0) + count
        return dict(sorted(counted.items()))

    def rows_with(self, strings: Sequence[str]) -> npt.NDArray[np.bool_]:
        """(n,) whether each image has at least one of these strings."""
        used = np.unique(self.codes).tolist()
        codes = [code for code in used if self._string(code) in strings]
        has = np.zeros(len(self), np.bool_)
        has[np.repeat(np.arange(len(self)), self.lengths)[np.isin(self.codes, codes)]] = True
        return has

    def take(self, rows: Rows) -> "Column":
        """What is known of some of the images, in the order of these rows.

        >>> Column.of([("a",), (), ("b", "c")]).take(np.array([2, 0]))[:]
        [('b', 'c'), ('a',)]
        """
        lengths = self.lengths[rows]
        starts = self.ends[rows] - lengths
        ends, codes = _gathered(self.codes, starts, lengths)
        return Column(ends, codes, self.string_ends, self.strings)

    def overlaid(self, later: "Column") -> "Column":
        """The strings of `later` where it has any, else these.

        >>> Column.of([("a",), ("b",)]).overlaid(Column.of([(), ("c", "d")]))[:]
        [('a',), ('c', 'd')]
        """
        wins, first = later.lengths > 0, len(self.codes)
        starts = np.where(wins, first + later.ends - later.lengths, self.ends - self.lengths)
        codes = np.concatenate([self.codes, later.codes + len(self.string_ends)])
        ends, codes = _gathered(codes, starts, np.where(wins, later.lengths, self.lengths))
        string_ends = np.concatenate([self.string_ends, later.string_ends + len(self.strings)])
        return Column(ends, codes, string_ends, np.concatenate([self.strings, later.strings]))

    def _string(self, code: int) -> str:
        start = self.string_ends[code - 1] if code else 0
        return self.strings[start : self.string_ends[code]].tobytes().decode()


def _gathered(codes: Rows, starts: Rows, lengths: Rows) -> tuple[Rows, Rows]:
    """Runs of codes, one after the other: where each ends, and the codes."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return ends, codes[np.arange(total) + np.repeat(starts - (ends - lengths), lengths)]


def as_numbers(numbers: "array[int]") -> npt.NDArray[np.int64]:
    """The numbers of an ``array("q")`` without a copy."""
    return np.frombuffer(numbers, np.int64) if numbers else np.zeros(0, np.int64)


@dataclass(slots=True)
class StringPool:
    """Strings on their way into a `Column`.

    With `known`, equal strings have one code. Texts are hardly ever equal, and a dictionary of
    millions of them would take more memory than all else.
    """

    known: dict[str, int] | None = field(default_factory=dict)
    ends: "array[int]" = field(default_factory=lambda: array("q"))
    joined: bytearray = field(default_factory=bytearray)

    def code(self, string: str) -> int:
        """The code of a string, which is added unless it is known.

        Raises
        ------
        ValueError
            The string holds a NUL, or what UTF-8 cannot hold.
        """
        if self.known is not None and (found := self.known.get(string)) is not None:
            return found
        if "\0" in string:
            raise ValueError("a NUL is no text")
        self.joined += string.encode()
        self.ends.append(len(self.joined))
        code = len(self.ends) - 1
        if self.known is not None:
            self.known[string] = code
        return code

    def string(self, code: int) -> str:
        """The string of a code."""
        return self.joined[self.ends[code - 1] if code else 0 : self.ends[code]].decode()

    def arrays(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
        """`Column.string_ends` and `Column.strings`."""
        joined = np.frombuffer(self.joined, np.uint8) if self.joined else np.zeros(0, np.uint8)
        return as_numbers(self.ends), joined


class First(ByRow[str]):
    """The first string of each image, "" for none: a column of single values, such as labels.

    >>> First(Column.of([("cat",), ()]))[:]
    ['cat', '']
    """

    def __init__(self, column: Sequence[tuple[str, ...]]) -> None:
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    def item(self, row: int) -> str:
        """The string of one image."""
        return next(iter(self._column[row]), "")

    def __iter__(self) -> Iterator[str]:
        return (strings[0] if strings else "" for strings in self._column)
