"""Work in the background: done once, kept, told how far it is, and tried anew after an error."""

import threading

import pytest

from imgbatch.errors import SelectionError
from imgbatch.web.jobs import Jobs, WorkingError


def test_equal_keys_share_one_answer():
    jobs, calls = Jobs(), []
    for _ in range(3):
        assert jobs.get("key", "", lambda _: calls.append(1) or len(calls)) == 1
    assert jobs.get("other", "", lambda _: calls.append(1) or len(calls)) == 2


def test_who_asks_too_early_is_told_how_far_it_is():
    jobs, go = Jobs(), threading.Event()

    def work(progress):
        progress(3, 10)
        go.wait(30)
        return "done"

    with pytest.raises(WorkingError) as working:
        jobs.get("key", "It is made", work)
    assert (working.value.what, working.value.done, working.value.total) == ("It is made", 3, 10)
    go.set()
    while True:
        try:
            assert jobs.get("key", "It is made", work) == "done"
            break
        except WorkingError:
            pass


def test_one_job_runs_at_a_time_and_each_in_its_turn():
    jobs, running, most = Jobs(), [], []

    def work(_progress):
        running.append(1)
        most.append(len(running))
        threading.Event().wait(0.05)
        running.pop()
        return True

    def ask(key):
        while True:
            try:
                return jobs.get(key, "", work)
            except WorkingError:
                pass

    threads = [threading.Thread(target=ask, args=(key,)) for key in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1, 1]


def test_an_error_is_told_to_who_asks_and_the_work_is_tried_anew():
    jobs, tries = Jobs(), []

    def work(_progress):
        tries.append(1)
        if len(tries) == 1:
            raise SelectionError("it is gone", "look again")
        return "there"

    with pytest.raises(SelectionError):
        jobs.get("key", "", work)
    assert jobs.get("key", "", work) == "there"


def test_answers_beyond_those_asked_for_last_are_forgotten():
    jobs, calls = Jobs(), []
    for key in range(60):
        jobs.get(key, "", lambda _: calls.append(1))
    jobs.get(59, "", lambda _: calls.append(1))
    assert len(calls) == 60
    jobs.get(0, "", lambda _: calls.append(1))
    assert len(calls) == 61
    assert len(jobs._jobs) < 40
