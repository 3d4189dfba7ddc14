"""Linear algebra in one thread: where several tasks share the cores, or results must be equal."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep BLAS to one thread in a block, or in a decorated function.

    The number of threads changes the last bits; and threads of several tasks wait for each other.
    The limit holds for the whole process, from the first block that is entered by any thread to the
    end of the last one.

    >>> with one_blas_thread():
    ...     pass
    """
    _LIMIT.enter()
    try:
        yield
    finally:
        _LIMIT.leave()


class _Limit:
    """The limit that all threads share.

    threadpoolctl lifts a limit at the end of its own block, though another thread may still be in
    another one; and it lets one thread alone change limits.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._blocks = 0

    def enter(self) -> None:
        with self._lock:
            if self._blocks == 0:
                _let_this_thread_change_limits()
                self._limiter = _controller().limit(limits=1, user_api="blas")
            self._blocks += 1

    def leave(self) -> None:
        with self._lock:
            self._blocks -= 1
            if self._blocks == 0:
                _let_this_thread_change_limits()
                self._limiter.restore_original_limits()


_LIMIT = _Limit()


def _let_this_thread_change_limits() -> None:
    """Take the right to it from the thread that had it; before version 3.8 all threads have it."""
    from threadpoolctl import OpenBLASController

    if hasattr(OpenBLASController, "clear_controlling_thread"):
        OpenBLASController.clear_controlling_thread(force=True)


@cache
def _controller() -> "ThreadpoolController":
    """Looks for the libraries once, which takes milliseconds."""
    import scipy.linalg  # noqa: F401 - has a BLAS of its own
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
