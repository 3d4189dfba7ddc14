"""The map of an index, kept beside it, since t-SNE takes half a minute for 5,000 images."""

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imgbatch.embedding.map2d import Map2d
from imgbatch.files.atomic import keep_newest
from imgbatch.files.seals import read_checked, write_checked
from imgbatch.index.opened import OpenedIndex

MAPS = "maps"
"""The folder of what is kept, beside the index."""
_VERSION = 1
"""Raised whenever the same points give another map."""
_KEPT = 8
_ARRAYS = ("positions", "principal", "asked", "near")


@dataclass(frozen=True, slots=True)
class KeptMap:
    """The place of one map.

    Attributes
    ----------
    opened
        The index of the images on it.
    space
        Fingerprint of the feature space.
    seed
        Of the map.
    """

    opened: OpenedIndex
    space: str
    seed: int

    def read(self) -> Map2d | None:
        """The map, if it is there and whole."""
        if (packed := read_checked(str(self._file))) is None:
            return None
        with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
            return Map2d(*(stored[name] for name in _ARRAYS), *stored["trust"].tolist())

    def write(self, laid_out: Map2d) -> None:
        """Keep the map; where that is impossible, it is made anew the next time."""
        packed = io.BytesIO()
        arrays = {name: getattr(laid_out, name) for name in _ARRAYS}
        np.savez(packed, **arrays, trust=np.array([laid_out.trust, laid_out.principal_trust]))
        with contextlib.suppress(OSError):
            write_checked(str(self._file), packed.getvalue())
            keep_newest(self._file.parent.iterdir(), _KEPT)

    @property
    def _file(self) -> Path:
        name = f"{self.opened.generation}-{self.space}-{self.seed}-{_VERSION}.npz"
        return self.opened.directory / MAPS / name
