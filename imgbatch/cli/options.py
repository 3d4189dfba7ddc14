"""Options that several commands share, defined once.

A command takes a record of options as one parameter; `common.command` turns the record's fields
into options of the command line.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

OUTPUT, IMAGES, SETTINGS = "Output", "Images", "Settings and index"
"""Headings of the help, below which it lists options that many commands share."""


def target_name(name: str) -> str:
    """The name of a file or folder to write to, as the command line gives it.

    Raises
    ------
    typer.BadParameter
        The name is empty, as an unset variable of a script is; or ``-``, since the answer goes to
        standard output.
    """
    if not name:
        raise typer.BadParameter("the name is empty")
    if name == "-":
        raise typer.BadParameter("the answer goes to standard output; ./- is a file of this name")
    return name


def target_path(name: str) -> Path:
    """See `target_name`."""
    return Path(target_name(name))


WholeFolder = Annotated[
    str, typer.Argument(metavar="FOLDER", help="Folder of images; never written to.")
]
"""For commands that take no list of files."""
Folder = Annotated[
    str,
    typer.Argument(
        metavar="FOLDER", help="Folder of images; never written to. - reads a list of files."
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(metavar="N", help="Repeat the answer of this seed; without it, a new one."),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json", help="Print one JSON document instead of a table.", rich_help_panel=OUTPUT
    ),
]
Report = Annotated[
    Path | None,
    typer.Option(
        metavar="PAGE.html",
        parser=target_path,
        help="Write a page with the figures here: one file that opens in any browser.",
        rich_help_panel=OUTPUT,
    ),
]
LogDir = Annotated[
    Path | None,
    typer.Option(
        "--log",
        metavar="DIR",
        parser=target_path,
        help="Write TensorBoard event files here.",
        rich_help_panel=OUTPUT,
    ),
]
NoSheet = Annotated[
    bool,
    typer.Option(
        "--no-sheet", "--no-picture", help="Draw no picture to look at.", rich_help_panel=OUTPUT
    ),
]
ConfigFile = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Settings to use; see config.toml.",
        rich_help_panel=SETTINGS,
    ),
]
IndexDir = Annotated[
    str | None,
    typer.Option(
        "--index",
        metavar="DIR",
        help="Keep indexes here, not in the user's cache folder.",
        rich_help_panel=SETTINGS,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Processes that read images; 0 means one for each core.",
        rich_help_panel=SETTINGS,
    ),
]
EXTENDED = "extended"
"""The preset of commands that learn: labels, words, maps."""
Emphasis = Annotated[
    str | None,
    typer.Option(
        metavar="PRESET",
        help="Weights of a preset: color, balanced, shape, extended, best or one of your own.",
        rich_help_panel=SETTINGS,
    ),
]
MetadataFile = Annotated[
    list[str] | None,
    typer.Option(
        "--metadata",
        "--labels",
        metavar="FILE",
        help="Labels, tags, texts by file_name: .csv, .tsv, .jsonl, .parquet, COCO .json. "
        "Repeatable, later ones win. Default: metadata.* and captions.csv in FOLDER; classes are "
        "else the first-level subfolders.",
        rich_help_panel=IMAGES,
    ),
]
TrustPredicted = Annotated[
    bool,
    typer.Option(
        "--trust-predicted",
        help="Take rows for true that imgbatch has written (source is imgbatch).",
        rich_help_panel=IMAGES,
    ),
]
VocabularyFile = Annotated[
    str | None,
    typer.Option(
        "--vocabulary",
        metavar="FILE",
        help="The tags.toml of measured tags, laid over the shipped one. Default: IMGBATCH_TAGS, "
        "then tags.toml here or in the user's config folder.",
        rich_help_panel=IMAGES,
    ),
]
Label = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CLASS",
        help="Only images of this class; of any, if repeated.",
        rich_help_panel=IMAGES,
    ),
]
Tag = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TAG",
        help="Only images with this tag; with all, if repeated.",
        rich_help_panel=IMAGES,
    ),
]
WithoutTag = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TAG",
        help="Only images without this tag; without any, if repeated.",
        rich_help_panel=IMAGES,
    ),
]
NoRefresh = Annotated[
    bool,
    typer.Option(
        "--no-refresh",
        help="Trust the index as it is; do not look at the folder.",
        rich_help_panel=SETTINGS,
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Index on a Dask cluster: its scheduler's address, such as tcp://host:8786, or local "
        "for processes of this machine. FOLDER and --index may then be URLs.",
        rich_help_panel=SETTINGS,
    ),
]


Null = Annotated[
    bool,
    typer.Option(
        "-0",
        help="Names end with NUL, not with a newline: those read for FOLDER -, those of --paths.",
        rich_help_panel=OUTPUT,
    ),
]
Paths = Annotated[
    bool,
    typer.Option(
        "--paths", help="Print the paths alone, one a line; make no sheet.", rich_help_panel=OUTPUT
    ),
]
Show = Annotated[
    bool,
    typer.Option(
        "--show",
        help="Draw the images in the terminal, too, as half blocks.",
        rich_help_panel=OUTPUT,
    ),
]


@dataclass(frozen=True)
class IndexOptions:
    """With which settings a folder is indexed, and where the index lies."""

    config: ConfigFile = None
    emphasis: Emphasis = None
    index: IndexDir = None
    workers: Workers = None


@dataclass(frozen=True)
class ClusterOptions(IndexOptions):
    """The same for a folder that a cluster may index."""

    cluster: Cluster = None


@dataclass(frozen=True)
class FolderOptions(ClusterOptions):
    """The same for an index that may be trusted without a look at the folder."""

    no_refresh: NoRefresh = False
    metadata: MetadataFile = None
    trust_predicted: TrustPredicted = False
    vocabulary: VocabularyFile = None
    null: Null = False


@dataclass(frozen=True)
class FilterOptions:
    """Which of the folder's images to take."""

    label: Label = None
    tag: Tag = None
    without_tag: WithoutTag = None
