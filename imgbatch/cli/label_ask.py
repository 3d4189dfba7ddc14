"""``label next`` and ``label check``: which images a person should look at."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgbatch.cli.common import command, open_folder
from imgbatch.cli.label import Seed
from imgbatch.cli.options import EXTENDED, FilterOptions, Folder, FolderOptions, Json, Paths
from imgbatch.cli.output_files import (
    ShowAnswer,
    check_output_files,
    or_paths,
    output_option,
    show_answer,
    writing,
)
from imgbatch.cli.repeating import command_line

if TYPE_CHECKING:
    from imgbatch.learning.results import Asked

NextCount = Annotated[int, typer.Option("-n", metavar="N", help="How many images to label.")]
Random = Annotated[
    bool,
    typer.Option(
        "--random",
        help="Draw images at random, to measure on: rows say split=test, which label train heeds.",
    ),
]
CheckCount = Annotated[
    int, typer.Option("-n", metavar="N", help="How many labels to doubt at most.")
]
Outputs = Annotated[
    list[Path] | None,
    output_option(
        "Write a page (.html), a contact sheet (.jpg, .png, .webp), or rows (.csv) with a column "
        "label to fill in and to give as --metadata."
    ),
]
_FOLDER, _ALL = FolderOptions(), FilterOptions()


@command
def next_images(
    context: typer.Context,
    folder: Folder,
    n: NextCount = 20,
    output: Outputs = None,
    at_random: Random = False,
    seed: Seed = 0,
    json: Json = False,
    paths: Paths = False,
    filters: FilterOptions = _ALL,
    options: FolderOptions = _FOLDER,
) -> None:
    """Choose the images to label next: typical ones first, then uncertain and diverse ones.

    Labels given so far come from --metadata, or else from first-level subfolders.
    """
    from imgbatch.learning.asking import label_next

    outputs = _checked(output, folder, options)
    photos = open_folder(folder, options, filters, preset=EXTENDED)
    asked = label_next(photos.labelling, n, seed, at_random=at_random)
    printing = _printing(asked, json=json, paths=paths, null=options.null)
    write = writing(asked, photos.config, command_line(context))
    show_answer(outputs, write, printing, (*photos.notes, *asked.notes))


@command
def check(
    context: typer.Context,
    folder: Folder,
    n: CheckCount = 100,
    output: Outputs = None,
    seed: Seed = 0,
    json: Json = False,
    paths: Paths = False,
    filters: FilterOptions = _ALL,
    options: FolderOptions = _FOLDER,
) -> None:
    """List labels that are likely wrong, worst first, with what models would give."""
    from imgbatch.learning.asking import check_labels

    outputs = _checked(output, folder, options)
    photos = open_folder(folder, options, filters, preset=EXTENDED)
    asked = check_labels(photos.labelling, n, seed)
    printing = _printing(asked, json=json, paths=paths, null=options.null)
    write = writing(asked, photos.config, command_line(context))
    show_answer(outputs, write, printing, (*photos.notes, *asked.notes))


def _checked(output: list[Path] | None, folder: str, options: FolderOptions) -> list[Path]:
    from imgbatch.outputs.files import ENDINGS

    outputs = output or []
    check_output_files(outputs, ENDINGS, folders=[folder], inputs=options.metadata or ())
    return outputs


def _printing(asked: "Asked", *, json: bool, paths: bool, null: bool) -> ShowAnswer:
    from imgbatch.outputs.asked import write_asked

    return or_paths(partial(write_asked, asked, json=json), asked.images, paths=paths, null=null)
