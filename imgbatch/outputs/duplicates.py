"""What `duplicates` shows: a table of groups, a JSON document, rows, a sheet."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from imgbatch.config.schema import Config
from imgbatch.files.names import number_of
from imgbatch.outputs.base import StandardOutput, WrittenFile, files_document, size_in_words
from imgbatch.outputs.json import print_json
from imgbatch.outputs.pictures import load_picture
from imgbatch.outputs.rows import writing_rows
from imgbatch.outputs.sheet import Cell, name_in_folder, write_cells
from imgbatch.printable import printable
from imgbatch.types import DuplicateGroup, DuplicateImage, Duplicates

_TABLE_GROUPS = 20
_TABLE_MEMBERS = 6


@dataclass(frozen=True, slots=True)
class MoveReport:
    """What was moved, or would be.

    Attributes
    ----------
    to
        The folder that the files go to.
    files
        How many files.
    bytes
        Their size.
    journal
        The journal that takes the moves back; None if nothing was moved.
    left
        Files that are left where they are, with reasons.
    applied
        Whether files were to be moved, or only named.
    """

    to: str
    files: int
    bytes: int
    journal: str | None = None
    left: tuple[tuple[str, str], ...] = ()
    applied: bool = False


def write_duplicates(
    found: Duplicates, files: Sequence[WrittenFile], moved: MoveReport | None, *, json: bool
) -> None:
    """Print groups as a table, or as one JSON document."""
    if json:
        print_json(duplicates_document(found, files, moved))
        return
    console = StandardOutput()
    if found.groups:
        console.print(_table(found))
    console.print_fact("found", _in_words(found))
    if len(found.groups) > _TABLE_GROUPS:
        console.print_fact(
            "more",
            f"{number_of(len(found.groups) - _TABLE_GROUPS, 'group')}; -o FILE.csv lists all",
        )
    console.print_files(files)
    if moved is not None:
        console.print_fact("move", _moved_in_words(moved))
        if moved.journal is not None:
            console.print_fact("undo", f"imgbatch duplicates --undo {moved.journal}")


def duplicates_document(
    found: Duplicates, files: Sequence[WrittenFile], moved: MoveReport | None
) -> dict[str, Any]:
    """The groups as values for JSON; the keys are a contract, see DESIGN.md."""
    return {
        "folder": found.folder,
        "level": found.level,
        "against": found.against or None,
        "groups": [asdict(group) for group in found.groups],
        "extra": found.extra,
        "indexed": found.indexed,
        "moved": None if moved is None else asdict(moved),
        "files": files_document(files),
        "seconds": round(found.seconds, 3),
        "notes": list(found.notes),
    }


def _in_words(found: Duplicates) -> str:
    images, groups = number_of(found.indexed, "image"), number_of(len(found.groups), "group")
    if not found.groups:
        where = f" that {printable(found.against)} has, too" if found.against else ""
        return f"no near-duplicates{where} among {images} (level {found.level})"
    size = sum(image.size for group in found.groups for image in group.images if not image.keep)
    return f"{found.extra:,} of {images} could go ({size_in_words(size)}), in {groups}"


def _moved_in_words(moved: MoveReport) -> str:
    files = f"{number_of(moved.files, 'file')} ({size_in_words(moved.bytes)})"
    left = f"; {len(moved.left):,} left where they are" if moved.left else ""
    if not moved.files:
        return f"nothing {'was' if moved.applied else 'would be'} moved{left}"
    if not moved.applied:
        return f"{files} would go to {moved.to}; --apply moves them{left}"
    return f"{files} moved to {moved.to}{left}"


def _table(found: Duplicates) -> Table:
    table = Table(title_justify="left")
    table.add_column("#", justify="right")
    table.add_column("image", overflow="fold")
    table.add_column("kind")
    table.add_column("score", justify="right")
    table.add_column("pixels", justify="right")
    table.add_column("size", justify="right")
    for number, group in enumerate(found.groups[:_TABLE_GROUPS], start=1):
        shown = group.images[:_TABLE_MEMBERS]
        for image in shown:
            kind = f"keep: {image.reason}" if image.keep else image.kind
            table.add_row(
                str(number) if image.keep else "",
                printable(_name(image, found)),
                kind,
                "" if image.keep else f"{image.score:.2f}",
                f"{image.width}x{image.height}",
                size_in_words(image.size),
                style="bold" if image.keep else "",
            )
        if len(shown) < len(group.images):
            table.add_row("", f"and {len(group.images) - len(shown):,} more", "", "", "", "")
        table.add_section()
    return table


def _name(image: DuplicateImage, found: Duplicates) -> str:
    """The path inside the folder; of the other folder's images the whole path."""
    return image.path if image.keep and found.against else image.relative


def write_duplicate_rows(found: Duplicates, target: Path) -> WrittenFile:
    """Write a row for each image: group, group's kind, path and all that is known of it.

    ``path`` is absolute; bytes that are no valid text are written as they are.
    """
    names = ("path", "keep", "kind", "score", "width", "height", "size", "reason")
    with writing_rows(target) as write:
        write(["group", "group_kind", *names])
        for number, group in enumerate(found.groups, start=1):
            for image in group.images:
                values = asdict(image) | {"keep": int(image.keep)}
                write([number, group.kind, *(values[name] for name in names)])
    return WrittenFile.of("rows", target, *2 * (_images(found),))


def write_duplicate_sheet(found: Duplicates, target: Path, config: Config) -> WrittenFile | None:
    """Draw the groups one after the other, kept images framed; None if there are none."""
    images = [
        (number, image) for number, group in enumerate(found.groups, 1) for image in group.images
    ]

    def cell(numbered: tuple[int, DuplicateImage]) -> Cell:
        number, image = numbered
        picture = load_picture(image.path, config, config.sheet.cell_px)
        detail = "keep" if image.keep else f"{image.kind} {image.score:.2f}"
        return Cell(
            picture, f"{number}  {printable(name_in_folder(image.path))}", detail, image.keep
        )

    title = f"near-duplicates - {Path(found.folder).name} - {found.level}"
    return write_cells(images, cell, title, target, config.sheet)


def _images(found: Duplicates) -> int:
    return sum(len(group.images) for group in found.groups)


def group_heading(number: int, group: DuplicateGroup) -> str:
    """What stands above a group."""
    return f"Group {number}: {group.kind}, {number_of(len(group.images), 'image')}"


def write_undone(journal: Path, files: int, left: Sequence[tuple[str, str]], *, json: bool) -> None:
    """Print what undoing a journal did."""
    if json:
        print_json({"journal": str(journal), "files": files, "left": [list(pair) for pair in left]})
        return
    console = StandardOutput()
    done = f"{number_of(files, 'file')} moved back"
    if not files and not left:
        never = "the command was killed before its first move"
        why = "the journal was undone before" if journal.exists() else never
        done = f"nothing: every file is in its old place, as {why}"
    console.print_fact("undone", done)
    console.print_fact("journal", str(journal))
