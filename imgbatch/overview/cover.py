"""How few images stand for all, if each stands for those near it.

Images are gone through in random order; whoever is near none of those chosen before is chosen. So
every image is near a chosen one, and no two chosen ones are near each other.
"""

import numpy as np

from imgbatch.neighbours.search import squared_lengths
from imgbatch.runners.blas import one_blas_thread
from imgbatch.types import Floats, Rows

_BLOCK = 256
"""Points compared with all others at a time."""


def covering(points: Floats, distance: float, random: np.random.Generator) -> Rows:
    """Rows that cover all points: each is at most `distance` from one of these.

    Parameters
    ----------
    points
        (m, p) float32, finite.
    distance
        Euclidean, at least 0.
    random
        Decides the order, and so which rows these are.

    Returns
    -------
    Row numbers, rising; no two of these points are at most `distance` apart.

    Notes
    -----
    Leader clustering (Hartigan 1975). The rows are a cover and a packing at once, so that their
    number is at least the smallest cover at this distance and at most that at half of it. O(m^2 p)
    time at worst, O(m) memory. Distances have the rounding error of float32 products.

    Examples
    --------
    >>> points = np.array([[0], [1], [10], [11]], np.float32)
    >>> len(covering(points, 1, np.random.default_rng(0)))
    2
    """
    squares, limit = squared_lengths(points), np.float32(distance**2)
    waiting, chosen = random.permutation(len(points)), list[int]()
    with one_blas_thread():  # threads would change the last bits
        while len(waiting):
            asking = waiting[:_BLOCK]
            squared = -2 * points[asking] @ points[waiting].T
            squared += squares[asking][:, None]
            squared += squares[waiting]
            near = squared <= limit
            covered = np.zeros(len(waiting), bool)
            for position, row in enumerate(asking.tolist()):
                if not covered[position]:
                    chosen.append(row)
                    covered |= near[position]
                    covered[position] = True
            waiting = waiting[~covered]
    return np.sort(np.array(chosen, np.int64))
