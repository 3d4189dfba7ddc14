"""Runners: every task is answered once, whatever happens to the workers."""

import os
import signal
import subprocess
import sys
import time

import pytest

from imgbatch.runners import (
    ProcessRunner,
    SerialRunner,
    build_runner,
    processes,
    start_early,
    usable_cores,
    worth_starting,
)
from tests.commands import environment

RUNNERS = [SerialRunner(), ProcessRunner(1), ProcessRunner(2)]


# Workers of another process get functions by name or by value; these hold all they need.
def double(task):
    return [2 * one for one in task]


def fail_on_seven(task):
    if 7 in task:
        raise ValueError("seven")
    return task


def die_on_seven(task):
    import os

    if 7 in task:
        os._exit(13)
    return [(one, os.getpid()) for one in task]


def killed_on_seven(task):
    import os
    import signal

    if 7 in task:
        os.kill(os.getpid(), signal.SIGKILL)
    return [(one, os.getpid()) for one in task]


def pid_after_a_while(task):
    import os
    import time

    time.sleep(0.02)
    return os.getpid()


def ignores_interrupts(task):
    import signal

    return signal.getsignal(signal.SIGINT) == signal.SIG_IGN


def has_colorsys(task):
    import sys

    return "colorsys" in sys.modules


def split(task):
    return [(one,) for one in task]


def crashed(task):
    return [(one, None) for one in task]


def run(runner, function, tasks):
    return list(runner.run(function, tasks, split=split, crashed=crashed))


@pytest.mark.parametrize("runner", RUNNERS, ids=str)
@pytest.mark.parametrize("count", [0, 1, 40])
def test_every_task_is_answered_exactly_once(runner, count):
    answers = run(runner, double, [(n, n + 100) for n in range(count)])
    assert sorted(answers) == [[2 * n, 2 * n + 200] for n in range(count)]


@pytest.mark.parametrize("runner", RUNNERS, ids=str)
def test_an_exception_of_the_function_is_raised(runner):
    with pytest.raises(ValueError, match="seven"):
        run(runner, fail_on_seven, [(n,) for n in range(20)])


@pytest.mark.parametrize("runner", RUNNERS, ids=str)
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


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("function", [die_on_seven, pytest.param(killed_on_seven, marks=pytest.mark.skipif(
    os.name != "posix", reason="SIGKILL is for POSIX"))])  # fmt: skip
def test_a_task_that_kills_its_worker_is_reported_and_all_others_are_answered(workers, function):
    tasks = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (9, 10, 11)]
    answers = dict(one for answer in run(ProcessRunner(workers), function, tasks) for one in answer)
    assert sorted(answers) == list(range(12))
    assert [number for number, pid in answers.items() if pid is None] == [7]


@pytest.mark.slow
def test_several_culprits_are_all_found():
    tasks = [(7,), (1, 7), (2,), (7,), (3,)]
    answers = [one for answer in run(ProcessRunner(2), die_on_seven, tasks) for one in answer]
    assert sorted(number for number, _ in answers) == [1, 2, 3, 7, 7, 7]
    assert [number for number, pid in answers if pid is None] == [7, 7, 7]


@pytest.mark.slow
def test_one_culprit_costs_few_new_workers():
    """Starting a process takes as long as hundreds of images: suspects must share one."""
    tasks = [tuple(range(start, start + 10)) for start in range(0, 60, 10)]
    answers = [one for answer in run(ProcessRunner(2), die_on_seven, tasks) for one in answer]
    assert sorted(number for number, _ in answers) == list(range(60))
    assert len({pid for _, pid in answers}) <= 8


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return True


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="asks for processes by signal 0")
@pytest.mark.parametrize("how", ["closed early", "run to the end", "failing consumer"])
def test_no_worker_outlives_the_run(how):
    answers = ProcessRunner(2).run(
        pid_after_a_while, [(n,) for n in range(30)], split=split, crashed=crashed
    )
    pids = {next(answers)}
    if how == "closed early":
        answers.close()
    elif how == "run to the end":
        pids |= set(answers)
    else:
        with pytest.raises(RuntimeError):
            answers.throw(RuntimeError)
    deadline = time.monotonic() + 10
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, pids))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("runner", "fits"),
    [
        (ProcessRunner(2, ("colorsys",)), True),
        (ProcessRunner(1, ("colorsys",)), False),
        (ProcessRunner(2), False),
    ],
    ids=str,
)
def test_workers_started_early_serve_the_run_that_asks_for_the_same(runner, fits):
    start_early(2, ["colorsys"])
    early = set(processes._early[0][1]._processes)
    answers = run(runner, pid_after_a_while, [(n,) for n in range(30)])
    assert set(answers) <= early if fits else not set(answers) & early
    assert processes._early == []
    assert not any(map(alive, early))


def test_a_folder_is_worth_starting_workers_from_four_megabytes_on(tmp_path):
    (tmp_path / "deeper").mkdir()
    (tmp_path / "a").write_bytes(bytes(3_999_999))
    assert not worth_starting(tmp_path)
    (tmp_path / "deeper" / "b").write_bytes(b"1")
    assert worth_starting(tmp_path)
    assert not worth_starting(tmp_path / "missing")


def test_workers_leave_ctrl_c_to_the_parent():
    assert run(ProcessRunner(1), ignores_interrupts, [(1,)]) == [True]
    assert signal.getsignal(signal.SIGINT) != signal.SIG_IGN


@pytest.mark.skipif(os.name != "posix", reason="only there are signals blocked")
def test_the_first_workers_of_a_process_never_receive_ctrl_c():
    lines = """
import signal
from functools import partial
from imgbatch.runners import ProcessRunner
blocked = partial(signal.pthread_sigmask, signal.SIG_BLOCK)
print(list(ProcessRunner(2).run(blocked, [(), ()], split=list, crashed=len)))
"""
    command = [sys.executable, "-c", lines]
    out = subprocess.check_output(command, env=environment(), timeout=60, text=True)
    assert out.count("SIGINT") == 2


def test_workers_import_the_modules_named_and_no_others():
    for preload in ((), ("colorsys",)):
        assert run(ProcessRunner(1, preload), has_colorsys, [(1,)]) == [bool(preload)]


def test_small_jobs_and_single_workers_run_in_this_process():
    assert build_runner(2, 1000) == SerialRunner()
    assert build_runner(1, 10**9) == SerialRunner()
    assert build_runner(3, 10**9) == ProcessRunner(3)
    assert build_runner(3, 10**9, ["colorsys"]) == ProcessRunner(3, ("colorsys",))
    expected = SerialRunner() if usable_cores() == 1 else ProcessRunner(usable_cores())
    assert build_runner(0, 10**9) == expected


def test_a_worker_whose_parent_died_before_it_began_ends_all_the_same():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    work = (
        "import time; from imgbatch.runners.processes import _prepare_worker;"
        f" _prepare_worker((), {gone.pid}); time.sleep(60)"
    )
    worker = subprocess.Popen([sys.executable, "-c", work], env=environment())
    try:
        assert worker.wait(timeout=30) == 1
    finally:
        worker.kill()
