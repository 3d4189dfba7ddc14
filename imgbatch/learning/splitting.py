"""Divide a folder into parts to train on, to validate and to test."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imgbatch.errors import UsageError
from imgbatch.learning.known import KnownLabels, how_to_label
from imgbatch.learning.parts import dealt_parts
from imgbatch.seeds import checked_seed
from imgbatch.types import Rows

NAMES = ("train", "validation", "test")
_LEAST_PARTS = 2


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
        They are not two or three numbers, at least two of them above 0, or the first is not the
        largest.

    >>> parse_shares("80,20")
    (0.8, 0.2)
    >>> parse_shares("0.8,0.2,0")
    (0.8, 0.2, 0.0)
    """
    try:
        shares = [float(part) for part in text.split(",")]
    except ValueError:
        shares = []
    good = 2 <= len(shares) <= len(NAMES) and all(0 <= share < float("inf") for share in shares)
    if not good or sum(share > 0 for share in shares) < _LEAST_PARTS or max(shares) > shares[0]:
        raise UsageError(
            f"the shares are {text!r}",
            "give two or three numbers, the largest first and at least two above 0, such as "
            "0.8,0.1,0.1 or 80,20 or, without a test part, 0.8,0.2,0",
        )
    return tuple(share / sum(shares) for share in shares)


def split_images(known: KnownLabels, shares: Sequence[float], seed: int = 0) -> Split:
    """Deal all images into parts; see `parts.dealt_parts`.

    Images without a class are dealt as one class more. Deterministic by seed.
    """
    started = time.perf_counter()
    checked_seed(seed)
    groups = known.groups
    all_names = NAMES if len(shares) == len(NAMES) else (NAMES[0], NAMES[-1])
    named = [(name, share) for name, share in zip(all_names, shares, strict=True) if share > 0]
    names = tuple(name for name, _ in named)
    numbers = dealt_parts(known.classes, groups, [share for _, share in named], seed)
    single = sum(count == 1 for name, count in Counter(known.labels).items() if name)
    notes = list[str]()
    if single:
        note = "1 class has" if single == 1 else f"{single} classes have"
        notes.append(f"{note} a single image, which is in the part to train on")
    if not known.names:
        how = how_to_label(known.metadata)
        notes.append(f"no image has a class, so that all were dealt as one: {how}")
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
        tuple(notes),
    )
