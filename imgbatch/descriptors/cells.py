"""Grids of cells: which part of a picture each cell covers.

A picture of any size is cut into ``grid`` x ``grid`` cells of equal size, give or take one pixel.
Pixel `p` of a side of `length` pixels lies in cell ``p * grid // length``.
"""

from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt


def cell_edges(length: int, grid: int) -> list[slice]:
    """The pixels of each cell along a side of `length` pixels.

    >>> cell_edges(10, 3)
    [slice(0, 4, None), slice(4, 7, None), slice(7, 10, None)]
    """
    ends = [-(-cell * length // grid) for cell in range(grid + 1)]
    return [slice(start, stop) for start, stop in pairwise(ends)]


@lru_cache(maxsize=256)
def cell_numbers(height: int, width: int, grid: int) -> npt.NDArray[np.uint8]:
    """(height, width) uint8, read-only: the number of each pixel's cell, row by row; grid <= 16.

    >>> cell_numbers(2, 5, 2).tolist()
    [[0, 0, 0, 1, 1], [2, 2, 2, 3, 3]]
    """
    rows, columns = np.arange(height) * grid // height, np.arange(width) * grid // width
    numbers: npt.NDArray[np.uint8] = (rows[:, None] * grid + columns).astype(np.uint8)
    numbers.flags.writeable = False
    return numbers
