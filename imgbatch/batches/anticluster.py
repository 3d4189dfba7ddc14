"""Anticlustering: deal points into cells that each look like the whole, and keep like from like.

Two steps. `deal` is assignment-based anticlustering (ABA, arXiv 2601.06351): strata of like points
are dealt one point to each cell, each time by the linear assignment that brings the cells' sums
closest together. Our departures: the strata come from a random PCA tree, fresh each epoch, instead
of the distance to the centre; cells may differ in size; `redeal` deals the strata again.
`Swaps` then exchanges points between cells to lower one joint energy: repulsion of close pairs
inside a cell, plus the squared deviation of each cell's sum.

All coordinates are rounded to whole numbers so small (see `quantise`) that every sum is exact. So
neither the number of BLAS threads nor the order of additions can change a decision.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from imgbatch.copies.rule import hamming

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

RADIUS = 1000  # quantised points: the median distance from the centre, in steps
LONGEST = 4096  # no quantised point is longer: products of two stay below 2**24, exact in float32
CLOSE_PAIRS = 2.0  # repulsion reaches as far as each point has this many others in a random batch
MEAN_WEIGHT = 1.0  # of the deviation of a cell's mean, relative to the repulsion
_FULL = 65536.0  # repulsion of two points at distance 0, apart from the next:
_FORBIDDEN = 2.0**27  # near-duplicates in one cell; outweighs all else
_LABEL = 2.0**36  # one more image of a label in a cell; outweighs any product with a cell's sum
_SAMPLE = 1024  # rows that scales are estimated on
_BLOCK = 1 << 16  # entries of the matrices worked on at once; they stay in the cache


@dataclass(frozen=True)
class Space:
    """What is dealt: points with a last row of zeros (the empty place), and what sets them apart.

    `points` is (n + 1, d) float32 of whole numbers, `labels` (n + 1,) int64 or None, `hashes`
    (n + 1,) uint64 or None; near-duplicates are equal points, or hashes within `max_bits` bits.
    """

    points: Floats
    labels: Rows | None
    hashes: npt.NDArray[np.uint64] | None
    max_bits: int

    def near(self, a: Rows, b: Rows, distances: Floats) -> npt.NDArray[np.bool_]:
        """Tell which rows (broadcast together) are near-duplicates, given squared distances."""
        near: npt.NDArray[np.bool_] = distances == 0
        if self.hashes is not None:
            near |= hamming(self.hashes[a], self.hashes[b]) <= self.max_bits
        return near


def quantise(points: Floats) -> Floats:
    """Round points to whole numbers, centred, their median length `RADIUS`, none over `LONGEST`.

    Centre and scale are medians over up to 1,024 evenly spaced rows, so that outliers, which are
    pulled in to `LONGEST`, do not squeeze the others. Returns (n + 1, d); the last row is zero.
    """
    n, d = points.shape
    sample = points[:: -(-n // _SAMPLE)].astype(np.float64)
    centre = np.median(sample, axis=0)
    lengths = np.sqrt(((sample - centre) ** 2).sum(axis=1))
    scale = float(np.median(lengths)) or float(lengths.mean()) or 1.0
    limit = max(LONGEST - np.sqrt(d) / 2 - 1, 1.0)  # rounding may lengthen by sqrt(d) / 2
    whole = np.zeros((n + 1, d), np.float32)
    rows = max(1, (1 << 21) // max(d, 1))
    for at in range(0, n, rows):
        block = (points[at : at + rows] - centre) * (RADIUS / scale)
        length = np.sqrt((block**2).sum(axis=1, keepdims=True))
        whole[at : at + rows][: len(block)] = np.rint(block * (limit / np.maximum(length, limit)))
    return whole


def closeness(points: Floats, batch_size: int) -> float:
    """Squared distance at which a point has `CLOSE_PAIRS` others in a random batch; at least 1."""
    sample = points[:-1][:: -(-(len(points) - 1) // (_SAMPLE // 2))]
    distances = squared_distances(sample, sample)[np.triu_indices(len(sample), 1)]
    if not len(distances):
        return 1.0
    return max(1.0, float(np.quantile(distances, min(1.0, CLOSE_PAIRS / batch_size))))


def squared_distances(a: Floats, b: Floats) -> Floats:
    """Squared distances of (..., p, d) and (..., q, d) whole points: (..., p, q), without error."""
    product = a @ np.swapaxes(b, -1, -2)
    product *= -2
    product += (a * a).sum(axis=-1)[..., :, None]
    product += (b * b).sum(axis=-1)[..., None, :]
    return np.asarray(product, np.float32)


def tree_order(points: Floats, rows: Rows, leaf: int, rng: np.random.Generator) -> list[Rows]:
    """Order rows so that like ones stand together: the leaves of a random PCA tree.

    Each node is cut near its middle, at a multiple of `leaf`, across one power iteration from the
    difference of two random points: a long direction of the node, another one each time.
    """
    n = len(rows)
    if n <= leaf:
        return [rng.permutation(rows)]
    here = points[rows].astype(np.float64)
    ends = here[rng.integers(n, size=2)]
    sample = here[rng.integers(n, size=min(n, _SAMPLE // 4))]
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


def deal(space: Space, order: Rows, sizes: Rows, rng: np.random.Generator) -> Rows:
    """Deal the rows, in this order, to cells of these sizes by assignments (ABA).

    Returns (k, max(sizes)) rows, unused places filled with the row of zeros. O(n k (d + k)).
    """
    k, width = len(sizes), int(sizes.max())
    # A smaller cell sits out some of the rounds, evenly spaced, so that it too sees all strata.
    phase = np.where(sizes == width, 0.0, rng.random(k))
    turns = np.floor(np.arange(width + 1)[:, None] * sizes / width + phase).astype(np.int64)
    table = _Table(space, np.full((k, width), len(space.points) - 1, np.int64), order, sizes)
    at = 0
    for now, after in pairwise(turns):
        joining = np.flatnonzero(after > now)
        rows = order[at : at + len(joining)]
        at += len(joining)
        table.assign(rows, joining, now[joining])
    return table.cells


def redeal(space: Space, cells: Rows, most: int, rng: np.random.Generator) -> None:
    """Deal every place of the cells again, in place, among random groups of at most `most` cells.

    Each round takes the rows of one place, which came from one stratum where the cells were dealt
    together, and assigns them anew, now that all other rows are known. O(n most (d + most)).
    """
    k, width = cells.shape
    empty = len(space.points) - 1
    for group in np.array_split(rng.permutation(k), -(-k // most)):
        table = _Table(space, cells[group], cells[group][cells[group] != empty], None)
        for place in rng.permutation(width):
            joining = np.flatnonzero(table.cells[:, place] != empty)
            if len(joining):
                rows = table.cells[joining, place]
                table.remove(rows, joining)
                table.assign(rows, joining, np.full(len(joining), place))
        cells[group] = table.cells


class _Table:
    """Cells being dealt, with the sums and label counts of each that the next assignment needs."""

    def __init__(self, space: Space, cells: Rows, rows: Rows, sizes: Rows | None) -> None:
        self.space, self.cells = space, cells
        empty = len(space.points) - 1
        self.mean = np.rint(space.points[rows].mean(axis=0, dtype=np.float64))
        held = cells != empty
        self.sums = space.points[cells].sum(axis=1, dtype=np.float64)
        self.sums -= held.sum(axis=1)[:, None] * self.mean
        self.scale = cells.shape[1] / (held.sum(axis=1) if sizes is None else sizes)
        if space.labels is not None:
            self.names = np.unique(space.labels[rows])
            self.counts = np.zeros((len(cells), len(self.names)))
            np.add.at(self.counts, (np.nonzero(held)[0], self._kinds(space.labels[cells[held]])), 1)

    def _kinds(self, labels: Rows) -> Rows:
        return np.asarray(np.searchsorted(self.names, labels), np.int64)

    def remove(self, rows: Rows, joining: Rows) -> None:
        """Forget one of the rows in each of the joining cells."""
        self.sums[joining] -= self.space.points[rows] - self.mean
        if self.space.labels is not None:
            self.counts[joining, self._kinds(self.space.labels[rows])] -= 1

    def assign(self, rows: Rows, joining: Rows, places: Rows) -> None:
        """Give each of the joining cells one of the rows: the sums then deviate least."""
        # Imported here: scipy.optimize takes long to load, and not every command deals batches.
        from scipy.optimize import linear_sum_assignment

        here = self.space.points[rows].astype(np.float64)
        # Any point may be subtracted from all rows: it costs each cell the same. Their mean makes
        # the costs small and even, and the problem twice as fast to solve.
        cost = (here - np.rint(here.mean(axis=0))) @ self.sums[joining].T
        if self.space.labels is not None:
            kind = self._kinds(self.space.labels[rows])
            fullness = self.counts[joining] * self.scale[joining][:, None]
            cost += _LABEL * np.rint(fullness[:, kind].T)
        picked, to = linear_sum_assignment(cost)
        cell = joining[to]
        self.cells[cell, places[to]] = rows[picked]
        self.sums[cell] += here[picked] - self.mean
        if self.space.labels is not None:
            self.counts[cell, kind[picked]] += 1


class Swaps:
    """Pair swaps between cells, many cells at a time; lowers the joint energy in place.

    Parameters
    ----------
    space
        The points.
    cells
        (k, w) rows, changed in place; places filled with the row of zeros stay so.
    close
        Squared distance from which on points no longer repel each other (`closeness`).
    """

    def __init__(self, space: Space, cells: Rows, close: float) -> None:
        self.space, self.cells, self.close = space, cells, close
        k, self.width = cells.shape
        self.empty = len(space.points) - 1
        self.mean_weight = MEAN_WEIGHT * _FULL / (self.width * RADIUS**2)
        self.block = max(1, _BLOCK // self.width**2)
        self.sums = np.empty((k, space.points.shape[1]))
        self.felt = np.empty((k, self.width))  # by each point, from the others of its cell
        total = space.points.sum(axis=0, dtype=np.float64)
        mean = np.rint(total / max(self.empty, 1))
        inner = np.arange(self.width)
        for at in range(0, k, self.block):
            rows = cells[at : at + self.block]
            here = space.points[rows]
            repelled = self._repulsion(rows, rows, squared_distances(here, here))
            repelled[:, inner, inner] = 0
            self.felt[at : at + self.block] = repelled.sum(axis=2, dtype=np.float64)
            filled = (rows != self.empty).sum(axis=1)
            self.sums[at : at + self.block] = here.sum(axis=1, dtype=np.float64)
            self.sums[at : at + self.block] -= filled[:, None] * mean

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
            for at in range(0, half, self.block):
                to = min(at + self.block, half)
                self._swap_best(partners[at:to], partners[half + at : half + to])

    def _repulsion(self, a: Rows, b: Rows, distances: Floats) -> Floats:
        """Repulsion of rows a (m, p) and b (m, q): whole numbers (m, p, q), 0 for empty places."""
        force = distances * np.float32(-1 / self.close)
        force += 1
        np.maximum(force, 0, out=force)
        force *= force  # to the fourth power: only the closest pairs count
        force *= force
        force *= np.float32(_FULL)
        np.rint(force, out=force)
        force[self.space.near(a[:, :, None], b[:, None, :], distances)] += np.float32(_FORBIDDEN)
        for rows, axis in ((a, 1), (b, 2)):
            vacant = rows == self.empty
            if vacant.any():
                force *= np.expand_dims(~vacant, 3 - axis)
        return force

    def _swap_best(self, a: Rows, b: Rows) -> None:
        """Make the best swap, if one lowers the energy, between each cell of a and its partner."""
        rows_a, rows_b = self.cells[a], self.cells[b]
        points_a, points_b = self.space.points[rows_a], self.space.points[rows_b]
        change = squared_distances(points_a, points_b)
        force = self._repulsion(rows_a, rows_b, change)
        from_b = force.sum(axis=2, dtype=np.float64)  # (m, w): what b's points would do to a's
        from_a = force.sum(axis=1, dtype=np.float64)
        apart = (self.sums[a] - self.sums[b])[:, :, None]
        lean = 2 * self.mean_weight
        leave = from_b - self.felt[a] - lean * (points_a.astype(np.float64) @ apart)[:, :, 0]
        enter = from_a - self.felt[b] + lean * (points_b.astype(np.float64) @ apart)[:, :, 0]
        leave[rows_a == self.empty] = np.inf
        enter[rows_b == self.empty] = np.inf
        # The two swapped points do not meet: each counted the other once, hence minus two forces.
        change *= np.float32(lean)
        change -= force
        change -= force
        change += leave.astype(np.float32)[:, :, None]
        change += enter.astype(np.float32)[:, None, :]
        if self.space.labels is not None:
            labels = self.space.labels
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
        moved = self.space.points[y].astype(np.float64) - self.space.points[x]
        self.sums[a] += moved
        self.sums[b] -= moved
        self.cells[a, i], self.cells[b, j] = y, x

    def _row_repulsion(self, x: Rows, rows: Rows, points: Floats) -> Floats:
        distances = squared_distances(self.space.points[x][:, None, :], points)
        return self._repulsion(x[:, None], rows, distances)[:, 0, :]
