"""``explain``: why two images are near or far; what the descriptors keep of one."""

import contextlib
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imgbatch.cli.common import command, default_picture, note, open_folder
from imgbatch.cli.options import IndexOptions, Json, NoSheet, target_path
from imgbatch.cli.unwritten import answer_first
from imgbatch.errors import SelectionError, UsageError

if TYPE_CHECKING:
    from imgbatch.collection import Collection
    from imgbatch.types import View

_PICTURE_PX = 420
_INDEX = IndexOptions()

Given = Annotated[str, typer.Argument(help="An image file, or a path inside --folder.")]


@command
def explain(
    a: Given,
    b: Annotated[
        str | None,
        typer.Argument(help="Another one. Without it, A alone: what its descriptors keep of it."),
    ] = None,
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
    no_sheet: NoSheet = False,
    options: IndexOptions = _INDEX,
) -> None:
    """Show two images side by side, with what makes them near or far; or what is kept of one."""
    images = (a,) if b is None else (a, b)
    home = _folder_of(images, options.index) if folder is None else folder
    if output is not None:
        if no_sheet:
            note(["-o and --no-sheet were both given; no picture is made"])
        _check_output(output, home, *images)
    from imgbatch.outputs.json import print_json

    collection = open_folder(home, options)
    shown = _described(collection, a) if b is None else _explained(collection, a, b)
    with answer_first() as unwritten:
        picture = None
        if not no_sheet:
            with unwritten.remembered(asked=output is not None):
                picture = _draw(collection, shown, output)
        if json:
            print_json(shown.document(picture))
        else:
            shown.print(picture)
        note(collection.notes)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is shown of one image or of two.

    Attributes
    ----------
    paths
        Of the images.
    draw
        Writes a picture, given the decoded images and the target.
    print, document
        The answer for people and for JSON, given the picture.
    """

    paths: tuple[str, ...]
    draw: Callable[[Sequence["View"], Path], None]
    print: Callable[[Path | None], None]
    document: Callable[[Path | None], dict[str, Any]]


def _explained(collection: "Collection", a: str, b: str) -> _Shown:
    from imgbatch.outputs.explain import print_explanation, write_explanation
    from imgbatch.outputs.json import explanation_document

    explanation = collection.explain(a, b)
    return _Shown(
        tuple(image.path for image in explanation.images),
        lambda views, target: write_explanation(explanation, (views[0], views[1]), target),
        partial(print_explanation, explanation),
        partial(explanation_document, explanation),
    )


def _described(collection: "Collection", a: str) -> _Shown:
    from imgbatch.outputs.describe import (
        description_document,
        print_description,
        write_description,
    )

    seen = collection.describe(a)
    return _Shown(
        (seen.image.path,),
        lambda views, target: write_description(seen, views[0], target),
        partial(print_description, seen),
        partial(description_document, seen),
    )


def _check_output(output: Path, folder: str, *images: str) -> None:
    """Raise an error for a picture that cannot be written, before any work is done."""
    from imgbatch.files.readonly import refuse_inside
    from imgbatch.files.targets import check_file, refuse_input
    from imgbatch.outputs.sheet import check_sheet_path

    check_sheet_path(output)
    refuse_inside(output, folder, "-o")
    refuse_input("-o", output, *images)
    check_file(output)


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


def _draw(collection: "Collection", shown: _Shown, output: Path | None) -> Path:
    from imgbatch.outputs.pictures import load_picture

    identity = "\n".join((*shown.paths, collection.folder, str(collection.config.weights)))
    digest = hashlib.sha256(identity.encode(errors="surrogateescape")).hexdigest()[:8]
    names = "-".join(Path(path).stem[:40] for path in shown.paths)
    target = (output or default_picture(collection, "explain", names, digest)).absolute()
    views = [load_picture(path, collection.config, _PICTURE_PX) for path in shown.paths]
    shown.draw(views, target)
    return target
