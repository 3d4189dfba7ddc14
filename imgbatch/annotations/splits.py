"""The parts that metadata divide a folder into: to train on, to validate, to test."""

from collections.abc import Iterable

import numpy as np

from imgbatch.types import Rows

_TEST, _VALIDATION = {"test", "testing"}, {"validation", "valid", "val", "dev"}


def part_numbers(names: Iterable[str]) -> Rows:
    """The part of each image (n,): 0 train, 1 validation, 2 test; -1 for none.

    Whatever is neither a name of validation nor of test is to train on.

    >>> part_numbers(["train", "Val", "", "test"]).tolist()
    [0, 1, -1, 2]
    """
    return np.array([_part(name.strip().lower()) for name in names], np.int64)


def _part(name: str) -> int:
    if not name:
        return -1
    return 2 if name in _TEST else 1 if name in _VALIDATION else 0
