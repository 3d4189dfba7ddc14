"""Options of the commands that pick: how many images, which, and what to make of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from imgbatch.cli.options import OUTPUT, Json, NoSheet, Paths, Seed, Show, target_path

MaybeFolder = Annotated[
    str | None,
    typer.Argument(
        metavar="FOLDER",
        help="Folder of images; never written to. - reads a list of files. With --from, one of "
        "those exported there.",
    ),
]
Count = Annotated[
    int,
    typer.Option(
        "-n", metavar="N", help="How many images: 1 to the folder's size. Each n has its own sets."
    ),
]
Like = Annotated[
    str | None,
    typer.Option(metavar="IMAGE", help="Take this image, in the folder or not, as the anchor."),
]
Outputs = Annotated[
    list[Path] | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        parser=target_path,
        help="Write a page (.html), a contact sheet (.jpg, .png, .webp) or rows (.csv) here. "
        "Default: a sheet in imgbatch-out/. May be repeated.",
        rich_help_panel=OUTPUT,
    ),
]
Columns = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=20,
        metavar="N",
        help="Pictures in a row of the sheet. Default: near a square.",
        rich_help_panel=OUTPUT,
    ),
]
Open = Annotated[
    bool,
    typer.Option(
        "--open",
        help="Open the sheet, or the first file of -o, in its program.",
        rich_help_panel=OUTPUT,
    ),
]
CopyTo = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        parser=target_path,
        help="Copy the chosen images there; never overwrites.",
        rich_help_panel=OUTPUT,
    ),
]
LinkTo = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        parser=target_path,
        help="Link the chosen images there; never overwrites.",
        rich_help_panel=OUTPUT,
    ),
]
KeepDuplicates = Annotated[
    bool, typer.Option("--keep-duplicates", help="Allow near-duplicates in the set.")
]
By = Annotated[
    str | None,
    typer.Option(
        metavar="tags",
        help="Choose by tags: similar images agree in their two strongest tags, the rarest and "
        "clearest; no two different ones have the same two.",
    ),
]
Database = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="URL",
        help="Search the folder that was exported to postgresql://...; needs --like.",
    ),
]
TagCaptions = Annotated[
    bool,
    typer.Option(
        "--tag-captions",
        help="Name tags, not files, under the pictures of a sheet.",
        rich_help_panel=OUTPUT,
    ),
]


@dataclass(frozen=True)
class PickOptions:
    """How many images to pick, and what to make of them."""

    n: Count = 10
    seed: Seed = None
    by: By = None
    keep_duplicates: KeepDuplicates = False
    json: Json = False
    paths: Paths = False
    show: Show = False
    output: Outputs = None
    no_sheet: NoSheet = False
    columns: Columns = None
    open_: Open = False
    tag_captions: TagCaptions = False
    copy_to: CopyTo = None
    link_to: LinkTo = None
