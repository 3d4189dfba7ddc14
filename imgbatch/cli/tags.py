"""``tags``: what the pictures of a folder are like."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgbatch.cli.common import command, note, open_folder
from imgbatch.cli.options import FilterOptions, Folder, FolderOptions, Json, target_path
from imgbatch.cli.repeating import command_line
from imgbatch.cli.unwritten import Unwritten, answer_first

if TYPE_CHECKING:
    from imgbatch.collection import Collection
    from imgbatch.outputs.base import WrittenFile
    from imgbatch.outputs.tags import TagsResult

Show = Annotated[
    str | None,
    typer.Option(
        metavar="TAG",
        help="Show the images of this tag, the clearest ones first; of a learned tag, all others "
        "ranked, to be confirmed.",
    ),
]
Blur = Annotated[
    bool,
    typer.Option(
        "--blur",
        help="Measure sharpness, too: all files are read once more, about 5 ms an image; kept.",
    ),
]
Outputs = Annotated[
    list[Path] | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        parser=target_path,
        help="Write the tags here: a page (.html), a contact sheet (.jpg, .png, .webp), metadata "
        "(.csv). May be repeated.",
    ),
]
_OPTIONS = FolderOptions()
_ALL = FilterOptions()


@command
def tags(
    context: typer.Context,
    folder: Folder,
    show: Show = None,
    blur: Blur = False,
    json: Json = False,
    output: Outputs = None,
    filters: FilterOptions = _ALL,
    options: FolderOptions = _OPTIONS,
) -> None:
    """Tag all images by what was measured: colours, light, sharpness, shape and more.

    Rules and names stand in the vocabulary, tags.toml.
    """
    _check(folder, output or [])
    from imgbatch.outputs.tags import write_tags

    photos = open_folder(folder, options, filters)
    result = _result(photos, show or "", blur=blur)
    with answer_first() as unwritten:
        files = _written(photos, result, output or [], command_line(context), unwritten)
        write_tags(result, files, json=json)
        note(result.notes)


def _result(photos: "Collection", shown: str, *, blur: bool) -> "TagsResult":
    from imgbatch.annotations.filters import unknown
    from imgbatch.outputs.progress import progress_bar
    from imgbatch.outputs.tags import TagsResult

    started = time.perf_counter() - photos.seconds
    if blur:
        settings = photos.config
        options, workers = settings.images.as_options(), settings.index.workers
        with progress_bar("sharpness") as progress:
            photos.tagging.measure_sharpness(options, workers, progress)
    learned = photos.tagging.learn()
    table = photos.tag_table()
    if shown and shown not in (*table.names, *(tag.name for tag in learned)):
        raise unknown("tag", shown, table.counts())
    return TagsResult(
        photos.folder,
        photos.paths,
        list(photos.records.all_paths()),
        table,
        photos.tagging.rules(),
        shown,
        time.perf_counter() - started,
        photos.notes,
        learned,
    )


def _check(folder: str, outputs: list[Path]) -> None:
    """Raise an error for outputs that cannot be made, before any work is done."""
    from imgbatch.files.readonly import refuse_inside
    from imgbatch.files.targets import check_file
    from imgbatch.outputs.files import file_output

    for path in outputs:
        file_output(path)
        refuse_inside(path, folder, "-o")
        check_file(path)


def _written(
    photos: "Collection",
    result: "TagsResult",
    outputs: list[Path],
    line: str,
    unwritten: Unwritten,
) -> list["WrittenFile"]:
    """Write the files asked for."""
    from imgbatch.outputs.base import WrittenFile
    from imgbatch.outputs.files import PAGE
    from imgbatch.outputs.tags import write_tag_rows, write_tag_sheet

    files = []
    for path in (path.absolute() for path in outputs):
        with unwritten.remembered(asked=True):
            if path.suffix.lower() == PAGE:
                from imgbatch.outputs.pages import write_page
                from imgbatch.outputs.pages.tags import tags_page

                files.append(
                    write_page(tags_page(result, photos.config, line), path, photos.config)
                )
            elif path.suffix.lower() == ".csv":
                rows = write_tag_rows(result, path)
                files.append(WrittenFile("rows", path, path.stat().st_size, rows, rows))
            else:
                files.append(write_tag_sheet(result, path, photos.config))
    return files
