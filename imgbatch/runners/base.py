"""What a runner is: it calls one function on many tasks, here or elsewhere."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

GIVE_BACK = {
    "MALLOC_MMAP_THRESHOLD_": str(2 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(16 << 20),
}
"""Environment in which glibc returns the memory of large pictures.

Otherwise it adapts, and a worker may keep 160 MB of one picture while it decodes the next.
"""

Task = TypeVar("Task")
Answer = TypeVar("Answer")


class Runner(Protocol):
    """Calls one function on each of many tasks, and survives tasks that kill their worker."""

    def run(
        self,
        function: Callable[[Task], Answer],
        tasks: Iterable[Task],
        *,
        split: Callable[[Task], list[Task]],
        crashed: Callable[[Task], Answer],
    ) -> Iterator[Answer]:
        """Yield each task's answer, in any order, holding only a bounded number of tasks.

        An exception of `function` is raised here. Closing the iterator early stops the workers.

        Parameters
        ----------
        split
            Cuts a task whose worker died into smaller ones, which are tried again. A task that
            cannot be cut gives a list of one.
        crashed
            Gives the answer for a task that cannot be cut and whose worker died again.
        """
        ...
