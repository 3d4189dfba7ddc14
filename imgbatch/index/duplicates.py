"""The near-duplicates of an index, or of two: among some rows at once, or all, kept beside it.

Miniatures lie in the index. Pictures are looked at again where miniatures agree, so that their
files are read; where they cannot be read, miniatures alone decide, by a stricter rule.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

import numpy as np

from imgbatch.copies.candidates import (
    Candidates,
    candidates_among,
    find_candidates,
    more_candidates,
)
from imgbatch.copies.match import Kind, Pairs, ReadViews, matched
from imgbatch.copies.rule import OUTSIDE_ROW
from imgbatch.embedding.projection import Projection
from imgbatch.files import paths
from imgbatch.images.generations import Generations, generations_of
from imgbatch.images.quiet import quiet_codecs
from imgbatch.index.extract import READ_ERRORS, read_file, read_view
from imgbatch.index.kept_pairs import KeptPairs, KnownPairs
from imgbatch.index.opened import OpenedIndex, content_keys
from imgbatch.runners.blas import one_blas_thread
from imgbatch.runners.maps import Answer, ThreadMap, map_serially
from imgbatch.types import DecodeOptions, Hashes, ImageRecord, Rows, View

COPIES = "copies"
"""The folder of what is kept, beside the index."""
_ANEW = 50_000
"""Different images up to which all are looked for again when some are new: it takes a minute."""
_CROWD = 3
"""An image with so many near-duplicates may have more than were candidates."""
_FEW_NEW = 0.25
"""The share of new images up to which only these are looked for."""
_ALL_PAIRS = 48
"""Rows up to which each pair is a candidate."""
_FEW = 8
"""Files read without threads."""


@dataclass(frozen=True)
class Source:
    """An opened index with its projection."""

    opened: OpenedIndex
    projection: Projection


@dataclass(frozen=True)
class NearDuplicates:
    """Finds near-duplicates; rows are numbered through all sources.

    Attributes
    ----------
    sources
        One index; or two, of which only what both share is looked for.
    options
        How files are decoded.
    workers
        Threads; 0 means one for each core.
    unread
        Gets the rows whose pictures were asked for, and whose files could not be read.
    """

    sources: tuple[Source, ...]
    options: DecodeOptions
    workers: int = 0
    unread: list[int] = field(default_factory=list, compare=False)

    def among(self, rows: Rows, outside: tuple[View, View] | None = None) -> Rows:
        """Positions of near-duplicates, copies and edited ones, among some rows.

        Parameters
        ----------
        rows
            (m,) different rows. `OUTSIDE_ROW` stands for an image that is not in the folder.
        outside
            That image's miniature (1024,) and view.

        Returns
        -------
        (p, 2) int64 positions in `rows`, the lower position first.
        """
        inside = rows != OUTSIDE_ROW
        stored = self.miniatures(rows[inside])
        miniatures = np.empty((len(rows), stored.shape[1]), np.uint8)
        miniatures[inside] = stored
        if outside is not None:
            miniatures[~inside] = outside[0]
        if len(rows) <= _ALL_PAIRS:
            pairs = np.array(list(combinations(range(len(rows)), 2)), np.int64).reshape(-1, 2)
            candidates = candidates_among(miniatures, pairs)
        else:
            candidates = find_candidates(miniatures)

        def read(positions: Sequence[int]) -> Sequence[View | None]:
            wanted = rows[list(positions)].tolist()
            views = iter(self.views([row for row in wanted if row != OUTSIDE_ROW]))
            there = None if outside is None else outside[1]
            return [there if row == OUTSIDE_ROW else next(views) for row in wanted]

        return matched(miniatures, candidates, read).rows

    def match(self, pairs: Rows) -> Pairs:
        """Those of some pairs of rows (p, 2) that are near-duplicates."""
        rows, positions = np.unique(pairs, return_inverse=True)
        miniatures = self.miniatures(rows)
        candidates = candidates_among(miniatures, positions.reshape(-1, 2))
        found = matched(miniatures, candidates, self._reader(rows))
        return Pairs(rows[found.rows], found.kinds, found.scores)

    def miniatures(self, rows: Rows) -> View:
        """(m, 1024) uint8 of some rows."""
        stored = np.concatenate(
            [
                source.projection.miniatures[rows[(rows >= first) & (rows < end)] - first]
                for source, first, end in self._spans
            ]
        )
        if len(self.sources) == 1:
            return stored
        return stored[np.argsort(np.argsort(rows >= self._spans[0][2], kind="stable"))]

    def views(self, rows: Sequence[int]) -> list[View | None]:
        """The views of some rows' files, read anew; None for files that cannot be read."""
        views = self._of_files(self._view, rows)
        self.unread.extend(row for row, view in zip(rows, views, strict=True) if view is None)
        return views

    def pasts(self, rows: Sequence[int]) -> list[Generations]:
        """What some rows' files tell of their pictures' past; nothing if they cannot be read."""
        return self._of_files(self._past, rows)

    def path(self, row: int) -> str:
        """The absolute path, or URL, of a row's file."""
        source, first = next((s, first) for s, first, end in self._spans if row < end)
        return paths.join(source.opened.folder, source.opened.records[row - first].path)

    def record(self, row: int) -> ImageRecord:
        """What the index knows of a row."""
        return next(s.opened.records[row - first] for s, first, end in self._spans if row < end)

    @property
    def last_start(self) -> int:
        """The first row of the last source: 0 for a single one."""
        return self._spans[-1][1]

    def pairs(self, level: str = "edited") -> Pairs:
        """All near-duplicates of "exact", "copies" or "edited": kept, or found on first use.

        Equal files are chained (a-b, b-c), and only the first of them is paired with others.
        Seconds for some thousand images, minutes for a million. In large folders with few new
        images, only these are looked for; then a picture may have more partners than were listed
        if the folder was searched anew. What is found while files cannot be read is kept until one
        of them can be.
        """
        opened = self.sources[0].opened
        if len(self.sources) > 1:
            return self._find(level)
        kept = KeptPairs(opened.directory / COPIES, level)
        known = kept.read(opened.generation)
        if known is not None and not self._can_read_one_of(known.unread):
            self.unread.extend(known.unread.tolist())
            return known.pairs
        unread_before = len(self.unread)
        pairs = self._find(level, kept)
        unread = np.unique(np.array(self.unread[unread_before:], np.int64))
        hashes = np.concatenate([hashes for _, hashes in self._files])
        kept.write(opened.generation, KnownPairs(pairs, hashes, unread))
        return pairs

    def _can_read_one_of(self, rows: Rows) -> bool:
        with quiet_codecs():
            return any(self._view(row) is not None for row in rows.tolist())

    def has(self, level: str) -> bool:
        """Whether all near-duplicates of a level are kept for just these images of one index."""
        opened = self.sources[0].opened
        kept = KeptPairs(opened.directory / COPIES, level)
        return len(self.sources) == 1 and kept.read(opened.generation) is not None

    @cached_property
    def groups(self) -> Hashes:
        """(n,) uint64: rows of equal numbers are near-duplicates, or are so by way of others."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        n, pairs = self._spans[-1][2], self.pairs().rows
        linked = coo_array((np.ones(len(pairs), np.int8), tuple(pairs.T)), (n, n))
        return np.asarray(connected_components(linked, directed=False)[1], np.uint64)

    @cached_property
    def contents(self) -> Rows:
        """(n,) int64: rows of equal numbers are equal files."""
        hashes = np.concatenate([hashes for _, hashes in self._files])
        return np.asarray(
            np.unique(content_keys(hashes), return_inverse=True)[1], np.int64
        ).reshape(-1)

    @cached_property
    def sizes(self) -> Rows:
        """(n,) int64: bytes of each file."""
        return np.concatenate([sizes for sizes, _ in self._files])

    @cached_property
    def _files(self) -> list[tuple[Rows, View]]:
        """Sizes and content hashes of each source's files."""
        return [source.opened.contents() for source in self.sources]

    @cached_property
    def _spans(self) -> list[tuple[Source, int, int]]:
        """Each source with its first row and the row after its last."""
        ends = np.cumsum([len(source.opened.records) for source in self.sources]).tolist()
        return list(zip(self.sources, [0, *ends], ends, strict=False))

    def _of_files(self, read: Callable[[int], Answer], rows: Sequence[int]) -> list[Answer]:
        """What is read of some rows' files, side by side if they are many."""
        run = map_serially if len(rows) < _FEW else ThreadMap(self.workers)
        with quiet_codecs():
            return list(run(read, ((row,) for row in rows)))

    def _view(self, row: int) -> View | None:
        return read_view(self.path(row), self.options)

    def _past(self, row: int) -> Generations:
        try:
            return generations_of(read_file(self.path(row), self.options))
        except READ_ERRORS:
            return Generations()

    def _reader(self, rows: Rows) -> ReadViews:
        return lambda positions: self.views(rows[list(positions)].tolist())

    def _find(self, level: str, kept: KeptPairs | None = None) -> Pairs:
        exact = _chained(self.contents)
        if level == "exact":
            return exact
        singles, between = self._singles()
        known = Pairs.none()
        if kept is not None and len(singles) > _ANEW and (before := kept.newest()) is not None:
            carried, new = before.carried_over(self._files[0][1][singles])
            if len(new) <= _FEW_NEW * len(singles):
                known, between = carried, (new, np.arange(len(singles)))
        everyone = len(singles) == self._spans[-1][2] and len(self.sources) == 1
        whole = self.sources[0].projection.miniatures
        small = whole if everyone and isinstance(whole, np.ndarray) else self.miniatures(singles)
        found = self._find_among(small, singles, between, edited=level != "copies")
        found = Pairs.best_of([known, found])
        return Pairs.best_of([exact, Pairs(singles[found.rows], found.kinds, found.scores)])

    def _find_among(
        self, small: View, rows: Rows, between: tuple[Rows, Rows] | None, *, edited: bool
    ) -> Pairs:
        """Near-duplicates among miniatures, which are those of `rows`."""
        run = ThreadMap(self.workers)

        def judged(candidates: Candidates) -> Pairs:
            return matched(small, candidates, self._reader(rows), edited=edited, run_tasks=run)

        with one_blas_thread():  # `run` has threads enough
            found = judged(find_candidates(small, edited=edited, between=between, run_tasks=run))
            crowded = np.flatnonzero(np.bincount(found.rows.reshape(-1)) >= _CROWD)
            if between is None and len(crowded):
                more = more_candidates(small, crowded, edited=edited, run_tasks=run)
                found = Pairs.best_of([found, judged(more.without(found.rows))])
        return found

    def _singles(self) -> tuple[Rows, tuple[Rows, Rows] | None]:
        """The first row of each content of each source, and which of them are compared."""
        firsts = [
            first + np.unique(self.contents[first:end], return_index=True)[1]
            for _, first, end in self._spans
        ]
        singles = np.sort(np.concatenate(firsts))
        if len(self.sources) == 1:
            return singles, None
        border = len(firsts[0])
        return singles, (np.arange(border), np.arange(border, len(singles)))


def _chained(contents: Rows) -> Pairs:
    """Rows of equal content, each with the next one."""
    order = np.argsort(contents, kind="stable")
    same = np.diff(contents[order]) == 0
    rows = np.column_stack((order[:-1][same], order[1:][same])).astype(np.int64)
    exact = Pairs(rows, np.full(len(rows), Kind.EXACT, np.uint8), np.ones(len(rows), np.float32))
    return Pairs.best_of([exact])
