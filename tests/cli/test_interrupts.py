"""Ctrl-C, at whatever moment, is one line and exit code 130, and leaves nothing behind.

Each test has a process send the signal to itself at a defined moment, by a file that Python runs
when it starts.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imgbatch.cli import interrupts
from tests.commands import ROOT, environment, start_process

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends itself POSIX signals")
LINE = f"{interrupts.LINE}\n"

_SITE = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored

def ctrl_c(times=1):
    for _ in range(times):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(100):  # the handler is called between two steps
            pass

class AtImport:
    '''Calls a function when a module is looked for.'''
    def __init__(self, module, action):
        self.module, self.action = module, action
    def find_spec(self, name, *_):
        if name == self.module:
            self.module = None
            self.action()

def at_import(module, action=ctrl_c):
    sys.meta_path.insert(0, AtImport(module, action))

def at(event, function, file, action=ctrl_c):
    '''Calls an action when a function of a file is called, or returns, for the first time.'''
    def look(frame, what, _):
        code = frame.f_code
        if (what, code.co_name) == (event, function) and code.co_filename.endswith(file):
            sys.setprofile(None)
            action()
    sys.setprofile(look)

def working(action):
    '''Calls an action inside a command, where it brings the index up to date.'''
    at("call", "load", "imgbatch/loading.py", action)
"""


@pytest.fixture
def run(tmp_path, indexed):
    """Run a command in a process that first executes some lines; `{...}` are places."""
    site = tmp_path / "site"
    site.mkdir()
    places = {"folder": indexed.folder, "index": indexed.index, "new": tmp_path / "new"}

    def one(lines: str, *arguments: str, terminal: bool = False) -> tuple[int, str, str]:
        (site / "sitecustomize.py").write_text(_SITE + lines)
        path = os.pathsep.join([str(site), environment()["PYTHONPATH"]])
        filled = [argument.format(**places) for argument in arguments]
        env = {"PYTHONPATH": path, "TERM": "xterm"}
        if terminal:
            return in_a_terminal(env, filled)
        with start_process(*filled, env=env) as process:
            try:
                out, err = process.communicate(timeout=60)
            finally:
                process.kill()
        return process.returncode, out.decode(), err.decode()

    return one


