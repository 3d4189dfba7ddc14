"""A round of labelling: what to label next, what a model says of all the rest, how good it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from imgbatch.annotations.labels import UNLABELLED
from imgbatch.files.paths import join
from imgbatch.learning.asking import free_rows, has_enough, label_next, predicted
from imgbatch.learning.classify import Classifier, train
from imgbatch.learning.examples import Examples
from imgbatch.learning.figures import Figure, figures_of
from imgbatch.learning.judged import judged_by
from imgbatch.learning.known import KnownLabels
from imgbatch.learning.predictions import Predictions
from imgbatch.learning.results import Asked, AskedImage
from imgbatch.types import Rows


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """How good the model of a round is, on images that metadata keep for measuring.

    Attributes
    ----------
    figure
        Balanced accuracy.
    random
        That of random choice: one over the number of classes among the images.
    images
        Number of images with a label that it was measured on.
    """

    figure: Figure
    random: float
    images: int


@dataclass(frozen=True, slots=True, eq=False)
class LabelRound:
    """What is known after some labels.

    Attributes
    ----------
    asked, at_random
        Images to label next, and a random sample of those without a label, as of `label_next`.
    folder, paths
        The image folder, and paths inside it, by row.
    free
        (m,) rows without a label, one of each group of copies.
    said
        What the model says of these; None while there are too few labels for a model.
    measured
        None without a model, or without labelled images to measure on.
    """

    asked: Asked | None
    at_random: Asked | None
    folder: str
    paths: Sequence[str]
    free: Rows
    said: Predictions | None
    measured: Measured | None

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that the model tells apart; () without a model."""
        return () if self.said is None else self.said.classes

    def likely(self, name: str) -> Iterator[AskedImage]:
        """Images that the model takes for one of its classes, the surest first."""
        if self.said is not None:
            of_class = np.flatnonzero(self.said.numbers == self.classes.index(name))
            order = np.argsort(-self.said.probabilities[of_class], kind="stable")
            yield from map(self._free_image, of_class[order].tolist())

    def unlabelled(self) -> Iterator[AskedImage]:
        """All images without a label, in the order of paths."""
        return map(self._free_image, range(len(self.free)))

    def _free_image(self, position: int) -> AskedImage:
        row = int(self.free[position])
        label, probability = "", 0.0
        if self.said is not None:
            label = self.classes[int(self.said.numbers[position])]
            probability = float(self.said.probabilities[position])
        path = self.paths[row]
        return AskedImage(row, join(self.folder, path), path, "", label, probability, "")


def label_round(known: KnownLabels, n: int, seed: int = 0) -> LabelRound:
    """Train once on the labels so far, and answer all that a person asks between two rounds.

    Parameters
    ----------
    known
        The folder's labels.
    n
        How many images to label next, and how many to draw at random.
    seed
        Of everything random.
    """
    free = free_rows(known)
    classifier, said, measured = None, None, None
    if has_enough(known):
        classifier = train(known.examples(all_parts=False), seed).classifier
        measured = _measured(known, classifier, seed)
    if not len(free):
        return LabelRound(None, None, known.folder, known.paths, free, None, measured)
    if classifier is not None:
        said = predicted(known, free, classifier)
    asked = label_next(known, n, seed, said=said)
    at_random = label_next(known, n, seed, at_random=True)
    return LabelRound(asked, at_random, known.folder, known.paths, free, said, measured)


def _measured(known: KnownLabels, classifier: Classifier, seed: int) -> Measured | None:
    rows = np.flatnonzero(known.to_measure & (known.classes != UNLABELLED))
    if not len(rows):
        return None
    names, classes = known.names, known.classes[rows]
    tested = Examples(known.images(rows), classes, known.groups[rows], names)
    figures = figures_of(judged_by(classifier, tested), len(names), seed)
    return Measured(figures["balanced_accuracy"], 1 / len(np.unique(classes)), len(rows))
