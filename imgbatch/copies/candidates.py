"""Pairs of miniatures that may show one picture, without comparing every image with every other.

Each image's views through windows (`imgbatch.copies.windows`) are compared with whole images, by
dot products: with all of them in small folders, with the nearest cells' beyond (`Cells`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from imgbatch.copies.cells import Cells
from imgbatch.copies.partners import BestPartners
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
MORE_PARTNERS = 32
"""The same for an image that has many copies."""
_ONE_BLOCK = 128  # images whose views are made together
_LEAST_SEEKING, _MOST_SEEKING = 256, 1 << 14  # images that seek together
_MOST_VIEWS = 1 << 18  # the same, by their views
_PAIR_BLOCK = 512
_DENSE = 4  # if one of so many possible pairs is asked for, all are compared: that copies less


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

    def without(self, known: Rows) -> "Candidates":
        """Those that are not among known pairs (k, 2), the lower row first."""
        count = max(self.pairs.max(initial=0), known.max(initial=0)) + 1
        keys = np.sort(self.pairs, axis=1) @ [count, 1]
        new = ~np.isin(keys, known @ [count, 1])
        return Candidates(self.pairs[new], self.windows[new])


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

    simple = _as_they_lie(np.concatenate([equal, _blank_pairs(miniatures, sides[0])]))
    comparisons = _comparisons(edited, PARTNERS)
    return joined(simple, *(_alike(miniatures, each, sides, run_tasks) for each in comparisons))


def more_candidates(
    miniatures: View, rows: Rows, *, edited: bool = True, run_tasks: TaskMap = map_serially
) -> Candidates:
    """More partners of some rows: those with many copies, which crowd out others' lists.

    At most `MORE_PARTNERS` for each row, twice as many with edited ones. See `find_candidates`.
    """
    sides = [(rows, _chained(miniatures)[0])]
    comparisons = _comparisons(edited, MORE_PARTNERS)
    return joined(*(_alike(miniatures, each, sides, run_tasks) for each in comparisons))


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


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Through which windows images look for which part of others, and who is a partner."""

    windows: Windows
    target: Windows
    least: float
    partners: int


def _comparisons(edited: bool, partners: int) -> tuple[_Comparison, ...]:  # noqa: FBT001
    if not edited:
        return (_Comparison(ONLY_WHOLE, ONLY_WHOLE, _LEAST_OF_COPIES, partners),)
    halves = (Windows((half,)) for half in HALVES)
    return (
        _Comparison(EVERY, ONLY_WHOLE, LEAST_LIKENESS, partners),
        *(_Comparison(half, half, _LEAST_OF_HALVES, partners) for half in halves),
    )


def _alike(
    miniatures: View,
    comparison: _Comparison,
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
    comparison: _Comparison
    rows: Rows
    cells: Cells

    @classmethod
    def of(
        cls,
        miniatures: View,
        seekers: Rows,
        sought: Rows,
        comparison: _Comparison,
    ) -> "_Search":
        cells = Cells.of(_seen(comparison.target, miniatures, sought)[:, 0])
        return cls(miniatures, seekers, comparison, sought[cells.order], cells)

    def tasks(self) -> Iterator[tuple[Rows]]:
        """The seekers in blocks: large ones, so that several views visit a cell at once.

        In small folders they are smaller, so that every thread has work.
        """
        most = min(_MOST_SEEKING, _MOST_VIEWS // len(self.comparison.windows.windows))
        step = min(max(len(self.seekers) // 16, _LEAST_SEEKING), most)
        return ((self.seekers[at : at + step],) for at in range(0, len(self.seekers), step))

    def partners(self, block: Rows) -> tuple[Rows, Rows, Floats]:
        """Some seekers, each with its best partners: pairs, windows, likenesses."""
        windows = self.comparison.windows
        views = _seen(windows, self.miniatures, block)
        views = views.reshape(-1, views.shape[2])
        shown = np.flatnonzero(views.any(axis=1))
        best = BestPartners.none(block, self.comparison.partners, self.comparison.least)
        for visit in self.cells.visits(views[shown]):
            chosen, rows = shown[visit.queries], self.rows[visit.inside]
            image, window = np.divmod(chosen, len(windows.windows))
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
        both = (_likenesses(views, wholes[:, 0], *pair) for pair in ((a, b), (b, a)))
        scores = np.concatenate(list(both), axis=1)
        best = scores.argmax(axis=1)
        turned_round, window[block] = np.divmod(best, views.shape[1])
        directed[block] = np.where(turned_round[:, None], pairs[block][:, ::-1], pairs[block])
        likeness[block] = scores[np.arange(len(best)), best]
    alike = likeness >= LEAST_LIKENESS
    return Candidates(directed[alike], window[alike])


def _likenesses(views: Floats, wholes: Floats, a: Rows, b: Rows) -> Floats:
    """(p, w) how alike each image of `a`, through each window, and the whole one of `b` are."""
    count, seen, length = views.shape
    if count**2 > _DENSE * len(a):
        return np.asarray(np.matmul(views[a], wholes[b][:, :, None])[:, :, 0])
    all_with_all = (views.reshape(-1, length) @ wholes.T).reshape(count, seen, count)
    return np.asarray(all_with_all[a, :, b])
