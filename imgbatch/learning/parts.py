"""Deal images into parts, such as train and test: each class by its share, groups undivided."""

from collections.abc import Sequence

import numpy as np

from imgbatch.types import Rows


def dealt_parts(classes: Rows, groups: Rows, shares: Sequence[float], seed: int) -> Rows:
    """The part of each image.

    Classes are dealt one after the other, their groups in random order, large ones first. A class's
    first group goes to the part of the largest share, so that every class is trained on; each other
    one to the part that lacks most. What a class leaves lacking counts for the next one. So each
    part has its share of a class to within two images, where groups are single images.
    Deterministic by seed; O(n log n + groups * parts).

    Parameters
    ----------
    classes
        (n,) number of each image's class; any numbers.
    groups
        (n,) images of equal numbers stay together. The class of a group's first image counts.
    shares
        Of the parts; they sum to 1. Part 0 is the one for training.
    seed
        Draws the order.

    Returns
    -------
    (n,) int64, 0 to len(shares) - 1.

    Examples
    --------
    >>> parts = dealt_parts(np.repeat([0, 1], 10), np.arange(20), [0.8, 0.2], seed=0)
    >>> np.bincount(parts[:10]).tolist(), np.bincount(parts[10:]).tolist()
    ([8, 2], [8, 2])
    """
    _, first, numbers, sizes = np.unique(
        groups, return_index=True, return_inverse=True, return_counts=True
    )
    of_class = classes[first]
    random = np.random.default_rng(seed)
    order = np.lexsort((random.random(len(first)), -sizes, of_class))
    chosen = np.zeros(len(first), np.int64)
    carried = [0.0] * len(shares)
    starts = np.flatnonzero(np.diff(of_class[order], prepend=of_class[order[0]] - 1))
    for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
        units = order[start:end]
        chosen[units], carried = _dealt_class(sizes[units].tolist(), shares, carried)
    return chosen[numbers.reshape(-1)]


def _dealt_class(
    sizes: Sequence[int], shares: Sequence[float], carried: Sequence[float]
) -> tuple[list[int], list[float]]:
    """The part of each group of one class, and what each part then lacks, in images."""
    total = sum(sizes)
    lacking = [share * total + more for share, more in zip(shares, carried, strict=True)]
    chosen = list[int]()
    for size in sizes:
        key = lacking.__getitem__ if chosen else lambda part: (shares[part], lacking[part])
        part = max(range(len(shares)), key=key)
        lacking[part] -= size
        chosen.append(part)
    return chosen, [min(max(lack, -1.0), 1.0) for lack in lacking]
