"""Named arrays in a file after their SHA-256, for what is kept beside an index."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from imgbatch.files.seals import read_checked, write_checked


def write_checked_arrays(file: str, **arrays: npt.NDArray[Any]) -> None:
    """Write named arrays as NPZ, in the way of `write_checked`.

    Raises
    ------
    OSError
        The file cannot be written.

    Examples
    --------
    >>> write_checked_arrays("small.npz", numbers=np.arange(3))
    >>> read_checked_arrays("small.npz")
    {'numbers': array([0, 1, 2])}
    """
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **arrays)
    write_checked(file, packed.getvalue())


def read_checked_arrays(file: str) -> dict[str, npt.NDArray[Any]] | None:
    """What `write_checked_arrays` wrote; None if the file is missing or damaged."""
    if (packed := read_checked(file)) is None:
        return None
    with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}
