"""The runner for one machine: worker processes.

Why processes and not threads: half of describing an image is many short NumPy calls that hold the
interpreter lock (measured: two threads do half of what two processes do).

Why loky and not the standard pool: loky's workers start without importing the caller's main module,
so that a script needs no ``if __name__ == "__main__"`` guard, and the death of a worker is noticed.
"""

import atexit
import contextlib
import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import islice
from typing import Any

from imgbatch.runners.base import GIVE_BACK, Answer, Task
from imgbatch.runners.clock import watch
from imgbatch.runners.signals import interrupts_blocked

_AHEAD = 3
"""Tasks handed out for each worker: one at work, two waiting, so that none idles."""
_IDLE_SECONDS = 10
"""A worker without work for this time ends."""
_early: list[tuple["ProcessRunner", Any]] = []
"""The pool that `start_early` started, with the runner it fits, until a run takes it."""


def start_early(workers: int, preload: Sequence[str]) -> None:
    """Start workers for a later run, while this process still imports its own modules.

    Starting takes workers a quarter of a second, as long as describing a thousand small images. A
    `ProcessRunner` of the same number of workers and modules uses them.
    """
    atexit.register(_stop_early)
    runner = ProcessRunner(workers, tuple(preload))
    with interrupts_blocked():  # Ctrl-C comes when the pool is known and can be stopped
        _early.append((runner, _start_pool(runner)))


def _stop_early() -> None:
    while _early:
        _early.pop()[1].shutdown(wait=True, kill_workers=True)


def _take_pool(runner: "ProcessRunner") -> Any:
    """The pool started early, if it fits, or a new one."""
    if _early and _early[0][0] == runner:
        return _early.pop()[1]
    _stop_early()
    return _start_pool(runner)


def _start_pool(runner: "ProcessRunner") -> Any:
    from loky import ProcessPoolExecutor

    pool = ProcessPoolExecutor(
        runner.workers,
        timeout=_IDLE_SECONDS,
        initializer=_prepare_worker,
        initargs=(runner.preload, os.getpid()),
        env=GIVE_BACK,
    )
    with interrupts_blocked():
        pool.submit(os.getpid)  # the first task starts all workers
    return pool


@dataclass(frozen=True)
class ProcessRunner:
    """Calls the function in worker processes.

    When a worker dies, one of the tasks handed out has killed it. All of these are split and tried
    again, one at a time in one worker, so that the next death names its task. A worker that takes
    too long for a file (`runners.clock`) ends itself, and counts as dead.

    Parameters
    ----------
    workers
        Number of processes.
    preload
        Modules that workers import before their first task.

    >>> tasks = [(1, 2), (3, 4)]
    >>> sorted(ProcessRunner(2).run(sum, tasks, split=list, crashed=len))
    [3, 7]
    """

    workers: int
    preload: tuple[str, ...] = ()

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
        while lost := (yield from _until_crash(self, function, source)):
            suspects = [part for task in lost for part in split(task)]
            while suspects:
                # One worker with one task: if it dies, that task is the culprit.
                waiting = iter(suspects)
                alone = replace(self, workers=1)
                culprits = yield from _until_crash(alone, function, waiting, ahead=1)
                suspects = list(waiting)
                for task in culprits:
                    parts = split(task)
                    if len(parts) > 1:
                        suspects.extend(parts)
                    else:
                        yield crashed(task)


def _until_crash(
    runner: ProcessRunner,
    function: Callable[[Task], Answer],
    source: Iterator[Task],
    ahead: int = _AHEAD,
) -> Generator[Answer, None, list[Task]]:
    """Yield answers; return the tasks that were lost when a worker died, [] if none did."""
    pool = _take_pool(runner)
    pending: dict[Future[Answer], Task] = {}
    try:
        while True:
            for task in islice(source, runner.workers * ahead - len(pending)):
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


def _prepare_worker(preload: Sequence[str], parent: int) -> None:
    """Leave Ctrl-C to the parent, watch the clock, hide what codecs print, import modules."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch(parent)  # not `os.getppid()`: the parent may be gone by now
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    with contextlib.suppress(ImportError):
        import cv2

        cv2.setNumThreads(1)
        for module in preload:
            import_module(module)
