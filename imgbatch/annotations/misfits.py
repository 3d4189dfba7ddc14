"""What did not fit while metadata were read: counted by kind, and listed."""

from collections import Counter
from enum import StrEnum
from pathlib import Path

from imgbatch.printable import printable

MOST_LISTED = 10_000
"""Of each kind in a file: enough to find the cause, and a bound on the memory."""


class Misfit(StrEnum):
    """The kinds of what does not fit, as notes name them."""

    NO_NAME = "rows without a file name"
    OUTSIDE = "rows that name a file outside the folder"
    NO_IMAGE = "rows that name no readable image of the folder"
    OTHER_SPELLING = "rows that an image would fit only in other case or Unicode form"
    NO_ROW = "images without a row"
    DOUBLED = "doubled rows"
    TOO_LONG = "rows with more cells than the header, left out"
    TOO_SHORT = "rows with fewer cells than the header, taken as they are"
    WRONG_TYPE = "values that are neither text nor a number, left out"
    NOT_TEXT = "rows with invalid UTF-8 or NUL, shown as ?"
    TWO_VALUES = "rows that contradict an earlier row, which holds"
    LATER_FILE = "values that a later file replaces by others"
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
        self.shown: Counter[Misfit] = Counter()
        self.lines: list[str] = []

    def add(self, kind: Misfit, file: str | Path, where: str, what: str = "") -> None:
        """Count one misfit: in which file, where in it, and what stands there."""
        self.counts[kind] += 1
        if self.shown[kind] < MOST_LISTED:
            self.shown[kind] += 1
            self.lines.append("\t".join(map(printable, (str(file), where, kind, what))))

    def extend(self, others: "Misfits") -> None:
        """Take over what was counted and listed elsewhere."""
        self.counts += others.counts
        self.shown += others.shown
        self.lines += others.lines

    def summary(self) -> str:
        """The counts in one line; "" if all fitted."""
        return "; ".join(f"{kind}: {self.counts[kind]:,}" for kind in Misfit if self.counts[kind])

    def listed(self) -> str:
        """One misfit a line: file, place, kind and what stands there, with tabs between."""
        left_out = self.counts - self.shown
        more = [f"\t\t{kind}\t{count:,} more" for kind, count in left_out.items()]
        return "".join(f"{line}\n" for line in (*self.lines, *more))
