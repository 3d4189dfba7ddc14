"""The files that show a selection; the ending of a name says which one it is."""

from pathlib import Path
from typing import Protocol

from imgbatch.config.schema import Config
from imgbatch.errors import UsageError
from imgbatch.outputs.base import Result, WrittenFile
from imgbatch.outputs.sheet import FORMATS, Grid, write_sheet

PAGE = ".html"
"""The ending of pages."""


class FileOutput(Protocol):
    """One way to write a result to a file."""

    def __call__(
        self, result: Result, target: Path, config: Config, /
    ) -> tuple[WrittenFile, tuple[str, ...]]:
        """Write the result to an absolute path; returns the file, and notes for the user."""
        ...


def _sheet(result: Result, target: Path, config: Config) -> tuple[WrittenFile, tuple[str, ...]]:
    notes = write_sheet(result, target, config.sheet)
    images = len(result.selection.images)
    shown = Grid.fitting(images, config.sheet, target).shown
    return WrittenFile("sheet", target, target.stat().st_size, shown, images), notes


def _page(result: Result, target: Path, config: Config) -> tuple[WrittenFile, tuple[str, ...]]:
    from imgbatch.outputs.pages import selection_page, write_page

    return write_page(selection_page(result.selection, config, result.command), target, config), ()


def _rows(result: Result, target: Path, _config: Config) -> tuple[WrittenFile, tuple[str, ...]]:
    from imgbatch.outputs.rows import write_rows

    write_rows(result.selection, target)
    images = len(result.selection.images)
    return WrittenFile("rows", target, target.stat().st_size, images, images), ()


FILE_OUTPUTS: dict[str, FileOutput] = {
    PAGE: _page,
    **dict.fromkeys(FORMATS, _sheet),
    ".csv": _rows,
}
"""What a selection can be written as, by ending. A new output needs a function and a line here."""


def file_output(path: Path) -> FileOutput:
    """What writes a selection to a file of this name.

    Raises
    ------
    UsageError
        Nothing writes files with this ending.

    Examples
    --------
    >>> file_output(Path("sheet.bmp"))
    Traceback (most recent call last):
    imgbatch.errors.UsageError: sheet.bmp has the ending '.bmp' (use .html for a page, .jpg, .jpeg, .png or .webp for a contact sheet, .csv for rows)
    """  # noqa: E501 - the message is one line
    output = FILE_OUTPUTS.get(path.suffix.lower())
    if output is None:
        *some, last = FORMATS
        raise UsageError(
            f"{path} has the ending {path.suffix or 'none'!r}",
            f"use {PAGE} for a page, {', '.join(some)} or {last} for a contact sheet,"
            " .csv for rows",
        )
    return output


def check_page_path(option: str, path: Path) -> None:
    """Raise `UsageError` unless the name of a page ends in .html.

    Examples
    --------
    >>> check_page_path("--report", Path("report.html"))
    """
    if path.suffix.lower() != PAGE:
        raise UsageError(
            f"{option} {path} has the ending {path.suffix or 'none'!r}", f"a page ends in {PAGE}"
        )
