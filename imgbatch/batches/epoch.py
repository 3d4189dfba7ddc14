"""Deal one epoch, chunk by chunk: what `Collection.batches` and the sampler call.

A population in one piece is one chunk. A population in parts may be too large for one machine, so
it is cut into random chunks that each look like the whole, and each chunk is dealt by itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from imgbatch.batches.deal import deal_batches
from imgbatch.batches.population import DealOptions, Population
from imgbatch.neighbours.parts import Part
from imgbatch.types import Batches, Hashes, Rows

CHUNK_ROWS = 1 << 18  # rows dealt together, at most (or one batch); figures in imgbatch/DESIGN.md
_DRAWS, _SEEDS = 0, 1  # purposes of random numbers: which rows a chunk gets, how it is dealt


class PartRows(NamedTuple):
    """Rows of one part, and the number that the part's first row has in the population."""

    part: Part
    start: int
    rows: npt.NDArray[np.int32]


def dealt(population: Population, options: DealOptions) -> Batches:
    """All batches of one epoch; see `deal_epoch`."""
    chunks = deal_epoch(population, options)
    return Batches(tuple(rows for chunk in chunks for rows in chunk), options.seed, options.epoch)


def deal_epoch(
    population: Population, options: DealOptions, *, chunk_rows: int = CHUNK_ROWS
) -> Iterator[list[Rows]]:
    """Partition a population into batches that each look like the whole, chunk by chunk.

    If the population lies in several parts, every chunk holds its share of every part, to within
    one row, drawn at random each epoch, so that parts may be sorted in whatever way; and a whole
    number of batches, except the last chunk.

    Parameters
    ----------
    population
        What is dealt.
    options
        Batch size, seed, epoch and the like. With `balance`, every batch gets its share of each
        class of its chunk.
    chunk_rows
        A chunk has at most this many rows, or is one batch.

    Yields
    ------
    For each chunk its batches, int64 row numbers; all chunks together hold each row once. There are
    as many batches, of the same sizes, as of `deal_batches`, which deals a single chunk.

    Raises
    ------
    SelectionError
        `balance` without at least two classes, or points that are not finite.

    Notes
    -----
    Deterministic for given rows, cut into given parts, wherever chunks are dealt. 4 bytes a row are
    kept, besides the chunks in work; a chunk of m rows is gathered from all parts, and costs what
    `deal_batches` does.

    Examples
    --------
    >>> points = np.arange(10, dtype=np.float32).reshape(-1, 1)
    >>> for batches in deal_epoch(Population(points), DealOptions(batch_size=4, seed=1)):
    ...     print([len(batch) for batch in batches])
    [4, 4, 2]
    """
    labels = population.balanced_labels(options)
    if len(population.parts) < 2:
        yield deal_batches(population, options)
        return
    lengths = np.array([part.shape[0] for part in population.parts], np.int64)
    shares = chunk_shares(lengths, options.batch_size, chunk_rows)
    alone = len(shares) == 1
    tasks = (
        (
            taken,
            options if alone else _options_of_chunk(options, chunk),
            None if labels is None else labels[_row_numbers(taken)],
            None if population.hashes is None else population.hashes[_row_numbers(taken)],
            population.duplicate_bits,
        )
        for chunk, taken in enumerate(_chunks(population.parts, shares, options))
    )
    yield from population.run_tasks(deal_chunk, tasks)


def deal_chunk(
    taken: Sequence[PartRows],
    options: DealOptions,
    labels: Rows | None,
    hashes: Hashes | None,
    duplicate_bits: int,
) -> list[Rows]:
    """Deal a chunk: batches of row numbers; labels and hashes are those of the chunk's rows."""
    points = np.concatenate([part.points[rows] for part, _, rows in taken])
    population = Population(points, hashes, labels, duplicate_bits)
    numbers = _row_numbers(taken)
    return [numbers[batch] for batch in deal_batches(population, options)]


def chunk_shares(lengths: Rows, batch_size: int, chunk_rows: int) -> Rows:
    """How many rows each chunk takes from each part: (chunks, parts) int64.

    Chunks are as equal as whole batches let them be; the last chunk holds the incomplete batch.
    A chunk takes rows from each part in proportion to the rows left in it, rounded down or up.

    Examples
    --------
    >>> chunk_shares(np.array([4, 8]), batch_size=3, chunk_rows=6)
    array([[2, 4],
           [2, 4]])
    """
    left = lengths.copy()
    total = int(left.sum())
    batches = -(-total // batch_size)
    chunks = max(1, -(-batches // max(1, chunk_rows // batch_size)))
    sizes = [len(numbers) * batch_size for numbers in np.array_split(np.arange(batches), chunks)]
    sizes[-1] -= batches * batch_size - total
    shares = np.empty((chunks, len(lengths)), np.int64)
    for share, size in zip(shares, sizes, strict=True):
        exact = left * (size / max(int(left.sum()), 1))
        share[:] = np.minimum(exact, left)
        lacking = size - int(share.sum())
        spare = np.where(share < left, exact - share, -np.inf)
        share[np.argsort(-spare, kind="stable")[:lacking]] += 1
        left -= share
    return shares


def _chunks(parts: Sequence[Part], shares: Rows, options: DealOptions) -> Iterator[list[PartRows]]:
    """The rows of each chunk; each part's rows in random order, unless there is one chunk."""
    lengths = shares.sum(axis=0)
    starts = (np.cumsum(lengths) - lengths).tolist()
    orders = [np.arange(length, dtype=np.int32) for length in lengths]
    if len(shares) > 1:
        orders = [
            _random(options, _DRAWS, number).permutation(length).astype(np.int32)
            for number, length in enumerate(lengths.tolist())
        ]
    for share, end in zip(shares.tolist(), np.cumsum(shares, axis=0).tolist(), strict=True):
        yield [
            PartRows(part, start, order[to - size : to])
            for part, start, order, size, to in zip(parts, starts, orders, share, end, strict=True)
            if size
        ]


def _options_of_chunk(options: DealOptions, chunk: int) -> DealOptions:
    """The same options with a seed of the chunk's own."""
    return replace(options, seed=int(_random(options, _SEEDS, chunk).integers(2**62)))


def _row_numbers(taken: Sequence[PartRows]) -> Rows:
    """The numbers in the population of rows taken from parts."""
    return np.concatenate([start + rows.astype(np.int64) for _, start, rows in taken])


def _random(options: DealOptions, purpose: int, number: int) -> np.random.Generator:
    return np.random.default_rng([options.seed, options.epoch, purpose, number])
