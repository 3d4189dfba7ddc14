"""Part the near-duplicates that still share a batch, as long as another place is found."""

import numpy as np
import numpy.typing as npt

from imgbatch.batches.anticluster import Rows, Space, squared_distances
from imgbatch.copies.pairs import near_duplicate_pairs
from imgbatch.copies.rule import hamming

WORK = 1_000_000_000  # rows compared with those that share a batch, before giving up
_PASSES = 30  # over what the first pass leaves, and so many rows in each:
_AGAIN = 64
_CANDIDATES = 256  # swap partners looked at for one row
_KEY_ROWS = 1 << 15


def point_keys(space: Space) -> npt.NDArray[np.int64]:
    """A number for each row: equal for equal points, for others different but for rare chance."""
    factors = np.random.default_rng(0).integers(1, 1 << 30, space.points.shape[1])
    keys = np.empty(len(space.points) - 1, np.int64)
    for at in range(0, len(keys), _KEY_ROWS):
        block = space.points[:-1][at : at + _KEY_ROWS].astype(np.float64)
        keys[at : at + _KEY_ROWS] = block @ factors.astype(np.float64)  # whole and below 2**53
    return keys


def separate(space: Space, batch_of: Rows, dropped: int, rng: np.random.Generator) -> None:
    """Swap near-duplicates that share a batch into batches that have none of theirs, in place.

    A min-conflicts search (Minton et al., 1992): each row in conflict is swapped with one of up to
    256 random rows from the batches that hold fewest of its near-duplicates, where that parts most
    pairs; at equal gain a row of its own label, then the most similar. What is left is tried again
    a few times, also by swaps that gain nothing. In the batch `dropped` (-1: none) near-duplicates
    do no harm. O(n log n), and O(n) for each row in conflict, up to `WORK` in all.
    """
    parting = _Parting(space, batch_of, dropped, rng)
    left = WORK // max(len(batch_of), 1)
    rows = parting.conflicts()
    for _ in range(1 + _PASSES):
        again = [other for row in rows[:left].tolist() for other in parting.move(row)]
        left -= len(rows)
        if not again or left <= 0:
            return
        rows = rng.permutation(np.unique(again))[:_AGAIN]


class _Parting:
    """The state of `separate`: which row is in which batch, and what may not meet."""

    def __init__(
        self, space: Space, batch_of: Rows, dropped: int, rng: np.random.Generator
    ) -> None:
        self.space, self.batch_of, self.dropped, self.rng = space, batch_of, dropped, rng
        self.keys = point_keys(space)
        self.n_batches = int(batch_of.max()) + 1
        # Copies of one image that can all be apart: the dropped batch takes any number.
        self.places = self.n_batches
        if dropped >= 0:
            self.places += int((batch_of == dropped).sum()) - 1

    def conflicts(self) -> Rows:
        """Rows that share a batch with a near-duplicate, but for copies that fill every batch."""
        space, batch_of = self.space, self.batch_of
        pairs = [near_duplicate_pairs(self.keys.view(np.uint64), 0, batch_of)]
        if space.hashes is not None:
            pairs.append(near_duplicate_pairs(space.hashes[:-1], space.max_bits, batch_of))
        rows = np.unique(np.concatenate(pairs))
        for ids in (self.keys, space.hashes[:-1] if space.hashes is not None else None):
            if ids is not None and len(rows):
                _, inverse, counts = np.unique(ids, return_inverse=True, return_counts=True)
                rows = rows[counts[inverse.reshape(-1)[rows]] <= self.places]
        return rows

    def near(self, a: Rows, b: Rows) -> npt.NDArray[np.bool_]:
        """Tell which rows (broadcast together) are near-duplicates."""
        near: npt.NDArray[np.bool_] = self.keys[a] == self.keys[b]
        if self.space.hashes is not None:
            near |= hamming(self.space.hashes[a], self.space.hashes[b]) <= self.space.max_bits
        return near

    def move(self, row: int) -> list[int]:
        """Swap the row if that parts near-duplicates, or harms none; rows to look at again."""
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
        left_over = met[self.batch_of[others]] + brought
        left_over -= near[others] & (self.batch_of[others] != self.dropped)
        if left_over.min() > at_home:
            return [row]
        parted = left_over.min() < at_home
        best = others[left_over == left_over.min()]
        if self.space.labels is not None:
            alike = self.space.labels[best] == self.space.labels[row]
            best = best[alike] if alike.any() else best
        if parted:
            points = self.space.points
            other = best[squared_distances(points[row][None], points[best])[0].argmin()]
        else:
            other = self.rng.choice(best)
        self.batch_of[row], self.batch_of[other] = self.batch_of[other], home
        if not left_over.min():
            return []
        return [row, int(other), *mates[self.near(np.array([other]), mates)].tolist()]
