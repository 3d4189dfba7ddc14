"""TensorBoard event files: what `label train` and `evaluate` measured."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgbatch.errors import OutputError, UsageError
from imgbatch.outputs.base import WrittenFile

if TYPE_CHECKING:
    from imgbatch.evaluation.results import Evaluation
    from imgbatch.learning.results import Training

_SECTIONS = ("similar", "different", "batches", "search", "caption")
"""First words of the names of figures that make a section of their own."""


def require_tensorboard() -> None:
    """Raise `UsageError` if the library that writes event files is not installed."""
    try:
        import tensorboardX  # noqa: F401
    except ImportError:
        raise UsageError(
            "--log needs the library tensorboardX", "run: pip install 'imgbatch[tensorboard]'"
        ) from None


def log_training(trained: "Training", directory: Path) -> WrittenFile:
    """Write what training measured into a folder that ``tensorboard --logdir`` reads.

    Steps are numbers of labelled images. Written are the figures of trained and tested images and
    of simpler methods at the last step, balanced accuracy along the curve and after each round,
    and the confusion matrix as a picture.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    from imgbatch.outputs.confusion import draw_confusion

    step = trained.labelled
    with _writing(directory) as writer:
        sources = {"train": trained.train, "test": trained.test, **trained.baselines}
        for source, figures in sources.items():
            for name, figure in figures.items():
                writer.add_scalar(f"{source}/{name}", figure.value, step)
        for point in trained.curve:
            writer.add_scalar("labels/balanced_accuracy", point.value, point.labels)
        for number, one in enumerate(trained.rounds, start=1):
            if not np.isnan(one.value):
                writer.add_scalar("rounds/balanced_accuracy", one.value, number)
                writer.add_scalar("rounds/labels", one.labels, number)
        picture = np.asarray(draw_confusion(trained))
        writer.add_image("confusion_matrix", picture, step, dataformats="HWC")
    return _written(directory)


def log_evaluation(measured: "Evaluation", directory: Path) -> WrittenFile:
    """Write all figures of an evaluation into a folder that ``tensorboard --logdir`` reads.

    Steps are numbers of images. A figure such as ``search_recall_at_10`` is the tag
    ``search/recall_at_10``, beside which stand ``low`` and ``high``, its interval, and ``random``.
    Figures of single queries are in the section ``queries``, those of classes in ``classes``.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    step = measured.images
    with _writing(directory) as writer:
        for figure in measured.figures:
            section, _, rest = figure.name.partition("_")
            name = f"{section}/{rest}" if section in _SECTIONS else f"queries/{figure.name}"
            writer.add_scalar(name, figure.value, step)
            beside = {"low": figure.low, "high": figure.high, "random": figure.random}
            for part, value in beside.items():
                if value is not None:
                    writer.add_scalar(f"{name}/{part}", value, step)
        for number, one in enumerate(measured.by_class, start=1):
            # The number keeps names apart that differ in what a tag may not hold.
            writer.add_scalar(f"classes/{number:04}_{one.label}", one.precision_at_10, step)
    return _written(directory)


@contextlib.contextmanager
def _writing(directory: Path) -> Iterator[Any]:
    """A writer of one event file; what cannot be written is an `OutputError`."""
    from tensorboardX import SummaryWriter

    try:
        with SummaryWriter(str(directory), write_to_disk=True) as writer:
            yield writer
    except OSError as error:
        raise OutputError(
            f"no log can be written to {directory}: {error.strerror or error}",
            "choose another folder",
        ) from None


def _written(directory: Path) -> WrittenFile:
    size = sum(file.stat().st_size for file in directory.rglob("events.*"))
    return WrittenFile("log", directory, size, 0, 0)
