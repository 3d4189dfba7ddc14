"""What `caption` shows: a table, a JSON document, rows that are metadata, a sheet."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from imgbatch.config.schema import Config
from imgbatch.files.names import printable
from imgbatch.outputs.base import StandardOutput, WrittenFile
from imgbatch.outputs.json import print_json
from imgbatch.outputs.pictures import load_picture
from imgbatch.outputs.rows import writing_rows
from imgbatch.outputs.sheet import Cell, Grid, draw_page, save_page
from imgbatch.words.results import CaptionedImage, Captions

_LISTED = 20
_OWN = "imgbatch"
"""The source of rows that this program has written; they are no truth."""


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
    for file in files:
        console.print_fact(file.kind, file.in_words())


def _table(captions: Captions) -> Table:
    table = Table(
        title=f"captions for {len(captions.images):,} images of {printable(captions.folder)}",
        title_style="bold",
        title_justify="left",
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
        "files": [asdict(file) | {"path": str(file.path)} for file in files],
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
                write([image.relative, caption.text, caption.agreement, _OWN])
    return WrittenFile.of("rows", target, len(captions.images), len(captions.images))


def write_caption_sheet(captions: Captions, target: Path, config: Config) -> WrittenFile | None:
    """Draw the images with their first captions; None if there are none."""
    if not captions.images:
        return None
    grid = Grid.fitting(len(captions.images), config.sheet, target)
    title = f"captions - {Path(captions.folder).name}"
    save_page(draw_page(_cells(captions.images[: grid.shown], config), title, grid), target)
    return WrittenFile.of("sheet", target, grid.shown, len(captions.images))


def _cells(images: Sequence[CaptionedImage], config: Config) -> Iterator[Cell]:
    for image in images:
        picture = load_picture(image.path, config, config.sheet.cell_px)
        caption = image.captions[0]
        yield Cell(picture, printable(caption.text), f"{caption.agreement:.2f}")
