"""Hostile files read in batches, each in a process of its own, and blame narrowed by halves."""

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from signal import Signals

from campaign.base import Campaign, Failure, Outcome, each_case
from campaign.folders import replace_folder
from campaign.processes import Ended
from campaign.zygote import Zygote


@dataclass(frozen=True, slots=True)
class Hostile:
    """A hostile file or folder, and what was done to make it so."""

    case: int
    path: Path
    text: str
    size_bytes: int
    most_mb: float = 0.0
    """Memory that reading it may take, if that is more than any process may."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How hostile files of a part are read.

    Attributes
    ----------
    task
        A function, ``module:function``. It takes a dictionary with "files", the paths of a batch,
        and prints a JSON list that has for each file null, if it was read or refused as promised,
        or else kind and text of the failure.
    modules
        What the task imports.
    batch_files
        How many files are read by one process.
    times
        How often the task reads each file; each time may take `Limits.hang_seconds`.
    """

    part: str
    task: str
    modules: tuple[str, ...]
    batch_files: int
    times: int = 1


Beyond = Callable[[Path, Hostile, Outcome], Outcome]


def probed(
    campaign: Campaign,
    cases: Sequence[int],
    reading: Reading,
    make: Callable[[Path, int], Hostile],
    beyond: Beyond = lambda _home, _hostile, outcome: outcome,
) -> Iterator[Outcome]:
    """Make hostile files, and read them in batches.

    `make` writes the file of a case into a folder. `beyond` may try more, in the folder it is given
    first, and returns the outcome with what that showed.
    """
    size = reading.batch_files
    batches = [cases[start : start + size] for start in range(0, len(cases), size)]

    @contextlib.contextmanager
    def slot(number: int) -> Iterator[Zygote]:
        with Zygote(campaign, campaign.folder(f"{reading.part}-{number}"), reading.modules) as made:
            yield made

    def attempt(zygote: Zygote, number: int) -> list[Outcome]:
        files, copies = zygote.home / "files", zygote.home / "copies"
        shutil.rmtree(files, ignore_errors=True)
        files.mkdir()
        batch = [make(files, case) for case in batches[number]]
        if campaign.keep:  # they may be changed below
            replace_folder(files, copies)
        outcomes = [*_Probe(zygote, reading).outcomes(batch)]
        for at, hostile in enumerate(batch):
            outcomes[at] = beyond(zygote.home, hostile, outcomes[at])
            if outcomes[at].failures:
                campaign.kept(reading.part, hostile.case, copies / hostile.path.name)
        return outcomes

    for outcomes in each_case(campaign, range(len(batches)), slot, attempt):
        yield from outcomes


@dataclass(frozen=True, slots=True)
class _Probe:
    """Reads batches of files; see `Reading` for the task."""

    zygote: Zygote
    reading: Reading

    def outcomes(self, batch: Sequence[Hostile]) -> Iterator[Outcome]:
        """Read a batch; what is to blame for a fault of the whole is found by halves."""
        limits = self.zygote.campaign.limits
        files = [str(hostile.path) for hostile in batch]
        seconds = limits.hang_seconds * self.reading.times
        ended = self.zygote.run(self.reading.task, {"files": files}, seconds)
        most_mb = max(limits.memory_mb, *(hostile.most_mb for hostile in batch))
        fault = _fault(ended, most_mb)
        if fault is None:
            for hostile, verdict in zip(batch, json.loads(ended.out), strict=True):
                yield _outcome(hostile, verdict, ended.memory_mb)
        elif len(batch) == 1:
            yield _outcome(batch[0], fault, ended.memory_mb)
        else:
            yield from self._halves(batch, fault, ended)

    def _halves(self, batch: Sequence[Hostile], fault: list[str], ended: Ended) -> list[Outcome]:
        middle = len(batch) // 2
        halves = (batch[:middle], batch[middle:])
        found = [outcome for half in halves for outcome in self.outcomes(half)]
        # Many slow files make a slow batch; anything else must have a culprit.
        if ended.code is not None and not any(outcome.failures for outcome in found):
            failure = _failure(batch[-1], f"{fault[0]}, only together", fault[1])
            found[-1] = replace(found[-1], failures=(failure,), memory_mb=ended.memory_mb)
        return found


def _fault(ended: Ended, most_mb: float) -> list[str] | None:
    """Kind and text of what is wrong with the reading of a whole batch; None if nothing is."""
    if ended.code is None:
        return ["hangs", f"no end after {ended.seconds:.0f} s, {ended.memory_mb:,.0f} MB by then"]
    if ended.memory_mb > most_mb:
        return ["takes too much memory", f"{ended.memory_mb:,.0f} MB"]
    if ended.code < 0:
        return [f"kills its process ({Signals(-ended.code).name})", ended.in_short]
    if ended.code:
        return [f"raises {kind_of_traceback(ended.err)}", ended.in_short]
    return None


def kind_of_traceback(err: str) -> str:
    """The error's name and the innermost function of imgbatch, or of anything, in a traceback."""
    lines = err.strip().splitlines() or ["nothing"]
    name = lines[-1].partition(":")[0].rpartition(".")[2]
    frames = [line.strip() for line in lines if line.strip().startswith("File ")]
    ours = [frame for frame in frames if "/imgbatch/" in frame] or frames
    return f"{name} in {ours[-1].rpartition(' in ')[2]}" if ours else name


def _outcome(hostile: Hostile, verdict: list[str] | None, memory_mb: float) -> Outcome:
    failures = () if verdict is None else (_failure(hostile, *verdict),)
    return Outcome(hostile.case, failures, memory_mb)


def _failure(hostile: Hostile, kind: str, text: str) -> Failure:
    what = f"{hostile.path.name}, {hostile.size_bytes:,} bytes ({hostile.text}): {text}"
    return Failure(kind, what, hostile.size_bytes)


def wrong_line(text: object, most: int = 1000) -> list[str] | None:
    """What is wrong with the text of an error, which is one line of words; None if nothing is."""
    if not isinstance(text, str) or not text.strip():
        return ["an error without words", repr(text)]
    if any(not char.isprintable() for char in text):
        return ["an error with control characters or of several lines", repr(text)[:300]]
    if len(text) > most:
        return ["an error that is too long", f"{len(text):,} characters: {text[:100]!r}..."]
    return None
