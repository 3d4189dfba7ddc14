"""BLAS is kept to one thread as long as any thread of the process wants it."""

import threading
from collections.abc import Iterator

import pytest
import scipy.linalg  # noqa: F401 - has a BLAS of its own
import threadpoolctl

from imgbatch.runners.blas import one_blas_thread
from tests.threads import blas_threads


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    """Tests run with one BLAS thread, which would hide a limit that is lifted."""
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        if blas_threads() != {2}:
            pytest.skip("BLAS cannot have two threads here")
        yield


def test_a_block_has_one_thread_and_what_comes_after_it_all():
    with one_blas_thread():
        with one_blas_thread():
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == {2}


def test_an_error_in_a_block_lifts_the_limit():
    with pytest.raises(ValueError, match="of the block"), one_blas_thread():
        raise ValueError("of the block")
    assert blas_threads() == {2}


def test_the_limit_holds_until_the_last_of_several_threads_has_left():
    seen: list[set[int]] = []
    for _ in range(2):  # the second time, the right to change limits is another thread's
        entered, leave = threading.Event(), threading.Event()

        def other(entered: threading.Event = entered, leave: threading.Event = leave) -> None:
            with one_blas_thread():
                entered.set()
                leave.wait(60)
                seen.append(blas_threads())

        thread = threading.Thread(target=other)
        with one_blas_thread():
            thread.start()
            assert entered.wait(60)
        assert blas_threads() == {1}
        leave.set()
        thread.join()
        assert blas_threads() == {2}
    assert seen == [{1}, {1}]


def test_threads_that_come_and_go_leave_no_limit_behind():
    barrier = threading.Barrier(4)
    seen: list[set[int]] = []

    def work() -> None:
        barrier.wait()
        for _ in range(50):
            with one_blas_thread():
                seen.append(blas_threads())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 200
    assert all(threads == {1} for threads in seen)
    assert blas_threads() == {2}
