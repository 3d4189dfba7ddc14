"""The near-duplicates of an index: those of some rows at once, those of all rows kept beside it.

Miniatures lie in the index. Pictures are looked at again where miniatures agree, so that their
files are read; where they cannot be read, miniatures alone decide, by a stricter rule.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from threadpoolctl import threadpool_limits

from imgbatch.copies.candidates import candidates_among, find_candidates
from imgbatch.copies.match import Kind, Pairs, matched
from imgbatch.copies.rule import OUTSIDE_ROW
from imgbatch.embedding.projection import Projection
from imgbatch.errors import UnreadableImage
from imgbatch.files import paths
from imgbatch.files.seals import read_checked, write_checked
from imgbatch.images.decode import decode
from imgbatch.images.quiet import quiet_codecs
from imgbatch.index.extract import READ_ERRORS, read_file
from imgbatch.index.opened import OpenedIndex
from imgbatch.runners.maps import ThreadMap, map_serially
from imgbatch.types import DecodeOptions, Hashes, Rows, View

LEVELS = ("exact", "copies", "edited")
"""What counts as near-duplicates, each level with those before it."""
_VERSION = 1
"""Raised whenever the same images give other pairs."""
_KEPT = 4
_ALL_PAIRS = 48
"""Rows up to which each pair is a candidate."""
_FEW = 8
"""Files read without threads."""


@dataclass(frozen=True)
class NearDuplicates:
    """Finds the near-duplicates of an opened index.

    Attributes
    ----------
    opened
        The index.
    projection
        Its points and miniatures.
    options
        How files are decoded.
    workers
        Threads; 0 means one for each core.
    """

    opened: OpenedIndex
    projection: Projection
    options: DecodeOptions
    workers: int = 0

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
        miniatures = np.empty((len(rows), self.projection.miniatures.shape[1]), np.uint8)
        miniatures[inside] = self.projection.miniatures[rows[inside]]
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

    def views(self, rows: Sequence[int]) -> list[View | None]:
        """The views of some rows' files, read anew; None for files that cannot be read."""
        run = map_serially if len(rows) < _FEW else ThreadMap(self.workers)
        with quiet_codecs():
            return list(run(self._view, ((row,) for row in rows)))

    def _view(self, row: int) -> View | None:
        path = paths.join(self.opened.folder, self.opened.records[row].path)
        try:
            return decode(read_file(path, self.options), self.options).view
        except (UnreadableImage, *READ_ERRORS):
            return None

    def pairs(self, level: str = "edited") -> Pairs:
        """All near-duplicates of the folder: kept beside the index, or found on first use.

        Equal files are chained (a-b, b-c), and only the first of them is paired with others.
        Seconds for some thousand images, minutes for a million.
        """
        file = self.opened.directory / "copies" / f"{self.opened.generation}-{level}-{_VERSION}.npz"
        if (kept := _unpacked(read_checked(str(file)))) is not None:
            return kept
        found = self._find(level)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_checked(str(file), _packed(found))
            for old in sorted(file.parent.iterdir(), key=lambda path: -path.stat().st_mtime_ns):
                if old != file and len(list(file.parent.iterdir())) > _KEPT:
                    old.unlink()
        except OSError:  # the next request finds them anew
            pass
        return found

    def _find(self, level: str) -> Pairs:
        _, hashes = self.opened.contents()
        keys = np.ascontiguousarray(hashes).view(f"V{hashes.shape[1]}").reshape(-1)
        _, first, content = np.unique(keys, return_index=True, return_inverse=True)
        exact = _chained(content.reshape(-1))
        if level == "exact":
            return exact
        singles = np.sort(first)
        miniatures = self.projection.miniatures
        if len(singles) < len(keys) or not isinstance(miniatures, np.ndarray):
            miniatures = miniatures[singles]
        run = ThreadMap(self.workers)

        def read(positions: Sequence[int]) -> Sequence[View | None]:
            return self.views(singles[list(positions)].tolist())

        with threadpool_limits(limits=1, user_api="blas"):  # `run` has threads enough
            candidates = find_candidates(miniatures, edited=level != "copies", run_tasks=run)
            found = matched(miniatures, candidates, read, run)
        if level == "copies":
            found = found.of(found.kinds == Kind.COPY)
        rows = np.concatenate([exact.rows, singles[found.rows]])
        order = np.lexsort((rows[:, 1], rows[:, 0]))
        kinds = np.concatenate([exact.kinds, found.kinds])
        scores = np.concatenate([exact.scores, found.scores])
        return Pairs(rows, kinds, scores).of(order)

    @cached_property
    def groups(self) -> Hashes:
        """(n,) uint64: rows of equal numbers are near-duplicates, or are so by way of others."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        n, pairs = len(self.opened.records), self.pairs().rows
        linked = coo_array((np.ones(len(pairs), np.int8), tuple(pairs.T)), (n, n))
        return np.asarray(connected_components(linked, directed=False)[1], np.uint64)


def _chained(content: Rows) -> Pairs:
    """Rows of equal content, each with the next one."""
    order = np.argsort(content, kind="stable")
    same = np.diff(content[order]) == 0
    rows = np.column_stack((order[:-1][same], order[1:][same])).astype(np.int64)
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    kinds = np.full(len(rows), Kind.EXACT, np.uint8)
    return Pairs(rows, kinds, np.ones(len(rows), np.float32))


def _packed(pairs: Pairs) -> bytes:
    packed = io.BytesIO()
    np.savez(packed, rows=pairs.rows, kinds=pairs.kinds, scores=pairs.scores)
    return packed.getvalue()


def _unpacked(packed: bytes | None) -> Pairs | None:
    if packed is None:
        return None
    with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
        return Pairs(stored["rows"], stored["kinds"], stored["scores"])
