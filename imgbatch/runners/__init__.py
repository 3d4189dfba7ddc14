"""Ways to spread work over a machine."""

import os

from imgbatch.runners.base import Runner
from imgbatch.runners.processes import ProcessRunner
from imgbatch.runners.serial import SerialRunner

_WORTH_STARTING_BYTES = 4_000_000
"""Starting processes costs as much as reading about this many bytes of images."""


def build_runner(workers: int, total_bytes: int) -> Runner:
    """The runner for a job: `workers` processes (0: one a core), or none for a small job."""
    count = workers or usable_cores()
    if count == 1 or total_bytes < _WORTH_STARTING_BYTES:
        return SerialRunner()
    return ProcessRunner(count)


def usable_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


__all__ = ["ProcessRunner", "Runner", "SerialRunner", "build_runner", "usable_cores"]
