"""``overview``: what is in a folder, how repetitive it is, and what may be wrong with it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgbatch.cli.common import command, note, open_folder
from imgbatch.cli.options import Folder, FolderOptions, Json
from imgbatch.cli.output_files import (
    Writers,
    check_output_files,
    output_option,
    write_output_files,
)
from imgbatch.cli.repeating import command_line
from imgbatch.cli.unwritten import answer_first

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
    output_option(
        "Write a page with pictures (.html), or the images with problems as rows (.csv)."
    ),
]
_OPTIONS = FolderOptions()
_ENDINGS = {".html": "a page", ".csv": "the images with problems"}


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

    outputs = output or []
    check_output_files(outputs, _ENDINGS, folders=[folder], inputs=options.metadata or ())
    photos = open_folder(folder, options)
    with progress_bar("sharpness") as progress:
        seen = photos.overview(seed=seed, blur=blur, progress=progress)
    with answer_first() as unwritten:
        writers = _writers(photos, seen, command_line(context))
        files = write_output_files(outputs, writers, unwritten)
        write_overview(seen, files, json=json)
        note(seen.notes)


def _writers(photos: "Collection", seen: "Overview", line: str) -> Writers:
    def page(path: Path) -> "WrittenFile":
        from imgbatch.outputs.pages import overview_page, write_page

        return write_page(overview_page(seen, photos.config, line), path, photos.config)

    def rows(path: Path) -> "WrittenFile":
        from imgbatch.outputs.overview import write_problem_rows

        return write_problem_rows(seen, path)

    return {".html": page, ".csv": rows}
