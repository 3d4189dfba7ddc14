"""Passing over near-duplicates: by perceptual hashes a few bits apart, or by asking about rows."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from imgbatch.types import Hashes, Rows

HASH_BITS = 64
OUTSIDE_ROW = -1
"""Stands for an image from outside the folder among rows."""
CopiesAmong = Callable[[Rows], Rows]
"""Given (m,) rows, the (p, 2) positions among them of copies, the lower position first."""
_COUNT_IN_C = getattr(np, "bitwise_count", None)  # numpy 2


def hamming(a: Hashes | np.uint64, b: Hashes | np.uint64) -> npt.NDArray[np.uint8]:
    """Count the bits in which hashes differ.

    Parameters
    ----------
    a, b
        uint64 hashes of any shapes that broadcast together.

    Returns
    -------
    uint8 array of the broadcast shape, 0..64.

    Examples
    --------
    >>> int(hamming(np.uint64(0b1100), np.uint64(0b1010)))
    2
    """
    differing = np.bitwise_xor(a, b, dtype=np.uint64)
    if _COUNT_IN_C is not None:
        return np.asarray(_COUNT_IN_C(differing), np.uint8)
    return _count_bits(np.asarray(differing))


def are_copies(
    a: Hashes | np.uint64, b: Hashes | np.uint64, max_bits: int
) -> npt.NDArray[np.bool_]:
    """Tell which hashes belong to near-duplicates: those that differ in at most `max_bits` bits.

    Parameters
    ----------
    a, b
        uint64 hashes of any shapes that broadcast together.
    max_bits
        0..64; 6 is usual.

    Returns
    -------
    bool array of the broadcast shape.

    Examples
    --------
    >>> hashes = np.array([0b0000, 0b0001, 0b1111], np.uint64)
    >>> are_copies(hashes, hashes[0], max_bits=1)
    array([ True,  True, False])
    """
    return np.asarray(hamming(a, b) <= max_bits)


def first_distinct(
    hashes: Iterable[np.uint64], most: int, max_bits: int, taken: np.uint64 | None = None
) -> list[int]:
    """Positions of the first hashes, each no near-duplicate of a hash chosen before it.

    Parameters
    ----------
    hashes
        In order of preference; those after the last one needed are not compared.
    most
        The search ends after this many.
    max_bits
        Hashes at most this many bits apart are near-duplicates.
    taken
        A hash that counts as chosen already.

    Returns
    -------
    At most `most` positions, rising.

    Notes
    -----
    O(m most) comparisons for m hashes read.

    Examples
    --------
    >>> first_distinct(np.array([7, 7, 0, 2**20 - 1], np.uint64), most=2, max_bits=2)
    [0, 2]
    """
    chosen = np.empty(most + 1, np.uint64)
    count = 0
    if taken is not None:
        chosen[0], count = taken, 1
    positions: list[int] = []
    for position, candidate in enumerate(hashes):
        if len(positions) == most:
            break
        if not are_copies(chosen[:count], candidate, max_bits).any():
            positions.append(position)
            chosen[count] = candidate
            count += 1
    return positions


def first_apart(
    rows: Rows,
    keys: Sequence[int],
    most: int,
    copies_among: CopiesAmong,
    taken: tuple[int, int] | None = None,
) -> list[int]:
    """Positions of the first rows, none a copy of another one, nor linked to it by copies.

    Two crops of one photograph may have nothing in common; a third picture that is like both shows
    what they are. So rows that were passed over count as links.

    Parameters
    ----------
    rows
        (m,) in order of preference; those after the last one needed are not compared.
    keys
        (m,) numbers. Rows of equal keys are copies; nobody is asked about them.
    most
        The search ends after this many.
    copies_among
        Tells which of some rows are copies of each other.
    taken
        A row, with its key, that counts as chosen already.

    Returns
    -------
    At most `most` positions, rising.

    Notes
    -----
    `copies_among` is asked about the first rows, and about twice as many while too few are left.

    Examples
    --------
    >>> def next_to_each_other(rows):
    ...     return np.argwhere(np.triu(abs(np.subtract.outer(rows, rows)) == 1))
    >>> first_apart(np.array([5, 6, 8, 1]), [0, 1, 2, 3], 2, next_to_each_other)
    [0, 2]
    """
    first = np.array([] if taken is None else [taken[0]], np.int64)
    seen = set() if taken is None else {taken[1]}
    waiting = (position for position in range(len(rows)) if keys[position] not in seen)
    asked: list[int] = []
    chosen: list[int] = []
    size = most
    while len(chosen) < most:
        before = len(asked)
        for position in waiting:
            asked.append(position)
            seen.add(keys[position])
            if len(asked) - before == size:
                break
        if len(asked) == before:
            break
        pairs = copies_among(np.concatenate([first, rows[asked]]))
        heads = _heads(len(first) + len(asked), pairs)
        chosen = [asked[head - len(first)] for head in heads if head >= len(first)][:most]
        size = len(asked)
    return chosen


def _heads(count: int, pairs: Rows) -> list[int]:
    """The first position of everything that hangs together, rising."""
    head = list(range(count))
    for low, high in pairs.tolist():  # the lower position first
        a, b = head[low], head[high]
        if a != b:
            head = [min(a, b) if each in (a, b) else each for each in head]
    return sorted(set(head))


def _count_bits(words: Hashes) -> npt.NDArray[np.uint8]:
    """Sum the bits of each word in ever wider fields (numpy 1 has no `bitwise_count`)."""
    u = np.uint64
    words = words - ((words >> u(1)) & u(0x5555555555555555))
    words = (words & u(0x3333333333333333)) + ((words >> u(2)) & u(0x3333333333333333))
    words = (words + (words >> u(4))) & u(0x0F0F0F0F0F0F0F0F)
    words = words + (words >> u(8))
    words = words + (words >> u(16))
    words = words + (words >> u(32))
    return (words & u(127)).astype(np.uint8)
