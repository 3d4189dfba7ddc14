"""Swaps of rows between cells, which keep like from like and even out the cells.

All cells have one joint energy: close pairs inside a cell repel each other, and the sum of each
cell is drawn to the sum of an average cell. Cells are paired at random, and each pair makes the
swap of two rows that lowers the energy most; again and again.
"""

import numpy as np

from imgbatch.batches.points import RADIUS, DealtPoints, squared_distances
from imgbatch.types import Floats, Rows

CLOSE_PAIRS = 2.0  # repulsion reaches as far as each point has this many others in a random batch
MEAN_WEIGHT = 1.0  # of the deviation of a cell's mean, relative to the repulsion
_FULL = 65536.0  # repulsion of two points at distance 0, unless they are near-duplicates:
_FORBIDDEN = 2.0**27  # near-duplicates in one cell; outweighs everything else
_SAMPLE = 512  # rows whose distances show how close points are
_BLOCK = 1 << 16  # entries of the matrices worked on at once; they stay in the cache


def closeness(points: Floats, batch_size: int) -> float:
    """Squared distance at which a point has `CLOSE_PAIRS` others in a random batch; at least 1."""
    sample = points[:-1][:: -(-(len(points) - 1) // _SAMPLE)]
    distances = squared_distances(sample, sample)[np.triu_indices(len(sample), 1)]
    if not len(distances):
        return 1.0
    return max(1.0, float(np.quantile(distances, min(1.0, CLOSE_PAIRS / batch_size))))


class Swaps:
    """Swaps between pairs of cells, many pairs at a time; lowers the joint energy in place.

    Parameters
    ----------
    dealt
        The points.
    cells
        (k, w) rows, changed in place; empty slots stay empty.
    close
        Squared distance from which on points no longer repel each other (`closeness`).
    """

    def __init__(self, dealt: DealtPoints, cells: Rows, close: float) -> None:
        self.dealt, self.cells, self.close = dealt, cells, close
        k, self.width = cells.shape
        self.mean_weight = MEAN_WEIGHT * _FULL / (self.width * RADIUS**2)
        self.block = max(1, _BLOCK // self.width**2)
        self.sums = np.empty((k, dealt.points.shape[1]))
        self.felt = np.empty((k, self.width))  # by each row, from the others of its cell
        total = dealt.points.sum(axis=0, dtype=np.float64)
        mean = np.rint(total / max(dealt.empty, 1))
        inner = np.arange(self.width)
        for start in range(0, k, self.block):
            block = slice(start, start + self.block)
            rows = cells[block]
            here = dealt.points[rows]
            repelled = self._repulsion(rows, rows, squared_distances(here, here))
            repelled[:, inner, inner] = 0
            self.felt[block] = repelled.sum(axis=2, dtype=np.float64)
            filled = (rows != dealt.empty).sum(axis=1)
            self.sums[block] = here.sum(axis=1, dtype=np.float64) - filled[:, None] * mean

    def energy(self) -> float:
        """Total repulsion inside the cells plus the weighted squared deviations of their sums."""
        return float(self.felt.sum() / 2 + self.mean_weight * (self.sums**2).sum())

    def run(self, rounds: int, rng: np.random.Generator) -> None:
        """Pair the cells at random, and make the best swap of each pair; `rounds` times.

        O(rounds n w d) time, O(k (w + d)) memory.
        """
        half = len(self.cells) // 2
        for _ in range(rounds):
            partners = rng.permutation(len(self.cells))
            for start in range(0, half, self.block):
                stop = min(start + self.block, half)
                self._swap_best(partners[start:stop], partners[half + start : half + stop])

    def _repulsion(self, a: Rows, b: Rows, distances: Floats) -> Floats:
        """Repulsion of rows a (m, p) and b (m, q): whole numbers (m, p, q), 0 for empty slots."""
        force = distances * np.float32(-1 / self.close)
        force += 1
        np.maximum(force, 0, out=force)
        force *= force  # to the fourth power: only the closest pairs count
        force *= force
        force *= np.float32(_FULL)
        np.rint(force, out=force)
        near = self.dealt.near_duplicates(a[:, :, None], b[:, None, :], distances == 0)
        force[near] += np.float32(_FORBIDDEN)
        for rows, axis in ((a, 1), (b, 2)):
            vacant = rows == self.dealt.empty
            if vacant.any():
                force *= np.expand_dims(~vacant, 3 - axis)
        return force

    def _swap_best(self, a: Rows, b: Rows) -> None:
        """Make the best swap, if one lowers the energy, between each cell of a and its partner."""
        rows_a, rows_b = self.cells[a], self.cells[b]
        points_a, points_b = self.dealt.points[rows_a], self.dealt.points[rows_b]
        change = squared_distances(points_a, points_b)
        force = self._repulsion(rows_a, rows_b, change)
        from_b = force.sum(axis=2, dtype=np.float64)  # (m, w): what b's rows would do to a's
        from_a = force.sum(axis=1, dtype=np.float64)
        apart = (self.sums[a] - self.sums[b])[:, :, None]
        lean = 2 * self.mean_weight
        leave = from_b - self.felt[a] - lean * (points_a.astype(np.float64) @ apart)[:, :, 0]
        enter = from_a - self.felt[b] + lean * (points_b.astype(np.float64) @ apart)[:, :, 0]
        leave[rows_a == self.dealt.empty] = np.inf
        enter[rows_b == self.dealt.empty] = np.inf
        # The two swapped rows do not meet: each counted the other once, hence minus two forces.
        change *= np.float32(lean)
        change -= force
        change -= force
        change += leave.astype(np.float32)[:, :, None]
        change += enter.astype(np.float32)[:, None, :]
        if self.dealt.labels is not None:
            labels = self.dealt.labels
            change[labels[rows_a][:, :, None] != labels[rows_b][:, None, :]] = np.inf
        flat = change.reshape(len(a), -1)
        best = flat.argmin(axis=1)
        good = np.flatnonzero(flat[np.arange(len(a)), best] < -1)  # a step of one unit is noise
        if not len(good):
            return
        i, j = np.divmod(best[good], self.width)
        a, b, rows_a, rows_b = a[good], b[good], rows_a[good], rows_b[good]
        x, y = self.cells[a, i], self.cells[b, j]
        # What x did to the rest of a is replaced by what y does to it, and the other way round.
        lost_a = self._row_repulsion(x, rows_a, points_a[good])
        lost_b = self._row_repulsion(y, rows_b, points_b[good])
        self.felt[a] += force[good, :, j] - lost_a
        self.felt[b] += force[good, i, :] - lost_b
        self.felt[a, i] = from_a[good, j] - force[good, i, j]
        self.felt[b, j] = from_b[good, i] - force[good, i, j]
        moved = self.dealt.points[y].astype(np.float64) - self.dealt.points[x]
        self.sums[a] += moved
        self.sums[b] -= moved
        self.cells[a, i], self.cells[b, j] = y, x

    def _row_repulsion(self, x: Rows, rows: Rows, points: Floats) -> Floats:
        """Repulsion of each row of x (m,) from the rows (m, w) of a cell: (m, w)."""
        distances = squared_distances(self.dealt.points[x][:, None, :], points)
        return self._repulsion(x[:, None], rows, distances)[:, 0, :]
