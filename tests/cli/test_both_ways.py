"""Most tests call the command inside their own process: a process of its own says the same."""

import gc
import importlib
import os
import re
import shutil
import signal
import sys
import tomllib

import pytest

from imgbatch.cli import common
from imgbatch.runners import processes, start_early
from tests.commands import ROOT, Answer, run_in_new_process, run_in_this_process

FIXED = ("--seed", 7, "--no-sheet")
COMMANDS = {
    "help": ("--help",),
    "no command": (),
    "unknown option": ("similar", "--nonsense", "x"),
    "missing folder": ("different", "missing", "--json"),
    "traceback": ("--debug", "index", "missing"),
    "json": ("similar", "{folder}", "--index", "{index}", *FIXED, "--json"),
    "table": ("different", "{folder}", "--index", "{index}", *FIXED),
    "batches": ("batches", "{folder}", "--index", "{index}", "--batch-size", 5, "--seed", 3),
    "fresh index": ("index", "{folder}", "--json"),
    "note": ("evaluate", "{flat}", "--sets", 5, "-n", 4),
    "undecodable name": ("similar", b"caf\xe9"),
}


def without_seconds(answer: Answer) -> tuple[int, str, str]:
    """Code, output and errors; durations and the lines of a traceback's files differ."""
    out = re.sub(r'"seconds": [\d.]+|\d+\.\d+ s\b', "SECONDS", answer.out)
    err = re.sub(r"(?s)Traceback.*?\n(?=\w+\.|error)", "TRACEBACK\n", answer.err)
    return answer.code, out, err


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_the_same_in_this_process_and_in_a_new_one(indexed, name):
    places = {"folder": indexed.folder, "index": indexed.index, "flat": indexed.folder / "class0"}
    arguments = [
        value.format(**places) if isinstance(value, str) else value for value in COMMANDS[name]
    ]
    answers = []
    for run in (run_in_this_process, run_in_new_process):
        answers.append(without_seconds(run(*arguments)))
        shutil.rmtree(os.environ["IMGBATCH_CACHE_DIR"], ignore_errors=True)  # the next starts anew
    assert answers[0] == answers[1]


def test_a_run_in_this_process_leaves_no_trace_in_it(photos, tmp_path):
    def state():
        return (
            dict(os.environ), os.getcwd(), sys.argv, sys.stdout, sys.stderr, sys.excepthook,
            sys.unraisablehook, signal.getsignal(signal.SIGINT), list(sys.warnoptions),
            gc.get_threshold(), dict(vars(common)), processes._early, os.fstat(1), os.fstat(2),
        )  # fmt: skip

    before = state()
    start_early(2, ())  # as a command does that ends before it reads images
    answer = run_in_this_process("--debug", "similar", photos, env={"COLUMNS": "40"}, cwd=tmp_path)
    assert answer.code == 0
    assert (tmp_path / "imgbatch-out").is_dir()
    assert state() == before


def test_what_is_written_past_python_is_part_of_the_answer(photos, monkeypatch):
    """C libraries and child processes write to the descriptors themselves."""
    speak = lambda *_, **__: os.write(2, b"libjpeg speaks")  # noqa: E731
    monkeypatch.setattr("imgbatch.cli.upkeep.open_folder", speak)
    assert run_in_this_process("index", photos).err.startswith("libjpeg speaks")


def test_the_installed_command_is_the_one_that_python_runs():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    module, name = scripts["imgbatch"].split(":")
    main = getattr(importlib.import_module(module), name)
    source = (ROOT / "imgbatch" / "__main__.py").read_text("utf-8")
    assert f" from {module} import {name}\n" in source
    assert source.endswith(f"\n{name}()\n")
    assert callable(main)
