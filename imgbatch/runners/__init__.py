"""Ways to spread work: in this process, over the cores of a machine, over a cluster."""

import os
from collections.abc import Sequence

from imgbatch.runners.base import Runner
from imgbatch.runners.cores import usable_cores
from imgbatch.runners.processes import ProcessRunner, start_early
from imgbatch.runners.serial import SerialRunner

_WORTH_STARTING_BYTES = 4_000_000
"""Starting processes costs as much as reading about this many bytes of images."""


def build_runner(workers: int, total_bytes: int, preload: Sequence[str] = ()) -> Runner:
    """The runner for a job on this machine.

    Parameters
    ----------
    workers
        Worker processes; 0 means one for each core.
    total_bytes
        Bytes to be read. A small job runs in this process.
    preload
        Modules that workers import before their first task.

    >>> build_runner(workers=2, total_bytes=1000)
    SerialRunner()
    >>> build_runner(workers=2, total_bytes=10**9)
    ProcessRunner(workers=2, preload=())
    """
    if total_bytes < _WORTH_STARTING_BYTES:
        return SerialRunner()
    count = workers or usable_cores()
    return SerialRunner() if count == 1 else ProcessRunner(count, tuple(preload))


def worth_starting(folder: str) -> bool:
    """Whether a folder's files add up to enough bytes for processes; stops at the first enough."""
    size = 0
    for directory, _, names in os.walk(folder):
        for name in names:
            size += os.stat(os.path.join(directory, name)).st_size
            if size >= _WORTH_STARTING_BYTES:
                return True
    return False


__all__ = [
    "ProcessRunner",
    "Runner",
    "SerialRunner",
    "build_runner",
    "start_early",
    "usable_cores",
    "worth_starting",
]
