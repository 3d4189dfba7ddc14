"""What `search` shows: a table of hits, a JSON document, rows, a sheet."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from imgbatch.config.schema import Config
from imgbatch.outputs.base import StandardOutput, WrittenFile, files_document, titled_table
from imgbatch.outputs.json import print_json
from imgbatch.outputs.pictures import load_picture
from imgbatch.outputs.rows import writing_rows
from imgbatch.outputs.sheet import Cell, write_cells
from imgbatch.printable import printable
from imgbatch.words.results import TEXT, Found, FoundImage

_WIDE, _WIDER = 80, 100  # characters
_TEXT_SHOWN = 60  # characters


def write_found(found: Found, files: Sequence[WrittenFile], *, json: bool) -> None:
    """Print the hits as a table, or as one JSON document."""
    if json:
        print_json(found_document(found, files))
        return
    console = StandardOutput()
    title = _title(found)
    console.print(_table(found, title, console.width) if found.images else Text(title, "bold"))
    console.print_fact("texts", texts_in_words(found))
    console.print_files(files)


def texts_in_words(found: Found) -> str:
    """How many images have texts, and in which language.

    >>> texts_in_words(Found("sea", "photos", (), "english", {}, indexed=3, with_text=2))
    '2 of 3 images have a text, a tag or a class; stems of english'
    """
    stems = "words unstemmed" if found.language == "none" else f"stems of {found.language}"
    known = f"{found.with_text:,} of {found.indexed:,} images have a text, a tag or a class"
    return f"{known}; {stems}"


def why_in_words(image: FoundImage) -> str:
    """Why an image was found, with the words that count for it, the weightiest first."""
    words = ", ".join(image.words)
    if image.source == TEXT:
        return f"text: {words}"
    return f"visual: {words}" if words else "visual"


def _title(found: Found) -> str:
    count = len(found.images)
    return (
        f"{count:,} image{'s' * (count != 1)} of {found.indexed:,} in "
        f"{printable(found.folder)} for: {printable(found.query)}"
    )


def _table(found: Found, title: str, width: int) -> Table:
    table = titled_table(title)
    table.add_column("#", justify="right")
    table.add_column("image", overflow="fold", ratio=None if width >= _WIDE else 1)
    table.add_column("relevance" if width >= _WIDE else "rel.", justify="right")
    table.add_column("why", overflow="fold")
    if width >= _WIDER:
        table.add_column("its text", overflow="ellipsis", no_wrap=True, max_width=_TEXT_SHOWN)
    for image in found.images:
        cells = [str(image.rank), image.relative, f"{image.relevance:.2f}", why_in_words(image)]
        text = [next(iter(image.texts), "")] if width >= _WIDER else []
        table.add_row(*map(printable, [*cells, *text]))
    return table


def found_document(found: Found, files: Sequence[WrittenFile]) -> dict[str, Any]:
    """The hits as values for JSON; the keys are a contract, see DESIGN.md."""
    return {
        "query": found.query,
        "folder": found.folder,
        "images": [
            {
                "rank": image.rank,
                "path": image.path,
                "relative": image.relative,
                "relevance": image.relevance,
                "why": {"source": image.source, "words": list(image.words)},
                "texts": list(image.texts),
                "width": image.record.width,
                "height": image.record.height,
                "note": image.record.note,
            }
            for image in found.images
        ],
        "language": found.language,
        "unknown": {word: list(near) for word, near in found.unknown.items()},
        "indexed": found.indexed,
        "with_text": found.with_text,
        "files": files_document(files),
        "seconds": round(found.seconds, 3),
        "notes": list(found.notes),
    }


def write_found_rows(found: Found, target: Path) -> WrittenFile:
    """Write a row for each hit: rank, path inside the folder, relevance, source, words."""
    with writing_rows(target) as write:
        write(["rank", "path", "relevance", "source", "words"])
        for image in found.images:
            words = ";".join(image.words)
            write([image.rank, image.relative, image.relevance, image.source, words])
    return WrittenFile.of("rows", target, len(found.images), len(found.images))


def write_found_sheet(found: Found, target: Path, config: Config) -> WrittenFile | None:
    """Draw the hits, with the words that count for each; None if there are none."""
    title = sheet_title(found)
    return write_cells(
        found.images, partial(found_cell, config=config), title, target, config.sheet
    )


def sheet_title(found: Found) -> str:
    """What stands above the hits on a sheet."""
    return f"search - {Path(found.folder).name} - {found.query}"


def found_cell(image: FoundImage, config: Config) -> Cell:
    """A hit on a sheet, with the words that count for it."""
    picture = load_picture(image.path, config, config.sheet.cell_px)
    caption = f"{image.rank}  {printable(why_in_words(image))}"
    return Cell(picture, caption, f"{image.relevance:.2f}")
