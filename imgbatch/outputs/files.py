"""The files that show a selection; the ending of a name says which one it is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from imgbatch.config.schema import Config
from imgbatch.errors import UsageError
from imgbatch.outputs.base import Result, WrittenFile
from imgbatch.outputs.sheet import FORMATS, first_of, write_sheet

PAGE = ".html"
"""The ending of pages."""
Kind = TypeVar("Kind")


class FileOutput(Protocol):
    """One way to write a result to a file."""

    def __call__(
        self, result: Result, target: Path, config: Config, /
    ) -> tuple[WrittenFile, tuple[str, ...]]:
        """Write the result to an absolute path; returns the file, and notes for the user."""
        ...


def _sheet(result: Result, target: Path, config: Config) -> tuple[WrittenFile, tuple[str, ...]]:
    file = write_sheet(result, target, config.sheet)
    if file.shown == file.images:
        return file, ()
    which = first_of(file.shown, file.images)
    return file, (f"the sheet shows {which}; more do not fit on a page",)


def _page(result: Result, target: Path, config: Config) -> tuple[WrittenFile, tuple[str, ...]]:
    from imgbatch.outputs.pages import selection_page, write_page

    return write_page(selection_page(result.selection, config, result.command), target, config), ()


def _rows(result: Result, target: Path, _config: Config) -> tuple[WrittenFile, tuple[str, ...]]:
    from imgbatch.outputs.rows import write_rows

    write_rows(result.selection, target)
    images = len(result.selection.images)
    return WrittenFile.of("rows", target, images, images), ()


def by_ending(page: Kind, sheet: Kind, rows: Kind) -> dict[str, Kind]:
    """What stands for each kind of file, by the endings of such files.

    >>> by_ending("a page", "a sheet", "rows")[".png"]
    'a sheet'
    """
    return {PAGE: page, **dict.fromkeys(FORMATS, sheet), ".csv": rows}


FILE_OUTPUTS: dict[str, FileOutput] = by_ending(_page, _sheet, _rows)
"""What a selection can be written as, by ending."""
ENDINGS = by_ending("a page", "a contact sheet", "rows")
"""What a file of each ending is, in words."""


def check_ending(path: Path, endings: Mapping[str, str]) -> None:
    """Raise `UsageError` unless a name has one of these endings; each says what such a file is.

    Examples
    --------
    >>> check_ending(Path("sheet.bmp"), ENDINGS)
    Traceback (most recent call last):
    imgbatch.errors.UsageError: sheet.bmp has the ending '.bmp' (use .html for a page, .jpg, .jpeg, .png or .webp for a contact sheet, .csv for rows)
    """  # noqa: E501 - the message is one line
    if path.suffix.lower() in endings:
        return
    kinds = [
        (what, [ending for ending, kind in endings.items() if kind == what])
        for what in dict.fromkeys(endings.values())
    ]
    uses = [f"{_either(names)} for {what}" for what, names in kinds]
    raise UsageError(f"{path} has the ending {path.suffix or 'none'!r}", f"use {', '.join(uses)}")


def _either(names: Sequence[str]) -> str:
    *some, last = names
    return f"{', '.join(some)} or {last}" if some else last


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
