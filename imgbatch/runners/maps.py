"""Ordered maps: call a function on tasks and give the answers in the order of the tasks.

`map_serially` works in this thread, `ThreadMap` in several threads, `RunnerMap` wherever its runner
does.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from imgbatch.errors import ClusterError
from imgbatch.runners.base import Runner

Answer = TypeVar("Answer")
_WINDOW = 96
"""Tasks taken beyond the next answer to be given, so that few answers wait for a slow one."""
_Numbered = tuple[int, Callable[..., Any], tuple[Any, ...]]


class TaskMap(Protocol):
    """Calls a function on each task's items and gives the answers in the order of the tasks.

    Function and tasks may be sent to other threads, processes or machines; tasks are taken as they
    are needed.
    """

    def __call__(
        self, function: Callable[..., Answer], tasks: Iterable[tuple[Any, ...]], /
    ) -> Iterable[Answer]:
        """Answers, in order."""


def map_serially(
    function: Callable[..., Answer], tasks: Iterable[tuple[Any, ...]], /
) -> Iterator[Answer]:
    """The `TaskMap` of this thread: a task is done when its answer is asked for."""
    return (function(*task) for task in tasks)


class ThreadMap:
    """Calls a function on tasks in some threads; a `TaskMap` for parts that lie on this machine.

    Parameters
    ----------
    count
        ThreadMap. Two at least: while one waits for the disk, another can compute.
    """

    def __init__(self, count: int) -> None:
        self.count = max(2, count)

    def __call__(
        self, function: Callable[..., Answer], tasks: Iterable[tuple[Any, ...]], /
    ) -> Iterator[Answer]:
        """Answers in the order of the tasks, of which only a few are taken ahead."""
        with ThreadPoolExecutor(self.count) as pool:
            running = deque[Future[Answer]]()
            try:
                for task in tasks:
                    running.append(pool.submit(function, *task))
                    if len(running) > self.count:
                        yield running.popleft().result()
                while running:
                    yield running.popleft().result()
            finally:
                for one in running:
                    one.cancel()


@dataclass(frozen=True)
class RunnerMap:
    """Calls a function on tasks wherever a runner does so.

    Raises
    ------
    ClusterError
        A task killed whoever took it on.
    """

    runner: Runner

    def __call__(
        self, function: Callable[..., Answer], tasks: Iterable[tuple[Any, ...]], /
    ) -> Iterator[Answer]:
        """Answers in order; those that come early wait here.

        Where too many do, the runner is told that tasks are at an end; when it has answered all
        that it has, the rest is handed to it.
        """
        source = enumerate(tasks)
        early: dict[int, Answer] = {}
        next_one, more = 0, True

        def near() -> Iterator[_Numbered]:
            nonlocal more
            for number, task in source:
                yield number, function, task
                if number + 1 - next_one >= _WINDOW:
                    return
            more = False

        while more:
            for number, answer in self.runner.run(_call, near(), split=_whole, crashed=_crashed):
                early[number] = answer
                while next_one in early:
                    yield early.pop(next_one)
                    next_one += 1


def _call(task: _Numbered) -> tuple[int, Any]:
    number, function, items = task
    return number, function(*items)


def _whole(task: _Numbered) -> list[_Numbered]:
    return [task]


def _crashed(task: _Numbered) -> tuple[int, Any]:
    raise ClusterError(
        f"{task[1].__name__} killed the workers that took it on",
        "give workers more memory, or lower part_images in the config",
    )
