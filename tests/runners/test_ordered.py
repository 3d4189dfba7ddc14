"""Any runner's answers, in the order of the tasks."""

import os

import pytest

from imgbatch.errors import ClusterError
from imgbatch.runners import ProcessRunner, SerialRunner
from imgbatch.runners.maps import RunnerMap


class Backwards:
    """A runner whose answers come in the reverse order."""

    def run(self, function, tasks, *, split, crashed):
        yield from reversed([function(task) for task in tasks])


def add(one, other):
    return one + other


def end_at(number, deadly):
    if number == deadly:
        os._exit(3)
    return number


@pytest.mark.parametrize("runner", [SerialRunner(), Backwards(), ProcessRunner(2)])
def test_answers_come_in_the_order_of_tasks(runner):
    tasks = [(number, 10) for number in range(20)]
    assert list(RunnerMap(runner)(add, tasks)) == list(range(10, 30))
    assert list(RunnerMap(runner)(add, [])) == []


class FirstLast(Backwards):
    """A runner whose first task is answered after all others."""

    def run(self, function, tasks, *, split, crashed):
        first, *others = map(function, tasks)
        yield from (*others, first)


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
