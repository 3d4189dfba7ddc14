"""``duplicates``: show what is there twice, and move it aside if asked."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgbatch.cli.common import command, note, open_folder
from imgbatch.cli.options import FolderOptions, Json, target_path
from imgbatch.cli.output_files import (
    check_output_files,
    output_option,
    print_paths,
    write_output_files,
    writing,
)
from imgbatch.cli.repeating import command_line
from imgbatch.cli.unwritten import answer_first
from imgbatch.errors import OutputError, UsageError
from imgbatch.files.names import number_of

if TYPE_CHECKING:
    from imgbatch.copies.journal import Moved
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
    output_option(
        "Write the groups here: a page (.html), a contact sheet (.jpg, .png, .webp), rows (.csv)."
    ),
]
Extras = Annotated[
    bool,
    typer.Option("--paths", help="Print only the paths of what --move-to would move, one a line."),
]
_OPTIONS = FolderOptions()
_Stay = tuple[tuple[str, str], ...]
"""Paths of files that stay, with reasons."""


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
    paths: Extras = False,
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

    finished = _finish_pending(move_to, Path(folder)) if apply and move_to is not None else []
    photos = open_folder(folder, options)
    others = None if against is None else open_folder(against, options)
    found = photos.duplicates(level, against=others)
    images, stay = _movable(found, asked=paths or move_to is not None)
    if move_to is not None:
        _refuse_ways_back(images, move_to, [found.folder, *([against] if against else [])])
    with answer_first() as unwritten:
        write = writing(found, photos.config, command_line(context))
        files = write_output_files(output or [], write, unwritten)
        moved = None
        if move_to is not None:
            with unwritten.remembered(asked=True):
                moved = _moved(images, stay, move_to.absolute(), found.folder, apply=apply)
        if paths:
            _print_paths(images, moved, null=options.null)
        else:
            write_duplicates(found, files, moved, json=json)
        note((*finished, *photos.notes, *found.notes))
        note(f"{path} stays: {reason}" for path, reason in (moved.left if moved else stay))
        if moved is not None and moved.applied and moved.left and not moved.files:
            raise OutputError("no file was moved", "see above why each of them stays")


def _movable(found: "Duplicates", *, asked: bool) -> "tuple[list[DuplicateImage], _Stay]":
    from imgbatch.copies.movable import movable

    return movable(found) if asked else ([], ())


def _print_paths(images: "list[DuplicateImage]", moved: "MoveReport | None", *, null: bool) -> None:
    """The paths of what could go, or from which files were moved; then how to undo it."""
    unmoved = {path for path, _ in moved.left} if moved is not None else set()
    print_paths([image.path for image in images if image.path not in unmoved], null=null)
    if moved is not None and moved.journal is not None:
        to = f"{number_of(moved.files, 'file')} moved to {moved.to}"
        note((f"{to}; imgbatch duplicates --undo {moved.journal} takes them back",))


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
    from imgbatch.files.targets import check_folder
    from imgbatch.outputs.files import ENDINGS
    from imgbatch.selection.duplicates import check_level

    check_level(level)
    if apply and move_to is None:
        raise UsageError("--apply was given without --move-to", "give --move-to DIR")
    if against is not None and os.path.realpath(against) == os.path.realpath(folder):
        raise UsageError(f"--against {against} is FOLDER itself", "give another folder")
    if against is not None and _one_in_the_other(folder, against):
        raise UsageError(
            f"of FOLDER and --against {against} one lies in the other",
            "give folders that have no files in common",
        )
    if move_to is not None and is_url(folder):
        raise UsageError(f"{folder} is a URL, of which no file is moved", "leave --move-to out")
    folders = [images for images in (folder, against) if images is not None]
    check_output_files(outputs, ENDINGS, folders=folders)
    if move_to is not None:
        for images in folders:
            _refuse_inside(move_to, images)
        check_folder(move_to)


def _refuse_inside(move_to: Path, images: str) -> None:
    from imgbatch.files.readonly import lies_inside

    if lies_inside(move_to, images):
        raise UsageError(
            f"--move-to {move_to} lies inside the image folder {images}, where the moved files "
            "would be found again",
            "choose a place outside it",
        )


def _refuse_ways_back(images: "list[DuplicateImage]", move_to: Path, folders: list[str]) -> None:
    """Links and mounts in the target may lead into a folder of images, even to the image itself."""
    from imgbatch.files.readonly import lies_inside

    directory = move_to.absolute()
    for place in sorted({os.path.dirname(_target(directory, image)) for image in images}):
        for folder in folders:
            if lies_inside(place, folder):
                raise UsageError(
                    f"of --move-to {move_to}, {place} lies inside the image folder {folder}",
                    "take the link away, or choose another place",
                )


def _one_in_the_other(a: str, b: str) -> bool:
    a, b = (os.path.join(os.path.realpath(folder), "") for folder in (a, b))
    return a.startswith(b) or b.startswith(a)


def _moved(
    images: "list[DuplicateImage]", stay: "_Stay", directory: Path, folder: str, *, apply: bool
) -> "MoveReport":
    """Move what could go, or say what would be moved."""
    from imgbatch.copies.journal import move_files, pending_journals
    from imgbatch.outputs.duplicates import MoveReport

    size = sum(image.size for image in images)
    if not apply or not images:
        return MoveReport(str(directory), len(images), size, applied=apply, left=stay)
    try:
        moves = [(image.path, _target(directory, image)) for image in images]
        moved = move_files(moves, directory, Path(folder))
    except KeyboardInterrupt:
        note(
            f"files were being moved; the same command goes on, --undo {journal} takes them back"
            for journal in pending_journals(directory)
        )
        raise
    left = (*stay, *moved.left)
    unmoved = {path for path, _ in moved.left}
    size = sum(image.size for image in images if image.path not in unmoved)
    journal = str(moved.journal) if moved.files else None
    return MoveReport(str(directory), moved.files, size, journal, left, applied=True)


def _target(directory: Path, image: "DuplicateImage") -> str:
    return os.path.join(directory, *image.relative.split("/"))


def _finish_pending(directory: Path, folder: Path) -> list[str]:
    from imgbatch.copies.journal import finish_pending

    return [
        f"{moved.journal} was not finished; its {moved.files:,} files are moved now"
        for moved in finish_pending(directory, folder)
    ]


def _undo(journal: Path, *, json: bool) -> None:
    from imgbatch.copies.journal import undo
    from imgbatch.outputs.duplicates import write_undone

    moved: Moved = undo(journal)
    write_undone(moved.journal, moved.files, moved.left, json=json)
    if moved.left:
        note(f"{path} stays: {reason}" for path, reason in moved.left)
        raise OutputError(
            f"{number_of(len(moved.left), 'file')} could not be moved back",
            "see above why; where other files are in the way, make room and undo again",
        )
