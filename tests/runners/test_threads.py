"""Threads give answers in order, few at a time, and pass errors on."""

import threading
import time

import pytest

from imgbatch.runners.maps import ThreadMap


def test_answers_come_in_the_order_of_tasks():
    def slowly(number, wait):
        time.sleep(wait)
        return number

    tasks = [(number, 0.01 * (number % 3 == 0)) for number in range(30)]
    assert list(ThreadMap(3)(slowly, tasks)) == list(range(30))
    assert list(ThreadMap(1)(slowly, [])) == []


def test_two_tasks_run_at_once_even_on_one_core():
    both = threading.Barrier(2, timeout=10)
    assert sorted(ThreadMap(1)(both.wait, [(), ()])) == [0, 1]


def test_few_tasks_are_taken_ahead():
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


def test_an_error_of_a_task_is_raised_here():
    def fail(number):
        if number == 5:
            raise ValueError("five")
        return number

    answers = ThreadMap(2)(fail, ((number,) for number in range(20)))
    assert [next(answers) for _ in range(5)] == list(range(5))
    with pytest.raises(ValueError, match="five"):
        next(answers)
