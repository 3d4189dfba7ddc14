"""Part `cluster`: commands on a Dask cluster whose scheduler, workers or driver go wrong.

Each slot has a scheduler and two workers, processes of this machine; a case starts what it broke
again. At a random moment of a command the scheduler, workers or the command are killed, stand still
for a while, or get Ctrl-C. The command must end with its whole answer or with one clear line. No
process of it may be left, and nothing half-written may stand under a final name. On a sound cluster
the same command must then give the answer and the output of an undisturbed run.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from campaign.answers import clear_line, difference, document
from campaign.base import BrokenError, Campaign, Failure, Outcome, Part, each_case
from campaign.deeds import Moment
from campaign.folders import contents, copy_pictures
from campaign.processes import Command, Ended, environment, family, run

_SETTINGS = """
[cluster]
shard_images = 5
part_images = 40
"""
"""Small shards and parts, so that a few images are many tasks."""
_DEEDS = (
    ("index PHOTOS", ""),
    ("similar PHOTOS -n 5 --seed 5 --no-sheet -o OUT/set.csv", "set.csv"),
    ("batches PHOTOS --batch-size 6 --seed 5 -o OUT/plan/", "plan"),
    ("tags PHOTOS -o OUT/tags.csv", "tags.csv"),
)
_STARTED_SECONDS = 60.0
_PADDING_BYTES = 500_000
_WORKER_TTL = "10 s"
"""How long Dask waits for a silent worker; by default it waits five minutes."""


class _Cluster:
    """A scheduler and workers, and a folder whose index commands make there."""

    def __init__(self, campaign: Campaign, home: Path) -> None:
        self.campaign, self.home = campaign, home
        self.photos, self.index, self.out = home / "photos", home / "index", home / "out"
        copy_pictures(self.photos, campaign.pictures, padding_bytes=_PADDING_BYTES)
        (home / "cluster.toml").write_text(_SETTINGS, encoding="utf-8")
        self.out.mkdir()
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []
        self.expected: dict[int, _Expected] = {}

    def mend(self) -> None:
        """Start what does not run; every process that does must go on."""
        if self.scheduler is None or self.scheduler.poll() is not None:
            self.stop()
            self._file.unlink(missing_ok=True)
            self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0")
            deadline = time.monotonic() + _STARTED_SECONDS
            while not (self._file.is_file() and self._file.read_bytes()):
                if time.monotonic() > deadline:
                    raise BrokenError("Dask's scheduler does not start")
                time.sleep(0.05)
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        while len(self.workers) < 2:
            self.add_worker()

    def add_worker(self) -> None:
        """Start one more worker; a nanny starts it again when it dies."""
        self.workers.append(self._start("worker", "--nthreads", "1"))

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *arguments, "--no-dashboard",
                   "--scheduler-file", str(self._file)]  # fmt: skip
        variables = environment(self.campaign, self.home)
        variables["DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL"] = _WORKER_TTL
        nothing = subprocess.DEVNULL
        return subprocess.Popen(command, cwd=self.home, env=variables, stdin=nothing,
                                stdout=nothing, stderr=nothing, start_new_session=True)  # fmt: skip

    def stop(self) -> None:
        """End all processes."""
        for process in (*self.workers, *([self.scheduler] if self.scheduler else [])):
            _send(process, signal.SIGKILL, whole=True)
            process.wait()
        self.scheduler, self.workers = None, []

    @property
    def _file(self) -> Path:
        return self.home / "scheduler.json"

    def arguments(self, number: int) -> list[str]:
        """The arguments of a deed."""
        places = {"PHOTOS": str(self.photos)}
        words = (places.get(word, word) for word in _DEEDS[number][0].split())
        address = json.loads(self._file.read_text())["address"]
        return [word.replace("OUT", str(self.out)) for word in words] + [
            "--json", "--cluster", address, "--config", str(self.home / "cluster.toml"),
        ]  # fmt: skip

    def empty(self, *, index: bool) -> None:
        """Remove outputs, and the index if that is asked for."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()
        if index:
            shutil.rmtree(self.index, ignore_errors=True)

    def undisturbed(self, number: int) -> "_Expected":
        """What a deed answers on a sound cluster, and how long it takes without and with an index.

        The first run does not count, as it may wait for workers that start.
        """
        if number not in self.expected:
            ends = []
            for without_index in (True, True, False):
                self.empty(index=without_index)
                ends.append(run(self.campaign, self.arguments(number), self.home))
            _, without, with_it = ends
            told = document(without)
            if without.code != 0 or told is None:
                raise BrokenError(f"undisturbed: {without.in_short}")
            outputs = contents(self.out)
            self.expected[number] = _Expected(told, outputs, without.seconds, with_it.seconds)
        return self.expected[number]


