"""Points that learn from labels, and what that gains on what was not learned from."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from imgbatch.collection import Collection
from imgbatch.config.schema import Config
from imgbatch.embedding.projection import BATCH_ROWS, fitted_rows, space_options
from imgbatch.embedding.space import FeatureSpace
from imgbatch.evaluation.halves import halve, halve_classes
from imgbatch.evaluation.intervals import Values, interval
from imgbatch.evaluation.labelled import MOST_IMAGES, LabelledRows, refuse_learned, trial_images
from imgbatch.evaluation.mixtures import LEAST_CLASSES, by_class, learned_metric, try_mixtures
from imgbatch.evaluation.results import Gain, Learned
from imgbatch.evaluation.trials import Setting, TrialImages, precision_at_10
from imgbatch.index.learned import LearnedPoints
from imgbatch.index.portable import PortableSpace
from imgbatch.learning.metric import Metric, Mixture
from imgbatch.learning.sums import Sums
from imgbatch.runners.blas import one_blas_thread
from imgbatch.types import Floats, Progress, Rows
from imgbatch.version import __version__

_MOST_SCALED = 20_000
"""Images whose mean distance gives mapped points their length."""
_OF_GAINS = 2  # a stream of random numbers, beside those of mixtures


def learn(
    collection: Collection,
    config: Config,
    *,
    seed: int = 0,
    labels: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Learned:
    """Learn a map of the points from the images' classes, and measure what it gains.

    The space is the one that the folder has under `config`. Which mixture of distances is learned
    (see `learning.metric`) is chosen on folds within the labelled images: the one that gains most
    on unseen images without harm to unseen classes; it may be none. What learning gains is measured
    on halves of the images, and on halves of the classes: space, mixture and map come from the one
    half, and the other is ranked. Of more than 6,000 images a random sample chooses and measures;
    all are learned from, in one pass, as sums. No image is decoded. Deterministic by seed.

    Parameters
    ----------
    collection
        The folder, loaded without learned points, with all descriptors that have a weight in
        `config`.
    config
        The settings of the space.
    seed
        Seed of the halves, the sample and the intervals.
    labels
        A file of classes (see `find_labels`); None takes those of the collection.
    progress
        Called with (steps done, steps in all).

    Raises
    ------
    UsageError
        The collection has learned points, or lacks a descriptor.
    LabelError
        There are not eight classes of at least four images each.

    Examples
    --------
    >>> import imgbatch
    >>> photos = imgbatch.load("photos")
    >>> try:
    ...     learn(photos, photos.config)
    ... except imgbatch.ImgbatchError as error:
    ...     print(error.message.partition(", but")[0])
    learned points need at least 8 classes of 4 images or more
    """
    refuse_learned(config)
    refuse_learned(collection.config)
    labelled = check_classes(collection, labels)
    names = [name for name, weight in config.weights.items() if weight > 0]
    images = trial_images(collection, labelled.sample(MOST_IMAGES, seed), names)
    setting = Setting.of(config, images.shares(config))
    trials = (*halved_images(images, setting, seed), *halved_classes(images, setting, seed))
    told = progress or (lambda _done, _total: None)
    judged = []
    for number, trial in enumerate(trials):
        told(number, len(trials) + 1)
        judged.append(Judged.of(trial, seed))
    told(len(trials), len(trials) + 1)
    gains = learning_gains(judged[:2], judged[2:], seed)
    placed = images.placed(images.space(setting))
    mixture = try_mixtures(placed, images.labels, seed, images.groups).best
    points = None
    if mixture is not None:
        facts = {
            "images": len(labelled.rows),
            "classes": len(np.unique(labelled.classes)),
            "mixture": asdict(mixture),
            "gains": [asdict(gain) for gain in gains],
            "seed": seed,
        }
        space = _learned_space(collection, config, labelled, mixture)
        portable = PortableSpace.of(collection.folder, config, space, __version__)
        points = LearnedPoints(portable, facts)
    told(len(trials) + 1, len(trials) + 1)
    return Learned(points, mixture, gains, len(labelled.rows), labelled.notes)


def check_classes(
    collection: Collection, labels: str | os.PathLike[str] | None = None
) -> LabelledRows:
    """The images to learn from; raises `LabelError` if there are too few classes."""
    return LabelledRows.of(collection, labels, LEAST_CLASSES)


# ----- the map ------------------------------------------------------------------------------------


@one_blas_thread()
def _learned_space(
    collection: Collection, config: Config, labelled: LabelledRows, mixture: Mixture
) -> FeatureSpace:
    """The folder's space with the map that its labelled images teach; one pass over them."""
    options = {name: block for name, block in space_options(config).items() if block.weight > 0}

    def features(rows: Rows) -> dict[str, Floats]:
        """The features of few descriptors; batches keep the others from filling the memory."""
        batches = [
            {name: block for name, block in collection.features(batch).items() if name in options}
            for batch in _batches(rows)
        ]
        return {name: np.concatenate([batch[name] for batch in batches]) for name in options}

    augmented = collection.augmented()
    if augmented is not None:
        augmented = replace(augmented, adapt=config.space.adapt)
    rows = fitted_rows(len(collection), config)
    space = FeatureSpace.fit(features(rows), options, augmented)
    k, step = int(labelled.classes.max()) + 1, -(-len(labelled.rows) // _MOST_SCALED)
    sums, some = Sums.none(space.dimensions, k), []
    for positions in _batches(np.arange(len(labelled.rows))):
        points = space.transform(features(labelled.rows[positions]))
        sums += Sums.of(points, labelled.classes[positions], k)
        some.append(points[positions % step == 0])
    return replace(space, learned=Metric.of(sums).map(mixture, np.concatenate(some)))


def _batches(rows: Rows) -> list[Rows]:
    return [rows[start : start + BATCH_ROWS] for start in range(0, len(rows), BATCH_ROWS)]


# ----- what it gains ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trial:
    """Images to learn from, others to measure on, and the setting of their points."""

    learn: TrialImages
    measure: TrialImages
    setting: Setting


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Precision at 10 of q queries before and after learning, and the class of each query."""

    before: Values
    after: Values
    classes: Rows

    @classmethod
    @one_blas_thread()
    def of(cls, trial: Trial, seed: int) -> "Judged":
        """Learn from the one half, mixture included, and measure on the other.

        The space, too, is fitted on the half that is learned from; points before and after differ
        by the learned map alone.
        """
        space = trial.learn.space(trial.setting)
        known, unseen = trial.learn.placed(space), trial.measure.placed(space)
        labels, queries = trial.measure.labels, trial.measure.queries
        after = before = precision_at_10(unseen, labels, queries)
        mixture = try_mixtures(known, trial.learn.labels, seed, trial.learn.groups).best
        if mixture is not None:
            learned = learned_metric(known, trial.learn.labels).map(mixture, known)
            after = precision_at_10(learned.transform(unseen), labels, queries)
        return cls(before, after, labels[queries])


def halved_images(images: TrialImages, setting: Setting, seed: int) -> tuple[Trial, Trial]:
    """Trials on two halves of each class, in both roles."""
    first, second = map(images.take, halve(images.labels, seed, images.groups))
    return Trial(first, second, setting), Trial(second, first, setting)


def halved_classes(images: TrialImages, setting: Setting, seed: int) -> tuple[Trial, Trial]:
    """Trials on two halves of the classes, in both roles."""
    first, second = map(images.take, halve_classes(images.labels, seed))
    return Trial(first, second, setting), Trial(second, first, setting)


def learning_gains(
    by_images: Sequence[Judged], by_classes: Sequence[Judged], seed: int
) -> tuple[Gain, Gain]:
    """What learning gains on images and on classes that it does not see.

    The interval of unseen images is over images. That of unseen classes is over classes, each
    counted once, since it is they that are new.
    """
    random = np.random.default_rng((seed, _OF_GAINS))
    return (
        _gain(
            "unseen_images",
            np.concatenate([judged.before for judged in by_images]),
            np.concatenate([judged.after for judged in by_images]),
            "precision at 10 of images that were not learned from, among others of known classes",
            random,
        ),
        _gain(
            "unseen_classes",
            np.concatenate([by_class(judged.before, judged.classes) for judged in by_classes]),
            np.concatenate([by_class(judged.after, judged.classes) for judged in by_classes]),
            "precision at 10 among images of classes that were not learned from; mean of classes",
            random,
        ),
    )


def _gain(
    name: str, before: Values, after: Values, definition: str, random: np.random.Generator
) -> Gain:
    low, high = interval(after - before, random)
    return Gain(name, float(before.mean()), float(after.mean()), low, high, definition)
