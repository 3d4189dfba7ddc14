"""Arrays that take long to compute, kept beside an index."""

import contextlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from imgbatch.files.atomic import keep_newest
from imgbatch.files.seals import read_checked, write_checked


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
    >>> kept.write({"positions": np.zeros((3, 2))})
    >>> kept.read()["positions"].shape
    (3, 2)
    """

    directory: Path
    name: str
    most: int

    def read(self) -> dict[str, npt.NDArray[Any]] | None:
        """The arrays, if they are there and whole."""
        if (packed := read_checked(str(self._file))) is None:
            return None
        with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}

    def write(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keep arrays; where that is impossible, they are computed anew the next time."""
        packed = io.BytesIO()
        np.savez(packed, allow_pickle=False, **arrays)
        with contextlib.suppress(OSError):
            write_checked(str(self._file), packed.getvalue())
            keep_newest(self.directory.iterdir(), self.most)

    @property
    def _file(self) -> Path:
        return self.directory / f"{self.name}.npz"