@dataclass(frozen=True, slots=True)
class _Expected:
    """What an undisturbed deed answers, writes and takes."""

    document: dict[str, Any]
    outputs: dict[str, bytes]
    seconds_without_index: float
    seconds_with_index: float


def _send(process: subprocess.Popen[bytes], number: signal.Signals, *, whole: bool) -> None:
    """Send a signal to a process, and to all it started."""
    for pid in family(process.pid) if whole else [process.pid]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


# ----- what goes wrong ----------------------------------------------------------------------------


def _the_scheduler_is_killed(cluster: _Cluster, _command: Command, _random: Random) -> None:
    assert cluster.scheduler is not None
    _send(cluster.scheduler, signal.SIGKILL, whole=True)


def _the_scheduler_stands_still(cluster: _Cluster, _command: Command, random: Random) -> None:
    assert cluster.scheduler is not None
    _send(cluster.scheduler, signal.SIGSTOP, whole=True)
    time.sleep(random.uniform(0.5, 8))
    _send(cluster.scheduler, signal.SIGCONT, whole=True)


def _a_worker_is_killed(cluster: _Cluster, _command: Command, random: Random) -> None:
    """Its nanny starts it again."""
    for pid in family(random.choice(cluster.workers).pid)[1:]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _a_worker_goes_for_ever(cluster: _Cluster, _command: Command, random: Random) -> None:
    _send(random.choice(cluster.workers), signal.SIGKILL, whole=True)


def _a_worker_hangs(cluster: _Cluster, command: Command, random: Random) -> None:
    worker = random.choice(cluster.workers)
    _send(worker, signal.SIGSTOP, whole=True)
    while not command.poll() and command.seconds < cluster.campaign.limits.command_seconds:
        time.sleep(0.05)
    _send(worker, signal.SIGKILL, whole=True)


def _all_workers_go_and_a_new_one_comes(
    cluster: _Cluster, _command: Command, random: Random
) -> None:
    for worker in cluster.workers:
        _send(worker, signal.SIGKILL, whole=True)
    time.sleep(random.uniform(0, 3))
    cluster.add_worker()


def _the_command_is_killed(_cluster: _Cluster, command: Command, random: Random) -> None:
    command.send(signal.SIGKILL, group=random.random() < 0.5)


def _the_command_is_interrupted(_cluster: _Cluster, command: Command, _random: Random) -> None:
    command.send(signal.SIGINT, group=True)


_FAULTS: tuple[Callable[[_Cluster, Command, Random], None], ...] = (
    _the_scheduler_is_killed,
    _a_worker_is_killed,
    _the_command_is_killed,
    _all_workers_go_and_a_new_one_comes,
    _the_command_is_interrupted,
    _a_worker_goes_for_ever,
    _the_scheduler_stands_still,
    _a_worker_hangs,
)
_MUST_SUCCEED = {
    _a_worker_is_killed,
    _a_worker_goes_for_ever,
    _all_workers_go_and_a_new_one_comes,
    _the_scheduler_stands_still,
    _a_worker_hangs,
}
"""Faults that a command must get over; of the others it may say so in one line."""


