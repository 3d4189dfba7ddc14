"""What a runner is: a way to spread work, given as tasks that know how to be split."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

Task = TypeVar("Task")
Answer = TypeVar("Answer")


class Runner(Protocol):
    """Spreads calls of one function over tasks."""

    def run(
        self,
        function: Callable[[Task], Answer],
        tasks: Iterable[Task],
        *,
        split: Callable[[Task], list[Task]],
        crashed: Callable[[Task], Answer],
    ) -> Iterator[Answer]:
        """Yield each task's answer, in any order, holding only a bounded number of tasks.

        An exception of `function` is raised here. A task whose worker died is split and tried
        again part by part; for a part that cannot be split further (`split` gives one part) and
        dies again, `crashed` gives the answer. Closing the iterator early stops the workers.
        """
        ...
