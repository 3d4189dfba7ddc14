"""The labels that a model gives the images of a folder, or one image."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from imgbatch.learning.model import Described, LabelModel
from imgbatch.learning.predictions import Predictions


@dataclass(frozen=True, eq=False)
class GivenLabels:
    """Labels for n images; "" where the model is not sure enough.

    Attributes
    ----------
    folder
        The image folder; "" for a single image.
    files, names
        Absolute path, or URL, and path inside the folder of each image.
    predictions
        The likeliest class of each.
    least
        The confidence from which on a label is given.
    min_precision
        The share of right labels asked for; None gives every image its label.
    held_out, held_right
        Images, not trained on, of this confidence or more, and how many of them were right.
    notes
        Remarks for the user.
    """

    folder: str
    files: Sequence[str]
    names: Sequence[str]
    predictions: Predictions
    least: float
    min_precision: float | None
    held_out: int
    held_right: int
    notes: tuple[str, ...] = ()

    @cached_property
    def labels(self) -> list[str]:
        """The label given to each image; "" for none."""
        sure = (self.predictions.probabilities >= self.least).tolist()
        return [
            label if enough else ""
            for label, enough in zip(self.predictions.labels, sure, strict=True)
        ]

    @property
    def labelled(self) -> int:
        """How many images were given a label."""
        return sum(map(bool, self.labels))


def given_labels(
    model: LabelModel,
    photos: "Described | str",
    folder: str,
    files: Sequence[str],
    names: Sequence[str],
    min_precision: float | None = None,
) -> GivenLabels:
    """Label a collection, or the file of an image.

    Parameters
    ----------
    min_precision
        0..1: only images are labelled of a confidence at which held-out images were right with
        this share; None labels all.
    """
    least = 0.0 if min_precision is None else model.threshold(min_precision)
    sure = model.held_confidence >= least
    nothing = (
        (
            f"no held-out images were right with a share of {min_precision:.0%}, however sure the "
            "model was; nothing is labelled"
        )
        if np.isinf(least)
        else ""
    )
    return GivenLabels(
        folder,
        files,
        names,
        model.predict(photos),
        least,
        min_precision,
        int(sure.sum()),
        int(model.held_right[sure].sum()),
        (nothing,) if nothing else (),
    )
