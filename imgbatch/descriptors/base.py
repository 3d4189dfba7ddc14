"""What every descriptor offers, and how its identity is written down."""

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from imgbatch.types import Floats, View

Codes = npt.NDArray[np.uint8]
"""Stored form of descriptors: (dim,) or (n, dim) uint8."""


class Descriptor(Protocol):
    """One algorithm that describes a picture by a fixed number of bytes.

    Implementations are frozen dataclasses: equal parameters, equal descriptor. They are cheap to
    build, hold no state and may be used from several processes at once.
    """

    @property
    def name(self) -> str:
        """Key in `DESCRIPTORS`, in the config's [weights] and in results."""
        ...

    @property
    def version(self) -> int:
        """Raised whenever the same picture and parameters give other bytes."""
        ...

    @property
    def dim(self) -> int:
        """Number of bytes stored for each picture."""
        ...

    def parameters(self) -> dict[str, Any]:
        """Everything the bytes depend on besides the picture, JSON-able."""
        ...

    def describe(self, view: View) -> Codes:
        """(h, w, 3) uint8 RGB with h, w >= 1 -> (dim,) uint8; equal pixels give equal bytes."""
        ...

    def features(self, codes: Codes) -> Floats:
        """Stored rows (n, dim) uint8 -> (n, d) finite float32, ready to be centred and compared."""
        ...


@runtime_checkable
class DescribesMany(Protocol):
    """A descriptor that describes some pictures together in less time than one by one."""

    def describe_many(self, views: Sequence[View]) -> Codes:
        """The codes of n >= 1 views, (n, dim) uint8: for each what `describe` gives it."""
        ...


def describe_all(descriptor: Descriptor, views: Sequence[View]) -> Codes:
    """The codes of n >= 1 views, (n, dim) uint8."""
    if isinstance(descriptor, DescribesMany):
        return descriptor.describe_many(views)
    return np.stack([descriptor.describe(view) for view in views])


def fingerprint(descriptor: Descriptor, context: dict[str, Any]) -> str:
    """16 hex digits that change with a descriptor's name, version or parameters, or the context.

    The context is what the pictures were decoded with (view size, background, decoding version).
    """
    identity = {
        "name": descriptor.name,
        "version": descriptor.version,
        "parameters": descriptor.parameters(),
        "context": context,
    }
    text = json.dumps(identity, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def cell_edges(length: int, cells: int) -> list[slice]:
    """Cut a side of `length` pixels into cells of equal size, give or take one pixel."""
    ends = [-(-cell * length // cells) for cell in range(cells + 1)]
    return [slice(start, stop) for start, stop in pairwise(ends)]


@lru_cache(maxsize=64)
def cell_of_each_pixel(height: int, width: int, cells: int) -> npt.NDArray[np.intp]:
    """(height, width) numbers of the cell each pixel lies in, row by row; as `cell_edges` cuts."""
    rows, columns = np.arange(height) * cells // height, np.arange(width) * cells // width
    numbers: npt.NDArray[np.intp] = rows[:, None] * cells + columns
    numbers.flags.writeable = False
    return numbers
