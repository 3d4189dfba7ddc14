"""Whether each part notices the faults that are planted for it, and blames the right case.

A part that does not report its plant cannot fail, and is of no use.
"""

import contextlib
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from unittest import mock

from campaign.base import Campaign
from campaign.deeds import Moment
from campaign.images import hostile_file
from campaign.plants import PLANTS, Plant
from campaign.processes import Command
from campaign.registry import PARTS

_AT_WORK = "at-work"
"""A file that a planted fault makes in its working directory, before it waits for a signal."""
_SEED = 1


def missed(campaign: Campaign, plant: Plant) -> str:
    """What a part did not notice, or reported without reason; empty if all was as it must be."""
    kinds: dict[int, list[str]] = {}
    with _signals_when_planted():
        for outcome in PARTS[plant.part].run(_planted(campaign, plant), plant.cases):
            kinds[outcome.case] = [failure.kind for failure in outcome.failures]
    for case, pattern in plant.expected.items():
        if not any(re.search(pattern, kind) for kind in kinds.get(case, [])):
            return f"case {case} must fail ({pattern}), reported was {kinds.get(case)}"
    wrong = {case: of_case for case, of_case in kinds.items() if of_case}.keys() - plant.expected
    if wrong:
        return f"cases {sorted(wrong)} must survive: {[kinds[case] for case in wrong]}"
    return "" if len(kinds) == len(plant.cases) else f"only {len(kinds)} cases were tried"


def _planted(campaign: Campaign, plant: Plant) -> Campaign:
    source = plant.source
    if plant.part == "images":
        for case in plant.expected:
            data = hostile_file(replace(campaign, seed=_SEED), case)[1]
            source = source.replace(f"{{{case}}}", sha256(data).hexdigest())
    return replace(
        campaign, seed=_SEED, jobs=1, keep=campaign.work / "kept", pictures=plant.pictures,
        limits=plant.limits, plant=source,
    )  # fmt: skip


@contextlib.contextmanager
def _signals_when_planted() -> Iterator[None]:
    """Send signals when the planted fault says that it is at work, not at a random moment."""

    def wait(_: Moment, command: Command, index: Path, *_more: object, **_others: object) -> None:
        while not ((index.parent / _AT_WORK).exists() or command.poll()):
            time.sleep(0.01)

    with mock.patch.object(Moment, "wait", wait):
        yield


def check_all(campaign: Campaign, parts: Sequence[str]) -> int:
    """Try the plants of some parts and say what was noticed; returns the exit code."""
    failed = 0
    for name, plant in PLANTS.items():
        if plant.part in parts:
            work = campaign.folder("self-check")
            problem = missed(replace(campaign, work=work), plant)
            failed += bool(problem)
            print(f"{plant.part}: {name}: {problem or 'noticed'}", flush=True)
    for part in set(parts) - {plant.part for plant in PLANTS.values()}:
        failed += 1
        print(f"{part}: no fault is planted for it", file=sys.stderr)
    return 1 if failed else 0
