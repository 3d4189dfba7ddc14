"""Deal a population in memory into diverse batches, every row once.

Batches are dealt as cells: a batch of at most 256 rows is one cell, a larger one is put together
from several. Groups of up to 128 cells each get their share of the rows by `assignment`; `swaps`
then cross the groups; `separate` parts the near-duplicates that are left.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from imgbatch.batches.assignment import deal_cells, redeal, tree_order
from imgbatch.batches.points import DealtPoints, leading_components, quantise
from imgbatch.batches.population import DealOptions, Population
from imgbatch.batches.separate import point_keys, separate
from imgbatch.batches.swaps import Swaps, closeness
from imgbatch.errors import SelectionError
from imgbatch.types import Rows

CELL_ROWS = 256  # larger batches are put together from cells of at most this many rows
# Cells dealt together: no assignment problem is larger. More bring the variance down (B = 10: from
# 0.20 to 0.19 with 256), but tie the same rows together in each epoch.
GROUP_CELLS = 128
REDEALS = 2  # times that every row is dealt again
REDEAL_MAX_ROWS = 50_000  # larger populations are not dealt again
SWAP_WORK = 1_000_000_000  # entries of points and distances that all rounds of swaps read
SWAP_ROUNDS = 2, 200  # least and most rounds, whatever SWAP_WORK says


def deal_batches(population: Population, options: DealOptions) -> list[Rows]:
    """Partition the rows of a population into batches that each look like the whole.

    Points are rounded and reduced to their leading principal components. Assignment-based
    anticlustering (ABA, arXiv 2601.06351) deals them in the order of a random PCA tree; pair swaps
    then part close pairs and even out the batch means (`assignment` and `swaps` name our
    departures). With `balance`, every batch gets its share of every class, to within one (the
    incomplete batch, or if there are many groups of cells, now and then to within two).

    Near-duplicates, and rows of equal points (equal to a thousandth of the median distance from the
    centre), do not share a batch while there is another batch for them, even at the cost of
    balance. More copies of one image than there are batches are spread as evenly as chance and
    swaps do it.

    Parameters
    ----------
    population
        Finite points, and what sets rows apart. If it lies in parts, all of it is read.
    options
        Batch size, seed, epoch and the like.

    Returns
    -------
    ceil(n / B) int64 arrays (floor, with `drop_last`) of row numbers, of B rows each but the
    last, which holds n mod B if that is not 0. Batches are in random order, the incomplete one
    last; rows in random order within each. Every row is in exactly one batch. n = 0 gives [].

    Raises
    ------
    SelectionError
        Points are not finite, or `balance` was asked for without two classes.

    Notes
    -----
    Deterministic: coordinates are rounded so that all sums are exact in floating point, so the same
    input, seed and epoch give the same batches whatever the number of threads, with the same
    versions of numpy and scipy. O(n (128 + d) + n min(B, 256) d) time, and the memory of one more
    copy of the points and about 100 bytes a row.

    Examples
    --------
    Two groups of points; each batch gets one of each.

    >>> points = np.array([[0, 0], [0, 1], [9, 0], [9, 1]], np.float32)
    >>> batches = deal_batches(Population(points), DealOptions(batch_size=2, seed=1))
    >>> [sorted((batch // 2).tolist()) for batch in batches]
    [[0, 1], [0, 1]]
    """
    labels, hashes = population.balanced_labels(options), population.hashes
    points = np.asarray(population.points, np.float32)
    if not np.isfinite(points).all():
        raise SelectionError(
            "some points hold NaN or infinity, expected finite numbers", "leave those rows out"
        )
    n, batch_size = len(points), options.batch_size
    if n == 0 or (n < batch_size and options.drop_last):
        return []
    dealt = DealtPoints(
        leading_components(quantise(points), options.components),
        None if labels is None else np.append(np.asarray(labels, np.int64), 0),
        None if hashes is None else np.append(np.asarray(hashes, np.uint64), np.uint64(0)),
        population.duplicate_bits,
    )
    rng = np.random.default_rng([options.seed, options.epoch])
    n_batches = -(-n // batch_size)
    sizes = np.full(n_batches, batch_size)
    sizes[-1] = n - batch_size * (n_batches - 1)
    # At first any batch will do. Rows to be left out are drawn here: dealt, they would often be
    # the same, those near the mean.
    batch_of = rng.permutation(np.repeat(np.arange(n_batches), sizes))
    dropped = n_batches - 1 if options.drop_last and sizes[-1] < batch_size else -1
    if batch_size > 1 and n_batches > 1:
        kept = np.flatnonzero(batch_of != dropped)
        batch_of[kept] = _batches_of(dealt, kept, sizes[: n_batches - (dropped >= 0)], rng)
        separate(dealt, batch_of, dropped, rng)
    full = n_batches - int(sizes[-1] < batch_size)
    shown = np.arange(n_batches)
    shown[:full] = rng.permutation(full)
    order = np.lexsort((rng.random(n), shown[batch_of]))
    ends = np.arange(batch_size, n, batch_size)
    batches = [np.ascontiguousarray(rows) for rows in np.split(order, ends)]
    return batches[:full] if options.drop_last else batches


def _batches_of(
    dealt: DealtPoints, rows: Rows, batch_sizes: Rows, rng: np.random.Generator
) -> Rows:
    """The batch of each row: batches cut into cells, cells dealt in groups, then swaps."""
    cells_of_batch = -(-batch_sizes // CELL_ROWS)
    batch_of_cell = np.repeat(np.arange(len(batch_sizes)), cells_of_batch)
    first_cell = np.cumsum(cells_of_batch) - cells_of_batch
    number = np.arange(len(batch_of_cell)) - np.repeat(first_cell, cells_of_batch)
    sizes = (batch_sizes[batch_of_cell] + number) // cells_of_batch[batch_of_cell]
    width, n = int(sizes.max()), dealt.empty
    cells = np.full((len(sizes), width), dealt.empty, np.int64)
    for group, share in _groups(dealt, rows, sizes, rng):
        order = np.concatenate(list(_strata(dealt, share, len(group), rng)))
        table = deal_cells(dealt, order, sizes[group], rng)
        cells[group, : table.shape[1]] = table
    for _ in range(REDEALS if n <= REDEAL_MAX_ROWS else 0):
        redeal(dealt, cells, GROUP_CELLS, rng)
    low, high = SWAP_ROUNDS
    rounds = SWAP_WORK // (n * (width + dealt.points.shape[1]))
    swaps = Swaps(dealt, cells, closeness(dealt.points, width))
    swaps.run(min(max(rounds, low), high), rng)
    batch_of = np.empty(n + 1, np.int64)
    batch_of[cells] = batch_of_cell[:, None]
    return batch_of[rows]


def _groups(
    dealt: DealtPoints, rows: Rows, sizes: Rows, rng: np.random.Generator
) -> Iterator[tuple[Rows, Rows]]:
    """Random groups of cells, each with its rows: its share of every label and set of copies."""
    groups = np.array_split(rng.permutation(len(sizes)), -(-len(sizes) // GROUP_CELLS))
    if len(groups) == 1:
        yield groups[0], rows
        return
    shares = [int(sizes[group].sum()) for group in groups]
    # Group numbers interleaved evenly: any run of rows below is shared out in proportion.
    turn = np.concatenate([(np.arange(share) + rng.random()) / share for share in shares])
    group_of = np.repeat(np.arange(len(groups)), shares)[np.argsort(turn, kind="stable")]
    copies = dealt.hashes[:-1] if dealt.hashes is not None else point_keys(dealt)
    keys = [_shuffled_rank(copies[rows], rng)]
    if dealt.labels is not None:
        keys.append(_shuffled_rank(dealt.labels[rows], rng))
    by_group = rows[np.lexsort(keys)][np.argsort(group_of, kind="stable")]
    yield from zip(groups, np.split(by_group, np.cumsum(shares)[:-1]), strict=True)


def _strata(dealt: DealtPoints, rows: Rows, leaf: int, rng: np.random.Generator) -> Iterator[Rows]:
    """Like rows together; with labels, label by label, so that each label is dealt evenly."""
    if dealt.labels is None:
        yield from tree_order(dealt.points, rows, leaf, rng)
        return
    rank = _shuffled_rank(dealt.labels[rows], rng)
    ordered = rows[np.argsort(rank, kind="stable")]
    for same in np.split(ordered, np.cumsum(np.bincount(rank))[:-1]):
        yield from tree_order(dealt.points, same, leaf, rng)


def _shuffled_rank(keys: npt.NDArray[np.generic], rng: np.random.Generator) -> Rows:
    """Number the distinct keys 0.. in random order; the number of each row's key."""
    names, inverse = np.unique(keys, return_inverse=True)
    return np.asarray(rng.permutation(len(names))[inverse.reshape(-1)], np.int64)
