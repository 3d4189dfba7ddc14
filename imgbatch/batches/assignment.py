"""Assignment-based anticlustering: deal points into cells that each look like the whole.

The idea of ABA (arXiv 2601.06351): cut the points into strata of points that are like each other,
and deal each stratum out, one point to each cell. Of all ways to do so take the one that brings the
sums of the cells closest together: a linear assignment problem.

Our departures: the strata come from a random PCA tree, fresh each epoch, instead of the distance to
the centre; cells may differ in size; and `redeal` deals the strata again.
"""

from itertools import pairwise

import numpy as np

from imgbatch.batches.points import LONGEST, DealtPoints
from imgbatch.types import Floats, Rows

_LABEL = 2.0**36  # cost of one more row of a label in a cell; outweighs any product with its sum
_SAMPLE = 256  # rows of a tree node that its direction is estimated on


def tree_order(points: Floats, rows: Rows, leaf: int, rng: np.random.Generator) -> list[Rows]:
    """Order rows so that like rows stand together: leaves of `leaf` rows of a random PCA tree.

    Each node is cut near its middle, at a multiple of `leaf`, along a direction in which its points
    spread far: the difference of two random points after one power iteration. So no two trees
    are the same.
    """
    n = len(rows)
    if n <= leaf:
        return [rng.permutation(rows)]
    here = points[rows].astype(np.float64)
    ends = here[rng.integers(n, size=2)]
    sample = here[rng.integers(n, size=min(n, _SAMPLE))]
    direction = ((sample @ (ends[0] - ends[1])) @ sample) * len(sample)
    direction -= sample.sum(axis=0) * (sample @ (ends[0] - ends[1])).sum()
    direction = np.rint(direction * (LONGEST / max(float(np.abs(direction).max()), 1.0)))
    leaves = -(-n // leaf)
    cut = (leaves // 2 + int(rng.integers(2)) * (leaves % 2)) * leaf
    cut = min(max(cut, leaf), (leaves - 1) * leaf)
    order = rows[np.argsort(here @ direction, kind="stable")]
    return [
        *tree_order(points, order[:cut], leaf, rng),
        *tree_order(points, order[cut:], leaf, rng),
    ]


def deal_cells(dealt: DealtPoints, order: Rows, sizes: Rows, rng: np.random.Generator) -> Rows:
    """Deal the rows, in this order, to cells of these sizes, one assignment for each stratum.

    Returns (k, max(sizes)) rows; empty slots hold the row `dealt.empty`. O(n k (d + k)).
    """
    k, width = len(sizes), int(sizes.max())
    # A smaller cell sits out some of the rounds, evenly spaced, so that it too gets all strata.
    phase = np.where(sizes == width, 0.0, rng.random(k))
    turns = np.floor(np.arange(width + 1)[:, None] * sizes / width + phase).astype(np.int64)
    table = _Table(dealt, np.full((k, width), dealt.empty, np.int64), order, sizes)
    start = 0
    for now, after in pairwise(turns):
        joining = np.flatnonzero(after > now)
        rows = order[start : start + len(joining)]
        start += len(joining)
        table.assign(rows, joining, now[joining])
    return table.cells


def redeal(dealt: DealtPoints, cells: Rows, most: int, rng: np.random.Generator) -> None:
    """Deal every slot of the cells again, in place, among random groups of at most `most` cells.

    Each round takes the rows of one slot, which came from one stratum if the cells were dealt
    together, and assigns them anew, now that all other rows are known. O(n most (d + most)).
    """
    k, width = cells.shape
    for group in np.array_split(rng.permutation(k), -(-k // most)):
        table = _Table(dealt, cells[group], cells[group][cells[group] != dealt.empty], None)
        for slot in rng.permutation(width):
            joining = np.flatnonzero(table.cells[:, slot] != dealt.empty)
            if len(joining):
                rows = table.cells[joining, slot]
                table.remove(rows, joining)
                table.assign(rows, joining, np.full(len(joining), slot))
        cells[group] = table.cells


class _Table:
    """Cells that are being dealt, and what the next assignment needs of each: sum, label counts.

    Parameters
    ----------
    dealt
        The points.
    cells
        (k, w) rows; changed in place.
    rows
        All rows that are dealt to these cells.
    sizes
        (k,) sizes of the cells once they are full; None if they are full now.
    """

    def __init__(self, dealt: DealtPoints, cells: Rows, rows: Rows, sizes: Rows | None) -> None:
        self.dealt, self.cells = dealt, cells
        self.mean = np.rint(dealt.points[rows].mean(axis=0, dtype=np.float64))
        filled = cells != dealt.empty
        self.sums = dealt.points[cells].sum(axis=1, dtype=np.float64)
        self.sums -= filled.sum(axis=1)[:, None] * self.mean
        self.scale = cells.shape[1] / (filled.sum(axis=1) if sizes is None else sizes)
        if dealt.labels is not None:
            self.names = np.unique(dealt.labels[rows])
            self.counts = np.zeros((len(cells), len(self.names)))
            held = self._kinds(dealt.labels[cells[filled]])
            np.add.at(self.counts, (np.nonzero(filled)[0], held), 1)

    def _kinds(self, labels: Rows) -> Rows:
        """Labels as columns of the counts."""
        return np.asarray(np.searchsorted(self.names, labels), np.int64)

    def remove(self, rows: Rows, joining: Rows) -> None:
        """Take one of the rows out of each of the joining cells, in this order."""
        self.sums[joining] -= self.dealt.points[rows] - self.mean
        if self.dealt.labels is not None:
            self.counts[joining, self._kinds(self.dealt.labels[rows])] -= 1

    def assign(self, rows: Rows, joining: Rows, slots: Rows) -> None:
        """Put one of the rows into a slot of each joining cell so that the sums deviate least."""
        # Imported here: scipy.optimize takes long to load, and not every command deals batches.
        from scipy.optimize import linear_sum_assignment

        here = self.dealt.points[rows].astype(np.float64)
        # Any point may be subtracted from all rows: it costs each cell the same. Their mean makes
        # the costs small and even, and the problem twice as fast to solve.
        cost = (here - np.rint(here.mean(axis=0))) @ self.sums[joining].T
        if self.dealt.labels is not None:
            kind = self._kinds(self.dealt.labels[rows])
            fullness = self.counts[joining] * self.scale[joining][:, None]
            cost += _LABEL * np.rint(fullness[:, kind].T)
        picked, to = linear_sum_assignment(cost)
        cell = joining[to]
        self.cells[cell, slots[to]] = rows[picked]
        self.sums[cell] += here[picked] - self.mean
        if self.dealt.labels is not None:
            self.counts[cell, kind[picked]] += 1
