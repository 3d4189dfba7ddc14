"""Files beside the answer: one that cannot be written does not cost the answer."""

import contextlib
import sys
from collections.abc import Iterator

from imgbatch.cli.common import note
from imgbatch.cli.streams import discard_results
from imgbatch.errors import ImgbatchError, OutputError


class Unwritten:
    """What could not be written so far; `answer_first` makes it."""

    def __init__(self) -> None:
        self.asked_for: list[ImgbatchError] = []
        self.by_default: list[ImgbatchError] = []

    @contextlib.contextmanager
    def remembered(self, *, asked: bool) -> Iterator[None]:
        """Keep the error of a block that writes a file; `asked` if the user asked for the file."""
        try:
            yield
        except MemoryError:
            self._keep(OutputError("a picture needs more memory than there is"), asked=asked)
        except ImgbatchError as error:
            self._keep(error, asked=asked)

    def _keep(self, error: ImgbatchError, *, asked: bool) -> None:
        (self.asked_for if asked else self.by_default).append(error)


@contextlib.contextmanager
def answer_first() -> Iterator[Unwritten]:
    """Tell what the block could not write, after it has printed the answer.

    A file that nobody asked for is a note. One that the user asked for is an error at the end, so
    that scripts see it.

    Raises
    ------
    OutputError
        Files that were asked for could not be written, or the answer could not be printed.
    """
    unwritten = Unwritten()
    try:
        yield unwritten
        sys.stdout.flush()  # an error ends the command without another chance
    except BrokenPipeError:
        discard_results()  # the reader has left; what could not be written is told all the same
    except OutputError:
        note(error.message for error in (*unwritten.asked_for, *unwritten.by_default))
        raise
    note(str(error) for error in unwritten.by_default)
    if unwritten.asked_for:
        lines = "; ".join(error.message for error in unwritten.asked_for)
        raise OutputError(lines, unwritten.asked_for[0].hint)
