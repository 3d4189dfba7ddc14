"""Which image of a group of near-duplicates is worth keeping, and why.

The largest is kept. Of equally large ones, edited copies are told from the picture that they were
made of by what compression has left in them; what looks sharp may be just noise of compression.
"""

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2

from imgbatch.images.generations import Generations
from imgbatch.index.duplicates import NearDuplicates
from imgbatch.types import View

_TRACES = 0.02
"""Traces of earlier compression that are stronger by this than a rival's count."""
_BLURRED = 2.0
"""A picture counts as blurred if a rival's sharpness is more than so many times as large."""
_SHARPER = 1.05
"""Finer steps of sharpness, where nothing else decides."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of a file: its view's sharpness, in steps, and its picture's past."""

    sharpness: int = 0
    past: Generations = field(default_factory=Generations)


@dataclass(frozen=True)
class Keeping:
    """Ranks rows of `found`; of two sources, images of the second one lead.

    Attributes
    ----------
    found
        Reads files, and knows sizes.
    known_of_row
        How much is known of a row of the first source beyond its picture: labels, tags, texts.
    """

    found: NearDuplicates
    known_of_row: Callable[[int], int]
    _seen: dict[int, Looked] = field(default_factory=dict, compare=False)
    """The rows whose files were read, which ranking and reasons both need."""

    def ranked(self, rows: Sequence[int]) -> list[int]:
        """Those most worth keeping first; among equals by name."""
        measures = list(self.leads(rows).values())
        return sorted(
            rows,
            key=lambda row: (*(-measure(row) for measure in measures), self.found.record(row).path),
        )

    def reason(self, rows: Sequence[int]) -> str:
        """Why the first of some rows is kept: the first thing in which it leads."""
        keeper, *others = rows
        for reason, measure in self.leads(rows).items():
            if any(measure(row) != measure(keeper) for row in others):
                return reason
        return "first by name"

    def leads(self, rows: Sequence[int]) -> dict[str, Callable[[int], int]]:
        """In what an image of some rows may lead, the first thing that counts first, by reason."""
        looked = self._looked(rows)
        unseen = Looked()
        past = {row: looked.get(row, unseen).past for row in rows}
        sharpness = {row: looked.get(row, unseen).sharpness for row in rows}
        sharpest = max((sharpness[row] for row in looked), default=0)
        fewest = min((past[row].traces for row in looked), default=0.0)
        coarseness = {row: past[row].coarseness for row in looked}
        comparable = None not in coarseness.values()
        blurred = math.log(_BLURRED) / math.log(_SHARPER)
        two = len(self.found.sources) > 1
        return {
            "in the other folder": lambda row: two and row >= self.found.last_start,
            "largest": self._pixels,
            "not blurred": lambda row: sharpness[row] >= sharpest - blurred,
            "names a camera": lambda row: past[row].camera,
            "not saved again": lambda row: past[row].traces <= fewest + _TRACES,
            "least compressed": lambda row: -(coarseness.get(row) or 0) if comparable else 0,
            "most known about it": lambda row: 0 if two else self.known_of_row(row),
            "sharpest": sharpness.__getitem__,
            "largest file": lambda row: int(self.found.sizes[row]),
            "shortest name": lambda row: -len(os.path.basename(self.found.record(row).path)),
        }

    def _pixels(self, row: int) -> int:
        record = self.found.record(row)
        return record.width * record.height

    def _looked(self, rows: Sequence[int]) -> dict[int, Looked]:
        """What is seen of the largest of some rows, if they are different files."""
        largest = max(map(self._pixels, rows))
        rivals = [row for row in rows if self._pixels(row) == largest]
        if len({int(self.found.contents[row]) for row in rivals}) < 2:
            return {}
        unread = [row for row in rivals if row not in self._seen]
        views, pasts = self.found.views(unread), self.found.pasts(unread)
        for row, view, past in zip(unread, views, pasts, strict=True):
            self._seen[row] = Looked(0 if view is None else _steps(view), past)
        return {row: self._seen[row] for row in rivals}


def _steps(view: View) -> int:
    """The variance of the Laplacian, in steps that a person would notice."""
    grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)
    variance = float(cv2.Laplacian(grey, cv2.CV_32F).var())
    return round(math.log(variance + 1) / math.log(_SHARPER))
