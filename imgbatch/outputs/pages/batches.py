"""The page of dealt batches, beside random ones."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from imgbatch.config.schema import Config
from imgbatch.outputs.batches import FIGURES, BatchesResult, ShownBatch
from imgbatch.outputs.pages.records import (
    Chart,
    FigureRow,
    FiguresTable,
    ImageGrid,
    ImageGroups,
    Page,
    PageImage,
    SideBySide,
)
from imgbatch.outputs.pages.settings import remarks_section, settings_section

MOST_BATCHES = 4
"""Most batches of either kind on a page."""


def batches_page(
    result: BatchesResult,
    dealt: Sequence[ShownBatch],
    random: Sequence[ShownBatch],
    config: Config,
    command: str = "",
    *,
    first: int = 0,
) -> Page:
    """The page of an epoch's batches: figures and the first batches, beside random ones.

    Parameters
    ----------
    result
        What was dealt, with its figures.
    dealt, random
        Batches of either kind; the first four that fit on the page are shown.
    config
        The settings of the collection.
    command
        The terminal command that deals the same batches; "" shows none.
    first
        The number of the first of them, from 0.
    """
    closest = result.figures["closest"]
    epochs = f"{result.epochs} epochs" if result.epochs > 1 else "one epoch"
    highlights = [
        (f"{result.batches:,}", f"batches in {epochs}"),
        (f"{result.batch_size:,}", "images in a batch"),
        (f"{result.indexed:,}", "images in the folder"),
    ]
    variance = result.figures["leading_variance"]
    if not math.isnan(variance):
        highlights.append(
            (f"{variance:.2f}", "variance of batch means, where random batches have 1")
        )
    highlights.append((str(result.seed), "seed, which repeats these batches"))
    pictures = SideBySide(
        f"Batches from number {first + 1:,} on" if first else "The first batches",
        "A picture is framed if another of its batch is nearer than any two in a diverse batch.",
        columns=(
            _column("Diverse", dealt, closest, config, first),
            _column("Random", random, closest, config, first),
        ),
    )
    return Page(
        "batches",
        f"{result.batches:,} batches of {Path(result.folder).name or 'the root'}",
        "Every image once an epoch, in batches whose images differ and which resemble each other.",
        tuple(highlights),
        (
            _figures(result),
            pictures,
            settings_section(result.folder, result.indexed, result.seed, config),
            *remarks_section(result.notes, result.skipped),
        ),
        command,
    )


def _figures(result: BatchesResult) -> FiguresTable:
    rows = []
    for name, figure in FIGURES.items():
        values = result.figures[name], result.random[name]
        if any(map(math.isnan, values)):
            continue
        most = max(*values, 1e-9)
        dealt, random = (value / most for value in values)
        rows.append(
            FigureRow(
                figure.words,
                figure.form.format(values[0]),
                random=figure.form.format(values[1]),
                meaning=figure.meaning,
                chart=Chart(dealt, dealt, dealt, random),
            )
        )
    return FiguresTable(
        "Figures",
        "Diverse batches beside batches that a shuffling loader makes of the same images.",
        columns=("figure", "diverse", "random"),
        rows=tuple(rows),
        interval_name="",
    )


def _column(
    name: str, batches: Sequence[ShownBatch], closest: float, config: Config, first: int
) -> ImageGroups:
    groups = tuple(
        ImageGrid(
            f"Batch {number:,}",
            images=tuple(
                PageImage(
                    file,
                    path,
                    score=f"{distance:.2f}" if math.isfinite(distance) else "",
                    mark="close" if distance < closest else "",
                )
                for file, path, distance in zip(
                    batch.files, batch.names, batch.distances, strict=True
                )
            ),
            score_name="distance to the nearest of its batch",
        )
        for number, batch in enumerate(batches[:MOST_BATCHES], start=first + 1)
    )
    shown = ImageGroups(name, groups=groups, compact=True).first(config.page.images // 2)
    return replace(shown, left_out=0)  # the heading says that these are the first
