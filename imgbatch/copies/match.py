"""Tell which candidates show one picture: aligned, their details must agree.

Miniatures are aligned first, at 16 and 32 pixels. Few pairs that are no copies pass; these are
mostly objects of one outline before a plain background. So what passes is looked at again in
pictures of 64 pixels (96 where one is a part of the other), which are read from the files.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np
import numpy.typing as npt

from imgbatch.copies.align import Agreement, agreement, agreement_as_they_lie, aligned
from imgbatch.copies.candidates import BLANK_SPREAD, Candidates
from imgbatch.copies.windows import EVERY, turned_back
from imgbatch.descriptors.miniature import SIDE_PX
from imgbatch.runners.maps import TaskMap, map_serially
from imgbatch.types import Floats, Rows, View


@dataclass(frozen=True, slots=True)
class _Least:
    """Figures of an `Agreement` that are enough, together."""

    typical: float
    share: float
    rich: float

    def reached(self, found: Agreement) -> npt.NDArray[np.bool_]:
        enough = (found.typical >= self.typical) & (found.share >= self.share)
        return np.asarray(enough & (found.rich >= self.rich))


_HALF_STEPS, _FULL_STEPS, _FINE_STEPS = 3, 4, 4
_FINE_PX = 64
_ZOOM, _ZOOMED_PX = 0.8, 96
"""If a smaller part of the source is the target, the source needs more pixels for the same part."""
_BLOCK = 256
_HALF, _FULL = 0.5, 0.6
"""What must agree of half and full miniatures for another look."""
_AS_THEY_LIE = 0.6
"""The same of half miniatures of plain copies, which need not be aligned; they reach 0.8."""
_FINE = (
    _Least(typical=0.80, share=0.75, rich=0.10),
    _Least(typical=0.90, share=0.90, rich=0.0),  # hardly any details, but all agree
    _Least(typical=0.90, share=0.50, rich=0.14),  # marked, but many details agree closely
    _Least(typical=0.97, share=0.60, rich=0.05),  # marked, but most of some details are the same
)
"""What must agree of pictures: one of these."""
_MINIATURE_ALONE = 0.95
"""What must agree of miniatures if a file cannot be read."""
_STILL = 0.03
"""A copy's corners lie no farther off than this share of a side."""
_COPY_SHARE = 0.9
"""Of a copy's blocks, at least this share agrees; of a marked picture's fewer do."""


class Kind(IntEnum):
    """What two images have in common, the strongest first."""

    EXACT = 0
    COPY = 1
    EDITED = 2
    SCENE = 3


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of rows that show the same.

    Attributes
    ----------
    rows
        (p, 2) int64, the lower row first, sorted, each pair once.
    kinds
        (p,) uint8, see `Kind`.
    scores
        (p,) float32: 0..1, how far details agree.
    """

    rows: Rows
    kinds: npt.NDArray[np.uint8]
    scores: Floats

    @classmethod
    def none(cls) -> "Pairs":
        """No pairs."""
        return cls(np.empty((0, 2), np.int64), np.empty(0, np.uint8), np.empty(0, np.float32))

    @classmethod
    def best_of(cls, several: Sequence["Pairs"]) -> "Pairs":
        """All pairs of several lists, each once by its strongest kind and highest score, sorted."""
        lists = [cls.none(), *several]
        rows = np.concatenate([each.rows for each in lists])
        kinds = np.concatenate([each.kinds for each in lists])
        scores = np.concatenate([each.scores for each in lists])
        every = cls(rows, kinds, scores).of(np.lexsort((-scores, kinds, rows[:, 1], rows[:, 0])))
        return every.of((np.diff(every.rows, axis=0, prepend=-1) != 0).any(axis=1))

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, chosen: npt.NDArray[np.generic]) -> "Pairs":
        """Some of the pairs."""
        return Pairs(self.rows[chosen], self.kinds[chosen], self.scores[chosen])


ReadViews = Callable[[Sequence[int]], Sequence[View | None]]
"""Reads the views of some rows' files; None for a file that cannot be read."""


def matched(
    miniatures: View,
    candidates: Candidates,
    read: ReadViews,
    *,
    edited: bool = True,
    run_tasks: TaskMap = map_serially,
) -> Pairs:
    """The candidates that are copies, plain or edited.

    Parameters
    ----------
    miniatures
        (n, 1024) uint8.
    candidates
        Pairs of them.
    read
        Reads pictures; rows are those of `miniatures`.
    edited
        False keeps plain copies only. Their miniatures agree as they lie, so that most candidates
        need not be aligned.
    run_tasks
        Spreads the work on miniatures.

    Notes
    -----
    Deterministic. About 0.1 ms a candidate, 0.3 ms more for those whose halves agree, and 2 ms for
    those whose files are read.
    """
    starts = range(0, len(candidates.pairs), _BLOCK)
    blocks = (slice(start, start + _BLOCK) for start in starts)
    tasks = ((miniatures, candidates, block, edited) for block in blocks)
    screened = run_tasks(_screened, tasks)
    pairs = Pairs.best_of([_confirmed(few, read) for few in screened if len(few.pairs)])
    return pairs if edited else pairs.of(pairs.kinds == Kind.COPY)


@dataclass(frozen=True, slots=True, eq=False)
class _Screened:
    """Candidates whose miniatures agree: the source first, and how it lies over the target."""

    pairs: Rows
    turns: Rows
    motions: Floats
    agreement: Agreement

    def of(self, chosen: npt.NDArray[np.generic]) -> "_Screened":
        fewer = self.agreement.of(chosen)
        return _Screened(self.pairs[chosen], self.turns[chosen], self.motions[chosen], fewer)


