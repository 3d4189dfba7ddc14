"""``explain``: why two images are near or far; what the descriptors keep of one."""

import contextlib
import hashlib
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgbatch.cli.common import command, default_picture, note, open_folder
from imgbatch.cli.options import IndexOptions, Json, NoSheet
from imgbatch.cli.output_files import (
    ShowAnswer,
    check_output_files,
    output_option,
    show_answer,
    writing,
)
from imgbatch.cli.repeating import command_line
from imgbatch.errors import SelectionError, UsageError

if TYPE_CHECKING:
    from imgbatch.collection import Collection
    from imgbatch.selection.describe import Description
    from imgbatch.selection.explain import Explanation

_INDEX = IndexOptions()

Given = Annotated[
    str, typer.Argument(metavar="A", help="An image file, or a path inside --folder.")
]
Other = Annotated[
    str | None,
    typer.Argument(
        metavar="B", help="Another one. Without it, A alone: what its descriptors keep of it."
    ),
]
Home = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER",
        help="Folder whose distances to explain. Default: an indexed folder that holds A, "
        "and B if there is one; else the folder A lies in.",
    ),
]
Outputs = Annotated[
    list[Path] | None,
    output_option(
        "Write a picture (.jpg, .png, .webp) or a page (.html) here. Default: a picture in "
        "imgbatch-out/."
    ),
]


@command
def explain(
    context: typer.Context,
    a: Given,
    b: Other = None,
    folder: Home = None,
    json: Json = False,
    output: Outputs = None,
    no_sheet: NoSheet = False,
    options: IndexOptions = _INDEX,
) -> None:
    """Show two images side by side, with what makes them near or far; or what is kept of one."""
    images = (a,) if b is None else (a, b)
    home = _folder_of(images, options.index) if folder is None else folder
    outputs = _checked(output or [], home, images, no_sheet=no_sheet)
    collection = open_folder(home, options)
    answer, show = _answer(collection, a, b, json=json)
    if not (output or no_sheet):
        outputs = [_default(collection, answer)]
    write = writing(answer, collection.config, command_line(context))
    show_answer(outputs, write, show, collection.notes, asked=bool(output))


def _answer(
    collection: "Collection", a: str, b: str | None, *, json: bool
) -> "tuple[Explanation | Description, ShowAnswer]":
    """What is known of the images, and what prints it."""
    if b is None:
        from imgbatch.outputs.describe import write_description

        seen = collection.describe(a)
        return seen, partial(write_description, seen, json=json)
    from imgbatch.outputs.explain import write_explanation

    explanation = collection.explain(a, b)
    return explanation, partial(write_explanation, explanation, json=json)


def _checked(
    outputs: list[Path], folder: str, images: Sequence[str], *, no_sheet: bool
) -> list[Path]:
    """The files to write, without pictures that are not wanted; checked before any work is done."""
    from imgbatch.outputs.files import PAGE
    from imgbatch.outputs.sheet import FORMATS

    endings = {PAGE: "a page", **dict.fromkeys(FORMATS, "a picture")}
    check_output_files(outputs, endings, folders=[folder], inputs=images)
    pages = [path for path in outputs if path.suffix.lower() == PAGE]
    if no_sheet and len(pages) < len(outputs):
        note(["-o and --no-sheet were both given; no picture is made"])
    return pages if no_sheet else outputs


def _default(collection: "Collection", answer: "Explanation | Description") -> Path:
    """Where the picture goes that no -o names."""
    identity = "\n".join((*answer.paths, collection.folder, str(collection.config.weights)))
    digest = hashlib.sha256(identity.encode(errors="surrogateescape")).hexdigest()[:8]
    names = "-".join(Path(path).stem[:40] for path in answer.paths)
    return default_picture(collection, "explain", names, digest)


def _folder_of(images: Sequence[str], index: str | None) -> str:
    """The innermost indexed folder that holds all; else one that holds A; else A's own."""
    from imgbatch.files.cache import index_directory
    from imgbatch.files.paths import check_url

    for given in images:
        check_url(given)
        if not os.path.isfile(given):
            raise SelectionError(
                f"no such image file: {given}",
                "give image files, or --folder and paths inside it",
            )
    indexed, a = [], images[0]
    for parent in Path(os.path.abspath(a)).parents:
        with contextlib.suppress(UsageError):  # a folder that holds its own index has none
            if os.path.isdir(index_directory(str(parent), index)):
                indexed.append(parent)
    last = Path(os.path.abspath(images[-1]))
    both = [parent for parent in indexed if last.is_relative_to(parent)]
    return str([*both, *indexed, Path(os.path.abspath(a)).parent][0])
