"""``duplicates``: show what is there twice, and move it aside if asked."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgbatch.cli.common import command, note, open_folder
from imgbatch.cli.options import FolderOptions, Json, target_path
from imgbatch.cli.repeating import command_line
from imgbatch.cli.unwritten import Unwritten, answer_first
from imgbatch.errors import OutputError, UsageError

if TYPE_CHECKING:
    from imgbatch.collection import Collection
    from imgbatch.copies.journal import Moved
    from imgbatch.outputs.base import WrittenFile
    from imgbatch.outputs.duplicates import MoveReport
    from imgbatch.types import DuplicateImage, Duplicates

Folder = Annotated[
    str | None,
    typer.Argument(
        metavar="FOLDER", help="Folder of images; only --apply and --undo move files of it."
    ),
]
Level = Annotated[
    str,
    typer.Option(
        metavar="LEVEL",
        help="exact: equal files; copies: resized, recompressed, recoloured, too; edited: cropped, "
        "mirrored, turned, marked, too; scene: the same place or object, too.",
    ),
]
Against = Annotated[
    str | None,
    typer.Option(metavar="FOLDER2", help="Find only what FOLDER2 has, too; FOLDER2 is kept."),
]
MoveTo = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        parser=target_path,
        help="Say what would be moved there: all but the kept image of each group, never a scene.",
    ),
]
Apply = Annotated[bool, typer.Option("--apply", help="Move the files; DIR gets a journal.")]
Undo = Annotated[
    Path | None,
    typer.Option(metavar="JOURNAL", help="Move the files of a journal back; needs no FOLDER."),
]
Outputs = Annotated[
    list[Path] | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        parser=target_path,
        help="Write the groups here: a page (.html), a contact sheet (.jpg, .png, .webp), rows "
        "(.csv). May be repeated.",
    ),
]
_OPTIONS = FolderOptions()


@command
def duplicates(
    context: typer.Context,
    folder: Folder = None,
    level: Level = "edited",
    against: Against = None,
    move_to: MoveTo = None,
    apply: Apply = False,
    undo: Undo = None,
    json: Json = False,
    output: Outputs = None,
    options: FolderOptions = _OPTIONS,
) -> None:
    """Find near-duplicates, and say which image of each group is worth keeping.

    Nothing is moved unless --apply is given.
    """
    if undo is not None:
        _undo(undo, json=json)
        return
    if folder is None:
        raise UsageError("no folder was given", "give the folder that holds the images")
    _check(folder, level, against, move_to, output or [], apply=apply)
    from imgbatch.outputs.duplicates import write_duplicates

    finished = _finish_pending(move_to) if apply and move_to is not None else []
    photos = open_folder(folder, options)
    others = None if against is None else open_folder(against, options)
    found = photos.duplicates(level, against=others)
    with answer_first() as unwritten:
        line = command_line(context)
        files = _written(photos, found, output or [], line, unwritten)
        moved = None
        if move_to is not None:
            with unwritten.remembered(asked=True):
                moved = _moved(found, move_to.absolute(), apply=apply)
        write_duplicates(found, files, moved, json=json)
        note((*finished, *photos.notes, *found.notes))
        note(f"{path} stays: {reason}" for path, reason in (moved.left if moved else ()))


def _check(
    folder: str,
    level: str,
    against: str | None,
    move_to: Path | None,
    outputs: list[Path],
    *,
    apply: bool,
) -> None:
    from imgbatch.files.paths import is_url
    from imgbatch.files.readonly import refuse_inside
    from imgbatch.files.targets import check_file, check_folder
    from imgbatch.outputs.files import file_output
    from imgbatch.selection.duplicates import check_level

    check_level(level)
    if apply and move_to is None:
        raise UsageError("--apply was given without --move-to", "give --move-to DIR")
    if against is not None and os.path.realpath(against) == os.path.realpath(folder):
        raise UsageError(f"--against {against} is FOLDER itself", "give another folder")
    if move_to is not None and is_url(folder):
        raise UsageError(f"{folder} is a URL, of which no file is moved", "leave --move-to out")
    for path in outputs:
        file_output(path)
    places = [("-o", path, check_file) for path in outputs]
    places += [] if move_to is None else [("--move-to", move_to, check_folder)]
    for option, path, check in places:
        for images in (folder, against):
            if images is not None:
                refuse_inside(path, images, option)
        check(path)


def _written(
    photos: "Collection",
    found: "Duplicates",
    outputs: list[Path],
    line: str,
    unwritten: Unwritten,
) -> list["WrittenFile"]:
    """Write the files asked for."""
    from imgbatch.outputs.base import WrittenFile
    from imgbatch.outputs.duplicates import write_duplicate_rows, write_duplicate_sheet
    from imgbatch.outputs.files import PAGE

    images = sum(len(group.images) for group in found.groups)
    files = []
    for path in (path.absolute() for path in outputs):
        with unwritten.remembered(asked=True):
            if path.suffix.lower() == PAGE:
                from imgbatch.outputs.pages import duplicates_page, write_page

                page = duplicates_page(found, photos.config, line)
                files.append(write_page(page, path, photos.config))
            elif path.suffix.lower() == ".csv":
                write_duplicate_rows(found, path)
                files.append(WrittenFile("rows", path, path.stat().st_size, images, images))
            elif not images:
                note([f"no sheet {path} is made, as there are no groups"])
            else:
                shown = write_duplicate_sheet(found, path, photos.config)
                files.append(WrittenFile("sheet", path, path.stat().st_size, shown, images))
    return files


def _moved(found: "Duplicates", directory: Path, *, apply: bool) -> "MoveReport":
    """Move what could go, or say what would be moved."""
    from imgbatch.copies.journal import move_files
    from imgbatch.outputs.duplicates import MoveReport

    movable = [
        image
        for group in found.groups
        for image in group.images
        if not image.keep and image.kind != "scene"
    ]
    size = sum(image.size for image in movable)
    if not apply or not movable:
        return MoveReport(str(directory), len(movable), size)
    moved = move_files([(image.path, _target(directory, image)) for image in movable], directory)
    left = {path for path, _ in moved.left}
    size = sum(image.size for image in movable if image.path not in left)
    return MoveReport(str(directory), moved.files, size, str(moved.journal), moved.left)


def _target(directory: Path, image: "DuplicateImage") -> str:
    return os.path.join(directory, *image.relative.split("/"))


def _finish_pending(directory: Path) -> list[str]:
    from imgbatch.copies.journal import finish_pending

    return [
        f"{moved.journal} was not finished; its {moved.files:,} files are moved now"
        for moved in finish_pending(directory)
    ]


def _undo(journal: Path, *, json: bool) -> None:
    from imgbatch.copies.journal import undo
    from imgbatch.outputs.duplicates import write_undone

    moved: Moved = undo(journal)
    write_undone(moved.journal, moved.files, moved.left, json=json)
    if moved.left:
        note(f"{path} stays: {reason}" for path, reason in moved.left)
        raise OutputError(
            f"{len(moved.left):,} files could not be moved back",
            "make room for them, and undo again",
        )
