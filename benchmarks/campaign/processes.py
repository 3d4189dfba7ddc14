"""The real command as a process: started, watched, sent signals, and looked for afterwards."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from campaign.base import ROOT, Campaign

CLEARED = (
    "IMGBATCH_CONFIG", "IMGBATCH_DEBUG", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "CLICOLOR",
)  # fmt: skip
_MARK = "IMGBATCH_CAMPAIGN"
"""An environment variable with a value of its own for each command: its processes inherit it."""
_POLL_SECONDS = 0.01
_BETWEEN_MEASURES_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended.

    Attributes
    ----------
    code
        Its exit code, negative for a signal; None if it did not end in time and was killed.
    seconds
        From its start to its end.
    memory_mb
        The largest resident memory of it or a process it started, as far as it was seen, in MB.
    strays
        Processes that outlived it, in words.
    """

    code: int | None
    out: str
    err: str
    seconds: float
    memory_mb: float
    strays: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        """The lines of standard error that are not empty."""
        return [line for line in self.err.splitlines() if line.strip()]

    @property
    def in_short(self) -> str:
        """The exit code and the end of standard error, in one line."""
        code = "no end in time" if self.code is None else f"exit {self.code}"
        said = self.lines[-1][:300] if self.lines else "nothing on standard error"
        return f"{code}, {said}"


def environment(campaign: Campaign, home: Path) -> dict[str, str]:
    """Environment variables for a process whose indexes and user configuration lie in `home`."""
    kept = {name: value for name, value in os.environ.items() if name not in CLEARED}
    paths = [*_plant_folder(campaign), str(ROOT), str(ROOT / "benchmarks")]
    return kept | {
        "PYTHONPATH": os.pathsep.join(paths),
        "IMGBATCH_CACHE_DIR": str(home / "index"),
        "XDG_CONFIG_HOME": str(home / "user-config"),
    }


def _plant_folder(campaign: Campaign) -> Iterable[str]:
    """A folder whose ``sitecustomize.py`` every Python runs first: the planted fault."""
    if campaign.plant:
        folder = campaign.work / "plant"
        folder.mkdir(exist_ok=True)
        (folder / "sitecustomize.py").write_text(campaign.plant, encoding="utf-8")
        yield str(folder)


class Command:
    """``python -m imgbatch`` in a process group of its own.

    Parameters
    ----------
    arguments
        What follows ``imgbatch``.
    home
        Its working directory, for which `environment` holds.
    """

    def __init__(self, campaign: Campaign, arguments: Sequence[object], home: Path) -> None:
        self.limits = campaign.limits
        self.mark = uuid.uuid4().hex
        self.started = time.monotonic()
        self.memory_mb = 0.0
        self._measured = 0.0
        name = f".output-{self.mark}"
        self._files = [home / f"{name}.{stream}" for stream in ("out", "err")]
        with self._files[0].open("wb") as out, self._files[1].open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "imgbatch", *map(str, arguments)],
                cwd=home, env=environment(campaign, home) | {_MARK: self.mark},
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True,
            )  # fmt: skip

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.started

    def poll(self) -> bool:
        """Whether it has ended; measures memory from time to time."""
        if self.process.poll() is not None:
            return True
        if self.seconds - self._measured >= _BETWEEN_MEASURES_SECONDS:
            self._measured = self.seconds
            self.memory_mb = max(self.memory_mb, *map(peak_mb, family(self.process.pid)))
        return False

    def send(self, number: signal.Signals, *, group: bool) -> None:
        """Send a signal to the command alone, or to its whole group, as a terminal does."""
        if self.process.poll() is None:
            (os.killpg if group else os.kill)(self.process.pid, number)

    def end(self) -> Ended:
        """Wait for its end and for that of all processes it started; kill what does not end."""
        in_time = True
        while not self.poll():
            if self.seconds > self.limits.command_seconds:
                in_time = False
                self.process.kill()
                self.process.wait()
            time.sleep(_POLL_SECONDS)
        seconds = self.seconds
        strays = self._strays()
        out, err = (file.read_bytes().decode("utf-8", "replace") for file in self._files)
        for file in self._files:
            file.unlink()
        code = self.process.returncode if in_time else None
        return Ended(code, out, err, seconds, self.memory_mb, strays)

    def _strays(self) -> tuple[str, ...]:
        """What still runs after a while, and was killed now."""
        deadline = time.monotonic() + self.limits.stray_seconds
        while (left := marked(self.mark)) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        told = tuple(f"{pid}: {_command_line(pid)[:200]}" for pid in left)
        for pid in left:
            _kill(pid)
        return told


def run(campaign: Campaign, arguments: Sequence[object], home: Path) -> Ended:
    """Run the command to its end."""
    command = Command(campaign, arguments, home)
    try:
        return command.end()
    except BaseException:  # Ctrl-C
        command.send(signal.SIGKILL, group=True)
        raise


# ----- /proc --------------------------------------------------------------------------------------


def peak_mb(pid: int | str) -> float:
    """The largest resident memory that a process ever had, in MB; 0 if it is gone."""
    return _status_mb(pid, b"VmHWM:")


def resident_mb(pid: int) -> float:
    """The present resident memory of a process, in MB; 0 if it is gone."""
    return _status_mb(pid, b"VmRSS:")


def _status_mb(pid: int | str, name: bytes) -> float:
    for line in _proc(pid, "status").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += map(int, _proc(one, f"task/{one}/children").split())
    return found


def marked(mark: str) -> list[int]:
    """Processes, but for dead ones, that were started with this mark or by one that was."""
    wanted = f"{_MARK}={mark}".encode()
    pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    return [pid for pid in pids if wanted in _proc(pid, "environ").split(b"\0")]


def _command_line(pid: int) -> str:
    return _proc(pid, "cmdline").replace(b"\0", b" ").decode("utf-8", "replace").strip()


def _proc(pid: int | str, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
