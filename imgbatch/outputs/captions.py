"""What `caption` shows: a table, a JSON document, rows that are metadata, a sheet."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from imgbatch.annotations.matching import MACHINE
from imgbatch.config.schema import Config
from imgbatch.outputs.base import StandardOutput, WrittenFile, files_document, titled_table
from imgbatch.outputs.json import print_json
from imgbatch.outputs.pictures import load_picture
from imgbatch.outputs.rows import writing_rows
from imgbatch.outputs.sheet import Cell, write_cells
from imgbatch.printable import printable
from imgbatch.words.results import CaptionedImage, Captions

_LISTED = 20


def write_captions(captions: Captions, files: Sequence[WrittenFile], *, json: bool) -> None:
    """Print the first captions as a table, or all as one JSON document."""
    if json:
        print_json(captions_document(captions, files))
        return
    console = StandardOutput()
    console.print(_table(captions))
    if len(captions.images) > _LISTED:
        left = f"{len(captions.images) - _LISTED:,} images; -o FILE.csv writes all"
        console.print_fact("more", left)
    console.print_fact("from", f"captions of {captions.learned:,} images")
    console.print_files(files)


def _table(captions: Captions) -> Table:
    table = titled_table(
        f"captions for {len(captions.images):,} images of {printable(captions.folder)}"
    )
    table.add_column("image", overflow="fold")
    table.add_column("caption", overflow="fold")
    table.add_column("agreement", justify="right")
    for image in captions.images[:_LISTED]:
        for place, caption in enumerate(image.captions):
            name = "" if place else image.relative
            table.add_row(printable(name), printable(caption.text), f"{caption.agreement:.2f}")
    return table


def captions_document(captions: Captions, files: Sequence[WrittenFile]) -> dict[str, Any]:
    """The captions as values for JSON; the keys are a contract, see DESIGN.md."""
    return {
        "folder": captions.folder,
        "images": [
            {
                "path": image.path,
                "relative": image.relative,
                "captions": [asdict(caption) for caption in image.captions],
                "texts": list(image.texts),
            }
            for image in captions.images
        ],
        "learned": captions.learned,
        "language": captions.language,
        "files": files_document(files),
        "seconds": round(captions.seconds, 3),
        "notes": list(captions.notes),
    }


def write_caption_rows(captions: Captions, target: Path) -> WrittenFile:
    """Write captions as metadata: ``file_name,caption,agreement,source``, a row for each.

    The source is ``imgbatch``, so that nothing takes them for what people said.
    """
    with writing_rows(target) as write:
        write(["file_name", "caption", "agreement", "source"])
        for image in captions.images:
            for caption in image.captions:
                write([image.relative, caption.text, caption.agreement, MACHINE])
    return WrittenFile.of("rows", target, len(captions.images), len(captions.images))


def write_caption_sheet(captions: Captions, target: Path, config: Config) -> WrittenFile | None:
    """Draw the images with their first captions; None if there are none."""

    def cell(image: CaptionedImage) -> Cell:
        picture = load_picture(image.path, config, config.sheet.cell_px)
        caption = image.captions[0]
        return Cell(picture, printable(caption.text), f"{caption.agreement:.2f}")

    title = f"captions - {Path(captions.folder).name}"
    return write_cells(captions.images, cell, title, target, config.sheet)
