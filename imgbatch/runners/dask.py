"""The runner for several machines: a Dask cluster, or one of processes on this machine.

Dask schedules, moves data and replaces workers. This file adds two things: every wait has an end,
and a task that kills its workers is found.
"""

import asyncio
import concurrent.futures
import contextlib
import logging
import math
import queue
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from types import TracebackType
from typing import Any, Self

from imgbatch.errors import ClusterError, UsageError
from imgbatch.runners.base import GIVE_BACK, Answer, Task
from imgbatch.runners.clock import watch
from imgbatch.runners.cores import usable_cores
from imgbatch.runners.handshake import check_scheduler
from imgbatch.runners.local_cluster import close, local_cluster

LOCAL = "local"
_LOST = (
    OSError,
    RuntimeError,
    asyncio.CancelledError,  # from calls to the scheduler
    concurrent.futures.CancelledError,  # from futures; not the same class
)
"""What Dask raises when the scheduler does not answer."""
_AHEAD = 3
"""Tasks handed out for each worker thread: one at work, two waiting, so that none idles."""
_START_SECONDS, _ASK_SECONDS, _TICK_SECONDS = 60.0, 20.0, 2.0
_IDLE_SECONDS = 300.0
"""How long tasks may wait while none is at work; clusters that grow on demand take a while."""
_LOGGERS = ("distributed", "distributed.client", "tornado", "asyncio")
_AGAIN = "run again; finished shards are kept"
_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)
_LOCAL_SETTINGS = {
    "distributed.nanny.pre-spawn-environ": dict.fromkeys(_ONE_THREAD, "1") | GIVE_BACK,
    "distributed.worker.profile.enabled": False,
}
"""Dask's usual environment makes malloc return memory all the time: 40% more CPU time."""
_ADDRESS = "give the address its scheduler prints, such as tcp://host:8786"
_GUARD = 'a script that asks for processes must do so below `if __name__ == "__main__":`'


class _Killed:
    """Takes the place of an answer when a task's workers died."""


