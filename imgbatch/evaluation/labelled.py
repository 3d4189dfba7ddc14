"""The labelled images of a collection, as `tune` and `learn` take them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from imgbatch.annotations.labels import HOW_TO_LABEL, UNLABELLED, class_numbers
from imgbatch.collection import Collection
from imgbatch.config.schema import Config
from imgbatch.descriptors import HASH, as_integers
from imgbatch.errors import LabelError, UsageError
from imgbatch.evaluation.evaluate import collection_labels
from imgbatch.evaluation.trials import TrialImages
from imgbatch.types import Floats, Hashes, Rows

MOST_IMAGES = 6000
"""Images that settings are tried on; of more a random sample is taken."""
LEAST_MEMBERS = 4
"""Of a class, copies counting as one, so that each half has two."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledRows:
    """Images of classes that are large enough to be halved.

    Attributes
    ----------
    rows, classes
        (m,) int64: rising rows of the collection, and the number of each one's class.
    groups
        (m,) int64: equal for copies, and for images of one group in the metadata.
    notes
        Remarks on the labels.
    """

    rows: Rows
    classes: Rows
    groups: Rows
    notes: tuple[str, ...]

    @classmethod
    def of(
        cls, collection: Collection, labels: str | os.PathLike[str] | None, least_classes: int = 2
    ) -> "LabelledRows":
        """The images of classes of at least four; raises `LabelError` for too few such classes."""
        found = collection_labels(collection, labels)
        classes, groups = class_numbers(found.names), collection.labelling.groups
        known = np.flatnonzero(classes != UNLABELLED)
        different = np.unique(np.column_stack((classes[known], groups[known])), axis=0)
        sizes = np.bincount(different[:, 0], minlength=len(found.classes))
        rows = known[sizes[classes[known]] >= LEAST_MEMBERS]
        large = len(np.unique(classes[rows]))
        if large < least_classes:
            what = "tune needs" if least_classes == 2 else "learned points need"
            raise LabelError(
                f"{what} at least {least_classes} classes of {LEAST_MEMBERS} images or more, but "
                f"{collection.folder} has {len(found.classes)} classes, {large} of them large"
                " enough; copies, and images of one group, count as one",
                HOW_TO_LABEL,
            )
        return cls(rows, classes[rows], groups[rows], tuple(found.notes))

    def sample(self, most: int, seed: int) -> "LabelledRows":
        """Of more than `most` images a random sample."""
        if len(self.rows) <= most:
            return self
        drawn = np.random.default_rng(seed).choice(len(self.rows), most, replace=False)
        drawn.sort()
        return replace(
            self, rows=self.rows[drawn], classes=self.classes[drawn], groups=self.groups[drawn]
        )


def trial_images(
    collection: Collection, labelled: LabelledRows, descriptors: Sequence[str]
) -> TrialImages:
    """Labelled images with the features of some descriptors; `UsageError` for one not loaded."""
    features = collection.features(labelled.rows)
    if missing := [name for name in descriptors if name not in features]:
        raise UsageError(
            f"the collection was loaded without the descriptors {', '.join(missing)}",
            "load it with load_with_descriptors",
        )
    chosen = {name: features[name] for name in descriptors}
    hashes = hashes_of(features[HASH])
    augmented = collection.augmented()
    return TrialImages(chosen, labelled.classes, hashes, augmented, labelled.groups)


def hashes_of(features: Floats) -> Hashes:
    """(n, 64) pHash features, -1 or 1 for each bit -> (n,) uint64 pHashes."""
    return as_integers(np.packbits(features > 0, axis=1))


def refuse_learned(config: Config) -> None:
    """Raise `UsageError` for settings under which points are learned already."""
    if config.space.learned:
        raise UsageError(
            f"the collection was loaded with the learned points of {config.space.learned}",
            "load it without space.learned, or with load_with_descriptors",
        )
