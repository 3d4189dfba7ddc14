"""What `batches` shows: figures beside random batches, a JSON document, a page of examples."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from rich.table import Table

from imgbatch.config.schema import SheetConfig
from imgbatch.files.names import printable
from imgbatch.outputs.base import StandardOutput
from imgbatch.outputs.sheet import Cell, Grid, draw_page, most_rows, save_page
from imgbatch.types import Figures, Skipped, View

MOST_SHOWN = 16
"""Most pictures in a row of the preview."""
_SECTIONS = 2


@dataclass(frozen=True, slots=True)
class BatchesResult:
    """What was dealt and written.

    Attributes
    ----------
    figures, random
        The figures of the dealt batches, and of as many random ones.
    plan, preview
        The files written, if any.
    skipped_list
        The file that lists skipped files; None if no file was skipped.
    indexed
        Number of images in the folder.
    """

    seed: int
    folder: str
    batch_size: int
    epochs: int
    batches: int
    figures: Figures
    random: Figures
    plan: Path | None
    preview: Path | None
    skipped: tuple[Skipped, ...]
    skipped_list: Path | None
    indexed: int
    seconds: float


def batches_document(result: BatchesResult) -> dict[str, Any]:
    """The result as values for JSON; a figure that cannot be measured is null."""
    figures = {
        name: {"diverse": _finite(value), "random": _finite(result.random[name])}
        for name, value in result.figures.items()
    }
    return {
        "mode": "batches",
        "seed": result.seed,
        "folder": result.folder,
        "batch_size": result.batch_size,
        "epochs": result.epochs,
        "batches": result.batches,
        "plan": None if result.plan is None else str(result.plan),
        "figures": figures,
        "preview": None if result.preview is None else str(result.preview),
        "skipped": [asdict(file) for file in result.skipped],
        "indexed": result.indexed,
        "seconds": round(result.seconds, 3),
    }


_ROWS = {
    "leading_variance": ("variance of batch means, leading components", "{:.3f}"),
    "variance": ("variance of batch means, all components", "{:.3f}"),
    "closest": ("closest two images in a batch, least", "{:.3f}"),
    "mean_closest": ("closest two images in a batch, mean", "{:.3f}"),
    "near_duplicates": ("near-duplicate pairs in a batch", "{:,.0f}"),
    "classes": ("classes in a full batch, mean", "{:.1f}"),
}


def write_batches_table(result: BatchesResult) -> None:
    """Print the figures beside those of random batches, the seed and the files written."""
    console = StandardOutput()
    title = f"{result.batches:,} batches of {result.batch_size}, {result.indexed:,} images"
    title += f", {result.epochs} epoch{'s' * (result.epochs > 1)}"
    table = Table(title=title, title_style="bold", title_justify="left")
    table.add_column("")
    table.add_column("diverse", justify="right", style="green")
    table.add_column("random", justify="right")
    for name, (words, form) in _ROWS.items():
        values = result.figures[name], result.random[name]
        if not any(map(math.isnan, values)):
            table.add_row(words, *(form.format(value) for value in values))
    console.print(table)
    lines = [("seed", f"{result.seed}  (repeats these batches: --seed {result.seed})")]
    lines += [
        (name, str(path))
        for name, path in (("plan", result.plan), ("preview", result.preview))
        if path is not None
    ]
    if result.skipped:
        where = f"  (list: {result.skipped_list})" if result.skipped_list else ""
        lines.append(("skipped", f"{len(result.skipped)} of the folder's files{where}"))
    for name, value in lines:
        console.print_fact(name, value)


@dataclass(frozen=True, slots=True)
class ShownBatch:
    """A row of the preview: pictures, names, and distances to the nearest other of the batch."""

    pictures: Iterable[View]
    names: Sequence[str]
    distances: Sequence[float]


def most_shown_batches(columns: int, options: SheetConfig, target: Path) -> int:
    """How many batches, of `columns` pictures each, a preview has room for in each section."""
    return most_rows(columns, _side_px(columns, options), target, sections=_SECTIONS)


def write_preview(
    sections: Sequence[tuple[str, Sequence[ShownBatch]]],
    target: Path,
    options: SheetConfig,
    too_close: float,
) -> None:
    """Draw two sections of batches, each batch a row of pictures, and write the page.

    A picture is framed if another image of its batch is nearer than `too_close`.
    """
    columns = max(len(batch.names) for _, batches in sections for batch in batches)
    pages = []
    for title, batches in sections:
        cells = (
            Cell(picture, printable(name), f"{distance:.2f}", framed=distance < too_close)
            for batch in batches
            for picture, name, distance in zip(
                batch.pictures, batch.names, batch.distances, strict=True
            )
        )
        count = sum(len(batch.names) for batch in batches)
        pages.append(draw_page(cells, title, Grid(columns, count, _side_px(columns, options))))
    page = Image.new("RGB", (pages[0].width, sum(section.height for section in pages)))
    top = 0
    for section in pages:
        page.paste(section, (0, top))
        top += section.height
    save_page(page, target)


def _side_px(columns: int, options: SheetConfig) -> int:
    """The side of a picture's square: smaller for long rows."""
    return min(options.cell_px, max(64, 1600 // columns))


def _finite(value: float) -> float | None:
    return None if math.isnan(value) else value
