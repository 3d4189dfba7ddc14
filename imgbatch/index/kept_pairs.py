"""The near-duplicates of an index, kept beside it, so that they are looked for once.

What was kept for earlier images of the folder tells about those that are still there.
"""

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from imgbatch.copies.match import Pairs
from imgbatch.files.arrays import read_checked_arrays, write_checked_arrays
from imgbatch.files.atomic import keep_newest, newest_first
from imgbatch.index.opened import content_keys
from imgbatch.types import Rows, View

_VERSION = 3
"""Raised whenever the same images give other pairs: version 2 kept poor ones of absent files."""
_FILES = 4


@dataclass(frozen=True, slots=True, eq=False)
class KnownPairs:
    """Pairs among the images of an index, and what they hold for.

    Attributes
    ----------
    pairs
        The near-duplicates.
    contents
        (n, h) uint8: content hashes of the images whose rows the pairs name.
    unread
        (m,) int64: rows whose files could not be read, so that pairs of them may be missing.
    """

    pairs: Pairs
    contents: View
    unread: Rows = field(default_factory=lambda: np.empty(0, np.int64))

    def carried_over(self, contents: View) -> tuple[Pairs, Rows]:
        """The pairs in rows of other images (m, h), all different, and the rows of new ones.

        O((n + m) log n).
        """
        before, now = content_keys(self.contents), content_keys(contents)
        order = np.argsort(before, kind="stable")
        place = np.minimum(np.searchsorted(before, now, sorter=order), max(len(before) - 1, 0))
        known = before[order[place]] == now if len(before) else np.zeros(len(now), bool)
        row_of = np.full(len(before), -1)
        row_of[order[place[known]]] = np.flatnonzero(known)
        moved = np.sort(row_of[self.pairs.rows], axis=1)
        there = (moved >= 0).all(axis=1)
        pairs = Pairs(moved[there], self.pairs.kinds[there], self.pairs.scores[there])
        return Pairs.best_of([pairs]), np.flatnonzero(~known)


@dataclass(frozen=True, slots=True)
class KeptPairs:
    """Files of one level of near-duplicates in a directory, one for each generation of the index.

    Attributes
    ----------
    directory
        Need not exist.
    level
        "exact", "copies" or "edited".
    """

    directory: Path
    level: str

    def read(self, generation: str) -> KnownPairs | None:
        """What was kept for exactly these images."""
        return _read(self._file(generation))

    def newest(self) -> KnownPairs | None:
        """What was kept last, for whatever images; all of their files could be read."""
        for file in newest_first(self.directory.glob(f"*-{self.level}-{_VERSION}.npz")):
            known = _read(file)
            if known is not None and not len(known.unread):
                return known
        return None

    def write(self, generation: str, known: KnownPairs) -> None:
        """Keep pairs for these images; where that is impossible, they are found anew next time."""
        with contextlib.suppress(OSError):
            write_checked_arrays(
                str(self._file(generation)),
                rows=known.pairs.rows,
                kinds=known.pairs.kinds,
                scores=known.pairs.scores,
                contents=known.contents,
                unread=known.unread,
            )
            keep_newest(self.directory.iterdir(), _FILES)

    def _file(self, generation: str) -> Path:
        return self.directory / f"{generation}-{self.level}-{_VERSION}.npz"


def _read(file: Path) -> KnownPairs | None:
    if (stored := read_checked_arrays(str(file))) is None:
        return None
    pairs = Pairs(stored["rows"], stored["kinds"], stored["scores"])
    # Version 0.9 kept nothing where a file could not be read.
    return KnownPairs(pairs, stored["contents"], stored.get("unread", np.empty(0, np.int64)))
