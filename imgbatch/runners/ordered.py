"""Answers of a runner in the order of the tasks: what selectors over parts ask for (a `Spread`)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from imgbatch.errors import ClusterError
from imgbatch.runners.base import Runner

Answer = TypeVar("Answer")
_WINDOW = 96
"""Tasks taken beyond the next answer to be given, so that few answers wait for a slow one."""
_Numbered = tuple[int, Callable[..., Any], tuple[Any, ...]]


@dataclass(frozen=True)
class InOrder:
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
