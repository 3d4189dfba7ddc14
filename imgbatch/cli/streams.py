"""Standard output and error of the command: every name can be written, and no result is lost."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO, TextIO, cast

from imgbatch.errors import OutputError

_HINT = "write to a terminal, or to a file with free space"


class ResultStream:
    """Standard output whose failures are an `OutputError`, so that no result is lost in silence.

    A reader that leaves early is no failure: `BrokenPipeError` passes as it is.

    Parameters
    ----------
    stream
        The stream to write to; None if the process was started without standard output.
    """

    def __init__(self, stream: TextIO | BinaryIO | None) -> None:
        self._stream = stream

    def write(self, text: Any) -> int:
        """Write text, or bytes to `buffer`; see `TextIO.write`."""
        if self._stream is None:
            raise OutputError("standard output is closed, so that the result is lost", _HINT)
        with _failures_named():
            return self._stream.write(text)

    def flush(self) -> None:
        """Write what is buffered."""
        if self._stream is not None:
            with _failures_named():
                self._stream.flush()

    @property
    def buffer(self) -> "ResultStream":
        """The same for bytes."""
        return ResultStream(None if self._stream is None else self.__getattr__("buffer"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def _failures_named() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_results()
        reason = error.strerror or error
        raise OutputError(f"standard output cannot be written: {reason}", _HINT) from None


def discard_results() -> None:
    """Send to nowhere what is still buffered for standard output, and all that follows."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


def prepare_streams() -> None:
    """Make standard output and error fit for results.

    Characters that the terminal's encoding lacks are written as escapes. A standard error that was
    closed by whoever started the process is replaced by the null device.
    """
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for good
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if not isinstance(sys.stdout, ResultStream):
        sys.stdout = cast(TextIO, ResultStream(sys.stdout))
