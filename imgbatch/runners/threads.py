"""Work spread over threads: for tasks that spend their time in NumPy, or waiting for the disk."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class Threads:
    """Calls a function on tasks in some threads; a `Spread` for parts that lie on this machine.

    Parameters
    ----------
    count
        Threads. Two at least: while one waits for the disk, another can compute.
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
