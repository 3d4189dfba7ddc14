"""Pairs of miniatures that may show one picture, without comparing every image with every other.

Each image's views through windows (`imgbatch.copies.windows`) are compared with all whole images,
by dot products. In large folders whole images are sorted into cells first, and a view is compared
with the images of the few cells nearest to it (the inverted file of Sivic and Zisserman, ICCV 2003,
with one vector an image): then a partner may be missed that lies in none of these cells.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

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
_ONE_CELL = 1024  # images up to which all are compared with all
_PROBED = 2  # cells that a view is compared with; several views find the same image
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
    everyone = np.arange(len(miniatures))
    sides = [(everyone, everyone)] if between is None else [between, between[::-1]]

    def partners(views: Windows, target: Windows, least: float = LEAST_LIKENESS) -> Rows:
        return _partners(miniatures, (views, target, least), sides, run_tasks)

    blank = _blank_pairs(miniatures, sides[0])
    if not edited:
        wholes = partners(ONLY_WHOLE, ONLY_WHOLE, _LEAST_OF_COPIES)
        return joined(_as_they_lie(np.concatenate([wholes, blank])))
    seen = best_windows(miniatures, partners(EVERY, ONLY_WHOLE))
    halves = (Windows((half,)) for half in HALVES)
    by_half = [partners(half, half, _LEAST_OF_HALVES) for half in halves]
    return joined(seen, _as_they_lie(np.concatenate([*by_half, blank])))


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
    blocks = range(0, len(rows), _ONE_CELL)
    spread = [np.ptp(miniatures[rows[b : b + _ONE_CELL]], axis=1) for b in blocks]
    rows = rows[np.concatenate([np.empty(0), *spread]) <= BLANK_SPREAD]
    rows = rows[np.argsort(miniatures[rows].mean(axis=1), kind="stable")]
    pairs = np.sort(np.column_stack((rows[:-1], rows[1:])), axis=1)
    return pairs[np.isin(pairs, sides[0]).any(axis=1) & np.isin(pairs, sides[1]).any(axis=1)]


def _as_they_lie(pairs: Rows) -> Candidates:
    return Candidates(pairs, np.zeros(len(pairs), np.int64))


def _partners(
    miniatures: View,
    comparison: tuple[Windows, Windows, float],
    sides: Sequence[tuple[Rows, Rows]],
    run_tasks: TaskMap,
) -> Rows:
    """(p, 2) the lower row first, each once: images alike, one seen through some windows."""
    found = [np.empty((0, 2), np.int64)]
    for seekers, sought in sides:
        if len(seekers) and len(sought):
            search = _Search.of(miniatures, seekers, sought, comparison)
            starts = ((start,) for start in range(0, len(seekers), _BLOCK))
            found += run_tasks(search.partners, starts)
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """Whole images in cells, each cell's images one after the other, and who seeks among them."""

    miniatures: View
    seekers: Rows
    windows: Windows
    least: float
    wholes: Floats
    rows: Rows
    ends: Rows
    centres: Floats

    @classmethod
    def of(
        cls,
        miniatures: View,
        seekers: Rows,
        sought: Rows,
        comparison: tuple[Windows, Windows, float],
    ) -> "_Search":
        windows, target, least = comparison
        n = len(sought)
        blocks = (miniatures[sought[start : start + _BLOCK]] for start in range(0, n, _BLOCK))
        wholes = np.concatenate([target.vectors(block)[:, 0] for block in blocks])
        if n <= _ONE_CELL:
            centres, cell = np.zeros((1, wholes.shape[1]), np.float32), np.zeros(n, np.int64)
        else:
            centres = _centres(wholes, round(2 * n**0.5))
            starts = range(0, n, _ONE_CELL)
            nearest = (wholes[start : start + _ONE_CELL] @ centres.T for start in starts)
            cell = np.concatenate([nearness.argmax(axis=1) for nearness in nearest])
        order = np.argsort(cell, kind="stable")
        ends = np.cumsum(np.bincount(cell, minlength=len(centres)))
        return cls(miniatures, seekers, windows, least, wholes[order], sought[order], ends, centres)

    def partners(self, start: int) -> Rows:
        """(p, 2) the seekers from `start` on, a block of them, each with its best partners."""
        block = self.seekers[start : start + _BLOCK]
        views = self.windows.vectors(self.miniatures[block])
        image = np.repeat(np.arange(len(block)), views.shape[1])
        found = list(self._alike(block, image, views.reshape(len(image), views.shape[2])))
        if not found:
            return np.empty((0, 2), np.int64)
        images, rows, scores = map(np.concatenate, zip(*found, strict=True))
        order = np.lexsort((rows, -scores, images))
        images, rows = images[order], rows[order]
        best = np.arange(len(images)) - np.searchsorted(images, images) < PARTNERS
        return np.column_stack((block[images[best]], rows[best]))

    def _alike(
        self, block: Rows, image: Rows, views: Floats
    ) -> Iterator[tuple[Rows, Rows, Floats]]:
        """Images of the block, rows and likenesses, cell by cell."""
        for cell, chosen in self._visits(views):
            first, end = (int(self.ends[cell - 1]) if cell else 0), int(self.ends[cell])
            if first == end:
                continue
            scores = views[chosen] @ self.wholes[first:end].T
            images, begin = np.unique(image[chosen], return_index=True)
            best = np.maximum.reduceat(scores, begin, axis=0)
            rows = self.rows[first:end]
            best[block[images][:, None] == rows] = 0
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
