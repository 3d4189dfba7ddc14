"""The runner for one machine: worker processes.

Processes, not threads: half of describing an image is many short NumPy calls that hold the
interpreter lock (measured: two threads do half of what two processes do). loky, not the standard
pool: its workers start without importing the caller's main module, so that a script needs no
``if __name__ == "__main__"`` guard, and a worker that dies is noticed.
"""

import atexit
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from typing import Any

from imgbatch.runners.base import Answer, Task
from imgbatch.runners.signals import interrupts_blocked

_AHEAD = 3
"""Tasks handed out for each worker: one at work, two waiting, so that none idles."""
_IDLE_SECONDS = 10
"""A worker without work for this time ends."""
_MODULES = ("imgbatch.index.extract", "imgbatch.descriptors")
"""What workers import before their first task: what describes images."""
_early: list[tuple[int, Any]] = []
"""The pool that `start_early` started, with its number of workers, until a run takes it."""


def start_early(workers: int) -> None:
    """Start workers for the run that is to come, while this process still imports its own modules.

    Starting takes workers a quarter of a second, as long as describing a thousand small images.
    """
    atexit.register(_stop_early)
    with interrupts_blocked():  # Ctrl-C comes when the pool is known and can be stopped
        _early.append((workers, _start_pool(workers)))


def _stop_early() -> None:
    while _early:
        _early.pop()[1].shutdown(wait=True, kill_workers=True)


def _take_pool(workers: int) -> Any:
    """The pool started early, if it fits, or a new one."""
    if _early and _early[0][0] == workers:
        return _early.pop()[1]
    _stop_early()
    return _start_pool(workers)


def _start_pool(workers: int) -> Any:
    from loky import ProcessPoolExecutor

    pool = ProcessPoolExecutor(workers, timeout=_IDLE_SECONDS, initializer=_prepare_worker)
    with interrupts_blocked():
        pool.submit(os.getpid)  # the first task starts all workers
    return pool


@dataclass(frozen=True)
class ProcessRunner:
    """Calls the function in `workers` processes."""

    workers: int

    def run(
        self,
        function: Callable[[Task], Answer],
        tasks: Iterable[Task],
        *,
        split: Callable[[Task], list[Task]],
        crashed: Callable[[Task], Answer],
    ) -> Iterator[Answer]:
        """See `Runner.run`."""
        source = iter(tasks)
        suspects: list[Task] = []
        while True:
            lost = yield from self._until_crash(function, source, self.workers)
            if not lost:
                return
            # One of the lost tasks killed its worker. Alone in a worker, the culprit shows.
            suspects.extend(part for task in lost for part in split(task))
            while suspects:
                # One worker, one task at a time: the one lost is the culprit.
                waiting = iter(suspects)
                lost = yield from self._until_crash(function, waiting, 1, ahead=1)
                suspects = list(waiting)
                for task in lost:
                    parts = split(task)
                    if len(parts) > 1:
                        suspects.extend(parts)
                    else:
                        yield crashed(task)

    @staticmethod
    def _until_crash(
        function: Callable[[Task], Answer],
        source: Iterator[Task],
        workers: int,
        ahead: int = _AHEAD,
    ) -> Generator[Answer, None, list[Task]]:
        """Yield answers; return the tasks that were lost when a worker died, if one did."""
        pool = _take_pool(workers)
        pending: dict[Future[Answer], Task] = {}
        try:
            while True:
                for task in islice(source, workers * ahead - len(pending)):
                    pending[pool.submit(function, task)] = task
                if not pending:
                    return []
                done, _ = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    if isinstance(future.exception(), BrokenProcessPool):
                        return list(pending.values())
                    answer = future.result()
                    del pending[future]
                    yield answer
        except BrokenProcessPool:  # raised by submit
            return [*pending.values(), task]
        finally:
            pool.shutdown(wait=True, kill_workers=True)


def _prepare_worker() -> None:
    """Leave Ctrl-C to the parent, give each worker one thread, keep codecs' chatter off stderr."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_without, args=(os.getppid(),), daemon=True).start()
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    with contextlib.suppress(ImportError):
        import cv2

        cv2.setNumThreads(1)
        for module in _MODULES:
            import_module(module)


def _end_without(parent: int) -> None:
    """End this worker soon after its parent was killed: then nobody waits for its answers."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
