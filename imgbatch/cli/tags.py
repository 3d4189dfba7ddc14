"""``tags``: what the pictures of a folder are like."""

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgbatch.cli.common import command, open_folder
from imgbatch.cli.options import FilterOptions, Folder, FolderOptions, Json
from imgbatch.cli.output_files import check_output_files, output_option, show_answer, writing
from imgbatch.cli.repeating import command_line

if TYPE_CHECKING:
    from imgbatch.collection import Collection
    from imgbatch.outputs.tags import TagsResult

Rank = Annotated[
    str | None,
    typer.Option(
        metavar="TAG",
        help="List the images of this tag, the clearest ones first; of a learned tag, all others, "
        "to be confirmed.",
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
    output_option(
        "Write the tags here: a page (.html), a contact sheet (.jpg, .png, .webp), metadata (.csv)."
    ),
]
_OPTIONS = FolderOptions()
_ALL = FilterOptions()


@command
def tags(
    context: typer.Context,
    folder: Folder,
    rank: Rank = None,
    blur: Blur = False,
    json: Json = False,
    output: Outputs = None,
    filters: FilterOptions = _ALL,
    options: FolderOptions = _OPTIONS,
) -> None:
    """Tag all images by what was measured: colours, light, sharpness, shape and more.

    Rules and names stand in the vocabulary, tags.toml.
    """
    from imgbatch.outputs.files import ENDINGS
    from imgbatch.outputs.tags import write_tags

    outputs = output or []
    check_output_files(outputs, ENDINGS, folders=[folder], inputs=options.metadata or ())

    photos = open_folder(folder, options, filters)
    result = _result(photos, rank or "", blur=blur)
    write = writing(result, photos.config, command_line(context))
    show_answer(outputs, write, partial(write_tags, result, json=json), result.notes)


def _result(photos: "Collection", shown: str, *, blur: bool) -> "TagsResult":
    from imgbatch.annotations.filters import unknown
    from imgbatch.outputs.progress import progress_bar
    from imgbatch.outputs.tags import TagsResult

    started = time.perf_counter() - photos.seconds
    unsharp: tuple[str, ...] = ()
    if blur:
        settings = photos.config
        options, workers = settings.images.as_options(), settings.index.workers
        with progress_bar("sharpness") as progress:
            unsharp = photos.tagging.measure_sharpness(options, workers, progress)
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
        (*photos.notes, *unsharp),
        learned,
    )