def in_a_terminal(env: dict[str, str], arguments: list[str]) -> tuple[int, str, str]:
    import pty

    ours, theirs = pty.openpty()
    with start_process(*arguments, env=env, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the end of a terminal
            while data := os.read(ours, 65536):
                shown += data
    os.close(ours)
    return process.returncode, shown.decode(), ""


SIMILAR = ("similar", "{folder}", "--index", "{index}", "--seed", "7", "--no-sheet", "--json")
INDEX = ("index", "{folder}", "--index", "{index}", "--json")
STOPPED = (130, "", LINE)


@pytest.mark.parametrize("module", ["imgbatch.cli", "imgbatch.cli.interrupts"])
def test_ctrl_c_at_the_first_import_is_one_line(run, module):
    code, out, err = run(f"at_import({module!r})", "--version")
    assert (code, out) == (130, "")
    assert err.startswith("stopped; ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "module", ["imgbatch.cli.app", "typer", "inspect", "imgbatch.cli.common", "imgbatch.errors"]
)
@pytest.mark.parametrize("arguments", [("--help",), SIMILAR], ids=["help", "similar"])
def test_ctrl_c_while_the_command_is_imported_is_one_line(run, module, arguments):
    assert run(f"at_import({module!r})", *arguments) == STOPPED


@pytest.mark.parametrize(
    "module",
    ["numpy", "numpy.linalg", "cv2", "scipy", "pydantic", "rich", "sqlite3", "PIL"],
)
def test_ctrl_c_while_a_library_is_imported_is_one_line(run, module):
    new = ("different", "{folder}", "--index", "{new}", "--no-sheet")
    assert run(f"at_import({module!r})", *new) == STOPPED


def test_ctrl_c_in_an_import_whose_failure_is_expected_still_stops(run):
    lines = """
def optional():
    try:
        import this_is_not_installed
    except BaseException:
        pass
    time.sleep(60)
at_import("this_is_not_installed")
working(optional)
"""
    assert run(lines, *INDEX) == STOPPED


def test_ctrl_c_during_the_work_is_one_line(run):
    assert run("working(ctrl_c)", *INDEX) == STOPPED


@pytest.mark.parametrize(
    "mishap",
    [
        "class Held:\n def __del__(self): ctrl_c()",
        "class Held:\n def __del__(self): close()\ndef close(): ctrl_c()",
        "def Held():\n weakref.finalize(owner := Owner(), ctrl_c)",
        "def Held():\n kept.append(weakref.ref(owner := Owner(), lambda _: ctrl_c()))",
    ],
    ids=["destructor", "called by a destructor", "finalizer", "callback"],
)
def test_ctrl_c_where_python_ignores_exceptions_still_stops(run, mishap):
    lines = f"""
import weakref
kept = []
class Owner:
    pass
{mishap}
def drop():
    Held()
    time.sleep(60)
working(drop)
"""
    assert run(lines, *INDEX) == STOPPED


def test_ctrl_c_under_a_progress_bar_is_one_line_and_gives_the_cursor_back(run):
    shown = run("working(ctrl_c)", *INDEX, terminal=True)
    assert shown[0] == 130
    assert "\x1b[?25l" in shown[1]
    _, line = shown[1].split("\x1b[?25l")[-1].split("stopped; ")  # the bar hides the cursor
    assert "stopped; " + line.replace("\x1b[?25h", "") == LINE.replace("\n", "\r\n")
    assert line.endswith("\x1b[?25h")


def test_what_workers_and_libraries_say_after_a_stop_is_not_shown(run):
    lines = """
def noisy():
    try:
        ctrl_c()
    finally:
        os.write(2, b"Traceback of a worker")
working(noisy)
"""
    assert run(lines, *INDEX) == STOPPED


def test_ctrl_c_that_a_library_turns_into_another_error_is_a_stop(run):
    lines = """
def turn():
    try:
        ctrl_c()
    except KeyboardInterrupt:
        raise SystemError("returned a result with an exception set") from None
working(turn)
"""
    assert run(lines, *INDEX) == STOPPED


def test_ctrl_c_that_a_library_swallows_is_a_stop_after_the_whole_result(run):
    lines = """
def swallow():
    try:
        ctrl_c()
    except BaseException:
        pass
working(swallow)
"""
    code, out, err = run(lines, *INDEX)
    assert (code, err) == (130, LINE)
    assert json.loads(out)["indexed"] == 24


def test_what_was_stopped_half_made_does_not_complain_when_it_is_removed(run):
    lines = """
class Half:
    def __init__(self):
        ctrl_c()
        self.made = True
    def __del__(self):
        self.made
working(Half)
"""
    assert run(lines, *INDEX) == STOPPED


def test_errors_that_python_ignores_are_shown_as_long_as_nobody_stops(run):
    lines = "class Half:\n def __del__(self): self.made\nworking(Half)"
    code, _, err = run(lines, *INDEX)
    assert code == 0
    assert "Exception ignored in" in err
    assert "AttributeError" in err


def test_ctrl_c_while_a_block_is_entered_comes_inside_it(run):
    lines = """
import contextlib
@contextlib.contextmanager
def place():
    print("made", flush=True)
    ctrl_c()
    try:
        yield
    finally:
        print("removed", flush=True)
def use():
    with place():
        time.sleep(60)
working(use)
"""
    assert run(lines, *INDEX) == (130, "made\nremoved\n", LINE)


def test_ctrl_c_that_is_blocked_waits_for_the_end_of_the_block(run):
    lines = """
def block():
    import threading
    from imgbatch.runners.signals import interrupts_blocked
    here = threading.Event()
    other = threading.Thread(target=lambda: (here.wait(), signal.raise_signal(signal.SIGINT)))
    other.start()  # it receives the signal, and this thread handles it
    with interrupts_blocked():
        here.set()
        other.join()
        time.sleep(0.1)
        print("whole", flush=True)
    time.sleep(60)
working(block)
"""
    assert run(lines, *INDEX) == (130, "whole\n", LINE)


@pytest.mark.parametrize("name", ["out.csv", "out.npz", "out.parquet"])
@pytest.mark.parametrize("step", [("call", "touch"), ("return", "touch"), ("call", "replace")])
def test_ctrl_c_leaves_no_temporary_file_beside_an_export(run, tmp_path, name, step):
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    event, function = step
    target = tmp_path / "results" / name
    lines = f"at({event!r}, {function!r}, 'pathlib.py')"
    result = run(lines, "export", "{folder}", "--index", "{index}", "--to", str(target))
    assert result[0] == 130
    assert result[2] == LINE
    assert set(target.parent.glob("*")) <= {target}


def test_a_second_ctrl_c_ends_the_command_at_once(run):
    lines = """
def stubborn():
    try:
        ctrl_c()
    finally:
        ctrl_c()
        time.sleep(60)
working(stubborn)
"""
    assert run(lines, *INDEX) == STOPPED


def test_a_second_ctrl_c_does_not_wait_for_an_import(run):
    lines = """
def slow():
    ctrl_c(2)
    time.sleep(60)
at_import("cv2", slow)
"""
    assert run(lines, "index", "{folder}", "--index", "{new}", "--workers", "1") == STOPPED


def test_a_second_ctrl_c_ends_the_workers_too(run):
    lines = """
def stubborn():
    import subprocess
    from loky import ProcessPoolExecutor
    pool = ProcessPoolExecutor(2)
    pids = {future.result() for future in [pool.submit(os.getpid) for _ in range(4)]}
    print(*pids, flush=True)
    ctrl_c(2)
working(stubborn)
"""
    code, out, err = run(lines, *INDEX)
    assert code == 130
    assert err == LINE
    pids = [int(pid) for pid in out.split()]
    deadline = time.monotonic() + 10
    while any(map(runs, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(runs, pids))


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


AT_EXIT = "def add():\n import atexit\n atexit.register(ctrl_c)\n"
WHILE_THREADS_ARE_JOINED = """
def add():
    import threading
    threading.Thread(target=wait, args=[threading.main_thread()]).start()
def wait(main):
    main.join()
    time.sleep(0.1)
    ctrl_c()
"""


@pytest.mark.parametrize("later", [AT_EXIT, WHILE_THREADS_ARE_JOINED], ids=["callback", "threads"])
def test_ctrl_c_at_exit_keeps_the_whole_result_and_adds_one_line(run, later):
    code, out, err = run(f"{later}\nworking(add)", *SIMILAR)
    assert (code, err) == (130, LINE)
    assert len(json.loads(out)["images"]) == 10


def test_ctrl_c_at_exit_adds_nothing_to_the_line_of_an_error(run):
    lines = f"{AT_EXIT}\nat('call', 'settings_of', 'cli/common.py', add)"
    code, out, err = run(lines, "index", "{folder}", "--index", "{index}", "--workers", "-1")
    assert (code, out) == (130, "")
    assert err.startswith("error: --workers is -1")
    assert err.count("\n") == 1


def test_ctrl_c_while_python_ends_changes_nothing(run):
    lines = """
class Last:
    def __del__(self, ctrl_c=ctrl_c):
        ctrl_c()
import builtins
builtins.last = Last()  # removed at the very end
"""
    code, out, err = run(lines, *SIMILAR)
    assert (code, err) == (0, "")
    assert len(json.loads(out)["images"]) == 10


def test_a_background_job_goes_on(run):
    lines = "signal.signal(signal.SIGINT, signal.SIG_IGN)\nworking(ctrl_c)"
    code, out, err = run(lines, *SIMILAR)
    assert (code, err) == (0, "")
    assert len(json.loads(out)["images"]) == 10


def test_the_library_leaves_signals_and_hooks_alone(indexed):
    lines = (
        "import signal, sys; before = signal.getsignal(signal.SIGINT), sys.unraisablehook;"
        "import imgbatch; imgbatch.load; from imgbatch.cli import common, app;"
        "assert (signal.getsignal(signal.SIGINT), sys.unraisablehook) == before"
    )
    subprocess.run([sys.executable, "-c", lines], env=environment(), check=True, timeout=60)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_ctrl_c_at_a_random_moment_is_one_line(indexed, start, tmp_path, seed):
    generator = random.Random(seed)
    arguments = generator.choice([("--help",), ("config",), SIMILAR, INDEX])
    places = {"folder": indexed.folder, "index": indexed.index}
    process = start(*(argument.format(**places) for argument in arguments), start_new_session=True)
    time.sleep(generator.uniform(0, 0.6))
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    text = err.decode()
    if process.returncode == 0:
        assert text == ""
        assert out
    elif process.returncode == 130:
        assert text.startswith("stopped; ")
        assert text.count("\n") == 1
    else:  # Python itself was still starting
        assert process.returncode in {-signal.SIGINT, 1}
        assert str(Path(ROOT) / "imgbatch") not in text
