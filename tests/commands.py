"""The command ``imgbatch`` as tests run it: inside this process, or in a process of its own."""

import contextlib
import gc
import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import imgbatch

ROOT = Path(imgbatch.__file__).resolve().parents[1]


@dataclass(frozen=True)
class Answer:
    """The exit code and the output of one run of the command."""

    code: int
    out: str
    err: str
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def assert_one_clear_line(self, code: int, *words: str) -> None:
        """The run ended with this code and one line of error that holds these words."""
        assert self.code == code, self.err
        assert self.out == ""
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("error: ")
        assert "unexpected" not in lines[0]
        for word in words:
            assert word in lines[0]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment variables for a new Python that imports this checkout.

    Its bytecode is kept, even where this process keeps none: compiling all files anew takes a
    third of a command's time. It has as many BLAS threads as users have: `make test` gives the
    tests themselves one, and no result may depend on that.
    """
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    ours = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    for name in ("PYTHONDONTWRITEBYTECODE", "OPENBLAS_NUM_THREADS"):
        ours.pop(name, None)
    return ours | dict(extra or {})


def start_process(
    *arguments: object,
    env: Mapping[str, str] | None = None,
    prefix: tuple[str, ...] = (),
    **options: Any,
) -> subprocess.Popen[bytes]:
    """Start ``python -m imgbatch``; `prefix` is a command that runs it, options are Popen's."""
    command = [*prefix, sys.executable, "-m", "imgbatch", *map(_as_argument, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=environment(env), **(pipes | options))


def run_in_new_process(*arguments: object, **options: Any) -> Answer:
    """Run ``python -m imgbatch`` to its end; takes the options of `start_process`."""
    with start_process(*arguments, **options) as process:
        try:
            out, err = process.communicate(timeout=120)
        finally:
            process.kill()
    return _answer(process.returncode, out, err, arguments)


def run_in_this_process(
    *arguments: object,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
) -> Answer:
    """Call the ``main`` of ``python -m imgbatch`` here, which spares the start of a Python.

    Standard output and error are captured at their file descriptors, as those of a process are:
    what C libraries and child processes write is part of the answer. What a process would set for
    good is undone afterwards.
    """
    read_at_start = [name for name in env or {} if name.startswith(("PYTHON", "IMGBATCH_DEBUG"))]
    assert not read_at_start, f"{read_at_start} are read when Python starts: use `command`"
    from imgbatch.cli import interrupts, main

    argv = ["imgbatch", *(os.fsdecode(_as_argument(value)) for value in arguments)]
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, env or {}))
        stack.enter_context(contextlib.chdir(cwd or os.getcwd()))
        stack.enter_context(mock.patch.object(sys, "argv", argv))
        stack.enter_context(mock.patch.object(interrupts, "watch"))  # Ctrl-C is for pytest
        stack.enter_context(_settings_of_the_process_restored())
        out = stack.enter_context(_captured("stdout", 1))
        err = stack.enter_context(_captured("stderr", 2))
        code = _exit_code(main)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        return _answer(code, _content(out), _content(err), arguments)


def _exit_code(main: Any) -> int:
    """The code with which a process would end that calls `main`."""
    try:
        main()
    except SystemExit as end:
        return end.code or 0
    return 0


@contextlib.contextmanager
def _captured(name: str, descriptor: int) -> Iterator[int]:
    """Point a standard stream at an empty file, from Python and from C; yields the file.

    The new stream stays open, so that whoever keeps it, such as a logging handler, writes to the
    descriptor's usual target later.
    """
    errors = "strict" if name == "stdout" else "backslashreplace"
    stream = open(descriptor, "w", encoding="utf-8", errors=errors, closefd=False)  # noqa: SIM115
    usual = os.dup(descriptor)
    try:
        with tempfile.TemporaryFile() as file, mock.patch.object(sys, name, stream):
            os.dup2(file.fileno(), descriptor)
            yield file.fileno()
            stream.flush()
    finally:
        os.dup2(usual, descriptor)
        os.close(usual)


def _content(file: int) -> bytes:
    os.lseek(file, 0, os.SEEK_SET)
    with open(file, "rb", closefd=False) as whole:
        return whole.read()


@contextlib.contextmanager
def _settings_of_the_process_restored() -> Iterator[None]:
    """Undo what the command sets for as long as its process lives, and what pytest set before.

    pytest handles what libraries log; a process without handlers prints warnings.
    """
    from imgbatch.cli import common
    from imgbatch.runners import processes

    switches, threshold, hook = dict(vars(common)), gc.get_threshold(), sys.excepthook
    with mock.patch.object(logging.getLogger(), "handlers", []):
        try:
            yield
        finally:
            vars(common).update(switches)  # --debug turns one on
            gc.set_threshold(*threshold)
            sys.excepthook = hook
            processes._stop_early()


def _as_argument(value: object) -> str | bytes:
    if isinstance(value, bytes):
        return value
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)


def _answer(code: int, out: bytes, err: bytes, arguments: tuple[object, ...]) -> Answer:
    errors = err.decode("utf-8", "replace").replace("\r\n", "\n")
    assert "Traceback" not in errors or "--debug" in arguments
    return Answer(code, out.decode("utf-8").replace("\r\n", "\n"), errors, out)
