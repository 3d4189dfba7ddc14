"""Images that differ, from points that lie in parts, without bringing all points together.

Each part chooses n of its own images that cover it: its core-set. Greedy k-center over the union of
the core-sets then chooses the n images of the set. Only the core-sets travel, and the answer is
nearly as good as that of all points in one place (bounds in `different_in_parts`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np

from imgbatch.neighbours.parts import Part
from imgbatch.runners.maps import TaskMap, map_serially
from imgbatch.selection.different import (
    DifferentOptions,
    different,
    distinct_k_center,
    gaps,
    k_center,
    smoothed_sample,
)
from imgbatch.types import Floats, Hashes, Rows

_LEAST_POOLED = 4096
"""A part searches neighbours among at least this many of its rows: fewer smooth too much."""


@dataclass(frozen=True, slots=True)
class CoreSet:
    """What a part answers: (k,) rows of it, their points and smooth points (k, p), their hashes."""

    rows: Rows
    points: Floats
    smooth: Floats
    hashes: Hashes


def different_in_parts(
    parts: Sequence[Part],
    n: int,
    options: DifferentOptions,
    random: np.random.Generator,
    run_tasks: TaskMap = map_serially,
) -> tuple[Rows, Floats]:
    """Choose n rows that differ as much as possible; a single part is answered by `different`.

    If there are several, each part draws a sample of its own, drops its sparsest images, smooths
    the rest and chooses n of them by greedy k-center: its core-set. Greedy k-center over the union
    of the core-sets, beginning in a random part, chooses n. If the union would hold more than
    `most_pooled` rows, only as many random parts are asked as fill it.

    Parameters
    ----------
    parts
        N rows in all, numbered through all parts.
    n
        1 <= n <= N.
    options
        As for `different`, but the hashes are those of the parts; `hashes` only says, by being None
        or not, whether near-duplicates are allowed. `most_pooled` is divided among the parts; each
        gets at least 4,096.
    random
        Decides which parts are asked, and the seed of each.
    run_tasks
        Works on the parts: in this thread, or on other cores or machines.

    Returns
    -------
    rows, distances
        As of `different`.

    Notes
    -----
    Without hashes the n rows cover the smooth samples within 4 times the smallest radius that any
    n of them reach: a part's core-set covers its sample within 2 times that radius, and the second
    pass the union within 2 times (Gonzalez 1985, twice). This is the bound of Malkomes, Kusner,
    Chen, Weinberger and Moseley, "Fast Distributed k-Center Clustering with Outliers on Massive
    Data", NIPS 2015. The least distance between the rows is at least a sixth of the largest
    possible: the core-sets lose a factor of 3 (Indyk, Mahabadi, Mahdian and Mirrokni, "Composable
    core-sets for diversity and coverage maximization", PODS 2014), greedy k-center a factor of 2.
    Departures: samples in place of all points, and near-duplicates masked, as in `different`.

    A part's work is O(s (m + n) p) for a sample of s = 10n and a pool of m; the union's O(u n p)
    for u <= n times the number of parts. Deterministic for given parts, options and `random`,
    wherever the parts are worked on.

    Examples
    --------
    >>> from imgbatch.neighbours.parts import MemoryPart
    >>> lines = np.array([[1, 0], [2, 0]], np.float32), np.array([[0, 3], [0, 4]], np.float32)
    >>> parts = [MemoryPart.of(points) for points in lines]
    >>> rows, _ = different_in_parts(parts, 2, DifferentOptions(), np.random.default_rng(0))
    >>> sorted((rows // 2).tolist())
    [0, 1]
    """
    if len(parts) == 1:
        hashes = None if options.hashes is None else parts[0].hashes
        return different(parts[0].points, n, replace(options, hashes=hashes), random)
    order = random.permutation(len(parts))
    seeds = random.integers(2**63, size=len(parts)).tolist()
    pooled_before = accumulate(min(n, parts[number].shape[0]) for number in order)
    room = max(n, options.most_pooled)
    asked = order[: 1 + sum(1 for pooled in pooled_before if pooled < room)].tolist()
    part_pool = max(options.most_pooled // len(asked), _LEAST_POOLED)
    part_options = replace(options, hashes=None, copies=None, most_pooled=part_pool)
    distinct = options.hashes is not None
    tasks = ((parts[number], n, part_options, seeds[number], distinct) for number in asked)
    core_sets = list(run_tasks(core_set, tasks))
    starts = np.cumsum([0, *(part.shape[0] for part in parts)])[asked]
    rows = np.concatenate(
        [start + core.rows for start, core in zip(starts, core_sets, strict=True)]
    )
    points = np.concatenate([core.points for core in core_sets])
    smooth = np.concatenate([core.smooth for core in core_sets])
    hashes = np.concatenate([core.hashes for core in core_sets]) if distinct else None
    chosen = distinct_k_center(smooth, n, rows, options, hashes)
    return rows[chosen], gaps(points[chosen])


def core_set(part: Part, n: int, options: DifferentOptions, seed: int, distinct: bool) -> CoreSet:  # noqa: FBT001 - a task's items have no names
    """Up to n rows that cover a fresh sample of a part; if `distinct`, near-duplicates come last.

    `options.hashes` must be None, so that the task stays small; the part has its hashes at hand.
    """
    n = min(n, part.shape[0])
    options = replace(options, hashes=part.hashes if distinct else None)
    rows, smooth = smoothed_sample(part.points, n, options, np.random.default_rng(seed))
    hashes = np.asarray(part.hashes[rows])
    chosen, _ = k_center(
        smooth, n, hashes=hashes if distinct else None, duplicate_bits=options.duplicate_bits
    )
    return CoreSet(rows[chosen], part.points[rows[chosen]], smooth[chosen], hashes[chosen])