# ----- a case -------------------------------------------------------------------------------------


@contextlib.contextmanager
def _cluster(campaign: Campaign, number: int) -> Iterator[_Cluster]:
    cluster = _Cluster(campaign, campaign.folder(f"cluster-{number}"))
    try:
        yield cluster
    finally:
        cluster.stop()


def _run(campaign: Campaign, cases: Sequence[int]) -> Iterator[Outcome]:
    yield from each_case(
        campaign, cases, lambda number: _cluster(campaign, number),
        lambda cluster, case: _attempt(campaign, cluster, case),
    )  # fmt: skip


def _attempt(campaign: Campaign, cluster: _Cluster, case: int) -> Outcome:
    random = campaign.random("cluster", case)
    fault = _FAULTS[case % len(_FAULTS)]
    number = case // len(_FAULTS) % len(_DEEDS)
    cluster.mend()
    expected = cluster.undisturbed(number)
    without_index = random.random() < 0.7
    cluster.empty(index=without_index)
    seconds = expected.seconds_without_index if without_index else expected.seconds_with_index
    after_seconds = random.uniform(0.2, 0.9) * seconds
    command = Command(campaign, cluster.arguments(number), cluster.home)
    Moment(after_seconds).wait(command, cluster.index, cluster.out)
    early = command.poll()
    if not early:
        fault(cluster, command, random)
    ended = command.end()
    found = list(_wrong_end(ended, fault, expected))
    if ended.code == 0:
        found += _wrong_outputs(cluster, expected, "the disturbed run")
    elif text := _half_written(cluster, expected):
        found.append(("half-written under a final name", text))
    cluster.mend()
    again = run(campaign, cluster.arguments(number), cluster.home)
    if again.code != 0:
        found.append(("the next run fails", again.in_short))
    elif text := difference(document(again), expected.document):
        found.append(("the next run answers otherwise", text))
    else:
        found += _wrong_outputs(cluster, expected, "the next run")
    name, deed = fault.__name__.strip("_").replace("_", " "), _DEEDS[number][0].split()[0]
    told = f"{deed} after {after_seconds:.2f} s"
    failures = tuple(Failure(f"{name}: {kind}", f"{told}: {text}") for kind, text in found)
    apart = "ended before anything went wrong" if early else ""
    return Outcome(case, failures, max(ended.memory_mb, again.memory_mb), apart)


def _wrong_end(
    ended: Ended, fault: Callable[..., None], expected: _Expected
) -> Iterator[tuple[str, str]]:
    if ended.strays:
        yield "processes are left", "; ".join(ended.strays)
    if ended.code == 0:
        if text := difference(document(ended), expected.document):
            yield "exit code 0, and another answer", text
    elif ended.code is None:
        yield "hangs", ended.in_short
    elif fault in _MUST_SUCCEED:
        yield "the command does not get over it", ended.in_short
    elif fault is _the_command_is_interrupted:
        if ended.code != 130 or len(ended.lines) != 1:
            yield "Ctrl-C is not one line and 130", ended.in_short
    elif fault is not _the_command_is_killed and (text := clear_line(ended)):
        yield f"no clear line: {text}", ended.in_short


def _wrong_outputs(cluster: _Cluster, expected: _Expected, what: str) -> list[tuple[str, str]]:
    now = contents(cluster.out)
    other = sorted(name for name in {*now, *expected.outputs}
                   if now.get(name) != expected.outputs.get(name))  # fmt: skip
    return [(f"the output of {what} differs", ", ".join(other))] if other else []


def _half_written(cluster: _Cluster, expected: _Expected) -> str:
    """Names of outputs that stand there without the bytes of an undisturbed run."""
    now = contents(cluster.out)
    wrong = sorted(name for name, data in expected.outputs.items() if now.get(name, data) != data)
    return ", ".join(wrong)


PART = Part("cluster", "a cluster that loses parts is got over, or is one clear line", 160, _run)
