"""The runner for small jobs: everything in this process."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from imgbatch.runners.base import Answer, Task


@dataclass(frozen=True)
class SerialRunner:
    """Calls the function here, one task after the other. A crash takes this process with it."""

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
