"""The ending of a file's name says what it is: a page, a sheet or picture, rows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from imgbatch.errors import UsageError
from imgbatch.outputs.sheet import FORMATS

PAGE, ROWS = ".html", ".csv"
Kind = TypeVar("Kind")


def by_ending(page: Kind, sheet: Kind, rows: Kind) -> dict[str, Kind]:
    """What stands for each kind of file, by the endings of such files.

    >>> by_ending("a page", "a sheet", "rows")[".png"]
    'a sheet'
    """
    return {PAGE: page, **dict.fromkeys(FORMATS, sheet), ROWS: rows}


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
