"""The `batches` selector: deal a whole data set into diverse batches, every row once an epoch."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from imgbatch.batches.anticluster import (
    Rows,
    Space,
    Swaps,
    closeness,
    deal,
    quantise,
    redeal,
    tree_order,
)
from imgbatch.batches.components import leading_components
from imgbatch.batches.separate import point_keys, separate
from imgbatch.errors import SelectionError

COMPONENTS = 48  # principal components dealt in; figures in imgbatch/DESIGN.md
CELL_ROWS = 256  # larger batches are put together from cells of at most this many rows
# Cells dealt together: no assignment problem is larger. More bring the variance down (B = 10: from
# 0.20 to 0.19 with 256), but tie the same rows together in each epoch.
CHUNK_CELLS = 128
REDEALS = 2  # times every row is dealt again,
REDEAL_MAX_ROWS = 50_000  # if there are at most so many
SWAP_WORK = 1_000_000_000  # entries of points and distances read in swaps, between these limits:
SWAP_ROUNDS = 2, 200
_MAX_BITS = 31


def deal_batches(  # noqa: PLR0913 - labels and hashes are data; the options are few
    points: npt.NDArray[np.float32],
    batch_size: int,
    *,
    seed: int,
    epoch: int = 0,
    drop_last: bool = False,
    labels: npt.NDArray[np.int64] | None = None,
    hashes: npt.NDArray[np.uint64] | None = None,
    max_duplicate_bits: int = 6,
    components: int = COMPONENTS,
) -> list[npt.NDArray[np.int64]]:
    """Partition the rows of `points` into batches that each look like the whole.

    Assignment-based anticlustering (ABA, arXiv 2601.06351) over the order of a random PCA tree,
    then pair swaps that part close pairs and even out the batch means; `anticluster` names our
    departures. Many batches are dealt in random chunks of up to 128, each its own small problem,
    and swaps cross the chunks. Batches of over 256 rows are put together from smaller ones.

    Parameters
    ----------
    points
        (n, d) finite float32, any scale; Euclidean distance is what tells rows apart.
    batch_size
        B >= 1.
    seed, epoch
        Integers >= 0. They alone decide the partition of given data; each epoch has a fresh one.
    drop_last
        Leave out n mod B rows, drawn at random each epoch, in place of the last, incomplete batch.
    labels
        (n,) integers or None. If given, every batch gets its share of every class, to within one
        (the incomplete batch, or where there are many chunks, now and then to within two);
        near-duplicates are parted even at the cost of this.
    hashes
        (n,) uint64 perceptual hashes or None.
    max_duplicate_bits
        0..31. Rows whose hashes differ in at most this many bits, and rows of equal points (equal
        to a thousandth of the median distance from the centre), are near-duplicates: they do not
        share a batch while another place can be found. More copies of one image than there are
        batches are spread as evenly as chance and swaps do it.
    components
        >= 1. Points of more dimensions are dealt in so many leading principal components, in
        which means can be evened out twice as well, in less time; the rest is mostly noise.

    Returns
    -------
    ceil(n / B) int64 arrays (floor, with `drop_last`) of row numbers, of B rows each but the
    last, which holds n mod B if that is not 0. Batches are in random order, the incomplete one
    last; rows in random order within each. Every row is in exactly one batch. n = 0 gives [].

    Raises
    ------
    SelectionError
        An argument out of its range, points not finite, or arrays of different lengths.

    Notes
    -----
    Deterministic: coordinates are rounded so that all sums are exact in floating point, so the same
    input, seed and epoch give the same batches whatever the number of threads, with the same
    versions of numpy and scipy. O(n (128 + d) + n min(B, 256) d) time, and the memory of one more
    copy of the points and about 100 bytes a row.
    """
    points = np.asarray(points, np.float32)
    _check(points)
    check_request(batch_size, seed, epoch)
    if components < 1:
        raise SelectionError(
            f"components is {components}, expected at least 1", f"{COMPONENTS} is usual"
        )
    n = len(points)
    if n == 0 or (n < batch_size and drop_last):
        return []
    space = Space(
        leading_components(quantise(points), components),
        _with_empty(labels, np.int64, n, "labels"),
        _with_empty(hashes, np.uint64, n, "hashes"),
        _checked_bits(max_duplicate_bits),
    )
    rng = np.random.default_rng([seed, epoch])
    n_batches = -(-n // batch_size)
    sizes = np.full(n_batches, batch_size)
    sizes[-1] = n - batch_size * (n_batches - 1)
    # At first any place will do. Rows to be left out are drawn here: dealt, they would often be
    # the same, those near the mean.
    batch_of = rng.permutation(np.repeat(np.arange(n_batches), sizes))
    dropped = n_batches - 1 if drop_last and sizes[-1] < batch_size else -1
    if batch_size > 1 and n_batches > 1:
        kept = np.flatnonzero(batch_of != dropped)
        batch_of[kept] = _deal_all(space, kept, sizes[: n_batches - (dropped >= 0)], rng)
        separate(space, batch_of, dropped, rng)
    full = n_batches - int(sizes[-1] < batch_size)
    shown = np.arange(n_batches)
    shown[:full] = rng.permutation(full)
    order = np.lexsort((rng.random(n), shown[batch_of]))
    ends = np.arange(batch_size, n, batch_size)
    batches = [np.ascontiguousarray(rows) for rows in np.split(order, ends)]
    return batches[:full] if drop_last else batches


def _deal_all(
    space: Space, rows: Rows, batch_sizes: Rows, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """The batch of each row: batches cut into cells, cells dealt in chunks, then swaps."""
    parts = -(-batch_sizes // CELL_ROWS)
    batch_of_cell = np.repeat(np.arange(len(batch_sizes)), parts)
    part = np.arange(len(batch_of_cell)) - np.repeat(np.cumsum(parts) - parts, parts)
    sizes = (batch_sizes[batch_of_cell] + part) // parts[batch_of_cell]
    n_cells, width, n = len(sizes), int(sizes.max()), len(space.points) - 1
    cells = np.full((n_cells, width), n, np.int64)
    for chunk, share in _chunks(space, rows, sizes, rng):
        order = np.concatenate(list(_strata(space, share, len(chunk), rng)))
        dealt = deal(space, order, sizes[chunk], rng)
        cells[chunk, : dealt.shape[1]] = dealt
    for _ in range(REDEALS if n <= REDEAL_MAX_ROWS else 0):
        redeal(space, cells, CHUNK_CELLS, rng)
    low, high = SWAP_ROUNDS
    rounds = SWAP_WORK // (n * (width + space.points.shape[1]))
    swaps = Swaps(space, cells, closeness(space.points, width))
    swaps.run(min(max(rounds, low), high), rng)
    batch_of = np.empty(n + 1, np.int64)
    batch_of[cells] = batch_of_cell[:, None]
    return batch_of[rows]


def _chunks(
    space: Space, rows: Rows, sizes: Rows, rng: np.random.Generator
) -> Iterator[tuple[Rows, Rows]]:
    """Random chunks of cells, each with its rows: its share of every label and set of copies."""
    chunks = np.array_split(rng.permutation(len(sizes)), -(-len(sizes) // CHUNK_CELLS))
    if len(chunks) == 1:
        yield chunks[0], rows
        return
    shares = [int(sizes[chunk].sum()) for chunk in chunks]
    # Chunk numbers interleaved evenly: any run of rows below is shared out in proportion.
    turn = np.concatenate([(np.arange(share) + rng.random()) / share for share in shares])
    chunk_of = np.repeat(np.arange(len(chunks)), shares)[np.argsort(turn, kind="stable")]
    copies = space.hashes[:-1] if space.hashes is not None else point_keys(space)
    keys = [_shuffled_rank(copies[rows], rng)]
    if space.labels is not None:
        keys.append(_shuffled_rank(space.labels[rows], rng))
    by_chunk = rows[np.lexsort(keys)][np.argsort(chunk_of, kind="stable")]
    yield from zip(chunks, np.split(by_chunk, np.cumsum(shares)[:-1]), strict=True)


def _strata(
    space: Space, rows: Rows, leaf: int, rng: np.random.Generator
) -> Iterator[npt.NDArray[np.int64]]:
    """Like rows together; with labels, one label after the other, so that each is dealt evenly."""
    if space.labels is None:
        yield from tree_order(space.points, rows, leaf, rng)
        return
    rank = _shuffled_rank(space.labels[rows], rng)
    ordered = rows[np.argsort(rank, kind="stable")]
    for same in np.split(ordered, np.cumsum(np.bincount(rank))[:-1]):
        yield from tree_order(space.points, same, leaf, rng)


def _shuffled_rank(keys: npt.NDArray[np.generic], rng: np.random.Generator) -> Rows:
    """Number the distinct keys 0.. in random order; the number of each row's key."""
    names, inverse = np.unique(keys, return_inverse=True)
    return np.asarray(rng.permutation(len(names))[inverse.reshape(-1)], np.int64)


