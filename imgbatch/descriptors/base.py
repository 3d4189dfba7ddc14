"""What every descriptor offers, and the fingerprint that identifies its bytes."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from imgbatch.types import Floats, View

Codes = npt.NDArray[np.uint8]
"""Stored form of descriptors: (dim,) or (n, dim) uint8."""


@dataclass(frozen=True)
class Descriptor(ABC):
    """One algorithm that describes a picture by a fixed number of bytes, its code.

    Each subclass is a frozen dataclass, its fields are the algorithm's parameters: equal
    parameters, equal descriptor. A descriptor is cheap to build, holds no state and may be used by
    several threads and processes at once.

    Attributes
    ----------
    name
        Key in `DESCRIPTORS`, in the config's [weights] and in results.
    version
        Raised whenever the same picture and parameters give other bytes.
    """

    name: ClassVar[str]
    version: ClassVar[int]

    @property
    @abstractmethod
    def dim(self) -> int:
        """Number of bytes of a code."""

    @abstractmethod
    def describe(self, view: View) -> Codes:
        """The code of a picture: (h, w, 3) uint8 RGB, h, w >= 1 -> (dim,) uint8.

        Deterministic: equal pixels give equal bytes.
        """

    def describe_many(self, views: Sequence[View]) -> Codes:
        """The codes of n >= 1 pictures: (n, dim) uint8, each row as `describe` gives it."""
        return np.stack([self.describe(view) for view in views])

    def features(self, codes: Codes) -> Floats:
        """Codes (n, dim) uint8 -> (n, d) finite float32, ready to be centred and compared.

        By default d = dim and a byte stands for a number of 0..1.
        """
        return np.multiply(codes, 1 / 255, dtype=np.float32)

    def parameters(self) -> dict[str, Any]:
        """Everything but the picture that the bytes depend on, ready for JSON."""
        return asdict(self)


def fingerprint(descriptor: Descriptor, context: dict[str, Any]) -> str:
    """16 hex digits that change with a descriptor's name, version or parameters, or the context.

    Codes are stored under this fingerprint. Codes of another fingerprint are never compared.

    Parameters
    ----------
    descriptor
        The algorithm with its parameters.
    context
        How the pictures were decoded (view size, background, decoding version), ready for JSON.

    Examples
    --------
    >>> from imgbatch.descriptors.phash import Phash
    >>> fingerprint(Phash(), {"view_px": 128})
    '8e9daa8ca08b22f4'
    """
    identity = {
        "name": descriptor.name,
        "version": descriptor.version,
        "parameters": descriptor.parameters(),
        "context": context,
    }
    text = json.dumps(identity, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
