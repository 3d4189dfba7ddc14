"""Pairs of miniatures that may show one picture, without comparing every image with every other.

Each image's views through windows (`imgbatch.copies.windows`) are compared with whole images, by
dot products: with all of them in small folders, with the nearest cells' beyond (`Cells`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgbatch.copies.cells import Cells
from imgbatch.copies.windows import EVERY, HALVES, ONLY_WHOLE, Windows
from imgbatch.runners.maps import TaskMap, map_serially
from imgbatch.types import Floats, Rows, View

BLANK_SPREAD = 6
"""Grey values between the darkest and the lightest place of a picture that shows nothing."""
LEAST_LIKENESS = 0.7
"""Views with a smaller dot product are not alike."""
_LEAST_OF_COPIES = 0.85
"""The same for whole pictures that may be plain copies."""
_LEAST_OF_HALVES = 0.9
"""The same for halves that lie in the same place: they hardly differ unless they are marked."""
_LEAST_OF_MARKED = 0.4
"""The same for wholes, one of which may bear a large mark."""
PARTNERS = 6
"""An image's best partners are candidates, at most this many."""
_ONE_BLOCK = 128  # images whose views are made together
_LEAST_SEEKING, _MOST_SEEKING = 256, 1 << 14  # images that seek together
_MOST_VIEWS = 1 << 18  # the same, by their views
_PAIR_BLOCK = 512


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Pairs of images that may show one picture.

    Attributes
    ----------
    pairs
        (p, 2) int64: the first image, seen through a window, may be the second one.
    windows
        (p,) int64 numbers of windows of `EVERY`; 0 is the whole picture.
    """

    pairs: Rows
    windows: Rows


def find_candidates(
    miniatures: View,
    *,
    edited: bool = True,
    between: tuple[Rows, Rows] | None = None,
    run_tasks: TaskMap = map_serially,
) -> Candidates:
    """Find the pairs of images that may show one picture.

    Parameters
    ----------
    miniatures
        (n, 1024) uint8.
    edited
        Whether to look for crops, mirrored, turned and marked pictures, too.
    between
        Two sets of rows, rising: only pairs with one row of each are looked for. None for all rows.
    run_tasks
        Spreads the work, by blocks of images.

    Returns
    -------
    At most `PARTNERS` n candidates of whole pictures, twice as many with edited ones.

    Notes
    -----
    Deterministic, whatever the number of threads. O(n^2) up to 1,024 images, O(n^1.5) beyond.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> picture = random.integers(0, 256, (32, 32), np.uint8)
    >>> other = random.integers(0, 256, (32, 32), np.uint8)
    >>> rows = np.stack([picture, other, picture[:, ::-1]]).reshape(3, -1)
    >>> found = find_candidates(rows)
    >>> found.pairs.tolist(), EVERY.windows[found.windows[0]].turn
    ([[0, 2]], 1)
    """
    singles, equal = np.arange(len(miniatures)), np.empty((0, 2), np.int64)
    if between is None:
        singles, equal = _chained(miniatures)
    sides = [(singles, singles)] if between is None else [between, between[::-1]]

    def alike(views: Windows, target: Windows, least: float) -> Candidates:
        return _alike(miniatures, (views, target, least), sides, run_tasks)

    simple = _as_they_lie(np.concatenate([equal, _blank_pairs(miniatures, sides[0])]))
    if not edited:
        return joined(simple, alike(ONLY_WHOLE, ONLY_WHOLE, _LEAST_OF_COPIES))
    halves = (Windows((half,)) for half in HALVES)
    marked = [alike(half, half, _LEAST_OF_HALVES) for half in halves]
    return joined(simple, alike(EVERY, ONLY_WHOLE, LEAST_LIKENESS), *marked)


def candidates_among(miniatures: View, pairs: Rows) -> Candidates:
    """What to try for given pairs: the best window, and similar pictures as they lie."""
    wholes = ONLY_WHOLE.vectors(miniatures)[:, 0]
    similar = np.einsum("pd,pd->p", *(wholes[side] for side in pairs.T)) > _LEAST_OF_MARKED
    return joined(best_windows(miniatures, pairs), _as_they_lie(pairs[similar]))


def joined(*several: Candidates) -> Candidates:
    """All candidates, each once."""
    pairs = np.concatenate([each.pairs for each in several])
    windows = np.concatenate([each.windows for each in several])
    order = np.lexsort((windows, pairs[:, 1], pairs[:, 0]))
    pairs, windows = pairs[order], windows[order]
    new = (np.diff(pairs, axis=0, prepend=-1) != 0).any(axis=1)
    new |= np.diff(windows, prepend=-1) != 0
    return Candidates(pairs[new], windows[new])


def _blank_pairs(miniatures: View, sides: tuple[Rows, Rows]) -> Rows:
    """Pictures of one even grey, each with the next lighter one."""
    rows = np.union1d(*sides)
    blocks = range(0, len(rows), _ONE_BLOCK)
    spread = [np.ptp(miniatures[rows[b : b + _ONE_BLOCK]], axis=1) for b in blocks]
    rows = rows[np.concatenate([np.empty(0), *spread]) <= BLANK_SPREAD]
    rows = rows[np.argsort(miniatures[rows].mean(axis=1), kind="stable")]
    pairs = np.sort(np.column_stack((rows[:-1], rows[1:])), axis=1)
    return pairs[np.isin(pairs, sides[0]).any(axis=1) & np.isin(pairs, sides[1]).any(axis=1)]


def _as_they_lie(pairs: Rows) -> Candidates:
    return Candidates(pairs, np.zeros(len(pairs), np.int64))


def _chained(miniatures: View) -> tuple[Rows, Rows]:
    """The first row of each miniature; and rows of equal miniatures, each with the next one."""
    numbers = np.random.default_rng(0).integers(1, 1 << 63, miniatures.shape[1] // 8, np.uint64)
    starts = range(0, len(miniatures), _ONE_BLOCK)
    blocks = (np.ascontiguousarray(miniatures[start : start + _ONE_BLOCK]) for start in starts)
    sums = [(block.view(np.uint64) * (numbers | 1)).sum(axis=1) for block in blocks]
    keys = np.concatenate([np.empty(0, np.uint64), *sums])  # as good as the miniatures themselves
    order = np.argsort(keys, kind="stable")
    same = np.diff(keys[order]) == 0
    singles = np.sort(order[np.concatenate([np.ones(len(order[:1]), bool), ~same])])
    return singles, np.column_stack((order[:-1][same], order[1:][same]))


def _alike(
    miniatures: View,
    comparison: tuple[Windows, Windows, float],
    sides: Sequence[tuple[Rows, Rows]],
    run_tasks: TaskMap,
) -> Candidates:
    """Images and their best partners, each pair once, by the window that shows them most alike."""
    found = [(np.empty((0, 2), np.int64), np.empty(0, np.int64), np.empty(0, np.float32))]
    for seekers, sought in sides:
        if len(seekers) and len(sought):
            search = _Search.of(miniatures, seekers, sought, comparison)
            found += run_tasks(search.partners, search.tasks())
    pairs, windows, scores = map(np.concatenate, zip(*found, strict=True))
    lower, higher = np.sort(pairs, axis=1).T
    order = np.lexsort((-scores, higher, lower))
    new = (np.diff(lower[order], prepend=-1) != 0) | (np.diff(higher[order], prepend=-1) != 0)
    return Candidates(pairs[order[new]], windows[order[new]])


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """Who seeks, through which windows, among whole images (or equal parts of them) in cells."""

    miniatures: View
    seekers: Rows
    windows: Windows
    least: float
    rows: Rows
    cells: Cells

    @classmethod
    def of(
        cls,
        miniatures: View,
        seekers: Rows,
        sought: Rows,
        comparison: tuple[Windows, Windows, float],
    ) -> "_Search":
        windows, target, least = comparison
        cells = Cells.of(_seen(target, miniatures, sought)[:, 0])
        return cls(miniatures, seekers, windows, least, sought[cells.order], cells)

    def tasks(self) -> Iterator[tuple[Rows]]:
        """The seekers in blocks: large ones, so that several views visit a cell at once.

        In small folders they are smaller, so that every thread has work.
        """
        most = min(_MOST_SEEKING, _MOST_VIEWS // len(self.windows.windows))
        step = min(max(len(self.seekers) // 16, _LEAST_SEEKING), most)
        return ((self.seekers[at : at + step],) for at in range(0, len(self.seekers), step))

    def partners(self, block: Rows) -> tuple[Rows, Rows, Floats]:
        """Some seekers, each with its best partners: pairs, windows, likenesses."""
        views = _seen(self.windows, self.miniatures, block)
        views = views.reshape(-1, views.shape[2])
        shown = np.flatnonzero(views.any(axis=1))
        best = _Best.none(block, self.least)
        for visit in self.cells.visits(views[shown]):
            chosen, rows = shown[visit.queries], self.rows[visit.inside]
            image, window = np.divmod(chosen, len(self.windows.windows))
            scores = views[chosen] @ self.cells.vectors[visit.inside].T
            best.improve(image, window, rows, scores)
        found = best.of(np.arange(len(block)))
        return np.column_stack((block[found.images], found.rows)), found.windows, found.scores


def _seen(windows: Windows, miniatures: View, rows: Rows) -> Floats:
    """(n, w, d) what some rows show through windows; intermediate results stay small."""
    blocks = (rows[at : at + _ONE_BLOCK] for at in range(0, len(rows), _ONE_BLOCK))
    first = windows.vectors(miniatures[next(blocks)])
    seen = np.empty((len(rows), *first.shape[1:]), np.float32)
    seen[: len(first)] = first
    for number, block in enumerate(blocks, 1):
        seen[number * _ONE_BLOCK :][: len(block)] = windows.vectors(miniatures[block])
    return seen


@dataclass(frozen=True, slots=True, eq=False)
class _Partners:
    """Images of a block with partners, an entry for each two: (e,) arrays."""

    images: Rows
    rows: Rows
    windows: Rows
    scores: Floats

    def of(self, chosen: npt.NDArray[np.generic]) -> "_Partners":
        return _Partners(*(getattr(self, name)[chosen] for name in self.__slots__))

    def and_those(self, other: "_Partners") -> "_Partners":
        both = ((getattr(self, name), getattr(other, name)) for name in self.__slots__)
        return _Partners(*map(np.concatenate, both))

    def best(self) -> tuple["_Partners", Rows]:
        """Each image's best partners, each by its best window; and their ranks."""
        found = self.of(np.lexsort((-self.scores, self.rows, self.images)))
        new = np.diff(found.images, prepend=-1) != 0
        new |= np.diff(found.rows, prepend=-1) != 0
        found = found.of(new)
        found = found.of(np.lexsort((found.rows, -found.scores, found.images)))
        first = np.flatnonzero(np.diff(found.images, prepend=-1))
        lengths = np.diff(first, append=len(found.images))
        ranks = np.arange(len(found.images)) - np.repeat(first, lengths)
        return found.of(ranks < PARTNERS), ranks[ranks < PARTNERS]


