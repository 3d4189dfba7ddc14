"""Answer which images of a folder are there twice, and which one of them is worth keeping."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from imgbatch.copies.groups import Member, grouped
from imgbatch.copies.match import Kind, Pairs
from imgbatch.errors import SelectionError
from imgbatch.index.duplicates import NearDuplicates
from imgbatch.index.scenes import scene_pairs
from imgbatch.selection.picker import Picker
from imgbatch.types import DuplicateGroup, DuplicateImage, Duplicates, ImageRecord, Rows, View

LEVELS = {"exact": Kind.EXACT, "copies": Kind.COPY, "edited": Kind.EDITED, "scene": Kind.SCENE}
"""What counts as near-duplicates, each level with those before it."""
_SHARPER = 1.05
"""A picture counts as sharper if its sharpness is so many times as large."""


def check_level(level: str) -> str:
    """The level, if there is one of this name.

    Raises
    ------
    SelectionError
        There is none.
    """
    if level not in LEVELS:
        raise SelectionError(f"the level {level!r} was given", f"give one of {', '.join(LEVELS)}")
    return level


def answer(pickers: Sequence[Picker], level: str) -> Duplicates:
    """The near-duplicates of one folder, or what a second one shares with it."""
    started = time.perf_counter()
    first, *others = pickers
    check_level(level)
    found = replace(first.duplicates, sources=tuple(picker.source for picker in pickers))
    return Duplicates(
        folder=first.folder,
        level=level,
        groups=DuplicateFinder(found, first.known).groups(level),
        indexed=len(found.contents),
        against=others[0].folder if others else "",
        seconds=time.perf_counter() - started,
    )


@dataclass(frozen=True)
class DuplicateFinder:
    """Groups the near-duplicates of one folder, or of two.

    Attributes
    ----------
    found
        Finds them. Of two sources, images of the second one are kept.
    known_of_row
        How much is known of a row of the first source beyond its picture: labels, tags, texts.
    """

    found: NearDuplicates
    known_of_row: Callable[[int], int]

    def groups(self, level: str) -> tuple[DuplicateGroup, ...]:
        """All groups, those of the strongest kind first; see `Duplicates`."""
        most = LEVELS[check_level(level)]
        finder, two = self.found, len(self.found.sources) > 1

        def match(pairs: Rows) -> Pairs:
            matches = finder.match(pairs)
            return matches.of(matches.kinds <= most)

        if most == Kind.SCENE and not two:  # two folders have no points in common
            pairs = scene_pairs(finder)
        else:
            pairs = finder.pairs("edited" if most == Kind.SCENE else level)
        border = self._starts[-1]
        keepers = frozenset(finder.contents[border:].tolist()) if two else None
        made = list[DuplicateGroup]()
        for keeper, *others in grouped(pairs, finder.contents, self._ranked, match, keepers):
            movable = [member for member in others if not two or member.row < border]
            if movable:
                made.append(self._group([keeper, *movable]))
        order = {kind.name.lower(): number for number, kind in enumerate(Kind)}
        return tuple(sorted(made, key=lambda group: (order[group.kind], group.kept.relative)))

    def _group(self, members: Sequence[Member]) -> DuplicateGroup:
        keeper, *others = members
        images = [self._image(keeper, self._reason([member.row for member in members]))]
        images += [self._image(member) for member in others]
        return DuplicateGroup(max(member.kind for member in members).name.lower(), tuple(images))

    def _image(self, member: Member, reason: str = "") -> DuplicateImage:
        record = self._record(member.row)
        return DuplicateImage(
            path=self.found.path(member.row),
            relative=record.path,
            keep=bool(reason),
            kind=member.kind.name.lower(),
            score=round(member.score, 4),
            width=record.width,
            height=record.height,
            size=int(self._sizes[member.row]),
            reason=reason,
        )

    # ----- which image is worth keeping ----------------------------------------------------------

    def _ranked(self, rows: Sequence[int]) -> list[int]:
        """Those most worth keeping first: of a second folder, large, sharp, known, by name."""
        sharpness = self._sharpness(rows)
        return sorted(
            rows,
            key=lambda row: (
                row < self._starts[-1],
                -self._pixels(row),
                -sharpness[row],
                -self._known(row),
                -int(self._sizes[row]),
                self._record(row).path,
            ),
        )

    def _reason(self, rows: Sequence[int]) -> str:
        """Why the first of some rows is kept: the first thing in which it leads."""
        keeper, *others = rows
        if len(self._starts) > 1:
            return "in the other folder"
        sharpness = self._sharpness(rows)
        leads = (
            ("largest", self._pixels),
            ("sharpest", lambda row: sharpness[row]),
            ("most known about it", self._known),
            ("largest file", lambda row: int(self._sizes[row])),
        )
        for reason, measure in leads:
            rivals = [row for row in others if measure(row) == measure(keeper)]
            if len(rivals) < len(others):
                return reason
        return "first by name"

    def _known(self, row: int) -> int:
        two = len(self._starts) > 1  # then the folder decides
        return 0 if two else self.known_of_row(row)

    def _pixels(self, row: int) -> int:
        record = self._record(row)
        return record.width * record.height

    def _sharpness(self, rows: Sequence[int]) -> dict[int, int]:
        """Steps of sharpness of different files of one size; 0 where it decides nothing."""
        sharpness = dict.fromkeys(rows, 0)
        largest = max(map(self._pixels, rows))
        rivals = [row for row in rows if self._pixels(row) == largest]
        if len({int(self.found.contents[row]) for row in rivals}) > 1:
            for row, view in zip(rivals, self.found.views(rivals), strict=True):
                sharpness[row] = 0 if view is None else _steps(view)
        return sharpness

    def _record(self, row: int) -> ImageRecord:
        source = next(n for n, start in reversed(list(enumerate(self._starts))) if row >= start)
        return self.found.sources[source].opened.records[row - self._starts[source]]

    @cached_property
    def _starts(self) -> list[int]:
        """The first row of each source."""
        lengths = [len(source.opened.records) for source in self.found.sources]
        return [0, *np.cumsum(lengths[:-1]).tolist()]

    @cached_property
    def _sizes(self) -> Rows:
        return np.concatenate([source.opened.contents()[0] for source in self.found.sources])


def _steps(view: View) -> int:
    """The variance of the Laplacian, in steps that a person would notice."""
    grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)
    variance = float(cv2.Laplacian(grey, cv2.CV_32F).var())
    return round(math.log(variance + 1) / math.log(_SHARPER))
