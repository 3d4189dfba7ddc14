"""``similar`` and ``different``: pick images and show them."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from imgbatch.cli.common import (
    ImageSource,
    command,
    default_picture,
    note,
    open_export,
    open_folder,
    refuse_with_database,
    settings_of,
    use_one_thread,
)
from imgbatch.cli.options import FilterOptions, Folder, FolderOptions
from imgbatch.cli.output_files import check_output_files, open_file, print_paths
from imgbatch.cli.pick_options import Database, Like, MaybeFolder, PickOptions
from imgbatch.cli.repeating import command_line
from imgbatch.cli.terminal import draw
from imgbatch.cli.unwritten import answer_first
from imgbatch.errors import UsageError

if TYPE_CHECKING:
    from imgbatch.config.schema import Config
    from imgbatch.outputs.base import Result, WrittenFile
    from imgbatch.types import Selection

_NO_FOLDER = FolderOptions()
_PICK = PickOptions()
_ALL = FilterOptions()


@command
def similar(
    context: typer.Context,
    folder: MaybeFolder = None,
    like: Like = None,
    pick: PickOptions = _PICK,
    database: Database = None,
    filters: FilterOptions = _ALL,
    options: FolderOptions = _NO_FOLDER,
) -> None:
    """Pick images of one kind: a random anchor and its nearest neighbours."""
    use_one_thread()
    check_outputs(pick, folder, like)
    if database is not None:
        refuse_with_database(filters, options)
        _similar_from_database(context, database, folder, like, pick, options)
        return
    if folder is None:
        raise UsageError("no folder was given", "give the folder that holds the images")
    photos = open_folder(folder, options, filters)
    picked = photos.similar(
        pick.n, like=like, seed=pick.seed, keep_duplicates=pick.keep_duplicates, by=pick.by
    )
    show(photos, picked, pick, command_line(context, seed=picked.seed), null=options.null)


def _similar_from_database(
    context: typer.Context,
    url: str,
    folder: str | None,
    like: str | None,
    pick: PickOptions,
    options: FolderOptions,
) -> None:
    """Answer from the export of a folder."""
    from imgbatch.exports.connection import Address

    if like is None:
        raise UsageError("--from was given without --like", "give --like IMAGE")
    if pick.by is not None:
        raise UsageError("--by was given with --from", "leave it out: an export has no tags")
    images = open_export(url, folder, settings_of(options))
    check_places(pick, images.folder)
    picked = images.similar(pick.n, like=like, seed=pick.seed, keep_duplicates=pick.keep_duplicates)
    line = command_line(context, seed=picked.seed, database=Address.parse(url).shown)
    show(images, picked, pick, line, null=options.null)


@command
def different(
    context: typer.Context,
    folder: Folder,
    pick: PickOptions = _PICK,
    filters: FilterOptions = _ALL,
    options: FolderOptions = _NO_FOLDER,
) -> None:
    """Pick images that differ as much as possible, anew on each request."""
    use_one_thread()
    check_outputs(pick, folder)
    photos = open_folder(folder, options, filters)
    picked = photos.different(
        pick.n, seed=pick.seed, keep_duplicates=pick.keep_duplicates, by=pick.by
    )
    show(photos, picked, pick, command_line(context, seed=picked.seed), null=options.null)


def check_outputs(pick: PickOptions, folder: str | None, like: str | None = None) -> None:
    """Raise an error for outputs that cannot be made, before any work is done."""
    from imgbatch.files.paths import is_url
    from imgbatch.outputs.files import ENDINGS
    from imgbatch.outputs.sheet import FORMATS

    outputs = pick.output or []
    if pick.by not in {None, "tags"}:
        raise UsageError(f"--by {pick.by} was given", "give --by tags, or leave it out")
    if pick.copy_to and pick.link_to:
        raise UsageError("--copy-to and --link-to were both given", "give one of them")
    if pick.no_sheet and any(path.suffix.lower() in FORMATS for path in outputs):
        note(["-o and --no-sheet were both given; no sheet is made"])
    if pick.link_to and folder is not None and is_url(folder):
        raise UsageError(f"{folder} is a URL, to which no link leads", "give --copy-to")
    check_output_files(outputs, ENDINGS, folders=[], inputs=[like])
    if folder is not None:
        check_places(pick, folder)


def check_places(pick: PickOptions, folder: str) -> None:
    """Raise an error if an output would lie in the image folder, or cannot be written there."""
    from imgbatch.files.readonly import refuse_inside
    from imgbatch.files.targets import check_file, check_folder

    outputs = (
        *(("-o", path, check_file) for path in pick.output or ()),
        ("--copy-to", pick.copy_to, check_folder),
        ("--link-to", pick.link_to, check_folder),
    )
    for option, path, check in outputs:
        if path is not None:
            refuse_inside(path, folder, option)
            check(path)


def show(
    images: ImageSource, picked: "Selection", pick: PickOptions, line: str, *, null: bool
) -> None:
    """Write the files, copy or link the images, print the answer; `line` is a command for it."""
    from imgbatch.files.handout import hand_out
    from imgbatch.outputs import OUTPUTS, Pictures, Result

    directory, link = pick.copy_to or pick.link_to, pick.link_to is not None
    files = [image.path for image in picked.images]
    pictures, config = Pictures(files, images.config), _config(images, pick)
    result = Result(
        picked,
        pictures,
        skipped_list=images.skipped_list,
        ignored=images.ignored,
        tag_captions=pick.tag_captions,
    )
    handed_out: list[str] = []
    with answer_first() as unwritten:
        for target in _targets(images, picked, pick):
            with unwritten.remembered(asked=bool(pick.output)):
                if (file := _write(result, target, config, line)) is not None:
                    picked = replace(picked, notes=(*picked.notes, *_left_out(file)))
                    result = replace(result, selection=picked, files=(*result.files, file))
        if directory is not None:
            with unwritten.remembered(asked=True):
                handed_out = [hand_out(files, directory, link=link).in_words()]
        if pick.paths:
            print_paths([image.path for image in picked.images if image.rank], null=null)
        else:
            OUTPUTS["json" if pick.json else "table"](result)
        if pick.show:
            draw(picked.images, images.config, json=pick.json, paths=pick.paths)
        sys.stdout.flush()  # nothing that follows can cost the answer
        note((*handed_out, *picked.notes))
        if pick.open_:
            note(open_file(result.files[0].path) if result.files else ["--open: no file was made"])


def _write(result: "Result", target: Path, config: "Config", line: str) -> "WrittenFile | None":
    """Write a file; a sheet is made of the result's pictures, whose colours the answer needs."""
    from imgbatch.outputs.answers import write_answer
    from imgbatch.outputs.sheet import FORMATS, write_sheet

    if target.suffix.lower() in FORMATS:
        return write_sheet(result, target, config.sheet)
    return write_answer(result.selection, target, config, line)


def _left_out(file: "WrittenFile") -> tuple[str, ...]:
    """A remark on a sheet that does not show all images."""
    from imgbatch.outputs.sheet import first_of

    if file.kind != "sheet" or file.shown == file.images:
        return ()
    return (f"the sheet shows {first_of(file.shown, file.images)}; more do not fit on a page",)


def _config(images: ImageSource, pick: PickOptions) -> "Config":
    """The settings, with as many columns of the sheet as asked for."""
    if pick.columns is None:
        return images.config
    sheet = images.config.sheet.model_copy(update={"columns": pick.columns})
    return images.config.model_copy(update={"sheet": sheet})


def _targets(images: ImageSource, picked: "Selection", pick: PickOptions) -> list[Path]:
    """The files to write, as absolute paths: those of -o, else a sheet."""
    from imgbatch.outputs.sheet import FORMATS

    targets = pick.output
    if not targets and pick.paths:
        return []
    if not targets:
        name = Path(images.folder).name or "root"
        targets = [default_picture(images, picked.mode, name, picked.seed)]
    return [
        path.absolute()
        for path in targets
        if not (pick.no_sheet and path.suffix.lower() in FORMATS)
    ]
