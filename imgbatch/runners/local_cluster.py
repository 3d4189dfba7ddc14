"""A Dask cluster of processes on this machine, which keeps its number of workers."""

import asyncio
import contextlib
import logging
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

from imgbatch.runners.signals import interrupts_blocked

_CLOSE_SECONDS = 10.0
_STOP_SECONDS = 1.0
"""How long a cluster may take to close after Ctrl-C; Dask waits 5 s for workers that just start."""
_LOOK_SECONDS, _LOOKS_WITHOUT = 1.0, 10


@contextlib.contextmanager
def local_cluster(workers: int) -> Iterator[Any]:
    """Worker processes of one thread each; none outlives this process, or the block.

    They start with Ctrl-C blocked, since a terminal sends it to all of them. They are killed at the
    end, so that no wait can hang; unfinished work is done again next time.
    """
    from distributed import LocalCluster

    with interrupts_blocked():
        cluster = LocalCluster(
            n_workers=0,
            threads_per_worker=1,
            memory_limit=0,
            silence_logs=logging.CRITICAL,
            # The web server starts even without a dashboard, so it gets a free port.
            scheduler_kwargs={
                "allowed_failures": 1,
                "dashboard": False,
                "dashboard_address": "127.0.0.1:0",
            },
        )
        cluster.scale(workers)
    patience = _CLOSE_SECONDS
    try:
        with kept_workers(cluster, workers):
            yield cluster
    except KeyboardInterrupt:
        patience = _STOP_SECONDS
        raise
    finally:
        for nanny in list(cluster.workers.values()):
            nanny.auto_restart = False
            if (pid := nanny.pid) is not None:
                with contextlib.suppress(OSError):  # the process has just ended
                    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        close(cluster, patience)


@contextlib.contextmanager
def kept_workers(cluster: Any, workers: int) -> Iterator[None]:
    """Replace workers that are gone for good, until the block ends.

    Dask starts a worker that died again, but gives it up if that goes wrong or if it dies once more
    before Dask heard of its start, as it may do of a file that crashes the decoder. A worker is
    gone if Dask says so, or if it had no process at ten looks, a second apart.
    """
    from distributed.core import Status

    gone_states = (Status.closed, Status.failed)
    without: Counter[Any] = Counter()

    async def look() -> None:
        for name, nanny in list(cluster.workers.items()):
            without[name] = 0 if nanny.pid else without[name] + 1
            if nanny.status in gone_states or without[name] == _LOOKS_WITHOUT:
                del cluster.workers[name], without[name]
                with contextlib.suppress(OSError, RuntimeError):  # TimeoutError is an OSError
                    await asyncio.wait_for(nanny.close(), _CLOSE_SECONDS)
        cluster.scale(workers)

    async def keep_looking() -> None:
        while not stopped.is_set():
            await asyncio.sleep(_LOOK_SECONDS)  # after which all that was waiting had its turn
            await look()

    stopped = threading.Event()
    cluster.loop.add_callback(keep_looking)
    try:
        yield
    finally:
        stopped.set()


def close(connection: Any, seconds: float = _CLOSE_SECONDS) -> None:
    """Close a client or a cluster; if it does not answer in time, leave it."""
    with contextlib.suppress(OSError, RuntimeError):
        connection.close(timeout=seconds)