def _screened(
    miniatures: View,
    candidates: Candidates,
    block: slice,
    edited: bool,  # noqa: FBT001 - a task's items have no names
) -> _Screened:
    pairs, window = candidates.pairs[block], candidates.windows[block]
    if not edited:
        as_they_lie = _agree_as_they_lie(miniatures, pairs)
        pairs, window = pairs[as_they_lie], window[as_they_lie]
    turns = EVERY.turns[window]
    sources, targets = _pictures(miniatures, pairs[:, 0]), _pictures(miniatures, pairs[:, 1])
    targets = _all_turned_back(targets, turns)
    half_sources, half_targets = _halved(sources), _halved(targets)
    motions = aligned(half_sources, half_targets, EVERY.motions[window], _HALF_STEPS)
    found = agreement(half_sources, half_targets, motions)
    kept = (np.maximum(found.whole, found.typical) >= _HALF) | _both_blank(sources, targets)
    sources, targets = sources[kept], targets[kept]
    motions = aligned(sources, targets, motions[kept], _FULL_STEPS)
    found = agreement(sources, targets, motions)
    screened = _Screened(pairs[kept], turns[kept], motions, found)
    return screened.of((found.typical >= _FULL) | _both_blank(sources, targets))


def _agree_as_they_lie(miniatures: View, pairs: Rows) -> npt.NDArray[np.bool_]:
    """(p,) whether halved miniatures agree without being aligned, or show nothing."""
    a, b = _pictures(miniatures, pairs[:, 0]), _pictures(miniatures, pairs[:, 1])
    agree = agreement_as_they_lie(_halved(a), _halved(b)) >= _AS_THEY_LIE
    return np.asarray(agree | _both_blank(a, b))


def _confirmed(screened: _Screened, read: ReadViews) -> Pairs:
    """Look at the pictures themselves."""
    rows, places = np.unique(screened.pairs, return_inverse=True)
    views, places = read(rows.tolist()), places.reshape(-1, 2)
    zoom = np.sqrt(np.abs(np.linalg.det(screened.motions[:, :, :2])))
    parts = (zoom >= _ZOOM, _FINE_PX), (zoom < _ZOOM, _ZOOMED_PX)
    return Pairs.best_of(
        [
            _judged(screened.of(part), views, places[part], side)
            for part, side in parts
            if part.any()
        ]
    )


def _judged(
    screened: _Screened, views: Sequence[View | None], places: Rows, source_px: int
) -> Pairs:
    """Those of some pairs of views (p, 2), at `places`, that show one picture."""
    sources = np.stack([_fine(views[place], source_px) for place in places[:, 0]])
    targets = np.stack([_fine(views[place], _FINE_PX) for place in places[:, 1]])
    readable = np.array([view is not None for view in views])[places].all(axis=1)
    turned = _all_turned_back(targets, screened.turns)
    motions = aligned(sources, turned, screened.motions, _FINE_STEPS)
    found = agreement(sources, turned, motions)
    agrees = np.any([least.reached(found) for least in _FINE], axis=0)
    of_miniatures = np.minimum(screened.agreement.whole, screened.agreement.typical)
    same = np.where(readable, agrees, of_miniatures >= _MINIATURE_ALONE)
    share = np.where(readable, found.share, screened.agreement.share)
    still = (screened.turns == 0) & (_displacement(motions) <= _STILL) & (share >= _COPY_SHARE)
    scores = np.where(readable, found.typical, screened.agreement.typical)
    blank = readable & _both_blank(sources, targets)
    same, still, scores = same | blank, still | blank, np.where(blank, 1, scores)
    kinds = np.where(still, Kind.COPY, Kind.EDITED).astype(np.uint8)
    return Pairs(np.sort(screened.pairs, axis=1), kinds, np.clip(scores, 0, 1)).of(same)


def _both_blank(a: Floats, b: Floats) -> npt.NDArray[np.bool_]:
    """(p,) whether both pictures are one even grey, and the same; nothing in them can agree."""
    spread = np.maximum(np.ptp(a, axis=(1, 2)), np.ptp(b, axis=(1, 2)))
    apart = np.abs(a.mean(axis=(1, 2)) - b.mean(axis=(1, 2)))
    return np.asarray((spread <= BLANK_SPREAD) & (apart <= BLANK_SPREAD / 2))


def _displacement(motions: Floats) -> Floats:
    """(p,) how far the farthest corner is moved, by the side."""
    corners = np.array([[x, y, 1] for x in (-0.5, 0.5) for y in (-0.5, 0.5)], np.float32)
    moved = corners @ motions.transpose(0, 2, 1) - corners[:, :2]
    return np.asarray(np.abs(moved).max(axis=(1, 2)))


def _pictures(miniatures: View, rows: Rows) -> Floats:
    shape = len(rows), SIDE_PX, SIDE_PX
    return np.asarray(miniatures[rows].reshape(shape), np.float32)


def _halved(pictures: Floats) -> Floats:
    """Each 2 by 2 pixels as their mean."""
    rows = pictures[:, ::2] + pictures[:, 1::2]
    return np.asarray((rows[:, :, ::2] + rows[:, :, 1::2]) / 4, np.float32)


def _fine(view: View | None, side: int) -> Floats:
    """(side, side) grey values; zeros for a picture that cannot be read."""
    if view is None:
        return np.zeros((side, side), np.float32)
    grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA), np.float32)


def _all_turned_back(pictures: Floats, turns: Rows) -> Floats:
    pictures = np.ascontiguousarray(pictures)
    for turn in sorted(set(turns.tolist()) - {0}):  # np.unique would import np.ma
        pictures[turns == turn] = turned_back(pictures[turns == turn], turn)
    return pictures
