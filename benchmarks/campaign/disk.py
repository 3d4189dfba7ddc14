"""Part `disk`: a disk that fills up or is read-only while a command writes to it.

The folder of indexes, or that of outputs, lies on a small file system in memory, which takes root's
right to mount. Without that right no file may grow beyond a number of bytes, which a process meets
much as it meets a full disk. The command must end with exit code 0 and its whole answer and output,
or with one clear line of error and none or all of its answer; nothing half-written may stand under
a final name. An index without room for altered views answers without whitening, and notes it. With
room again, the same command must answer as if nothing had happened.
"""

import contextlib
import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from campaign.answers import clear_line, difference, document
from campaign.base import Campaign, Failure, Outcome, Part, each_case
from campaign.commands import CHECK, WRITERS, Deed
from campaign.deeds import Bench, Benches, Expected, State, benches
from campaign.kills import after
from campaign.processes import Ended

_PAGE = 4096
_UNMOUNT_SECONDS = 10.0
_WITHOUT_WHITENING = "note: whitening is off"
_LEFT_OUT = {"clean", "index on a cluster", "similar on a cluster"}
DEEDS = tuple(deed for deed in WRITERS if deed.name not in _LEFT_OUT)


def _run(campaign: Campaign, cases: Sequence[int]) -> Iterator[Outcome]:
    def attempt(slot: Benches, case: int) -> Outcome:
        padded = campaign.random("disk's bench", case).random() < 0.3
        return _attempt(campaign, slot[padded], DEEDS[case % len(DEEDS)], case)

    yield from each_case(
        campaign, cases, lambda number: benches(campaign, f"disk-{number}"), attempt
    )


def _attempt(campaign: Campaign, bench: Bench, deed: Deed, case: int) -> Outcome:
    random = campaign.random("disk", case)
    expected = bench.expected(deed)
    bench.expected(CHECK)
    state: State = random.choice(("none", "before", "after"))
    bench.set_up(state)
    if random.random() < 0.5:
        bench.put_former(deed)
    place = random.choice((bench.index, bench.out)) if deed.output else bench.index
    if deed.left_to_do:
        place = bench.out
    size = sum(map(len, expected.outputs.values())) if place == bench.out else 600_000
    room = None if random.random() < 0.2 else round(random.uniform(0, 1.2) * size)
    ended = _disturbed(bench, deed, place, room)
    told = f"{deed.name}, index {state}, {_told(place.name, room)}"
    found = [("processes are left", "; ".join(ended.strays))] if ended.strays else []
    found += _wrong_end(ended, bench, deed, expected)
    if text := bench.half_written(deed, expected.outputs):
        found.append(("half-written under a final name", text))
    problems, memory_mb = after(bench, deed, expected, case)
    failures = tuple(
        Failure(f"{deed.name}: {kind}", f"{told}: {text}") for kind, text in [*found, *problems]
    )
    return Outcome(case, failures, max(ended.memory_mb, memory_mb))


def _told(place: str, room: int | None) -> str:
    return f"{place} read-only" if room is None else f"{room:,} bytes of room for {place}"


# ----- the disk -----------------------------------------------------------------------------------


def _disturbed(bench: Bench, deed: Deed, place: Path, room: int | None) -> Ended:
    """Run a deed while a folder has little room, or is read-only (None)."""
    if not _may_mount():
        command = bench.start(deed)
        number = command.process.pid
        resource.prlimit(number, resource.RLIMIT_FSIZE, (room or 0, room or 0))
        return command.end()
    with _mounted(place, room):
        return bench.run(deed)


@cache
def _may_mount() -> bool:
    """Whether this process may mount."""
    if os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", folder]
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            return False
        subprocess.run(["umount", folder], check=True)
    return True


@contextlib.contextmanager
def _mounted(place: Path, room: int | None) -> Iterator[None]:
    """Let a folder, with what it holds, lie on a small file system within the block."""
    place.mkdir(exist_ok=True)
    aside = place.with_name(f"{place.name}-aside")
    place.rename(aside)
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", str(place)]
    subprocess.run(mount, check=True)
    try:
        shutil.copytree(aside, place, dirs_exist_ok=True)
        limit = "ro" if room is None else f"size={_used(place) + room // _PAGE * _PAGE}"
        subprocess.run(["mount", "-o", f"remount,{limit}", str(place)], check=True)
        yield
        shutil.rmtree(aside)
        shutil.copytree(place, aside)
    finally:
        _unmount(place)
        place.rmdir()
        aside.rename(place)


def _unmount(place: Path) -> None:
    """Unmount a file system; a process that is just ending may hold it for a moment."""
    deadline = time.monotonic() + _UNMOUNT_SECONDS
    while subprocess.run(["umount", str(place)], check=False, capture_output=True).returncode:
        if time.monotonic() > deadline:
            subprocess.run(["umount", "--lazy", str(place)], check=True)
            return
        time.sleep(0.05)


def _used(place: Path) -> int:
    """Bytes of a file system that are taken."""
    status = os.statvfs(place)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


# ----- the end ------------------------------------------------------------------------------------


def _wrong_end(
    ended: Ended, bench: Bench, deed: Deed, expected: Expected
) -> Iterator[tuple[str, str]]:
    """What is wrong with how a command ended that had too little room."""
    new = [line for line in ended.lines if line not in expected.lines]
    if ended.code != 0 and (text := clear_line(replace(ended, err="\n".join(new)))):
        yield f"a full disk is no clear line: {text}", ended.in_short
    if "Traceback" in ended.err or "unexpected" in ended.err:
        yield "a traceback, or what nobody expected", ended.in_short
    poorer = any(line.startswith(_WITHOUT_WHITENING) for line in new)
    told = document(ended, [deed.left_to_do])
    if ended.code == 0 and told is None:
        yield "exit code 0, and no answer", ended.in_short
    if told is not None and expected.document is not None and not poorer:
        # An output that could not be written is null, or missing among the files.
        untold = {name for name, value in told.items() if value is None or name == "files"}
        untold = untold if ended.code else set()
        wanted = {name: value for name, value in expected.document.items() if name not in untold}
        there = {name: value for name, value in told.items() if name not in untold}
        if text := difference(there, wanted):
            yield "another answer, in silence", text
    elif ended.out.strip() and told is None:
        yield "a part of an answer", ended.out[-100:]
    if ended.code == 0:
        now = bench.outputs()
        whole = now if poorer else expected.outputs
        lost = [name for name in expected.outputs if now.get(name) != whole.get(name, b"")]
        if lost:
            yield "exit code 0, and an output is not whole", ", ".join(lost)


PART = Part("disk", "a full or read-only disk is one clear line, and costs nothing else", 140, _run)
