"""Put deliberate faults into the code, one at a time, and see which tests notice.

    python tools/faults.py --faults 60 --seed 1 [--jobs 2] [--json]
    python tools/faults.py --faults 60 --seed 1 --list

Faults are drawn without looking at the tests. Each room of the package (a folder or file at its
top) gets its share by lines; then lines are drawn, then one of the changes that each line may get
(`mutations.py`). A fault is put into a copy of the tree, where pytest runs until the first
failure: first the tests and examples of the file, then of its room, then all quick ones, then the
slow ones. A test that hangs notices the fault, too ("timeout"). A fault that no test notices is
either equivalent to the code without it or shows that a test is missing. Needs a POSIX system.
"""

import argparse
import contextlib
import json
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from mutations import Fault, apply, candidates, valid

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "imgbatch"
NOT_COPIED = (".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "imgbatch-out")
POLL_SECONDS = 0.2
MEMORY_KIB = 12_000_000
"""Address space of a test process, so that a fault cannot take all memory."""


def room_of(file: str) -> str:
    """The folder or file at the top of the package that a file belongs to."""
    return file.split("/")[1].removesuffix(".py")


def shares(lines: dict[str, int], count: int) -> dict[str, int]:
    """How many of `count` faults each room gets: by lines, rounded so that they add up."""
    exact = {room: count * size / sum(lines.values()) for room, size in lines.items()}
    quota = {room: int(share) for room, share in exact.items()}
    by_rest = sorted(exact, key=lambda room: (quota[room] - exact[room], room))
    for room in by_rest[: count - sum(quota.values())]:
        quota[room] += 1
    return quota


def draw(root: Path, count: int, seed: int) -> list[Fault]:
    """Draw faults, equal ones for an equal seed and equal code, sorted by file and position."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    sources: dict[str, bytes] = {}
    by_line: dict[str, dict[tuple[str, int], list[Fault]]] = defaultdict(dict)
    lines: dict[str, int] = defaultdict(int)
    for path in sorted((root / PACKAGE).rglob("*.py")):
        file = path.relative_to(root).as_posix()
        sources[file] = path.read_bytes()
        for fault in candidates(file, sources[file]):
            by_line[room_of(file)].setdefault((file, fault.line), []).append(fault)
        if room_of(file) in by_line:
            lines[room_of(file)] += sources[file].count(b"\n")
    quota = shares(lines, count)
    drawn: list[Fault] = []
    for room in sorted(by_line):
        most = len(drawn) + quota[room]
        for spot in chance.sample(sorted(by_line[room]), len(by_line[room])):
            if len(drawn) == most:
                break
            faults = chance.sample(by_line[room][spot], len(by_line[room][spot]))
            drawn += [fault for fault in faults if valid(fault, sources[fault.file])][:1]
    return sorted(drawn, key=lambda fault: (fault.file, fault.start))


@dataclass(frozen=True)
class Result:
    """What became of a fault: the test that noticed it, "timeout", or "" if it survived."""

    fault: Fault
    noticed_by: str
    seconds: float

    def __str__(self) -> str:
        outcome = f"caught by {self.noticed_by}" if self.noticed_by else "SURVIVED"
        return f"{self.fault}\n    {outcome}  ({self.seconds:.0f} s)"


class Copy:
    """A copy of the tree that takes one fault at a time."""

    def __init__(
        self, root: Path, directory: Path, silence_seconds: float, *, slow: bool = True
    ) -> None:
        self.slow = slow
        self.tree, self.scratch = directory / "tree", directory / "tmp"
        self.stopped = threading.Event()
        self.silence_seconds = silence_seconds
        shutil.copytree(root, self.tree, ignore=shutil.ignore_patterns(*NOT_COPIED))
        self.scratch.mkdir(parents=True)

    def try_fault(self, fault: Fault) -> Result:
        """Run tests with the fault in the tree, the nearest ones first, until one notices."""
        began = time.monotonic()
        source = (self.tree / fault.file).read_bytes()
        self._write(fault.file, apply(fault, source))
        noticed_by, tests = "", list[str]()
        try:
            for tests in stages(self.tree, fault.file, slow=self.slow):
                if noticed_by := self.run(tests):
                    break
        finally:
            self._write(fault.file, source)
        again = [noticed_by] if "/" in noticed_by else tests
        if noticed_by not in {"", "timeout"} and self.run(again) == noticed_by:
            raise SystemExit(f"without any fault, too, {noticed_by} fails: repair it first")
        return Result(fault, noticed_by, time.monotonic() - began)

    def run(self, tests: list[str]) -> str:
        """The first test that fails, "timeout" after too long a silence, or "" if all pass."""
        log = self.scratch / "pytest.log"
        pytest = [sys.executable, "-m", "pytest", "-x", "-q", "-rfE", "--tb=no", "-p",
                  "no:cacheprovider", "--doctest-modules", *tests]  # fmt: skip
        limited = ["sh", "-c", f'ulimit -v {MEMORY_KIB}; exec "$@"', "sh", *pytest]
        environment = {**os.environ, "PYTHONPATH": str(self.tree), "TMPDIR": str(self.scratch),
                       "PYTHONUNBUFFERED": "1", "COLUMNS": "1000"}  # fmt: skip
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own command
                limited, cwd=self.tree, env=environment, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
            try:
                ended = self._ends(process, log)
            finally:  # the process is not reaped yet, so that its group is nobody else's
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                status = process.wait()
        if not ended:
            return "timeout"
        if status in (0, 5):  # 5: there are no tests
            return ""
        text = log.read_text(errors="replace")
        failed = re.search(r"^(?:FAILED|ERROR) (.*?)(?: - .*)?$", text, re.MULTILINE)
        return failed[1] if failed else f"pytest itself, with exit status {status}"

    def _ends(self, process: subprocess.Popen[bytes], log: Path) -> bool:
        """Wait for the end of the process; False if it writes nothing for too long."""
        size, heard = 0, time.monotonic()
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if log.stat().st_size != size:
                size, heard = log.stat().st_size, time.monotonic()
            if time.monotonic() - heard > self.silence_seconds or self.stopped.is_set():
                return False
            time.sleep(POLL_SECONDS)
        return True

    def _write(self, file: str, source: bytes) -> None:
        path = self.tree / file
        path.write_bytes(source)
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()  # Python would use it for a source of equal size and second


def stages(tree: Path, file: str, *, slow: bool = True) -> Iterator[list[str]]:
    """Arguments of pytest by nearness to a file: its tests, its room's, quick ones, slow ones."""
    inside, room = Path(file).relative_to(PACKAGE), room_of(file)
    near = [tree / file, tree / "tests" / inside.with_name(f"test_{inside.name}")]
    of_room = [*(tree / "tests" / room).rglob("test_*.py"), *tree.glob(f"tests/test_{room}*.py")]
    everything = [*tree.glob("tests/**/test_*.py"), *tree.glob(f"{PACKAGE}/**/*.py")]
    chosen: set[Path] = set()
    for group in (near, of_room, everything):
        paths = sorted(path for path in group if path.is_file() and path not in chosen)
        paths = [path for path in paths if path.name != "__main__.py"]  # collecting it would run it
        chosen |= set(paths)
        tests = [path.relative_to(tree).as_posix() for path in paths]
        if tests and group is everything:
            yield [*tests, "-m", "not slow"]
            if slow:
                yield [*tests, "-m", "slow"]
        elif tests:
            yield tests


def try_all(
    root: Path, faults: list[Fault], jobs: int, silence_seconds: float, *, slow: bool = True
) -> Iterator[Result]:
    """Try faults in `jobs` copies of the tree at once; results in the order of the faults."""
    with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as directory:
        copies = [
            Copy(root, Path(directory) / str(job), silence_seconds, slow=slow)
            for job in range(jobs)
        ]
        idle: queue.Queue[Copy] = queue.Queue()
        for copy in copies:
            idle.put(copy)

        def attempt(fault: Fault) -> Result:
            copy = idle.get()
            try:
                return copy.try_fault(fault)
            finally:
                idle.put(copy)

        with ThreadPoolExecutor(jobs) as pool:
            try:
                yield from pool.map(attempt, faults)
            finally:  # after Ctrl-C, too
                for copy in copies:
                    copy.stopped.set()
                pool.shutdown(cancel_futures=True)


def main(arguments: list[str] | None = None) -> int:
    """Read the command line; draw, list or try faults."""
    parser = argparse.ArgumentParser(description="Put faults into the code, see what tests notice.")
    parser.add_argument("--faults", type=int, default=60, help="how many (default: 60)")
    parser.add_argument("--seed", type=int, default=1, help="repeats the draw (default: 1)")
    parser.add_argument("--jobs", type=int, default=1, help="copies of the tree tested at once")
    parser.add_argument("--silence-seconds", type=float, default=240, help="a timeout of pytest")
    parser.add_argument("--root", type=Path, default=ROOT, help="the tree (default: this one)")
    parser.add_argument("--quick", action="store_true",
                        help="leave out slow tests but those of the fault's own room")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON in place of text")
    parser.add_argument("--list", action="store_true", help="print the faults and do not run them")
    given = parser.parse_args(arguments)
    faults = draw(given.root, given.faults, given.seed)
    if given.list:
        print(json.dumps([asdict(fault) for fault in faults], indent=1) if given.json
              else "\n".join(map(str, faults)))  # fmt: skip
        return 0
    results = []
    for result in try_all(
        given.root, faults, given.jobs, given.silence_seconds, slow=not given.quick
    ):
        results.append(result)
        if not given.json:
            print(result, flush=True)
    caught = sum(bool(result.noticed_by) for result in results)
    totals = {"tried": len(results), "caught": caught, "survived": len(results) - caught}
    if given.json:
        print(json.dumps({**totals, "faults": [asdict(result) for result in results]}, indent=1))
    else:
        print(", ".join(f"{name} {number}" for name, number in totals.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
