"""What a campaign is made of: parts, cases, outcomes, and what all parts share."""

import os
import queue
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"
Slot = TypeVar("Slot")


class BrokenError(Exception):
    """What a part needs to begin with does not work, such as an undisturbed command."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that must not happen.

    Attributes
    ----------
    kind
        A few words; failures of one kind are counted together.
    text
        What was done and what was seen, in one line.
    size_bytes
        Of the hostile file; of one kind, the smallest is shown.
    """

    kind: str
    text: str
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case.

    Attributes
    ----------
    case
        Its number, from 0.
    failures
        Empty if it survived.
    memory_mb
        The largest resident memory of any process at work, in MB; 0 if it was not measured.
    apart
        A way to survive that is counted apart, such as "before the start"; else empty.
    """

    case: int
    failures: tuple[Failure, ...] = ()
    memory_mb: float = 0.0
    apart: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What counts as too long or too much.

    Attributes
    ----------
    hang_seconds
        A file that takes longer hangs.
    command_seconds
        A command that takes longer hangs.
    stray_seconds
        A process that outlives its command for longer is a stray.
    memory_mb
        Resident memory that reading a file may take, in MB.
    killed_mb
        A process that takes more is killed, so that the machine stays usable.
    """

    hang_seconds: float = 20.0
    command_seconds: float = 120.0
    stray_seconds: float = 20.0
    memory_mb: float = 400.0
    killed_mb: float = 2000.0


@dataclass(frozen=True)
class Campaign:
    """What was asked for, and where the work is done.

    Attributes
    ----------
    work
        A temporary folder.
    keep
        Where hostile files of failed cases are kept; None keeps none.
    pictures
        How many images the folders under test hold; three quarters are enough for whitening.
    plant
        Python source that every process under test runs first: a fault of the self-check.
    """

    work: Path
    seed: int = 1
    scale: float = 1.0
    jobs: int = 1
    keep: Path | None = None
    pictures: int = 140
    limits: Limits = field(default_factory=Limits)
    plant: str = ""

    def count(self, at_full_scale: int) -> int:
        """How many of so many cases are tried at this scale; at least one."""
        return max(1, round(at_full_scale * self.scale))

    def random(self, part: str, case: int) -> random.Random:
        """The random numbers of one case, which depend on nothing else."""
        return random.Random(f"{self.seed}/{part}/{case}")

    def folder(self, name: str) -> Path:
        """An empty folder for work."""
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def kept(self, part: str, case: int, *hostile: Path) -> None:
        """Keep the files and folders that made a case fail, if that was asked for."""
        if self.keep is None:
            return
        target = self.keep / part / f"{case:06}"
        target.mkdir(parents=True, exist_ok=True)
        for path in hostile:
            if path.is_dir():
                shutil.copytree(path, target / path.name, symlinks=True, dirs_exist_ok=True)
            elif os.path.lexists(path):
                shutil.copy2(path, target / path.name, follow_symlinks=False)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the campaign.

    Attributes
    ----------
    what
        What is done and what must hold, in one line.
    cases
        How many, at scale 1.
    run
        Tries the cases with these numbers and yields their outcomes, in any order.
    """

    name: str
    what: str
    cases: int
    run: Callable[[Campaign, Sequence[int]], Iterator[Outcome]]


def each_case(
    campaign: Campaign,
    cases: Sequence[int],
    make_slot: Callable[[int], AbstractContextManager[Slot]],
    attempt: Callable[[Slot, int], Outcome],
) -> Iterator[Outcome]:
    """Try cases in ``campaign.jobs`` threads, each with a slot of its own to work in.

    `make_slot` takes the slot's number. Outcomes come in the order of cases.
    """
    jobs = min(campaign.jobs, len(cases))
    with ExitStack() as stack:
        idle: queue.Queue[Slot] = queue.Queue()
        for number in range(jobs):
            idle.put(stack.enter_context(make_slot(number)))

        def work(case: int) -> Outcome:
            slot = idle.get()
            try:
                return attempt(slot, case)
            finally:
                idle.put(slot)

        pool = ThreadPoolExecutor(jobs)
        try:
            yield from pool.map(work, cases)
        finally:  # after Ctrl-C, too
            pool.shutdown(cancel_futures=True)
