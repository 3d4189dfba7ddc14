"""Real clusters for tests, whose workers a file can kill."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from imgbatch.index.shards import store
from imgbatch.runners.local_cluster import kept_workers
from tests.commands import environment

DEADLY = b"this file kills its decoder"
_PRELOAD = f"""
import os, signal
from imgbatch.index import extract

def deadly(whole):
    def decode(data, *arguments, **options):
        if data.endswith({DEADLY!r}):
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(data, *arguments, **options)
    return decode

extract.decode = deadly(extract.decode)
"""


def write_preload(directory: Path) -> Path:
    """Write a file that Dask's workers run when they start.

    From then on a worker dies of an image file that ends with `DEADLY`.
    """
    file = directory / "deadly_preload.py"
    file.write_text(_PRELOAD)
    return file


@contextlib.contextmanager
def two_workers(preload: Path) -> Iterator[object]:
    """A cluster of two worker processes, which are started again when they die."""
    options = {"n_workers": 2, "threads_per_worker": 1, "preload": [str(preload)]}
    with local_cluster(**options) as cluster, kept_workers(cluster, 2):
        yield cluster


def local_cluster(**options) -> object:
    """A cluster that this process starts, on free ports and without log messages."""
    from distributed import LocalCluster

    scheduler = {"allowed_failures": 1, "dashboard": False, "dashboard_address": "127.0.0.1:0"}
    quiet = {"memory_limit": 0, "silence_logs": logging.CRITICAL}
    return LocalCluster(**options, **quiet, scheduler_kwargs=scheduler)


@contextlib.contextmanager
def scheduler_and_worker(directory: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address and the process of a scheduler that a test may kill; it has one worker."""
    file = directory / f"scheduler-{time.time_ns()}.json"
    common = ["--scheduler-file", str(file), "--no-dashboard"]
    dask = [sys.executable, "-m", "distributed.cli"]
    options = {"env": environment(), "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen([f"{dask[0]}", "-m", "dask", "scheduler", "--host", "127.0.0.1",
                                  "--port", "0", *common], **options)  # fmt: skip
    worker = subprocess.Popen([f"{dask[0]}", "-m", "dask", "worker", "--nthreads", "1",
                               "--no-nanny", *common], **options)  # fmt: skip
    try:
        import json

        deadline = time.monotonic() + 60
        while not file.is_file() or not file.read_bytes():
            assert time.monotonic() < deadline, "no scheduler after a minute"
            time.sleep(0.05)
        yield json.loads(file.read_text())["address"], scheduler
    finally:
        for process in (worker, scheduler):
            process.kill()
            process.wait()


def pids(cluster) -> list[int]:
    """The ids of the present worker processes."""
    return [nanny.pid for nanny in cluster.workers.values() if nanny.pid]


def kill_a_worker(cluster) -> int:
    """Kill a worker process, as the system does when memory runs out."""
    pid = pids(cluster)[0]
    os.kill(pid, signal.SIGKILL)
    return pid


def forget_shards(cluster) -> None:
    """Make workers, and this process, read each shard from disk again."""
    from distributed import Client

    with Client(cluster.scheduler_address, set_as_default=False) as client:
        client.run(store._table_of.cache_clear)
    store._table_of.cache_clear()
