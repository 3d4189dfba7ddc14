"""Pairs of miniatures that may show one picture, without comparing every image with every other.

Each image's views through windows (`imgbatch.copies.windows`) are compared with all whole images,
by dot products. In large folders whole images are sorted into cells first, and a view is compared
with the images of the few cells nearest to it (the inverted file of Sivic and Zisserman, ICCV 2003,
with one vector an image): then a partner may be missed that lies in none of these cells.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from imgbatch.copies.windows import EVERY, HALVES, ONLY_WHOLE, Windows
from imgbatch.runners.maps import TaskMap, map_serially
from imgbatch.types import Floats, Rows, View

LEAST_LIKENESS = 0.7
"""Views with a smaller dot product are not alike."""
_LEAST_OF_HALVES = 0.9
"""The same for halves that lie in the same place: they hardly differ unless they are marked."""
_LEAST_OF_MARKED = 0.4
"""The same for wholes, one of which may bear a large mark."""
PARTNERS = 6
"""An image's best partners are candidates, at most this many."""
_ONE_CELL = 1024  # images up to which all are compared with all
_PROBED = 5  # cells that a view is compared with
_SAMPLE = 1 << 16  # images by which cells are laid out
_BLOCK = 256  # images handled at once
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
    miniatures: View, *, edited: bool = True, run_tasks: TaskMap = map_serially
) -> Candidates:
    """Find the pairs of images that may show one picture.

    Parameters
    ----------
    miniatures
        (n, 1024) uint8.
    edited
        Whether to look for crops, mirrored, turned and marked pictures, too.
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
    if len(miniatures) < 2:
        return Candidates(np.empty((0, 2), np.int64), np.empty(0, np.int64))
    if not edited:
        return _as_they_lie(_partners(miniatures, ONLY_WHOLE, ONLY_WHOLE, run_tasks))
    seen = best_windows(miniatures, _partners(miniatures, EVERY, ONLY_WHOLE, run_tasks))
    halves = (Windows((half,)) for half in HALVES)
    by_half = [_partners(miniatures, half, half, run_tasks, _LEAST_OF_HALVES) for half in halves]
    return joined(seen, _as_they_lie(np.unique(np.concatenate(by_half), axis=0)))


def candidates_among(miniatures: View, pairs: Rows) -> Candidates:
    """What to try for given pairs: the best window, and similar pictures as they lie."""
    wholes = ONLY_WHOLE.vectors(miniatures)[:, 0]
    similar = np.einsum("pd,pd->p", *(wholes[side] for side in pairs.T)) > _LEAST_OF_MARKED
    return joined(best_windows(miniatures, pairs), _as_they_lie(pairs[similar]))


def joined(*several: Candidates) -> Candidates:
    """All candidates, each once."""
    pairs = np.concatenate([each.pairs for each in several])
    windows = np.concatenate([each.windows for each in several])
    rows = np.unique(np.column_stack((pairs, windows)), axis=0)
    return Candidates(rows[:, :2], rows[:, 2])


def _as_they_lie(pairs: Rows) -> Candidates:
    return Candidates(pairs, np.zeros(len(pairs), np.int64))


def _partners(
    miniatures: View,
    views: Windows,
    target: Windows,
    run_tasks: TaskMap,
    least: float = LEAST_LIKENESS,
) -> Rows:
    """(p, 2) the lower row first, each once: images alike, one seen through some of the views."""
    search = _Search.of(miniatures, views, target, least)
    starts = ((start,) for start in range(0, len(miniatures), _BLOCK))
    found = list(run_tasks(search.partners, starts))
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """Whole images in cells, each cell's images one after the other."""

    miniatures: View
    windows: Windows
    least: float
    wholes: Floats
    rows: Rows
    ends: Rows
    centres: Floats

    @classmethod
    def of(cls, miniatures: View, windows: Windows, target: Windows, least: float) -> "_Search":
        n = len(miniatures)
        blocks = (miniatures[start : start + _BLOCK] for start in range(0, n, _BLOCK))
        wholes = np.concatenate([target.vectors(block)[:, 0] for block in blocks])
        if n <= _ONE_CELL:
            centres, cell = np.zeros((1, wholes.shape[1]), np.float32), np.zeros(n, np.int64)
        else:
            centres = _centres(wholes, round(2 * n**0.5))
            cell = np.concatenate(
                [
                    (wholes[start : start + _ONE_CELL] @ centres.T).argmax(axis=1)
                    for start in range(0, n, _ONE_CELL)
                ]
            )
        rows = np.argsort(cell, kind="stable")
        ends = np.cumsum(np.bincount(cell, minlength=len(centres)))
        return cls(miniatures, windows, least, wholes[rows], rows, ends, centres)

    def partners(self, start: int) -> Rows:
        """(p, 2) the images from `start` on, a block of them, each with its best partners."""
        block = self.miniatures[start : start + _BLOCK]
        views = self.windows.vectors(block)
        image = np.repeat(np.arange(len(block)), views.shape[1])
        found = list(self._alike(start, image, views.reshape(len(image), -1)))
        if not found:
            return np.empty((0, 2), np.int64)
        images, rows, scores = map(np.concatenate, zip(*found, strict=True))
        order = np.lexsort((rows, -scores, images))
        images, rows = images[order], rows[order]
        rank = np.arange(len(images)) - np.searchsorted(images, images)
        best = rank < PARTNERS
        return np.column_stack((images[best] + start, rows[best]))

    def _alike(self, start: int, image: Rows, views: Floats) -> Iterator[tuple[Rows, Rows, Floats]]:
        """Images of the block, rows and likenesses, cell by cell."""
        for cell, chosen in self._visits(views):
            first, end = (int(self.ends[cell - 1]) if cell else 0), int(self.ends[cell])
            if first == end:
                continue
            scores = views[chosen] @ self.wholes[first:end].T
            images, begin = np.unique(image[chosen], return_index=True)
            best = np.maximum.reduceat(scores, begin, axis=0)
            rows = self.rows[first:end]
            best[images[:, None] + start == rows] = 0
            if best.shape[1] > PARTNERS:
                least = np.partition(best, -PARTNERS, axis=1)[:, -PARTNERS, None]
                best[best < least] = 0
            i, j = np.nonzero(best >= self.least)
            yield images[i], rows[j], best[i, j]

    def _visits(self, views: Floats) -> Iterator[tuple[int, Rows]]:
        """Each cell with the views, rising, that are compared with its images."""
        if len(self.centres) == 1:
            yield 0, np.arange(len(views))
            return
        nearness = views @ self.centres.T
        everyone = np.arange(len(views))
        cells = np.empty((_PROBED, len(views)), np.int64)
        for probe in range(_PROBED):
            cells[probe] = nearness.argmax(axis=1)
            nearness[everyone, cells[probe]] = -2
        order = np.argsort(cells, axis=None, kind="stable")
        sorted_cells = cells.reshape(-1)[order]
        begin = np.flatnonzero(np.diff(sorted_cells, prepend=-1))
        for number, chosen in zip(sorted_cells[begin], np.split(order, begin[1:]), strict=True):
            yield int(number), np.sort(chosen % len(views))


def _centres(wholes: Floats, count: int) -> Floats:
    """Centres of cells, by k-means on a sample, of length 1."""
    from sklearn.cluster import MiniBatchKMeans

    sample = wholes[:: -(-len(wholes) // _SAMPLE)]
    means = MiniBatchKMeans(
        count, init="random", n_init=1, max_iter=20, batch_size=4096, random_state=0
    )
    centres = means.fit(sample).cluster_centers_.astype(np.float32)
    return np.asarray(centres / np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-6))


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
