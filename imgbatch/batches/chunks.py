"""Batches of points in parts: random equal chunks of all rows, each dealt by itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgbatch.batches.deal import check_request, deal_batches
from imgbatch.neighbours.parts import (
    Part,
)
from imgbatch.runners.maps import TaskMap, map_serially
from imgbatch.types import Floats, Hashes, Rows

CHUNK_ROWS = 1 << 18  # rows dealt together, at most (or one batch); figures in imgbatch/DESIGN.md


@dataclass(frozen=True, slots=True)
class DealOptions:
    """How every chunk is dealt; see `deal_batches`."""

    batch_size: int
    seed: int
    epoch: int = 0
    drop_last: bool = False
    max_duplicate_bits: int = 6


def deal_in_parts(
    parts: Sequence[Part],
    how: DealOptions,
    labels: npt.NDArray[np.int64] | None = None,
    *,
    distinct: bool = True,
    chunk_rows: int = CHUNK_ROWS,
    run_tasks: TaskMap = map_serially,
) -> Iterator[list[Rows]]:
    """Partition the rows of some parts into batches that each look like the whole, chunk by chunk.

    Every chunk holds its share of every part, to within one row, drawn at random each epoch, so
    that parts may be sorted in whatever way; and a whole number of batches, but for the last.

    Parameters
    ----------
    parts
        Their rows are numbered through; N in all.
    how
        Batch size, seed, epoch and the like.
    labels
        (N,) class numbers or None; if given, every batch gets its share of each class of its chunk.
    distinct
        Part near-duplicates by hash, also.
    chunk_rows
        A chunk has at most so many rows, or is one batch.
    run_tasks
        How the chunks are spread.

    Yields
    ------
    For each chunk its batches, int64 row numbers; all chunks together hold each row once. There are
    as many batches, of the same sizes, as of `deal_batches`, which answers if there is one chunk.

    Raises
    ------
    SelectionError
        An argument out of its range.

    Notes
    -----
    Deterministic for given rows, cut into these parts. 4 bytes a row are kept, besides the chunks
    in work; a chunk of m rows is gathered from all parts, and costs what `deal_batches` does.
    """
    check_request(how.batch_size, how.seed, how.epoch)
    lengths = np.array([part.shape[0] for part in parts], np.int64)
    shares = chunk_shares(lengths, how.batch_size, chunk_rows)
    starts = np.cumsum([0, *lengths])
    if len(shares) > 1:
        orders = [
            _random(how, 0, number).permutation(length).astype(np.int32)
            for number, length in enumerate(lengths.tolist())
        ]
    else:
        orders = [np.arange(length, dtype=np.int32) for length in lengths]
    ends = np.cumsum(shares, axis=0)

    def tasks() -> Iterator[tuple[object, ...]]:
        for chunk, (share, end) in enumerate(zip(shares, ends, strict=True)):
            taken = [
                (
                    parts[number],
                    int(starts[number]),
                    orders[number][end[number] - size : end[number]],
                )
                for number, size in enumerate(share.tolist())
                if size
            ]
            own = None if labels is None else labels[_rows_of(taken)]
            yield taken, how, chunk if len(shares) > 1 else None, own, distinct

    yield from run_tasks(deal_chunk, tasks())


Taken = list[tuple[Part, int, npt.NDArray[np.int32]]]
"""Parts, the number of each one's first row, and rows in it."""


def _rows_of(taken: Taken) -> Rows:
    return np.concatenate([start + rows.astype(np.int64) for _, start, rows in taken])


def deal_chunk(
    taken: Taken,
    how: DealOptions,
    chunk: int | None,
    labels: npt.NDArray[np.int64] | None,
    distinct: bool,  # noqa: FBT001 - a task's items have no names
) -> list[Rows]:
    """Deal some rows of some parts: batches of row numbers. `chunk` None: there is no other."""
    points: Floats = np.concatenate([part.points[rows] for part, _, rows in taken])
    hashes: Hashes | None = None
    if distinct:
        hashes = np.concatenate([part.hashes[rows] for part, _, rows in taken])
    seed = how.seed if chunk is None else int(_random(how, 1, chunk).integers(2**62))
    rows = _rows_of(taken)
    dealt = deal_batches(
        points,
        how.batch_size,
        seed=seed,
        epoch=how.epoch,
        drop_last=how.drop_last,
        labels=labels,
        hashes=hashes,
        max_duplicate_bits=how.max_duplicate_bits,
    )
    return [rows[batch] for batch in dealt]


def chunk_shares(lengths: Rows, batch_size: int, chunk_rows: int) -> Rows:
    """How many rows each chunk takes from each part: (chunks, parts) int64.

    Chunks are as equal as whole batches let them be, the last of them holds the incomplete one.
    Each takes from each part in proportion to what is left there, rounded down or up.
    """
    left = lengths.copy()
    total = int(left.sum())
    batches = -(-total // batch_size)
    chunks = max(1, -(-batches // max(1, chunk_rows // batch_size)))
    sizes = [len(some) * batch_size for some in np.array_split(np.arange(batches), chunks)]
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


def _random(how: DealOptions, purpose: int, number: int) -> np.random.Generator:
    return np.random.default_rng([how.seed, how.epoch, purpose, number])
