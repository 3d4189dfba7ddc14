"""``overview``: what is in a folder, how repetitive it is, and what may be wrong with it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgbatch.cli.common import command, note, open_folder
from imgbatch.cli.options import Folder, FolderOptions, Json, target_path
from imgbatch.cli.repeating import command_line
from imgbatch.cli.unwritten import Unwritten, answer_first
from imgbatch.errors import UsageError

if TYPE_CHECKING:
    from imgbatch.collection import Collection
    from imgbatch.outputs.base import WrittenFile
    from imgbatch.overview.results import Overview

Seed = Annotated[
    int, typer.Option(metavar="N", help="Of samples of large folders, groups and covers.")
]
Blur = Annotated[
    bool, typer.Option("--blur", help="Look for blurred images, too; reads every file once.")
]
Outputs = Annotated[
    list[Path] | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        parser=target_path,
        help="Write a page with pictures (.html), or the images with problems as rows (.csv). May "
        "be repeated.",
    ),
]
_OPTIONS = FolderOptions()
_ENDINGS = (".html", ".csv")


@command
def overview(
    context: typer.Context,
    folder: Folder,
    seed: Seed = 0,
    blur: Blur = False,
    json: Json = False,
    output: Outputs = None,
    options: FolderOptions = _OPTIONS,
) -> None:
    """Show what is in a folder: sizes, classes, tags, groups, copies, problems."""
    from imgbatch.outputs.overview import write_overview
    from imgbatch.outputs.progress import progress_bar

    _check(folder, output or [], options)
    photos = open_folder(folder, options)
    with progress_bar("sharpness") as progress:
        seen = photos.overview(seed=seed, blur=blur, progress=progress)
    with answer_first() as unwritten:
        files = _written(photos, seen, output or [], command_line(context), unwritten)
        write_overview(seen, files, json=json)
        note(seen.notes)


def _check(folder: str, outputs: list[Path], options: FolderOptions) -> None:
    """Raise an error for files that cannot be written, before any work is done."""
    from imgbatch.files.readonly import refuse_inside
    from imgbatch.files.targets import check_file, refuse_input

    for path in outputs:
        if path.suffix.lower() not in _ENDINGS:
            raise UsageError(
                f"{path} has the ending {path.suffix or 'none'!r}",
                "use .html for a page, .csv for the images with problems",
            )
        refuse_input("-o", path, *(options.metadata or ()))
        refuse_inside(path, folder, "-o")
        check_file(path)


def _written(
    photos: "Collection", seen: "Overview", outputs: list[Path], line: str, unwritten: Unwritten
) -> list["WrittenFile"]:
    """Write the files asked for."""
    from imgbatch.outputs.base import WrittenFile
    from imgbatch.outputs.overview import write_problem_rows

    files = []
    for path in (path.absolute() for path in outputs):
        with unwritten.remembered(asked=True):
            if path.suffix.lower() == ".html":
                from imgbatch.outputs.pages import overview_page, write_page

                page = overview_page(seen, photos.config, line)
                files.append(write_page(page, path, photos.config))
            else:
                rows = write_problem_rows(seen, path)
                files.append(WrittenFile("rows", path, path.stat().st_size, rows, rows))
    return files
