"""Files beside a command's answer: `-o`, whose ending says what is written."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import typer

from imgbatch.cli.common import note
from imgbatch.cli.options import OUTPUT, target_path
from imgbatch.cli.unwritten import Unwritten, answer_first
from imgbatch.errors import UsageError

if TYPE_CHECKING:
    from imgbatch.config.schema import Config
    from imgbatch.outputs.base import WrittenFile
    from imgbatch.types import Progress

Write = Callable[[Path], "WrittenFile | None"]
"""What writes a file of an answer to an absolute path. None: there was nothing to draw."""

ShowAnswer = Callable[[list["WrittenFile"]], None]
"""What prints an answer, given the files that were written beside it."""


class WithPath(Protocol):
    """An image of an answer."""

    @property
    def path(self) -> str:
        """Its absolute path, or URL."""
        ...


def output_option(what: str) -> Any:
    """The option -o of a command; `what` says in its help what is written, by ending."""
    return typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        parser=target_path,
        help=f"{what} May be repeated.",
        rich_help_panel=OUTPUT,
    )


def check_output_files(
    outputs: Sequence[Path],
    endings: Mapping[str, str],
    *,
    folders: Sequence[str],
    inputs: Sequence[str | None] = (),
) -> None:
    """Raise an error for files that cannot be written, before any work is done.

    Parameters
    ----------
    outputs
        As given.
    endings
        What a file of each ending is, in words.
    folders
        Image folders, in which nothing is written.
    inputs
        Files that the command reads.

    Raises
    ------
    UsageError
        A file has another ending, is an input, lies among the images, or was given twice.
    OutputError
        A file cannot be written there.
    """
    from imgbatch.files.readonly import refuse_inside
    from imgbatch.files.targets import check_file, refuse_input
    from imgbatch.outputs.files import check_ending

    for path in outputs:
        check_ending(path, endings)
        refuse_input("-o", path, *inputs)
        for folder in folders:
            refuse_inside(path, folder, "-o")
        check_file(path)
    if len({path.absolute() for path in outputs}) < len(outputs):
        raise UsageError("-o was given twice with one file", "give each file once")


def print_paths(paths: Sequence[str], *, null: bool) -> None:
    """Print paths, a line for each or with NUL after each; tell of paths that are several lines."""
    from imgbatch.outputs.paths import write_paths

    write_paths(paths, null=null)
    broken = 0 if null else sum("\n" in path for path in paths)
    if broken:
        note([f"lines are not paths, as {broken} of these hold a newline; give -0"])


def open_file(path: Path) -> list[str]:
    """Open a file in the program that the system has for it; a note if there is none."""
    try:
        failed = typer.launch(str(path))
    except OSError:
        failed = 1
    return [f"--open: no program could be started for {path}"] if failed else []


def or_paths(
    show: ShowAnswer, images: Iterable["WithPath"], *, paths: bool, null: bool
) -> ShowAnswer:
    """What prints an answer: `show`, or with --paths what prints the paths of its images."""
    if not paths:
        return show
    return lambda _: print_paths([image.path for image in images], null=null)


def writing(
    answer: object, config: "Config", line: str, progress: "Progress | None" = None
) -> Write:
    """What writes files of an answer; see `outputs.answers.write_answer`."""
    from imgbatch.outputs.answers import write_answer

    return lambda path: write_answer(answer, path, config, line, progress)


def show_answer(
    outputs: Sequence[Path],
    write: Write,
    show: ShowAnswer,
    notes: Iterable[str],
    *,
    asked: bool = True,
) -> None:
    """Write files, print the answer that lists them, then remarks; see `answer_first`.

    Parameters
    ----------
    outputs, write, asked
        As of `write_output_files`.
    show
        Prints the answer, given the files written.
    notes
        Remarks for the user; a file that cannot be written does not cost them.
    """
    with answer_first() as unwritten:
        show(write_output_files(outputs, write, unwritten, asked=asked))
        note(notes)


def write_output_files(
    outputs: Sequence[Path], write: Write, unwritten: Unwritten, *, asked: bool = True
) -> "list[WrittenFile]":
    """Write files, which the user has asked for; what fails is remembered, the others written."""
    files = list["WrittenFile"]()
    for path in (path.absolute() for path in outputs):
        with unwritten.remembered(asked=asked):
            if (file := write(path)) is None:
                note([f"{path} is not made, as there is nothing to draw"])
            else:
                files.append(file)
    return files