@dataclass(frozen=True, slots=True, eq=False)
class _Best:
    """The best partners so far of a block of images, (b, PARTNERS) each, the best first.

    `block` are the images' own rows (b,). Where there is no partner yet, the row is -1.
    """

    block: Rows
    rows: Rows
    windows: Rows
    scores: Floats

    @classmethod
    def none(cls, block: Rows, least: float) -> "_Best":
        nobody = np.full((len(block), PARTNERS), -1, np.int64)
        return cls(block, nobody, nobody.copy(), np.full(nobody.shape, least, np.float32))

    def of(self, images: Rows) -> _Partners:
        place, rank = np.nonzero(self.rows[images] >= 0)
        at = images[place], rank
        return _Partners(at[0], self.rows[at], self.windows[at], self.scores[at])

    def improve(self, images: Rows, windows: Rows, rows: Rows, scores: Floats) -> None:
        """Take partners in that are better than those so far.

        Parameters
        ----------
        images, windows
            (v,) whose view through which window is compared.
        rows
            (m,) with which rows.
        scores
            (v, m) float32.
        """
        better = np.flatnonzero(scores > self.scores[images, -1, None])
        if len(better):
            view, row = np.divmod(better, len(rows))
            taken = scores.reshape(-1)[better]
            found = _Partners(images[view], rows[row], windows[view], taken)
            found = found.of(self.block[found.images] != found.rows)
            found, rank = found.and_those(self.of(np.unique(found.images))).best()
            at = found.images, rank
            self.rows[at], self.windows[at] = found.rows, found.windows
            self.scores[at] = found.scores


def best_windows(miniatures: View, pairs: Rows) -> Candidates:
    """Through which window one image of each pair is most like the other one.

    Pairs that are not alike through any window are left out.
    """
    directed, window = pairs.copy(), np.zeros(len(pairs), np.int64)
    likeness = np.zeros(len(pairs), np.float32)
    for start in range(0, len(pairs), _PAIR_BLOCK):
        block = slice(start, start + _PAIR_BLOCK)
        rows, inverse = np.unique(pairs[block], return_inverse=True)
        views, wholes = EVERY.vectors(miniatures[rows]), ONLY_WHOLE.vectors(miniatures[rows])
        a, b = inverse.reshape(-1, 2).T
        forward, backward = (
            np.matmul(views[x], wholes[y].transpose(0, 2, 1))[:, :, 0] for x, y in ((a, b), (b, a))
        )
        scores = np.concatenate([forward, backward], axis=1)
        best = scores.argmax(axis=1)
        turned_round, window[block] = np.divmod(best, views.shape[1])
        directed[block] = np.where(turned_round[:, None], pairs[block][:, ::-1], pairs[block])
        likeness[block] = scores[np.arange(len(best)), best]
    alike = likeness >= LEAST_LIKENESS
    return Candidates(directed[alike], window[alike])
