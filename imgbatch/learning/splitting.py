"""Divide a folder into parts to train on, to validate and to test."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imgbatch.errors import UsageError
from imgbatch.learning.known import KnownLabels
from imgbatch.learning.parts import dealt_parts
from imgbatch.seeds import checked_seed
from imgbatch.types import Rows

NAMES = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The part of each image.

    Attributes
    ----------
    folder
        The image folder.
    files, names
        Absolute path, or URL, and path inside the folder of each image.
    parts
        Names of the parts.
    numbers
        (n,) int64: the part of each image, as a position in `parts`.
    labels
        The class of each image; "" for none.
    divided
        Groups of copies, or of the metadata, with several images; none is divided.
    seed
        Drew the parts.
    seconds
        That it took.
    notes
        Remarks for the user.
    """

    folder: str
    files: Sequence[str]
    names: Sequence[str]
    parts: tuple[str, ...]
    numbers: Rows
    labels: Sequence[str]
    divided: int
    seed: int
    seconds: float
    notes: tuple[str, ...] = ()


def parse_shares(text: str) -> tuple[float, ...]:
    """Shares as they are written on a command line, made to sum to 1.

    Raises
    ------
    UsageError
        They are not two or three numbers above 0, or the first is not the largest.

    >>> parse_shares("80,20")
    (0.8, 0.2)
    """
    try:
        shares = [float(part) for part in text.split(",")]
    except ValueError:
        shares = []
    good = 2 <= len(shares) <= len(NAMES) and all(0 < share < float("inf") for share in shares)
    if not good or max(shares) > shares[0]:
        raise UsageError(
            f"the shares are {text!r}",
            "give two or three numbers, the largest first, such as 0.8,0.1,0.1 or 80,20",
        )
    return tuple(share / sum(shares) for share in shares)


def split_images(known: KnownLabels, shares: Sequence[float], seed: int = 0) -> Split:
    """Deal all images into parts; see `parts.dealt_parts`.

    Images without a class are dealt as one class more. Deterministic by seed.
    """
    started = time.perf_counter()
    checked_seed(seed)
    groups = known.groups
    numbers = dealt_parts(known.classes, groups, shares, seed)
    names = NAMES if len(shares) == len(NAMES) else (NAMES[0], NAMES[-1])
    single = sum(count == 1 for name, count in Counter(known.labels).items() if name)
    note = f"{single} classes have a single image, which is in the part to train on"
    return Split(
        known.folder,
        known.files,
        known.paths,
        names,
        numbers,
        known.labels,
        int((np.bincount(groups) > 1).sum()),
        seed,
        time.perf_counter() - started,
        (note,) if single else (),
    )
