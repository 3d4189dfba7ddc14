"""Answer which images of a folder are there twice, and which one of them is worth keeping."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from imgbatch.copies.groups import Member, grouped
from imgbatch.copies.match import Kind, Pairs
from imgbatch.errors import SelectionError
from imgbatch.files.names import number_of
from imgbatch.index.duplicates import NearDuplicates
from imgbatch.index.scenes import scene_pairs
from imgbatch.selection.keeping import Keeping
from imgbatch.selection.picker import Picker
from imgbatch.types import DuplicateGroup, DuplicateImage, Duplicates, Rows

LEVELS = {"exact": Kind.EXACT, "copies": Kind.COPY, "edited": Kind.EDITED, "scene": Kind.SCENE}
"""What counts as near-duplicates, each level with those before it."""


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
    sources = tuple(picker.source for picker in pickers)
    found = replace(first.duplicates, sources=sources, unread=[])
    groups = DuplicateFinder(found, first.known).groups(level)
    return Duplicates(
        folder=first.folder,
        level=level,
        groups=groups,
        indexed=found.last_start or len(found.contents),
        against=others[0].folder if others else "",
        seconds=time.perf_counter() - started,
        notes=_notes(len(set(found.unread))),
    )


def _notes(unread: int) -> tuple[str, ...]:
    if not unread:
        return ()
    files = number_of(unread, "file")
    why = f"{files} could not be read, so that miniatures alone told their near-duplicates"
    return (f"{why}; ask again when the files are at hand",)


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
        most, finder, two = LEVELS[level], self.found, self._two
        rank = self._keeping.ranked

        def match(pairs: Rows) -> Pairs:
            matches = finder.match(pairs)
            return matches.of(matches.kinds <= most)

        if most == Kind.SCENE and not two:  # two folders have no points in common
            pairs = scene_pairs(finder)
        else:
            pairs = finder.pairs("edited" if most == Kind.SCENE else level)
        border = finder.last_start
        keepers = frozenset(finder.contents[border:].tolist()) if two else None
        made = list[DuplicateGroup]()
        for keeper, *others in grouped(pairs, finder.contents, rank, match, keepers):
            movable = [member for member in others if not two or member.row < border]
            if movable:
                made.append(self._group([keeper, *movable]))
        order = {kind.name.lower(): number for number, kind in enumerate(Kind)}
        return tuple(sorted(made, key=lambda group: (order[group.kind], group.kept.relative)))

    def _group(self, members: Sequence[Member]) -> DuplicateGroup:
        keeper, *others = members
        images = [self._image(keeper, self._keeping.reason([member.row for member in members]))]
        images += [self._image(member) for member in others]
        return DuplicateGroup(max(member.kind for member in members).name.lower(), tuple(images))

    def _image(self, member: Member, reason: str = "") -> DuplicateImage:
        record = self.found.record(member.row)
        return DuplicateImage(
            path=self.found.path(member.row),
            relative=record.path,
            keep=bool(reason),
            kind=member.kind.name.lower(),
            score=round(member.score, 4),
            width=record.width,
            height=record.height,
            size=int(self.found.sizes[member.row]),
            reason=reason,
        )

    @property
    def _two(self) -> bool:
        """Whether there are two folders, of which the second is kept."""
        return len(self.found.sources) > 1

    @cached_property
    def _keeping(self) -> Keeping:
        return Keeping(self.found, self.known_of_row)
