"""What `batches` shows: a summary beside random batches, a JSON document, a page of examples."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from rich.table import Table

from imgbatch.config.schema import SheetConfig
from imgbatch.files.names import printable
from imgbatch.outputs.base import StandardOutput
from imgbatch.outputs.sheet import Cell, draw_page, save_page
from imgbatch.types import Figures, Skipped, View

MOST_SHOWN = 16
"""Pictures of a batch in a row of the preview."""


@dataclass(frozen=True, slots=True)
class BatchesResult:
    """What was dealt and written; `figures` and `random` are of these and of random batches."""

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
    """The result as JSON-able values; figures that do not exist are null."""
    beside = {
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
        "figures": beside,
        "preview": None if result.preview is None else str(result.preview),
        "skipped": [asdict(one) for one in result.skipped],
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

    pictures: Sequence[View]
    names: Sequence[str]
    distances: Sequence[float]


def write_preview(
    sections: Sequence[tuple[str, Sequence[ShownBatch]]],
    target: Path,
    options: SheetConfig,
    too_close: float,
) -> None:
    """Draw sections of batches, a row for each, one below the other, and write the page.

    Pictures nearer than `too_close` to another of their whole batch are framed.
    """
    shown = max(len(batch.names) for _, batches in sections for batch in batches)
    side = min(options.cell_px, max(64, 1600 // shown))
    small = options.model_copy(update={"columns": shown, "cell_px": side})
    pages = []
    for title, batches in sections:
        cells = [
            Cell(picture, printable(name), f"{distance:.2f}", marked=distance < too_close)
            for batch in batches
            for picture, name, distance in zip(
                batch.pictures, batch.names, batch.distances, strict=True
            )
        ]
        pages.append(draw_page(cells, title, small))
    page = Image.new("RGB", (pages[0].width, sum(one.height for one in pages)))
    top = 0
    for one in pages:
        page.paste(one, (0, top))
        top += one.height
    save_page(page, target)


def _finite(value: float) -> float | None:
    return None if math.isnan(value) else value
