"""No result is lost in silence, whatever becomes of standard output."""

import os
import subprocess
import sys

import pytest

from tests.commands import environment

COMMANDS = [
    ["similar", "--json", "--no-sheet"],
    ["similar", "--no-sheet"],
    ["different", "--json", "--no-sheet"],
    ["batches", "--batch-size", "4"],
    ["batches", "--batch-size", "4", "--json"],
    ["evaluate", "-n", "2", "--sets", "2"],
    ["index"],
    ["index", "--json"],
]
posix = pytest.mark.skipif(os.name != "posix", reason="redirects by a POSIX shell")


def run(indexed, arguments, redirect):
    mode, *options = arguments
    command = [sys.executable, "-m", "imgbatch", mode, str(indexed.folder), *options]
    command += ["--index", str(indexed.index)]
    shell = ["sh", "-c", f'exec "$@" {redirect}', "sh", *command]
    return subprocess.run(
        shell, stderr=subprocess.PIPE, env=environment(), timeout=120, check=False, text=True
    )


@posix
@pytest.mark.slow
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("redirect", [">&-", "> /dev/full"])
def test_a_result_that_cannot_be_written_is_one_line_and_exit_code_1(indexed, arguments, redirect):
    if redirect != ">&-" and not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    done = run(indexed, arguments, redirect)
    assert done.returncode == 1, done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
    assert len(lines) == 1
    assert lines[0].startswith("error: standard output ")
    assert "unexpected" not in lines[0]


@posix
@pytest.mark.slow
def test_a_closed_standard_error_costs_no_result(indexed):
    command = ["sh", "-c", 'exec "$@" 2>&-', "sh", sys.executable, "-m", "imgbatch", "index"]
    command += [str(indexed.folder), "--index", str(indexed.index), "--json"]
    done = subprocess.run(command, capture_output=True, env=environment(), timeout=120, check=False)
    assert done.returncode == 0
    assert b'"indexed": 24' in done.stdout
