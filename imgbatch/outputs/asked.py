"""What `label next` and `label check` show: images for a person to look at."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imgbatch.config.schema import Config
from imgbatch.files.names import number_of
from imgbatch.learning.results import Asked, AskedImage
from imgbatch.outputs.base import StandardOutput, WrittenFile, files_document, titled_table
from imgbatch.outputs.json import print_json
from imgbatch.outputs.pictures import load_picture
from imgbatch.outputs.rows import writing_rows
from imgbatch.outputs.sheet import Cell, name_in_folder, write_cells
from imgbatch.printable import printable

_LISTED = 30


def suggestion_in_words(image: AskedImage) -> str:
    """The label that the model gives, and its probability; "" if there is no model.

    >>> suggestion_in_words(AskedImage(0, "/a.jpg", "a.jpg", "cat", "dog", 0.934, ""))
    'dog 93%'
    """
    return f"{image.suggested} {image.probability:.0%}" if image.suggested else ""


def write_asked(asked: Asked, files: Sequence[WrittenFile], *, json: bool) -> None:
    """Print the images as a table, or as one JSON document."""
    if json:
        print_json(asked_document(asked, files))
        return
    console = StandardOutput()
    what = number_of(len(asked.images), "image to label next")
    if asked.doubted:
        what = f"{len(asked.images):,} doubted label{'s' * (len(asked.images) != 1)}"
    table = titled_table(f"{what} in {printable(asked.folder)}")
    if not asked.images:
        table.show_header = False
    table.add_column("", justify="right", style="dim")
    table.add_column("image", overflow="fold")
    if asked.doubted:
        table.add_column("label", overflow="fold")
    suggests = any(image.suggested for image in asked.images)
    if suggests:
        table.add_column("model", overflow="fold")
    table.add_column("why", style="dim", overflow="fold")
    for number, image in enumerate(asked.images[:_LISTED], start=1):
        row = [str(number), printable(image.relative)]
        row += [printable(image.label)] if asked.doubted else []
        row += [printable(suggestion_in_words(image))] if suggests else []
        table.add_row(*row, printable(image.reason))
    console.print(table)
    if len(asked.images) > _LISTED:
        left = len(asked.images) - _LISTED
        console.print_fact(
            "more", f"{number_of(left, 'image')}; -o FILE.png, .html or .csv shows them"
        )
    console.print_fact("labelled", f"{asked.labelled:,} of {number_of(asked.total, 'image')}")
    console.print_fact("seed", str(asked.seed))
    console.print_files(files)


def asked_document(asked: Asked, files: Sequence[WrittenFile]) -> dict[str, Any]:
    """The images as values for JSON, the most useful first; the keys are a contract."""
    return {
        "folder": asked.folder,
        "images": [
            {
                "path": image.path,
                "relative": image.relative,
                "label": image.label,
                "suggested": image.suggested,
                "probability": round(image.probability, 6),
                "reason": image.reason,
                "evidence": {name: list(paths) for name, paths in image.evidence.items()},
            }
            for image in asked.images
        ],
        "labelled": asked.labelled,
        "indexed": asked.total,
        "files": files_document(files),
        "seed": asked.seed,
        "seconds": round(asked.seconds, 3),
        "notes": list(asked.notes),
    }


def write_asked_rows(asked: Asked, target: Path) -> WrittenFile:
    """Write rows with an empty column ``label``, to be filled in and given as metadata.

    ``file_name,label,suggested,probability,reason``; of doubted labels, ``was`` holds the present
    one, so that only labels that are filled in change anything. A random sample has a column
    ``split`` that says ``test``.
    """
    part = [asked.part] if asked.part else []
    was = ["was"] if asked.doubted else []
    heading = ["file_name", "label", *was, "suggested", "probability"]
    with writing_rows(target) as write:
        write([*heading, "reason", *(["split"] if part else [])])
        for image in asked.images:
            known = [image.label] if asked.doubted else []
            sure = f"{image.probability:.4f}" if image.suggested else ""
            write([image.relative, "", *known, image.suggested, sure, image.reason, *part])
    return WrittenFile.of("rows", target, len(asked.images), len(asked.images))


def write_asked_sheet(asked: Asked, target: Path, config: Config) -> WrittenFile | None:
    """Draw the images with their names and what the model says; None if there are none."""

    def cell(numbered: tuple[int, AskedImage]) -> Cell:
        number, image = numbered
        picture = load_picture(image.path, config, config.sheet.cell_px)
        caption = f"{number}  {printable(_caption(image, doubted=asked.doubted))}"
        return Cell(picture, caption, printable(suggestion_in_words(image)))

    what = "doubted labels" if asked.doubted else "to label next"
    title = f"{what} - {Path(asked.folder).name or 'the root'} - seed {asked.seed}"
    numbered = list(enumerate(asked.images, start=1))
    return write_cells(numbered, cell, title, target, config.sheet)


def _caption(image: AskedImage, *, doubted: bool) -> str:
    return f"{image.label}?" if doubted else name_in_folder(image.relative)
