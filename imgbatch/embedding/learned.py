"""A linear map of points that was learned from labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from imgbatch.embedding.principal import unit_rows
from imgbatch.files.unpacked import numbers
from imgbatch.types import Floats


@dataclass(frozen=True, slots=True, eq=False)
class LearnedMap:
    """Points -> points in which images of one class lie nearer to each other.

    A point is multiplied by a matrix and brought to the length `scale`. The matrix mixes the
    columns of all descriptors, so the distance of two mapped points no longer splits by descriptor.
    `learning.metric` makes the matrix.

    Attributes
    ----------
    matrix
        (p, q) float32.
    scale
        Length of mapped points; with it a typical pair is 1 apart.

    Examples
    --------
    >>> longer = LearnedMap(np.eye(2, dtype=np.float32), 10.0)
    >>> longer.transform(np.array([[3, 4]], np.float32)).round().tolist()
    [[6.0, 8.0]]
    """

    matrix: Floats
    scale: float

    ARRAYS: ClassVar[tuple[str, ...]] = ("matrix", "scale")
    """Names of the arrays of `arrays`."""

    def transform(self, points: Floats) -> Floats:
        """(n, p) -> (n, q) float32; a point at zero stays there."""
        mapped: Floats = unit_rows(points @ self.matrix)
        mapped *= np.float32(self.scale)
        return mapped

    @property
    def dimensions(self) -> int:
        """Number of columns of mapped points."""
        return int(self.matrix.shape[1])

    def arrays(self) -> dict[str, Floats]:
        """All numbers of the map, by name."""
        return {"matrix": self.matrix, "scale": np.array(self.scale, np.float32)}

    @classmethod
    def of(cls, arrays: Mapping[str, Floats]) -> "LearnedMap":
        """The map whose arrays these are.

        Raises
        ------
        ValueError
            They are no matrix and a number.
        """
        if arrays["matrix"].ndim != 2 or arrays["scale"].shape != ():
            raise ValueError("its learned map is no matrix with a scale")
        return cls(numbers(arrays, "matrix", (None, None)), float(numbers(arrays, "scale", ())))
