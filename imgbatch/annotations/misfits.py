"""What did not fit while metadata were read: counted by kind, and listed."""

from collections import Counter
from enum import StrEnum
from pathlib import Path

from imgbatch.files.names import printable

MOST_LISTED = 10_000
"""Of each kind in one list: enough to find the cause, and a bound on the memory."""


class Misfit(StrEnum):
    """The kinds of what does not fit, as notes name them."""

    NO_NAME = "rows without a file name"
    OUTSIDE = "rows that name a file outside the folder"
    NO_IMAGE = "rows that name no readable image of the folder"
    NO_ROW = "images without a row"
    DOUBLED = "doubled rows"
    TOO_LONG = "rows with more cells than the header, left out"
    TOO_SHORT = "rows with fewer cells than the header, taken as they are"
    WRONG_TYPE = "values that are neither text nor a number, left out"
    NOT_TEXT = "rows with invalid UTF-8 or NUL, shown as ?"
    TWO_VALUES = "rows that contradict an earlier row, which holds"
    LATER_FILE = "images that a later file describes otherwise, which holds"
    BYTE_ORDER_MARK = "byte order marks, left out"
    NOT_READ = "text files that cannot be read"


class Misfits:
    r"""Counts and lists what did not fit.

    Examples
    --------
    >>> misfits = Misfits()
    >>> misfits.add(Misfit.NO_IMAGE, "labels.csv", "line 3", "gone.jpg")
    >>> misfits.add(Misfit.NO_IMAGE, "labels.csv", "line 9", "away.jpg")
    >>> misfits.summary()
    'rows that name no readable image of the folder: 2'
    >>> misfits.listed().splitlines()[0]
    'labels.csv\tline 3\trows that name no readable image of the folder\tgone.jpg'
    """

    def __init__(self) -> None:
        self.counts: Counter[Misfit] = Counter()
        self._lines: list[str] = []

    def add(self, kind: Misfit, file: str | Path, where: str, what: str = "") -> None:
        """Count one misfit: in which file, where in it, and what stands there."""
        self.counts[kind] += 1
        if self.counts[kind] <= MOST_LISTED:
            self._lines.append("\t".join(map(printable, (str(file), where, kind, what))))

    def summary(self) -> str:
        """The counts in one line; "" if all fitted."""
        return "; ".join(f"{kind}: {self.counts[kind]:,}" for kind in Misfit if self.counts[kind])

    def listed(self) -> str:
        """One misfit a line: file, place, kind and what stands there, with tabs between."""
        more = [
            f"\t\t{kind}\t{count - MOST_LISTED:,} more"
            for kind, count in self.counts.items()
            if count > MOST_LISTED
        ]
        return "".join(f"{line}\n" for line in (*self._lines, *more))