@dataclass
class DaskRunner:
    """Calls the function on the workers of a cluster.

    One connection serves all runs. It is made when first used and closed by `close`, or when the
    runner is no longer referenced.

    Parameters
    ----------
    address
        A scheduler's address, such as ``tcp://host:8786``; or "local" for processes here.
    workers
        Processes of a local cluster; 0 means one for each core.

    Raises
    ------
    ClusterError
        From `run`: there is no scheduler at the address, it went away, or no worker takes tasks.

    >>> with DaskRunner("tcp://host:8786") as runner:           # doctest: +SKIP
    ...     list(runner.run(sum, [(1, 2), (3, 4)], split=list, crashed=len))
    [3, 7]
    """

    address: str
    workers: int = 0
    _client: Any = field(default=None, init=False)
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, and end the processes of a local cluster."""
        self._client = None
        self._stack.close()

    def run(
        self,
        function: Callable[[Task], Answer],
        tasks: Iterable[Task],
        *,
        split: Callable[[Task], list[Task]],
        crashed: Callable[[Task], Answer],
    ) -> Iterator[Answer]:
        """See `Runner.run`. A task is suspected when more of its workers died than Dask allows."""
        if self._client is None:
            self._connect()
        suspects: list[Task] = []
        for task, answer in self._answers(function, iter(tasks)):
            if isinstance(answer, _Killed):
                suspects.extend(split(task))
            else:
                yield answer
        while suspects:  # each alone on the cluster, so that no other task dies with the culprit
            suspect = suspects.pop()
            for task, answer in self._answers(function, iter([suspect])):
                if not isinstance(answer, _Killed):
                    yield answer
                elif len(parts := split(task)) > 1:
                    suspects.extend(parts)
                else:
                    yield crashed(task)

    def _answers(
        self, function: Callable[[Task], Answer], source: Iterator[Task]
    ) -> Iterator[tuple[Task, Answer | _Killed]]:
        """Yield each task with its answer; futures report to a queue, since it can be polled."""
        from distributed import KilledWorker

        done = queue.SimpleQueue[str]()
        pending: dict[str, tuple[Any, Task]] = {}
        most, counted = _AHEAD, -math.inf
        idle = 0.0
        while True:
            if time.monotonic() - counted >= _TICK_SECONDS:  # by the clock: workers come meanwhile
                most = max(most, _AHEAD * self._threads())
                counted = time.monotonic()
            for task in islice(source, most - len(pending)):
                with self._losing():
                    future = self._client.submit(_watched, function, task, pure=False)
                pending[future.key] = future, task
                future.add_done_callback(lambda future: done.put(future.key))
            if not pending:
                return
            try:
                future, task = pending.pop(done.get(timeout=_TICK_SECONDS))
            except queue.Empty:
                idle = idle + _TICK_SECONDS if pending.keys().isdisjoint(self._at_work()) else 0.0
                if idle > _IDLE_SECONDS:
                    raise ClusterError(
                        f"nothing of {len(pending):,} tasks was at work at {self.address} for "
                        f"{_IDLE_SECONDS:.0f} seconds, with {self._threads()} workers there",
                        f"look after its workers; {_AGAIN}",
                    ) from None
                continue
            idle = 0.0
            try:
                answer = self._result(future)
            except KilledWorker:
                yield task, _Killed()
            else:
                yield task, answer

    # ----- calls into Dask, each with a time limit ------------------------------------------------

    def _result(self, future: Any) -> Any:
        """The answer of a finished task; an exception of the function is raised here."""
        wait, left = _TICK_SECONDS, _IDLE_SECONDS
        while future.status != "error":
            with self._losing():
                try:
                    return future.result(timeout=wait)
                except TimeoutError:  # the answer is large, or was lost with its worker
                    self._threads()  # raises if the scheduler is gone
            left -= wait
            if left <= 0:
                raise ClusterError(f"an answer from {self.address} was lost", _AGAIN)
            wait = min(2 * wait, left)  # each try starts anew: a large answer needs a longer wait
        try:
            return future.result(timeout=_ASK_SECONDS)
        except ImportError as error:
            raise ClusterError(
                f"a worker cannot do the work: {error}", "install the same imgbatch on each"
            ) from None

    def _threads(self) -> int:
        """The number of worker threads now; raises if the scheduler is gone."""
        with self._losing():
            ask = self._client.scheduler.ncores
            threads: dict[str, int] = self._client.sync(ask, callback_timeout=_ASK_SECONDS)
            return sum(threads.values())

    def _at_work(self) -> set[str]:
        """Keys of the tasks that workers have now.

        Dask may lose a task, for example when its error cannot be sent.
        """
        with self._losing():
            ask = self._client.scheduler.processing
            keys: dict[str, list[str]] = self._client.sync(ask, callback_timeout=_ASK_SECONDS)
            return {key for of_worker in keys.values() for key in of_worker}

    @contextlib.contextmanager
    def _losing(self) -> Iterator[None]:
        """Turn what Dask raises when the scheduler does not answer into a `ClusterError`.

        The client is closed and forgotten, so that the next call connects again.
        """
        try:
            if self._client is None or self._client.status != "running":
                raise OSError("the connection is lost")
            yield
        except _LOST as error:
            self.close()
            raise ClusterError(
                f"the scheduler at {self.address} is gone ({type(error).__name__})", _AGAIN
            ) from None

    # ----- connecting and closing -----------------------------------------------------------------

    def _connect(self) -> None:
        try:
            import dask
            from distributed import Client
        except ImportError:
            raise UsageError(
                f"`cluster` {self.address} needs Dask",
                'install it: pip install "imgbatch[cluster]"',
            ) from None
        with contextlib.ExitStack() as stack:
            stack.enter_context(_quiet_logs())
            local, scheduler = self.address == LOCAL, self.address
            workers = self.workers or usable_cores() if local else 0
            try:
                with dask.config.set(_LOCAL_SETTINGS):
                    if local:
                        scheduler = stack.enter_context(local_cluster(workers))
                    else:
                        check_scheduler(scheduler, _ASK_SECONDS)
                    client = Client(scheduler, timeout=_ASK_SECONDS, set_as_default=False)
                    stack.callback(close, client)
                    if local:
                        client.wait_for_workers(workers, timeout=_START_SECONDS)
            except (OSError, ValueError, RuntimeError) as error:
                raise ClusterError(
                    f"no Dask cluster at {self.address}: {error}", _GUARD if local else _ADDRESS
                ) from None
            self._client = client
            self._stack = stack.pop_all()
            weakref.finalize(self, self._stack.close)


def _watched(function: Callable[[Task], Answer], task: Task) -> Answer:
    """Call the function, in a worker that ends when a file takes too long.

    A worker that no nanny would start again is left alone: it may be the user's own process.
    """
    from distributed import get_worker

    if get_worker().nanny is not None:
        watch()
    return function(task)


@contextlib.contextmanager
def _quiet_logs() -> Iterator[None]:
    """Silence what Dask logs about lost connections; our errors report them."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
