"""Ctrl-C ends the command with one line and exit code 130, whenever it comes.

While a command works, Ctrl-C raises `KeyboardInterrupt`, so that what was begun is cleaned up on
the way out. There are moments when an exception does harm, and what is done instead:

- Before the work there is nothing to clean up, and Python would show a traceback; after it, the
  result is out, and Python would print what it interrupts at exit. The process ends at once.
- Imports turn the exception into others, destructors swallow it, and code that enters or leaves a
  ``with`` block would leave something half made. It is raised a moment later.
- Libraries may swallow it all the same. However the work ends then, it was stopped.

A second Ctrl-C ends the process at once. After the first, nothing else is shown: threads, workers
and half-made objects complain of being stopped. Only the command does all this, `import imgbatch`
does not.

Until `watch` has run, Ctrl-C shows a traceback. So this module imports only what is loaded when
Python starts, or is part of it: `_signal` is what `signal`, which takes 3 ms, is made of.
"""

import _thread
import atexit
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from types import FrameType, TracebackType
else:
    import _signal as signal

LINE = "stopped; what was indexed is kept, the same command goes on from there"
EXIT_CODE = 130
_RETRY_SECONDS = 0.01
_SHOW_CURSOR = b"\x1b[?25h"
"""A progress bar hides it."""
_MODULES = {
    "_frozen_importlib",
    "importlib._bootstrap",
    "weakref",
    "tempfile",
    "imgbatch.files.atomic",
}
_FUNCTIONS = {"__enter__", "__exit__", "enter_context", "__del__"}
"""Neither what these modules and functions do nor what they call is interrupted."""


class _State:
    """How far the command has come; one for the process, as the handler of a signal is."""

    main_thread = 0
    stderr = -1
    """A copy of the descriptor of standard error; -1 if that is closed."""
    working = False
    stopped = False
    """Ctrl-C has come while the command worked."""
    again = False
    """The next signal is that of `_try_again`."""
    telling = False
    told = False
    """The last line is written."""


_state = _State()


def watch() -> None:
    """Let Ctrl-C end this process in one of the ways above, from now on.

    It stays ignored if whoever started the process had it ignored, as shells do for background
    jobs.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        _state.main_thread = _thread.get_ident()
        _take_stderr()
        signal.signal(signal.SIGINT, _on_interrupt)
        sys.unraisablehook = _on_unraisable
        # Handed on to the process that removes, for multiprocessing, what stopped ones leave.
        sys.warnoptions.append("ignore:resource_tracker")
        # Registered first and so called last. What follows is short and calls no more handlers.
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)


def _take_stderr() -> None:
    """Give `sys.stderr` a descriptor of its own; 2 is left to libraries, threads and workers."""
    if sys.stderr is not None:
        _state.stderr = os.dup(2)
        encoding, errors = sys.stderr.encoding, "backslashreplace"
        sys.stderr = open(_state.stderr, "w", 1, encoding, errors, closefd=False)  # noqa: SIM115


def _silence_others() -> None:
    """Send to nowhere what others write to standard error from now on."""
    if _state.stderr >= 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        os.close(null)


class Working:
    """A ``with`` block in which Ctrl-C raises `KeyboardInterrupt`.

    After a Ctrl-C nothing else leaves the block, but for an exit with code 130: its command has
    dealt with the stop.
    """

    def __enter__(self) -> None:
        _state.working = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        _state.working = False
        if getattr(error, "exit_code", None) == EXIT_CODE:
            _state.told = True
        elif _state.stopped and not isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt from error


class Telling:
    """A ``with`` block that writes the last line to standard error; Ctrl-C adds none to it."""

    def __enter__(self) -> None:
        _state.telling = True

    def __exit__(self, *_error: object) -> None:
        _state.told = True
        _state.telling = False


def end_if_stopped() -> None:
    """End the process if Ctrl-C has come: without Python's exit, where half-made objects may hang.

    Standard output is not flushed, so that no part of a result is shown.
    """
    if _state.stopped:
        _end()


def _on_interrupt(_number: int, frame: "FrameType | None") -> None:
    """Handle Ctrl-C, and the signal by which `_try_again` calls once more."""
    blocked = _is_blocked()
    if _state.telling or (blocked and _state.stopped):
        return  # the line, or the exception, is about to come
    if not _state.working or (_state.stopped and not _state.again):
        _end()
    if not _state.stopped:
        _state.stopped = True
        _silence_others()
    _state.again = False
    if not blocked and not _must_wait(frame):
        raise KeyboardInterrupt
    _thread.start_new_thread(_try_again, ())


def _is_blocked() -> bool:
    """Whether the main thread blocks the signal, which another thread has received then."""
    return hasattr(signal, "pthread_sigmask") and signal.SIGINT in signal.pthread_sigmask(
        signal.SIG_BLOCK, ()
    )


def _must_wait(frame: "FrameType | None") -> bool:
    """Whether an exception would do harm in a frame or in one of its callers."""
    while frame is not None:
        if frame.f_code.co_name in _FUNCTIONS or frame.f_globals.get("__name__") in _MODULES:
            return True
        frame = frame.f_back
    return False


def _try_again() -> None:
    """Interrupt the main thread in a moment; runs in a thread of its own."""
    time.sleep(_RETRY_SECONDS)
    _state.again = True
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(_state.main_thread, signal.SIGINT)  # wakes it if it waits
    else:
        _thread.interrupt_main()


def _on_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    """Raise again what a callback swallowed; show other errors as usual."""
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        if not _state.stopped:
            sys.__unraisablehook__(unraisable)
    elif _state.working:
        _thread.start_new_thread(_try_again, ())


def _end() -> None:
    """End this process and those it started, at once; write the line if it was not written."""
    try:
        _end_children()
    finally:  # whatever fails
        try:
            _write_line()
        finally:
            os._exit(EXIT_CODE)


def _end_children() -> None:
    # A module that is just being imported has no such function yet, and no children.
    children = getattr(sys.modules.get("multiprocessing.process"), "active_children", list)
    for child in children():
        try:
            os.kill(child.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        except OSError:  # it has just ended
            continue


def _write_line() -> None:
    if _state.stderr >= 0:  # not by `sys.stderr`, which may be in the middle of writing
        if os.isatty(_state.stderr):
            os.write(_state.stderr, _SHOW_CURSOR)
        if not _state.told:
            os.write(_state.stderr, f"{LINE}\n".encode())
