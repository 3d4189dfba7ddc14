"""What `batches` shows: figures beside random batches, a JSON document, a page of examples."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from imgbatch.config.schema import Config, SheetConfig
from imgbatch.files.paths import join
from imgbatch.outputs.base import StandardOutput, WrittenFile, titled_table
from imgbatch.outputs.pictures import load_picture
from imgbatch.outputs.sheet import Cell, Grid, draw_page, most_rows, name_in_folder, save_page
from imgbatch.printable import printable
from imgbatch.types import Figures, Rows, Skipped

if TYPE_CHECKING:
    from imgbatch.collection import Collection

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
    plan, preview, report
        The files written, if any.
    skipped_list
        The file that lists skipped files; None if no file was skipped.
    indexed
        Number of images in the folder.
    notes
        Remarks on the figures.
    ignored
        Numbers of the folder's files that are no images, by ending.
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
    report: WrittenFile | None = None
    notes: tuple[str, ...] = ()
    ignored: Mapping[str, int] = field(default_factory=dict)


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
        "report": None if result.report is None else str(result.report.path),
        "skipped": [asdict(file) for file in result.skipped],
        "ignored": dict(result.ignored),
        "indexed": result.indexed,
        "seconds": round(result.seconds, 3),
    }


@dataclass(frozen=True, slots=True)
class ShownFigure:
    """How a figure of batches is shown: its name in words, the form of its value, its meaning."""

    words: str
    form: str
    meaning: str


FIGURES = {
    "leading_variance": ShownFigure(
        "variance of batch means, leading components",
        "{:.3f}",
        "how far a batch is from the mean of all images, in the directions that batches are dealt"
        " by; random batches are at 1, less is more even",
    ),
    "variance": ShownFigure(
        "variance of batch means, all components",
        "{:.3f}",
        "the same in all directions of the feature space",
    ),
    "closest": ShownFigure(
        "closest two images in a batch, least",
        "{:.3f}",
        "distance of the two nearest images that share a batch; 1 is that of a typical pair",
    ),
    "mean_closest": ShownFigure(
        "closest two images in a batch, mean",
        "{:.3f}",
        "the distance of the two nearest images of each batch, on average",
    ),
    "near_duplicates": ShownFigure(
        "near-duplicate pairs in a batch", "{:,.0f}", "pairs of near-duplicates that share a batch"
    ),
    "classes": ShownFigure(
        "classes in a full batch, mean", "{:.1f}", "how many classes (subfolders) a batch holds"
    ),
}
"""The figures of batches, in the order in which they are shown."""


def write_batches_table(result: BatchesResult) -> None:
    """Print the figures beside those of random batches, the seed and the files written."""
    console = StandardOutput()
    title = f"{result.batches:,} batches of {result.batch_size}, {result.indexed:,} images"
    title += f", {result.epochs} epoch{'s' * (result.epochs > 1)}"
    table = titled_table(title)
    table.add_column("")
    table.add_column("diverse", justify="right", style="green")
    table.add_column("random", justify="right")
    for name, figure in FIGURES.items():
        values = result.figures[name], result.random[name]
        if not any(map(math.isnan, values)):
            table.add_row(figure.words, *(figure.form.format(value) for value in values))
    console.print(table)
    lines = [("seed", f"{result.seed}  (repeats these batches: --seed {result.seed})")]
    lines += [
        (name, str(path))
        for name, path in (("plan", result.plan), ("preview", result.preview))
        if path is not None
    ]
    if result.report is not None:
        lines.append(("page", result.report.in_words()))
    if result.skipped:
        where = f"  (list: {result.skipped_list})" if result.skipped_list else ""
        lines.append(("skipped", f"{len(result.skipped):,} of the folder's files{where}"))
    for name, value in lines:
        console.print_fact(name, value)


@dataclass(frozen=True, slots=True)
class ShownBatch:
    """A batch to be shown: files, names, and distances to the nearest other of the batch."""

    files: Sequence[str]
    names: Sequence[str]
    distances: Sequence[float]


def shown_batches(photos: "Collection", batches: Sequence[Rows], most: int) -> list[ShownBatch]:
    """The first `most` images of each batch, without incomplete batches after the first."""
    from imgbatch.batches.tally import mate_distances

    shown: list[ShownBatch] = []
    for batch in batches:
        if shown and len(batch) < len(batches[0]):
            continue
        names = [photos.records[row].path for row in batch[:most].tolist()]
        files = [join(photos.folder, name) for name in names]
        distances = mate_distances(photos.points, batch)[:most].tolist()
        shown.append(ShownBatch(files, names, distances))
    return shown


def most_shown_batches(columns: int, options: SheetConfig, target: Path) -> int:
    """How many batches, of `columns` pictures each, a preview has room for in each section."""
    return most_rows(columns, side_px(columns, options), target, sections=_SECTIONS)


def write_preview(
    sections: Sequence[tuple[str, Sequence[ShownBatch]]],
    target: Path,
    config: Config,
    too_close: float,
) -> None:
    """Draw two sections of batches, each batch a row of pictures, and write the page.

    A picture is framed if another image of its batch is nearer than `too_close`.
    """
    options = config.sheet
    columns = max(len(batch.names) for _, batches in sections for batch in batches)
    pages = []
    for title, batches in sections:
        cells = (
            Cell(
                load_picture(file, config, options.cell_px),
                printable(name_in_folder(name)),
                f"{distance:.2f}",
                framed=distance < too_close,
            )
            for batch in batches
            for file, name, distance in zip(batch.files, batch.names, batch.distances, strict=True)
        )
        count = sum(len(batch.names) for batch in batches)
        pages.append(draw_page(cells, title, Grid(columns, count, side_px(columns, options))))
    page = Image.new("RGB", (pages[0].width, sum(section.height for section in pages)))
    top = 0
    for section in pages:
        page.paste(section, (0, top))
        top += section.height
    save_page(page, target)


def side_px(columns: int, options: SheetConfig) -> int:
    """The side of a picture's square: smaller for long rows."""
    return min(options.cell_px, max(64, 1600 // columns))


def _finite(value: float) -> float | None:
    return None if math.isnan(value) else value
