"""What `label train` prints: figures beside simpler methods, classes, confusions, the curve."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from imgbatch.learning.figures import FIGURES, Figure
from imgbatch.learning.results import Figures, Training
from imgbatch.outputs.base import StandardOutput, WrittenFile, files_document, titled_table
from imgbatch.outputs.json import print_json
from imgbatch.printable import printable

_WIDE = 90  # characters
_SHOWN = 5
"""Classes and pairs of classes in the terminal; pages and JSON have more."""
BASELINES = {"knn": "10 nearest", "majority": "majority"}
"""Simpler methods, as they are called in tables."""


def figure_in_words(name: str, value: float) -> str:
    """A figure as text: the log loss as it is, all others in percent.

    >>> figure_in_words("accuracy", 0.975), figure_in_words("log_loss", 0.0931)
    ('97.5%', '0.093')
    """
    return f"{value:.3f}" if name == "log_loss" else f"{value:.1%}"


def interval_in_words(name: str, figure: Figure) -> str:
    """The interval of a figure.

    >>> interval_in_words("accuracy", Figure(0.9, 0.85, 0.95))
    '85.0% - 95.0%'
    """
    return f"{figure_in_words(name, figure.low)} - {figure_in_words(name, figure.high)}"


def write_training(
    trained: Training, model: Path, files: Sequence[WrittenFile], *, json: bool
) -> None:
    """Print the figures as tables, or as one JSON document; `model` is the file written."""
    if json:
        print_json(training_document(trained, model, files))
        return
    console = StandardOutput()
    console.print(_figures_table(trained, wide=console.width >= _WIDE))
    console.print_fact("measured", trained.protocol + "; intervals: 95%, bootstrap")
    console.print_fact("learner", trained.model.facts["learner"])
    worst = sorted(trained.by_class, key=lambda one: (one.f1, one.name))[:_SHOWN]
    named = ", ".join(f"{one.name} {one.f1:.1%}" for one in worst)
    console.print_fact("hardest", f"{named} (F1)")
    if trained.mixed_up:
        pairs = ", ".join(
            f"{one.given} as {one.predicted} {one.count:,}" for one in trained.mixed_up[:_SHOWN]
        )
        console.print_fact("mixed up", pairs)
    if trained.curve:
        points = ", ".join(f"{one.labels:,}: {one.value:.1%}" for one in trained.curve)
        console.print_fact("labels", f"balanced accuracy with {points}")
    for before, after in zip(trained.rounds, trained.rounds[1:], strict=False):
        was = "none" if np.isnan(before.value) else f"{before.value:.1%}"
        console.print_fact(
            "round",
            f"{after.labels - before.labels:+,} labels of {after.file}: balanced accuracy "
            f"{was} before, {after.value:.1%} with them",
        )
    console.print_fact("model", str(model))
    console.print_files(files)


def _figures_table(trained: Training, *, wide: bool) -> Table:
    title = (
        f"{trained.labelled:,} labelled images of {len(trained.model.classes):,} classes in "
        f"{printable(trained.folder)}"
    )
    table = titled_table(title)
    table.add_column("figure", overflow="fold")
    table.add_column("test", justify="right", style="bold")
    if wide:
        table.add_column("95% interval", justify="right")
    table.add_column("train", justify="right")
    for name in BASELINES.values():
        table.add_column(name, justify="right", style="dim")
    for name in FIGURES:
        row = [name.replace("_", " "), figure_in_words(name, trained.test[name].value)]
        if wide:
            row.append(interval_in_words(name, trained.test[name]))
        others = (trained.train, *(trained.baselines[baseline] for baseline in BASELINES))
        row += [figure_in_words(name, figures[name].value) for figures in others]
        table.add_row(*row)
    return table


def training_document(
    trained: Training, model: Path, files: Sequence[WrittenFile]
) -> dict[str, Any]:
    """The figures as values for JSON; the keys are a contract, see DESIGN.md."""
    return {
        "train": _values(trained.train),
        "test": _values(trained.test),
        "classes": len(trained.model.classes),
        "intervals": {name: [figure.low, figure.high] for name, figure in trained.test.items()},
        "baselines": {name: _values(figures) for name, figures in trained.baselines.items()},
        "by_class": [asdict(one) for one in trained.by_class],
        "mixed_up": [
            {
                "label": one.given,
                "predicted": one.predicted,
                "images": one.count,
                "share": round(one.share, 6),
                "examples": list(one.paths),
            }
            for one in trained.mixed_up
        ],
        "curve": [asdict(point) for point in trained.curve],
        "rounds": [asdict(one) for one in trained.rounds],
        "learner": trained.model.facts["learner"],
        "tried": [asdict(one) for one in trained.tried],
        "protocol": trained.protocol,
        "folder": trained.folder,
        "images": trained.images,
        "labelled": trained.labelled,
        "trained_on": trained.trained_on,
        "tested_on": trained.tested_on,
        "model": str(model),
        "files": files_document(files),
        "seed": trained.seed,
        "seconds": round(trained.seconds, 3),
        "notes": list(trained.notes),
    }


def _values(figures: Figures) -> dict[str, float]:
    return {name: round(figure.value, 6) for name, figure in figures.items()}