def _check(points: npt.NDArray[np.float32]) -> None:
    if points.ndim != 2:
        raise SelectionError(
            f"points of shape {points.shape} were given, expected (n, d)", "one row per image"
        )
    if not np.isfinite(points).all():
        raise SelectionError(
            "some points hold NaN or infinity, expected finite numbers", "leave those rows out"
        )


def check_request(batch_size: int, seed: int, epoch: int) -> None:
    """Raise `SelectionError` unless these are a batch size, a seed and an epoch."""
    if batch_size < 1:
        raise SelectionError(
            f"the batch size is {batch_size}, expected at least 1", "use a larger batch size"
        )
    if seed < 0 or epoch < 0:
        raise SelectionError(
            f"seed {seed} and epoch {epoch} were given, expected 0 or more", "drop the sign"
        )


def _with_empty(
    values: npt.ArrayLike | None, dtype: type[np.generic], n: int, name: str
) -> npt.NDArray[Any] | None:
    """The values as an array with one more entry, 0, for the empty place."""
    if values is None:
        return None
    array = np.asarray(values, dtype)
    if array.shape != (n,):
        raise SelectionError(
            f"{name} of shape {array.shape} were given for {n} points, expected ({n},)",
            f"give one of the {name} for each row",
        )
    return np.append(array, array.dtype.type(0))


def _checked_bits(max_bits: int) -> int:
    if not 0 <= max_bits <= _MAX_BITS:
        raise SelectionError(
            f"max_duplicate_bits is {max_bits}, expected 0..{_MAX_BITS}", "6 is usual"
        )
    return max_bits
