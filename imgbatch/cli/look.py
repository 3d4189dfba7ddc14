"""``overview`` and ``map``: what is in a folder, and what may be wrong with it."""

import hashlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgbatch.cli.common import command, default_picture, open_folder
from imgbatch.cli.options import EXTENDED, FilterOptions, Folder, FolderOptions, Json, NoSheet
from imgbatch.cli.output_files import check_output_files, output_option, show_answer, writing
from imgbatch.cli.repeating import command_line

if TYPE_CHECKING:
    from imgbatch.collection import Collection
    from imgbatch.outputs.base import WrittenFile
    from imgbatch.overview.map import FolderMap

Seed = Annotated[
    int, typer.Option(metavar="N", help="Seed of samples of large folders, groups and covers.")
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
    write = writing(seen, photos.config, command_line(context))
    show_answer(outputs, write, partial(write_overview, seen, json=json), seen.notes)


Color = Annotated[
    str | None,
    typer.Option(
        metavar="label|tag|cluster",
        help="Colour images by class, by most telling tag, or by k-means cluster; pictures then "
        "show points. Pages are always coloured, by class or cluster by default.",
    ),
]
MapOutputs = Annotated[
    list[Path] | None,
    output_option(
        "Write a page to explore (.html, up to 100,000 images), a picture (.png, .jpg, .webp) or "
        "rows (.csv). Default: a picture in imgbatch-out/."
    ),
]
MapSeed = Annotated[int, typer.Option(metavar="N", help="Seed of everything random.")]
_ALL = FilterOptions()


@command
def map_(
    context: typer.Context,
    folder: Folder,
    color: Color = None,
    seed: MapSeed = 0,
    json: Json = False,
    output: MapOutputs = None,
    no_sheet: NoSheet = False,
    filters: FilterOptions = _ALL,
    options: FolderOptions = _OPTIONS,
) -> None:
    """Lay the images out on a plane, those that look alike side by side."""
    from imgbatch.outputs.files import by_ending
    from imgbatch.outputs.map import write_map
    from imgbatch.outputs.progress import progress_bar
    from imgbatch.overview.map import check_color

    check_color(color)
    endings = by_ending("a page", "a picture", "rows")
    check_output_files(output or [], endings, folders=[folder], inputs=options.metadata or ())
    photos = open_folder(folder, options, filters, preset=EXTENDED)
    with progress_bar("mapping") as progress:
        shown = photos.map(color=color, seed=seed, progress=progress)
    outputs, asked = _pictures(photos, shown, color or "", output, no_picture=no_sheet)
    line = command_line(context)

    def write(path: Path) -> "WrittenFile | None":
        with progress_bar("pictures") as progress:
            return writing(shown, photos.config, line, progress)(path)

    show_answer(outputs, write, partial(write_map, shown, json=json), shown.notes, asked=asked)


def _pictures(
    photos: "Collection",
    shown: "FolderMap",
    color: str,
    output: list[Path] | None,
    *,
    no_picture: bool,
) -> tuple[list[Path], bool]:
    """The files to write, and whether the user asked for them."""
    if output or no_picture:
        return output or [], True
    identity = f"{shown.folder}\n{len(shown.files)}\n{shown.seed}\n{color}\n{photos.config.weights}"
    digest = hashlib.sha256(identity.encode(errors="surrogateescape")).hexdigest()[:8]
    return [default_picture(photos, "map", Path(shown.folder).name, digest)], False
