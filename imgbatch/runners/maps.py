"""Ordered maps: call a function on tasks and give the answers in the order of the tasks.

`map_serially` works in this thread, `ThreadMap` in several threads, `ProcessMap` in processes of
this machine, `RunnerMap` wherever its runner does.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from imgbatch.errors import ClusterError
from imgbatch.runners import build_runner
from imgbatch.runners.base import Runner
from imgbatch.runners.cores import usable_cores

Answer = TypeVar("Answer")
_WINDOW = 96
"""Tasks taken beyond the next answer to be given, so that few answers wait for a slow one."""
_Numbered = tuple[int, Callable[..., Any], tuple[Any, ...]]
"""A task's number, the function to call, its arguments."""


class TaskMap(Protocol):
    """Calls a function on each task, a tuple of arguments; the answers keep the tasks' order.

    Function and tasks may be sent to other threads, processes or machines. Tasks are taken from
    their iterable only as they are needed.
    """

    def __call__(
        self, function: Callable[..., Answer], tasks: Iterable[tuple[Any, ...]], /
    ) -> Iterable[Answer]:
        """The answers, in the order of the tasks."""


def map_serially(
    function: Callable[..., Answer], tasks: Iterable[tuple[Any, ...]], /
) -> Iterator[Answer]:
    """The `TaskMap` of this thread; a task is done when its answer is asked for.

    >>> list(map_serially(pow, [(2, 3), (3, 2)]))
    [8, 9]
    """
    return (function(*task) for task in tasks)


@dataclass(frozen=True)
class ThreadMap:
    """The `TaskMap` of several threads; tasks are taken a few ahead of the answers.

    Parameters
    ----------
    workers
        Threads; 0 means one for each core. At least two are used: while one waits for the disk,
        another can compute.

    >>> list(ThreadMap(2)(pow, [(2, 3), (3, 2)]))
    [8, 9]
    """

    workers: int = 0

    def __call__(
        self, function: Callable[..., Answer], tasks: Iterable[tuple[Any, ...]], /
    ) -> Iterator[Answer]:
        """See `TaskMap`."""
        threads = max(2, self.workers or usable_cores())
        with ThreadPoolExecutor(threads) as pool:
            running = deque[Future[Answer]]()
            try:
                for task in tasks:
                    running.append(pool.submit(function, *task))
                    if len(running) > threads:
                        yield running.popleft().result()
                while running:
                    yield running.popleft().result()
            finally:
                for future in running:
                    future.cancel()


@dataclass(frozen=True)
class ProcessMap:
    """The `TaskMap` of processes on this machine; a small job is done in this process.

    Parameters
    ----------
    workers, total_bytes
        See `imgbatch.runners.build_runner`.

    >>> list(ProcessMap(workers=2, total_bytes=1000)(pow, [(2, 3), (3, 2)]))
    [8, 9]
    """

    workers: int
    total_bytes: int

    def __call__(
        self, function: Callable[..., Answer], tasks: Iterable[tuple[Any, ...]], /
    ) -> Iterator[Answer]:
        """See `TaskMap`."""
        return RunnerMap(build_runner(self.workers, self.total_bytes))(function, tasks)


@dataclass(frozen=True)
class RunnerMap:
    """The `TaskMap` of a runner, whose answers come in any order.

    Answers that come early are held until those before them are given. No task is handed out that
    is 96 or more ahead of the next answer to be given. Where that limit is reached, the run ends
    when all tasks handed out are answered, and another begins with the tasks that are left.

    Raises
    ------
    ClusterError
        A task killed the worker that took it on.

    >>> from imgbatch.runners import SerialRunner
    >>> list(RunnerMap(SerialRunner())(pow, [(2, 3), (3, 2)]))
    [8, 9]
    """

    runner: Runner

    def __call__(
        self, function: Callable[..., Answer], tasks: Iterable[tuple[Any, ...]], /
    ) -> Iterator[Answer]:
        """See `TaskMap`."""
        numbered = enumerate(tasks)
        early: dict[int, Answer] = {}
        next_number, any_left = 0, True

        def within_window() -> Iterator[_Numbered]:
            nonlocal any_left
            for number, task in numbered:
                yield number, function, task
                if number + 1 - next_number >= _WINDOW:
                    return
            any_left = False

        while any_left:
            answers = self.runner.run(_call, within_window(), split=_whole, crashed=_crashed)
            for number, answer in answers:
                early[number] = answer
                while next_number in early:
                    yield early.pop(next_number)
                    next_number += 1


def _call(task: _Numbered) -> tuple[int, Any]:
    number, function, arguments = task
    return number, function(*arguments)


def _whole(task: _Numbered) -> list[_Numbered]:
    return [task]


def _crashed(task: _Numbered) -> tuple[int, Any]:
    raise ClusterError(
        f"{task[1].__name__} killed the workers that took it on",
        "give workers more memory, or lower part_images in the config",
    )
