"""Codecs are silent inside the block, and standard error is back behind it."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from imgbatch.images import quiet
from imgbatch.images.quiet import quiet_codecs
from tests.commands import environment
from tests.locks import WatchedLock

SECONDS = 30  # to fail rather than hang
pytestmark = pytest.mark.skipif(os.name != "posix", reason="compares inodes of descriptors")


def target(descriptor=2):
    """The file that a descriptor writes to."""
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino, status.st_rdev


@pytest.fixture
def null():
    with open(os.devnull, "wb") as file:
        yield target(file.fileno())


def test_what_is_written_to_the_descriptor_inside_the_block_is_lost_and_nothing_else():
    code = (
        "import os\n"
        "from imgbatch.images.quiet import quiet_codecs\n"
        "os.write(2, b'before ')\n"
        "with quiet_codecs():\n"
        "    os.write(2, b'inside ')\n"
        "os.write(2, b'after')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, check=True
    )
    assert done.stderr == b"before after"


def test_of_nested_blocks_the_outer_one_restores_the_descriptor(null):
    before = target()
    with quiet_codecs():
        with quiet_codecs():
            assert target() == null
        assert target() == null
    assert target() == before


def test_an_error_inside_the_block_restores_the_descriptor(null):
    before = target()

    @quiet_codecs()
    def fail():
        assert target() == null
        raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert target() == before


def test_a_process_without_standard_error_is_left_alone():
    code = (
        "import os\n"
        "from imgbatch.images.quiet import quiet_codecs\n"
        "os.close(2)\n"
        "with quiet_codecs():\n"
        "    pass\n"
        "try:\n"
        "    os.fstat(2)\n"
        "except OSError:\n"
        "    print('closed')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, check=True
    )
    assert done.stdout.split() == [b"closed"]


def test_a_thread_that_enters_while_another_leaves_is_quiet_and_the_last_one_restores(
    monkeypatch, null
):
    lock = WatchedLock()
    first_leaves, first_has_left = threading.Event(), threading.Event()
    redirect, before = os.dup2, target()

    def dup2(old, new):
        if first_leaves.is_set() and not first_has_left.is_set() and target(old) == before:
            assert lock.contended.wait(SECONDS)  # leave after the second thread came
        return redirect(old, new)

    def enter_and_leave():
        with quiet_codecs():
            first_leaves.set()

    def enter_meanwhile():
        with quiet_codecs():
            lock.contended.set()  # without a lock, the second thread comes this far meanwhile
            assert first_has_left.wait(SECONDS)
            return target()

    monkeypatch.setattr(quiet, "_lock", lock)
    monkeypatch.setattr(os, "dup2", dup2)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(enter_and_leave)
        first.add_done_callback(lambda _: first_has_left.set())
        assert first_leaves.wait(SECONDS)
        assert pool.submit(enter_meanwhile).result() == null
        first.result()
    assert target() == before
