"""Any runner's answers, in the order of the tasks."""

import os

import pytest

from imgbatch.errors import ClusterError
from imgbatch.runners import ProcessRunner, SerialRunner
from imgbatch.runners.ordered import InOrder


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
    assert list(InOrder(runner)(add, tasks)) == list(range(10, 30))
    assert list(InOrder(runner)(add, [])) == []


def test_a_task_that_kills_its_worker_is_a_readable_error():
    answers = InOrder(ProcessRunner(2))(end_at, [(number, 3) for number in range(5)])
    with pytest.raises(ClusterError, match="end_at killed the workers"):
        list(answers)
