"""``explain``: why two images are near or far."""

import contextlib
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgbatch.cli.common import command, default_picture, note, open_folder
from imgbatch.cli.options import IndexOptions, Json, target_path
from imgbatch.cli.unwritten import answer_first
from imgbatch.errors import SelectionError, UsageError

if TYPE_CHECKING:
    from imgbatch.collection import Collection
    from imgbatch.selection.explain import Explanation

_PICTURE_PX = 420
_INDEX = IndexOptions()

Given = Annotated[str, typer.Argument(help="An image file, or a path inside --folder.")]


@command
def explain(
    a: Given,
    b: Given,
    folder: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder whose distances to explain. Default: an indexed folder that holds A, "
            "and B if there is one; else the folder A lies in.",
        ),
    ] = None,
    json: Json = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="PICTURE",
            parser=target_path,
            help="Write the picture here (.jpg, .png, .webp). Default: a file in imgbatch-out/.",
        ),
    ] = None,
    no_picture: Annotated[bool, typer.Option("--no-picture", help="Draw no picture.")] = False,
    options: IndexOptions = _INDEX,
) -> None:
    """Show two images side by side, with what makes them near or far."""
    from imgbatch.outputs.explain import print_explanation
    from imgbatch.outputs.json import explanation_document, print_json

    home = _folder_of(a, b, options.index) if folder is None else folder
    if output is not None:
        if no_picture:
            note(["-o and --no-picture were both given; no picture is made"])
        _check_output(output, home, a, b)
    collection = open_folder(home, options)
    explanation = collection.explain(a, b)
    with answer_first() as unwritten:
        picture = None
        if not no_picture:
            with unwritten.remembered(asked=output is not None):
                picture = _draw(collection, explanation, output)
        if json:
            print_json(explanation_document(explanation, picture))
        else:
            print_explanation(explanation, picture)
        note(collection.notes)


def _check_output(output: Path, folder: str, *images: str) -> None:
    """Raise an error for a picture that cannot be written, before any work is done."""
    from imgbatch.files.readonly import refuse_inside
    from imgbatch.files.targets import check_file, refuse_input
    from imgbatch.outputs.sheet import check_sheet_path

    check_sheet_path(output)
    refuse_inside(output, folder, "-o")
    refuse_input("-o", output, *images)
    check_file(output)


def _folder_of(a: str, b: str, index: str | None) -> str:
    """The innermost indexed folder that holds both; else one that holds A; else A's own."""
    from imgbatch.files.cache import index_directory
    from imgbatch.files.paths import check_url

    for given in (a, b):
        check_url(given)
        if not os.path.isfile(given):
            raise SelectionError(
                f"no such image file: {given}",
                "give two image files, or --folder and paths inside it",
            )
    indexed = []
    for parent in Path(os.path.abspath(a)).parents:
        with contextlib.suppress(UsageError):  # a folder that holds its own index has none
            if os.path.isdir(index_directory(str(parent), index)):
                indexed.append(parent)
    both = [parent for parent in indexed if Path(os.path.abspath(b)).is_relative_to(parent)]
    return str([*both, *indexed, Path(os.path.abspath(a)).parent][0])


def _draw(collection: "Collection", explanation: "Explanation", output: Path | None) -> Path:
    from imgbatch.outputs.explain import write_explanation
    from imgbatch.outputs.pictures import load_picture

    first, second = explanation.images
    identity = f"{first.path}\n{second.path}\n{collection.folder}\n{collection.config.weights}"
    digest = hashlib.sha256(identity.encode(errors="surrogateescape")).hexdigest()[:8]
    names = f"{Path(first.path).stem[:40]}-{Path(second.path).stem[:40]}"
    target = (output or default_picture(collection, "explain", names, digest)).absolute()
    pictures = tuple(
        load_picture(image.path, collection.config, _PICTURE_PX) for image in (first, second)
    )
    write_explanation(explanation, (pictures[0], pictures[1]), target)
    return target
