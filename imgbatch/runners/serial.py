"""The runner for small jobs: everything in this process."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from imgbatch.runners.base import Answer, Task


@dataclass(frozen=True)
class SerialRunner:
    """Calls the function in this process, task by task. A crash takes this process with it.

    Nothing ends a task that takes too long: ``images.max_seconds`` holds in worker processes only.

    >>> list(SerialRunner().run(sum, [(1, 2), (3, 4)], split=list, crashed=len))
    [3, 7]
    """

    def run(
        self,
        function: Callable[[Task], Answer],
        tasks: Iterable[Task],
        *,
        split: Callable[[Task], list[Task]],  # noqa: ARG002 - nothing is left to split after a crash
        crashed: Callable[[Task], Answer],  # noqa: ARG002
    ) -> Iterator[Answer]:
        """See `Runner.run`."""
        yield from map(function, tasks)
