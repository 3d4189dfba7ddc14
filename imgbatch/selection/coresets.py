"""Images that differ, from points in parts: each part's core-set, then k-center over the union."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np

from imgbatch.neighbours.parts import (
    Part,
)
from imgbatch.runners.maps import TaskMap, map_serially
from imgbatch.selection.different import (
    DifferentOptions,
    different,
    gaps,
    k_center,
    smoothed_sample,
)
from imgbatch.types import Floats, Hashes, Rows

_LEAST_POOLED = 4096
"""A part looks for neighbours among this many of its rows at least: fewer smooth too much."""


@dataclass(frozen=True, slots=True)
class CoreSet:
    """What a part gives: (k,) rows, their points and smooth points (k, p), and their hashes."""

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
    """Choose n rows that differ as much as possible; see `different`, which answers for one part.

    Of several, each draws a sample of its own, drops its sparsest images, smooths the rest and
    chooses n of them by greedy k-center: its core-set. Greedy k-center over the union of the
    core-sets, beginning with a random one, chooses n. If there are so many parts that the union
    would hold more than `most_pooled` rows, a random choice of them answers.

    Parameters
    ----------
    parts
        Their rows are numbered through; N in all.
    n
        1 <= n <= N.
    options
        As for `different`; of `hashes` it matters only whether they are None. `most_pooled` is
        shared out, to at least 4,096 a part.
    run_tasks
        How the work on parts is spread.

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
    core-sets for diversity and coverage maximization", PODS 2014), greedy one of 2. Departures:
    samples in place of all points, and near-duplicates masked, as in `different`.

    A part's work is O(s (m + n) p) for a sample of s = 10n and a pool of m; the union's O(u n p)
    for u <= n times the number of parts. Deterministic for given parts, options and `random`.
    """
    if len(parts) == 1:
        hashes = None if options.hashes is None else parts[0].hashes
        return different(parts[0].points, n, replace(options, hashes=hashes), random)
    order = random.permutation(len(parts))
    seeds = random.integers(2**63, size=len(parts)).tolist()
    shares = accumulate(min(n, parts[number].shape[0]) for number in order)
    room = max(n, options.most_pooled)
    asked = order[: 1 + sum(1 for before in shares if before < room)].tolist()
    pooled = max(options.most_pooled // len(asked), _LEAST_POOLED)
    plain = replace(options, hashes=None, most_pooled=pooled)
    distinct = options.hashes is not None
    tasks = ((parts[number], n, plain, seeds[number], distinct) for number in asked)
    sets = list(run_tasks(core_set, tasks))
    starts = np.cumsum([0, *(part.shape[0] for part in parts)])
    rows = np.concatenate([starts[at] + one.rows for at, one in zip(asked, sets, strict=True)])
    points = np.concatenate([one.points for one in sets])
    smooth = np.concatenate([one.smooth for one in sets])
    hashes = np.concatenate([one.hashes for one in sets]) if distinct else None
    chosen, _ = k_center(smooth, n, hashes=hashes, duplicate_bits=options.duplicate_bits)
    return rows[chosen], gaps(points[chosen])


def core_set(part: Part, n: int, options: DifferentOptions, seed: int, distinct: bool) -> CoreSet:  # noqa: FBT001 - a task's items have no names
    """Up to n rows that cover a fresh sample of a part; if `distinct`, copies come last."""
    n = min(n, part.shape[0])
    own = replace(options, hashes=part.hashes if distinct else None)
    rows, smooth = smoothed_sample(part.points, n, own, np.random.default_rng(seed))
    hashes = np.asarray(part.hashes[rows])
    chosen, _ = k_center(
        smooth, n, hashes=hashes if distinct else None, duplicate_bits=options.duplicate_bits
    )
    return CoreSet(rows[chosen], part.points[rows[chosen]], smooth[chosen], hashes[chosen])
