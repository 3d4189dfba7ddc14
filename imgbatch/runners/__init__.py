"""Ways to spread work over a machine."""

import os

from imgbatch.runners.base import Runner
from imgbatch.runners.processes import ProcessRunner, start_early
from imgbatch.runners.serial import SerialRunner

_WORTH_STARTING_BYTES = 4_000_000
"""Starting processes costs as much as reading about this many bytes of images."""


def build_runner(workers: int, total_bytes: int) -> Runner:
    """The runner for a job: `workers` processes (0: one a core), or none for a small job."""
    count = workers or usable_cores()
    if count == 1 or total_bytes < _WORTH_STARTING_BYTES:
        return SerialRunner()
    return ProcessRunner(count)


def worth_starting(folder: str) -> bool:
    """Whether a folder's files, some of which are looked at, add up to what is worth processes."""
    size = 0
    for directory, _, names in os.walk(folder):
        for name in names:
            size += os.stat(os.path.join(directory, name)).st_size
            if size >= _WORTH_STARTING_BYTES:
                return True
    return False


def usable_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


__all__ = [
    "ProcessRunner",
    "Runner",
    "SerialRunner",
    "build_runner",
    "start_early",
    "usable_cores",
    "worth_starting",
]
