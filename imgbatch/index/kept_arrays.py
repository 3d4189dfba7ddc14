"""Arrays that take long to compute, kept beside an index."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from imgbatch.files.arrays import read_checked_arrays, write_checked_arrays
from imgbatch.files.atomic import keep_newest


@dataclass(frozen=True, slots=True)
class KeptArrays:
    """The place of some arrays.

    Attributes
    ----------
    directory
        Need not exist; of its files the newest few are kept.
    name
        Changes with all that the arrays depend on.
    most
        Files to keep.

    Examples
    --------
    >>> kept = KeptArrays(Path("maps"), "a1-0", 4)
    >>> kept.read() is None
    True
    >>> import numpy as np
    >>> kept.write({"positions": np.zeros((3, 2))})
    >>> kept.read()["positions"].shape
    (3, 2)
    """

    directory: Path
    name: str
    most: int

    def read(self) -> dict[str, npt.NDArray[Any]] | None:
        """The arrays, if they are there and whole."""
        return read_checked_arrays(str(self._file))

    def write(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keep arrays; where that is impossible, they are computed anew the next time."""
        with contextlib.suppress(OSError):
            write_checked_arrays(str(self._file), **arrays)
            keep_newest(self.directory.iterdir(), self.most)

    @property
    def _file(self) -> Path:
        return self.directory / f"{self.name}.npz"
