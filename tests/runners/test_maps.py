"""Ordered maps: every answer, in the order of the tasks, with few tasks taken ahead."""

import os
import threading
import time

import pytest

from imgbatch.errors import ClusterError
from imgbatch.runners import ProcessRunner, SerialRunner
from imgbatch.runners.maps import ProcessMap, RunnerMap, ThreadMap, map_serially


class Backwards:
    """A runner whose answers come in the reverse order."""

    def run(self, function, tasks, *, split, crashed):
        yield from reversed([function(task) for task in tasks])


class FirstLast(Backwards):
    """A runner whose first task is answered after all others."""

    def run(self, function, tasks, *, split, crashed):
        answers = [function(task) for task in tasks]
        yield from answers[1:] + answers[:1]


def add(one, other):
    return one + other


def end_at(number, deadly):
    if number == deadly:
        os._exit(3)
    return number


def pid_of(number):
    return os.getpid()


MAPS = {
    "this thread": map_serially,
    "a thread a core": ThreadMap(),
    "three threads": ThreadMap(3),
    "a small job": ProcessMap(2, 1000),
    "processes": ProcessMap(2, 10**9),
    "a runner that answers backwards": RunnerMap(Backwards()),
    "a runner that answers the first task last": RunnerMap(FirstLast()),
}


@pytest.mark.parametrize("name", MAPS)
def test_answers_come_in_the_order_of_tasks(name):
    run_tasks = MAPS[name]
    tasks = [(number, 10) for number in range(20)]
    assert list(run_tasks(add, tasks)) == list(range(10, 30))
    assert list(run_tasks(add, [])) == []


def test_threads_that_end_out_of_order_answer_in_order():
    def slowly(number, wait):
        time.sleep(wait)
        return number

    tasks = [(number, 0.01 * (number % 3 == 0)) for number in range(30)]
    assert list(ThreadMap(3)(slowly, tasks)) == list(range(30))


@pytest.mark.parametrize("runner", [Backwards(), FirstLast(), SerialRunner()])
def test_tasks_are_taken_a_bounded_number_ahead_of_the_next_answer(runner):
    taken = []
    source = ((taken.append(number), number)[1:] * 2 for number in range(1000))
    for given, answer in enumerate(RunnerMap(runner)(add, source)):
        assert answer == 2 * given
        assert len(taken) - given <= 96
    assert taken == list(range(1000))


@pytest.mark.slow
def test_a_task_that_kills_its_worker_is_a_readable_error():
    answers = RunnerMap(ProcessRunner(2))(end_at, [(number, 3) for number in range(5)])
    with pytest.raises(ClusterError, match="end_at killed the workers"):
        list(answers)


def test_a_small_job_is_done_in_this_process_and_a_large_one_in_others():
    tasks = [(number,) for number in range(6)]
    assert set(ProcessMap(2, 1000)(pid_of, tasks)) == {os.getpid()}
    assert os.getpid() not in set(ProcessMap(2, 10**9)(pid_of, tasks))


def test_two_tasks_run_at_once_even_on_one_core():
    both = threading.Barrier(2, timeout=10)
    assert sorted(ThreadMap(1)(both.wait, [(), ()])) == [0, 1]


def test_threads_take_few_tasks_ahead():
    taken = []

    def tasks():
        for number in range(100):
            taken.append(number)
            yield (number,)

    answers = ThreadMap(2)(lambda number: number, tasks())
    assert next(answers) == 0
    assert len(taken) <= 4
    answers.close()
    assert len(taken) <= 4


def test_an_error_in_a_thread_is_raised_here():
    def fail(number):
        if number == 5:
            raise ValueError("five")
        return number

    answers = ThreadMap(2)(fail, ((number,) for number in range(20)))
    assert [next(answers) for _ in range(5)] == list(range(5))
    with pytest.raises(ValueError, match="five"):
        next(answers)
