"""TensorBoard event files: metrics by number of labels and by round, the confusion matrix."""

from pathlib import Path

import numpy as np

from imgbatch.errors import OutputError, UsageError
from imgbatch.learning.results import Training
from imgbatch.outputs.base import WrittenFile
from imgbatch.outputs.confusion import draw_confusion


def require_tensorboard() -> None:
    """Raise `UsageError` if the library that writes event files is not installed."""
    try:
        import tensorboardX  # noqa: F401
    except ImportError:
        raise UsageError(
            "--log needs the library tensorboardX", "run: pip install 'imgbatch[tensorboard]'"
        ) from None


def log_training(trained: Training, directory: Path) -> WrittenFile:
    """Write what training measured into a folder that ``tensorboard --logdir`` reads.

    Steps are numbers of labelled images. Written are the figures of trained and tested images and
    of simpler methods at the last step, balanced accuracy along the curve and after each round,
    and the confusion matrix as a picture.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    from tensorboardX import SummaryWriter

    step = trained.labelled
    try:
        with SummaryWriter(str(directory), write_to_disk=True) as writer:
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
    except OSError as error:
        raise OutputError(
            f"no log can be written to {directory}: {error.strerror or error}",
            "choose another folder",
        ) from None
    return WrittenFile("log", directory, _size(directory), 0, 0)


def _size(directory: Path) -> int:
    return sum(file.stat().st_size for file in directory.rglob("events.*"))
