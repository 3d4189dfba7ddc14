"""The map of an index, kept beside it, since t-SNE takes half a minute for 5,000 images."""

from dataclasses import dataclass

import numpy as np

from imgbatch.embedding.map2d import Map2d
from imgbatch.index.kept_arrays import KeptArrays
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
        if (stored := self._kept.read()) is None:
            return None
        positions, principal, asked, near = (stored[name] for name in _ARRAYS)
        trust, principal_trust = stored["trust"].tolist()
        return Map2d(positions, principal, asked, near, trust, principal_trust)

    def write(self, laid_out: Map2d) -> None:
        """Keep the map."""
        arrays = {name: getattr(laid_out, name) for name in _ARRAYS}
        self._kept.write(arrays | {"trust": np.array([laid_out.trust, laid_out.principal_trust])})

    @property
    def _kept(self) -> KeptArrays:
        name = f"{self.opened.generation}-{self.space}-{self.seed}-{_VERSION}"
        return KeptArrays(self.opened.directory / MAPS, name, _KEPT)
