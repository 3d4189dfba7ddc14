"""Part near-duplicates that still share a batch, as long as there is another batch for one of them.

Dealing and swaps keep most near-duplicates apart, but look at random pairs of cells only. This last
step looks at each row that shares a batch with a near-duplicate, and swaps it into a batch that
holds none.
"""

import numpy as np
import numpy.typing as npt

from imgbatch.batches.points import DealtPoints, squared_distances
from imgbatch.copies.pairs import near_duplicate_pairs
from imgbatch.types import Rows

WORK = 1_000_000_000  # comparisons of rows in conflict with all rows, before giving up
_PASSES = 30  # passes over the rows that the first pass leaves in conflict
_PASS_ROWS = 64  # rows in each of these passes
_CANDIDATES = 256  # swap partners tried for a row
_KEY_ROWS = 1 << 15


def point_keys(dealt: DealtPoints) -> Rows:
    """A number for each row: equal for equal points, otherwise different, except by rare chance."""
    factors = np.random.default_rng(0).integers(1, 1 << 30, dealt.points.shape[1])
    keys = np.empty(dealt.empty, np.int64)
    for start in range(0, len(keys), _KEY_ROWS):
        block = dealt.points[:-1][start : start + _KEY_ROWS].astype(np.float64)
        keys[start : start + _KEY_ROWS] = block @ factors.astype(np.float64)  # whole, below 2**53
    return keys


def separate(dealt: DealtPoints, batch_of: Rows, dropped: int, rng: np.random.Generator) -> None:
    """Swap near-duplicates that share a batch into batches without their near-duplicates, in place.

    A min-conflicts search (Minton et al., 1992). Each row in conflict is swapped with one of up to
    256 random rows from the batches that hold fewest of its near-duplicates, where that parts most
    pairs; at equal gain with a row of its own label, then with the most similar row. Rows still in
    conflict are tried again a few times, also with swaps that gain nothing.

    Parameters
    ----------
    dealt
        The points.
    batch_of
        (n,) the batch of each row; changed in place.
    dropped
        The batch that is left out, in which near-duplicates do no harm; -1 if there is none.

    Notes
    -----
    O(n log n), and O(n) for each row in conflict, up to `WORK` in all.
    """
    parting = _Parting(dealt, batch_of, dropped, rng)
    moves_left = WORK // max(len(batch_of), 1)
    rows = parting.conflicts()
    for _ in range(1 + _PASSES):
        again = [other for row in rows[:moves_left].tolist() for other in parting.move(row)]
        moves_left -= len(rows)
        if not again or moves_left <= 0:
            return
        rows = rng.permutation(np.unique(again))[:_PASS_ROWS]


class _Parting:
    """The state of `separate`: the batch of each row, and which rows may not meet."""

    def __init__(
        self, dealt: DealtPoints, batch_of: Rows, dropped: int, rng: np.random.Generator
    ) -> None:
        self.dealt, self.batch_of, self.dropped, self.rng = dealt, batch_of, dropped, rng
        self.keys = point_keys(dealt)
        self.n_batches = int(batch_of.max()) + 1
        # How many copies of one image can all be apart: the dropped batch takes any number.
        self.most_apart = self.n_batches
        if dropped >= 0:
            self.most_apart += int((batch_of == dropped).sum()) - 1

    def conflicts(self) -> Rows:
        """Rows that share a batch with a near-duplicate, except copies too many to be apart."""
        dealt, batch_of = self.dealt, self.batch_of
        pairs = [near_duplicate_pairs(self.keys.view(np.uint64), 0, batch_of)]
        if dealt.hashes is not None:
            pairs.append(near_duplicate_pairs(dealt.hashes[:-1], dealt.duplicate_bits, batch_of))
        rows = np.unique(np.concatenate(pairs))
        for ids in (self.keys, dealt.hashes[:-1] if dealt.hashes is not None else None):
            if ids is not None and len(rows):
                _, inverse, counts = np.unique(ids, return_inverse=True, return_counts=True)
                rows = rows[counts[inverse.reshape(-1)[rows]] <= self.most_apart]
        return rows

    def near(self, a: Rows, b: Rows) -> npt.NDArray[np.bool_]:
        """Tell which rows (broadcast together) are near-duplicates."""
        return self.dealt.near_duplicates(a, b, self.keys[a] == self.keys[b])

    def move(self, row: int) -> list[int]:
        """Swap the row if that parts near-duplicates, or harms none.

        Returns the rows that may still be in conflict.
        """
        home = self.batch_of[row]
        near = self.near(np.arange(len(self.batch_of)), np.array([row]))
        near[row] = False
        met = np.bincount(self.batch_of[near], minlength=self.n_batches)
        if self.dropped >= 0:
            met[self.dropped] = 0
        at_home = met[home]
        if at_home == 0:
            return []
        met[home] = len(near)  # never the least
        others = np.flatnonzero((met == met.min())[self.batch_of])
        if len(others) > _CANDIDATES:
            others = others[self.rng.integers(len(others), size=_CANDIDATES)]
        mates = np.flatnonzero(self.batch_of == home)
        mates = mates[mates != row]
        brought = self.near(others[:, None], mates).sum(axis=1)
        brought[:] = 0 if home == self.dropped else brought
        conflicts = met[self.batch_of[others]] + brought
        conflicts -= near[others] & (self.batch_of[others] != self.dropped)
        if conflicts.min() > at_home:
            return [row]
        parted = conflicts.min() < at_home
        best = others[conflicts == conflicts.min()]
        if self.dealt.labels is not None:
            alike = self.dealt.labels[best] == self.dealt.labels[row]
            best = best[alike] if alike.any() else best
        if parted:
            points = self.dealt.points
            other = best[squared_distances(points[row][None], points[best])[0].argmin()]
        else:
            other = self.rng.choice(best)
        self.batch_of[row], self.batch_of[other] = self.batch_of[other], home
        if not conflicts.min():
            return []
        return [row, int(other), *mates[self.near(np.array([other]), mates)].tolist()]
