"""A process that has imported all that tasks need, and forks for each task.

So a task costs no start of a Python, and yet begins in a process of its own, in which nothing is
left of the task before. A task is a function of a module of this package, by name; what it returns
is the exit code. It prints to files.
"""

import atexit
import contextlib
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import time
import traceback
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, Self

from campaign.base import BrokenError, Campaign
from campaign.processes import Ended, environment, peak_mb, resident_mb

_POLL_SECONDS = 0.02
COMMAND = (
    "imgbatch.cli.app", "imgbatch.collection", "imgbatch.selection.picker", "imgbatch.outputs",
    "imgbatch.index.sqlite.opened", "imgbatch.config", "sklearn.neighbors", "scipy.linalg",
)  # fmt: skip
"""Modules that the commands which pick images import."""


class Zygote:
    """Runs tasks, one at a time; begin with ``with Zygote(...)``.

    Parameters
    ----------
    home
        See `processes.environment`.
    modules
        To import before the first task.
    """

    def __init__(self, campaign: Campaign, home: Path, modules: Sequence[str] = ()) -> None:
        self.campaign, self.home, self.modules = campaign, home, modules
        self._start()

    def _start(self) -> None:
        # Threads do not survive a fork.
        single = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "campaign.zygote", *self.modules],
            cwd=self.home, env=environment(self.campaign, self.home) | single,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def command(self, *arguments: object) -> Ended:
        """Call the ``main`` of ``python -m imgbatch`` with these arguments."""
        words = [str(argument) for argument in arguments]
        return self.run("campaign.zygote:imgbatch", words, self.campaign.limits.command_seconds)

    def run(self, task: str, given: Any, seconds: float) -> Ended:
        """Run a task, ``module:function``, with a value that JSON can carry.

        It is killed when it takes more time than `seconds`, or more memory than the limits allow.
        """
        files = [self.home / f".task-{uuid.uuid4().hex}.{end}" for end in ("out", "err")]
        request = {"task": task, "given": given, "files": list(map(str, files))}
        started = time.monotonic()
        self._send(request)
        pid = self._receive()
        code, memory_mb = self._watched(pid, started + seconds)
        taken = time.monotonic() - started
        out, err = (file.read_bytes().decode("utf-8", "replace") for file in files)
        for file in files:
            file.unlink()
        return Ended(code, out, err, taken, memory_mb)

    def _watched(self, pid: int, deadline: float) -> tuple[int | None, float]:
        """The exit code, None for a task that took too long, and the largest memory in MB."""
        peak, in_time = 0.0, True
        while not select.select([self._process.stdout], [], [], _POLL_SECONDS)[0]:
            peak = max(peak, peak_mb(pid))
            in_time = in_time and time.monotonic() < deadline
            if not in_time or resident_mb(pid) > self.campaign.limits.killed_mb:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        answer = self._receive()
        return (answer["code"] if in_time else None), max(peak, answer["memory_mb"])

    def _send(self, request: Any) -> None:
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()

    def _receive(self) -> Any:
        # Unbuffered: a task may have ended already, and `select` sees nothing that was read ahead.
        line = self._process.stdout.raw.readline()
        if not line:
            raise BrokenError(f"a process that imports {', '.join(self.modules)} died")
        return json.loads(line)


# ----- in the process -----------------------------------------------------------------------------


def imgbatch(arguments: list[str]) -> int:
    """The command; see `Zygote.command`."""
    from imgbatch.cli import main

    sys.argv = ["imgbatch", *arguments]
    main()
    return 0


def _serve() -> None:
    """Fork for each request, which ends in the forked process."""
    for module in sys.argv[1:]:
        importlib.import_module(module)
    requests, replies = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    with open(requests, "rb", buffering=0) as lines:
        for line in lines:
            request = json.loads(line)
            for file in request["files"]:
                Path(file).touch()
            read, write = os.pipe()
            if (pid := os.fork()) == 0:
                os.close(replies)
                os.close(read)
                _end(_task(request, write))
            os.close(write)
            _reply(replies, pid)
            with open(read, "rb") as measured:
                memory_mb = float(measured.read() or 0)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            _reply(replies, {"code": code, "memory_mb": memory_mb})


def _task(request: dict[str, Any], memory: int) -> int:
    """Do a task; returns its exit code."""
    os.setsid()
    for descriptor, file in zip((1, 2), request["files"], strict=True):
        os.dup2(os.open(file, os.O_WRONLY), descriptor)
    module, _, function = request["task"].partition(":")
    try:
        return getattr(importlib.import_module(module), function)(request["given"]) or 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else bool(end.code)
    except BaseException:  # noqa: BLE001 - what Python does with it
        traceback.print_exc()
        return 1
    finally:
        os.write(memory, b"%f" % peak_mb("self"))
        os.close(memory)


def _end(code: int) -> NoReturn:
    """End this process without taking its modules apart, which takes as long as a task."""
    atexit._run_exitfuncs()  # noqa: SLF001 - there is no public name for it
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def _reply(replies: int, answer: Any) -> None:
    os.write(replies, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    _serve()
