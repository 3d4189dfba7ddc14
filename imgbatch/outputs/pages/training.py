"""The page of a trained model: figures, classes, the confusion matrix, pictures mixed up."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from imgbatch.config.schema import Config
from imgbatch.files.paths import join
from imgbatch.learning.figures import FIGURES
from imgbatch.learning.results import MixedUp, Training
from imgbatch.outputs.confusion import ShownMatrix
from imgbatch.outputs.pages.records import (
    Chart,
    FigureRow,
    FiguresTable,
    ImageGrid,
    ImageGroups,
    Matrix,
    MatrixCell,
    Page,
    PageImage,
)
from imgbatch.outputs.pages.settings import remarks_section, settings_section
from imgbatch.outputs.training import figure_in_words, interval_in_words

_MEANING = {
    "accuracy": "share of images that are given their own class",
    "balanced_accuracy": "the same, as the mean over classes",
    "macro_f1": "precision and recall in one number, as the mean over classes",
    "log_loss": "how surprising the right classes are; lower is better",
    "calibration_error": "by how much probabilities are off; lower is better",
}
_MOST_CLASSES = 200


def training_page(trained: Training, config: Config, command: str = "") -> Page:
    """The page of a trained model.

    Parameters
    ----------
    trained
        What `learning.training.train_labels` returned.
    config
        The settings of the collection.
    command
        The terminal command that trains the same; "" shows none.
    """
    folder = Path(trained.folder).name or "the root"
    return Page(
        "label train",
        f"A model of {folder}",
        f"{len(trained.model.classes):,} classes, learned from {trained.trained_on:,} of"
        f" {trained.images:,} images. Measured on {trained.protocol}.",
        _highlights(trained),
        (
            *_figures(trained),
            *_curve(trained),
            *_rounds(trained),
            _matrix(trained),
            *_mixed_up(trained.mixed_up, trained.folder),
            _classes(trained),
            _learners(trained),
            settings_section(trained.folder, trained.images, trained.seed, config),
            *remarks_section(trained.notes, ()),
        ),
        command,
    )


def _highlights(trained: Training) -> tuple[tuple[str, str], ...]:
    names = ("accuracy", "balanced_accuracy", "calibration_error")
    neighbours = trained.baselines["knn"]["balanced_accuracy"].value
    return (
        *(
            (figure_in_words(name, trained.test[name].value), name.replace("_", " "))
            for name in names
        ),
        (f"{neighbours:.1%}", "balanced accuracy of the ten nearest images"),
    )


def _figures(trained: Training) -> tuple[FiguresTable, ...]:
    neighbours, train = trained.baselines["knn"], trained.train
    rows = tuple(
        FigureRow(
            name.replace("_", " "),
            figure_in_words(name, trained.test[name].value),
            interval_in_words(name, trained.test[name]),
            figure_in_words(name, neighbours[name].value),
            f"{_MEANING[name]}; on images trained on {figure_in_words(name, train[name].value)}",
            None
            if name == "log_loss"
            else Chart(
                trained.test[name].value,
                trained.test[name].low,
                trained.test[name].high,
                neighbours[name].value,
            ),
        )
        for name in FIGURES
    )
    text = f"Of {trained.tested_on:,} images that the model was not trained on, beside the class"
    text += " that most of the ten nearest labelled images have."
    return (FiguresTable("How good it is", text, ("figure", "measured", "nearest"), rows),)


def _curve(trained: Training) -> tuple[FiguresTable, ...]:
    if not trained.curve:
        return ()
    rows = tuple(
        FigureRow(
            f"{point.labels:,} labels",
            f"{point.value:.1%}",
            f"{point.low:.1%} \u2013 {point.high:.1%}",
            chart=Chart(point.value, point.low, point.high),
        )
        for point in trained.curve
    )
    text = "Balanced accuracy of models trained on random parts of the labels: the mean of three"
    text += " parts, the lowest and the highest. A line that still rises asks for more labels."
    columns = ("labels", "measured", "")
    return (FiguresTable("Would more labels help?", text, columns, rows, "lowest to highest"),)


def _rounds(trained: Training) -> tuple[FiguresTable, ...]:
    if not trained.rounds:
        return ()
    rows = tuple(
        FigureRow(
            Path(one.file).name,
            "none" if np.isnan(one.value) else f"{one.value:.1%}",
            random=f"{one.labels:,}",
        )
        for one in trained.rounds
    )
    text = "Balanced accuracy on the same images, after each metadata file."
    return (FiguresTable("What each round gained", text, ("file", "measured", "labels"), rows),)


def _matrix(trained: Training) -> Matrix:
    shown = ShownMatrix.of(trained)
    text = "Which classes are taken for which."
    if shown.left_out:
        total = len(shown.names) + shown.left_out
        text += f" The {len(shown.names)} classes with the most mistakes of {total:,}."
    cells = tuple(
        MatrixCell(
            int(row),
            int(column),
            int(shown.counts[row, column]),
            float(shown.shares[row, column]),
        )
        for row, column in zip(*np.nonzero(shown.counts), strict=True)
    )
    return Matrix("Confusion", text, shown.names, "the images' class", "given as", cells)


def _mixed_up(pairs: Sequence[MixedUp], folder: str) -> tuple[ImageGroups, ...]:
    if not pairs:
        return ()
    groups = tuple(
        ImageGrid(
            f"{pair.given}, taken for {pair.predicted}: {pair.count:,}",
            f"{pair.share:.0%} of the class.",
            images=tuple(PageImage(join(folder, path), path) for path in pair.paths),
            left_out=pair.count - len(pair.paths),
        )
        for pair in pairs
    )
    text = "The pairs of classes confused most often; the surest mistakes first."
    return (ImageGroups("Mixed up", text, groups=groups),)


def _classes(trained: Training) -> FiguresTable:
    hardest = sorted(trained.by_class, key=lambda one: (one.f1, one.name))[:_MOST_CLASSES]
    text = "F1: precision and recall in one number; hardest first."
    if len(hardest) < len(trained.by_class):
        text += f" The {len(hardest)} hardest of {len(trained.by_class):,}."
    rows = tuple(
        FigureRow(
            one.name,
            f"{one.f1:.1%}",
            random=f"{one.images:,}",
            meaning=f"found {one.recall:.0%}, right when given "
            + ("\u2013" if np.isnan(one.precision) else f"{one.precision:.0%}"),
            chart=Chart(one.f1, one.f1, one.f1),
        )
        for one in hardest
    )
    return FiguresTable("Classes", text, ("class", "F1", "images"), rows, interval_name="")


def _learners(trained: Training) -> FiguresTable:
    ordered = sorted(trained.tried, key=lambda one: one.log_loss)
    rows = tuple(
        FigureRow(one.name, f"{one.log_loss:.3f}", random=f"{one.accuracy:.1%}") for one in ordered
    )
    text = "Compared by log loss on held-out folds of the images trained on; the first one is used."
    return FiguresTable("Learners", text, ("learner", "log loss", "accuracy"), rows)
