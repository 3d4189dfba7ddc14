"""The Dask runner: every task is answered once, and no wait is without an end."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import threading
import time
from types import SimpleNamespace

import pytest

pytest.importorskip("distributed")

from distributed.client import FutureCancelledError
from distributed.core import Status

from imgbatch.errors import ClusterError
from imgbatch.runners import dask as runner_module
from imgbatch.runners import local_cluster as local_cluster_module
from imgbatch.runners.dask import DaskRunner
from tests.clusters import local_cluster, pids, two_workers, write_preload
from tests.runners.test_processes import (
    alive,
    crashed,
    die_on_seven,
    double,
    fail_on_seven,
    killed_on_seven,
    pid_after_a_while,
    run,
    split,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with two_workers(write_preload(tmp_path_factory.mktemp("preload"))) as running:
        yield running


@pytest.fixture
def runner(cluster):
    with DaskRunner(cluster.scheduler_address) as connected:
        yield connected


def fail_deeply(task):
    return fail_deeply(task)  # Dask's client cannot unpickle so deep a traceback: it never hears


class SlowToSend:
    """An answer that takes a second each time it is sent."""

    def __reduce__(self):
        time.sleep(1)
        return tuple, ()


def slow_to_send(task):
    return SlowToSend()


@pytest.mark.parametrize("count", [0, 1, 40])
def test_every_task_is_answered_exactly_once(runner, count):
    answers = run(runner, double, [(n, n + 100) for n in range(count)])
    assert sorted(answers) == [[2 * n, 2 * n + 200] for n in range(count)]


def test_an_exception_of_the_function_is_raised_and_the_runner_goes_on(runner):
    with pytest.raises(ValueError, match="seven"):
        run(runner, fail_on_seven, [(n,) for n in range(20)])
    assert run(runner, double, [(1,)]) == [[2]]


def test_tasks_are_taken_a_bounded_number_ahead(runner):
    taken = []

    def source():
        for n in range(200):
            taken.append(n)
            yield (n,)

    answers = runner.run(double, source(), split=split, crashed=crashed)
    next(answers)
    assert len(taken) <= 20
    answers.close()
    assert len(taken) <= 20


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is for POSIX")
@pytest.mark.parametrize("function", [die_on_seven, killed_on_seven])
def test_a_task_that_kills_its_worker_is_reported_and_all_others_are_answered(runner, function):
    tasks = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (9, 10, 11)]
    answers = dict(one for answer in run(runner, function, tasks) for one in answer)
    assert sorted(answers) == list(range(12))
    assert [number for number, pid in answers.items() if pid is None] == [7]


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is for POSIX")
def test_a_local_worker_that_dies_before_dask_heard_of_its_start_is_replaced(monkeypatch):
    monkeypatch.setattr(runner_module, "_IDLE_SECONDS", 40.0)
    monkeypatch.setattr(local_cluster_module, "_LOOK_SECONDS", 0.2)
    with DaskRunner("local", workers=2) as runner:
        assert run(runner, double, [(1,)]) == [[2]]
        nannies = list(runner._client.cluster.workers.values())
        for nanny in nannies:
            nanny.status = Status.starting
            os.kill(nanny.pid, signal.SIGKILL)
        tasks = [(number,) for number in range(20)]
        assert sorted(run(runner, double, tasks)) == [[2 * number] for number in range(20)]
        assert not any(nanny.pid for nanny in nannies)


def test_an_error_that_cannot_be_told_is_no_endless_wait(runner, monkeypatch):
    monkeypatch.setattr(runner_module, "_IDLE_SECONDS", 3.0)
    with pytest.raises(ClusterError, match="nothing of 1 tasks was at work"):
        run(runner, fail_deeply, [(1,)])


def test_a_cluster_without_workers_is_no_endless_wait(monkeypatch):
    monkeypatch.setattr(runner_module, "_IDLE_SECONDS", 3.0)
    with (
        local_cluster(n_workers=0) as nobody,
        DaskRunner(nobody.scheduler_address) as runner,
        pytest.raises(ClusterError, match="with 0 workers"),
    ):
        run(runner, double, [(1,)])


@pytest.mark.parametrize(
    "said", [None, b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 1000, bytes(range(256)) * 9]
)
def test_a_stranger_at_the_address_is_one_clear_error(said, monkeypatch, capsys):
    monkeypatch.setattr(runner_module, "_ASK_SECONDS", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        held = []

        def answer():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = stranger.accept()
                    if said:
                        connection.sendall(said)
                    if said == b"":
                        connection.close()
                    held.append(connection)

        threading.Thread(target=answer, daemon=True).start()
        address = f"tcp://127.0.0.1:{stranger.getsockname()[1]}"
        with pytest.raises(ClusterError, match=address):
            run(DaskRunner(address), double, 1)
        stranger.shutdown(socket.SHUT_RDWR)
    for connection in held:
        connection.close()
    gc.collect()
    assert capsys.readouterr().err == ""


def test_an_address_where_nobody_is_is_one_clear_error(monkeypatch):
    monkeypatch.setattr(runner_module, "_ASK_SECONDS", 1.0)
    with (
        DaskRunner("tcp://127.0.0.1:9") as runner,
        pytest.raises(ClusterError, match=r"no Dask cluster at tcp://127\.0\.0\.1:9"),
    ):
        run(runner, double, [(1,)])


@pytest.mark.parametrize(
    "error",
    [asyncio.CancelledError(), FutureCancelledError("a", "lost"), OSError("closed")],
    ids=lambda error: type(error).__name__,
)
def test_whatever_dask_raises_for_a_lost_scheduler_is_one_readable_error(error):
    runner = DaskRunner("tcp://127.0.0.1:1")
    runner._client = SimpleNamespace(status="running")
    with pytest.raises(ClusterError, match="is gone"), runner._losing():
        raise error
    assert runner._client is None


def test_a_cluster_that_closes_meanwhile_is_an_error():
    with (
        local_cluster(n_workers=1, threads_per_worker=1) as short,
        DaskRunner(short.scheduler_address) as runner,
    ):
        tasks = ((n,) for n in range(10_000))
        answers = runner.run(double, tasks, split=split, crashed=crashed)
        next(answers)
        short.close(timeout=10)
        with pytest.raises(ClusterError, match="is gone"):
            list(answers)


@pytest.mark.skipif(os.name != "posix", reason="asks for processes by signal 0")
@pytest.mark.parametrize("how", ["to the end", "closed early"])
def test_no_worker_of_a_local_cluster_outlives_the_runner(how):
    with DaskRunner("local", 1) as runner:
        answers = runner.run(
            pid_after_a_while, [(n,) for n in range(30)], split=split, crashed=crashed
        )
        found = {next(answers)}
        if how == "to the end":
            found |= set(answers)
    deadline = time.monotonic() + 10
    while any(map(alive, found)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, found))


def test_the_callers_workers_live_on(cluster, runner):
    before = set(pids(cluster))
    with DaskRunner(cluster.scheduler_address) as other:
        assert run(other, double, [(2,)]) == [[4]]
    assert run(runner, double, [(3,)]) == [[6]]
    assert set(pids(cluster)) == before


def test_all_runs_share_one_connection_that_ends_with_the_runner(cluster):
    def others():
        return [name for name in cluster.scheduler.clients if name.startswith("Client-")]

    before = set(others())
    runner = DaskRunner(cluster.scheduler_address)
    assert set(others()) == before, "connected before it was used"
    for _ in range(2):
        assert run(runner, double, [(1,)]) == [[2]]
        assert len(set(others()) - before) == 1
    del runner
    deadline = time.monotonic() + 10
    while set(others()) - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert set(others()) == before


def test_an_answer_that_takes_long_to_arrive_arrives(runner, monkeypatch):
    monkeypatch.setattr(runner_module, "_TICK_SECONDS", 0.2)
    monkeypatch.setattr(runner_module, "_IDLE_SECONDS", 12.0)
    assert run(runner, slow_to_send, [(1,)]) == [()]


def test_workers_that_join_while_answers_keep_coming_get_tasks(monkeypatch):
    monkeypatch.setattr(runner_module, "_TICK_SECONDS", 0.2)
    with (
        local_cluster(n_workers=1, threads_per_worker=1) as growing,
        DaskRunner(growing.scheduler_address) as runner,
    ):
        taken = []
        source = ((taken.append(n), n)[1:] for n in range(10_000))
        answers = runner.run(pid_after_a_while, source, split=split, crashed=crashed)
        next(answers)
        assert len(taken) == 3
        growing.scale(2)
        deadline = time.monotonic() + 30
        ahead = 3
        for answered, _ in enumerate(answers, start=2):
            ahead = max(ahead, len(taken) - answered + 1)
            if ahead > 3 or time.monotonic() > deadline:
                break
        assert ahead == 6
        answers.close()


def test_the_call_after_the_connection_was_lost_connects_again(runner):
    assert run(runner, double, [(1,)]) == [[2]]
    runner._client.close()  # as Dask's does itself when it gives up on a scheduler
    with pytest.raises(ClusterError, match="is gone"):
        run(runner, double, [(2,)])
    assert run(runner, double, [(3,)]) == [[6]]
