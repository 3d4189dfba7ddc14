"""`tune`: search descriptor weights and settings of the space on a labelled folder."""

import os
import time
from collections.abc import Mapping, Sequence

import numpy as np

from imgbatch.annotations.labels import HOW_TO_LABEL, Labels, class_numbers
from imgbatch.collection import Collection
from imgbatch.config.schema import Config
from imgbatch.descriptors import HASH, as_integers
from imgbatch.embedding.whitening import Augmented
from imgbatch.errors import LabelError, UsageError
from imgbatch.evaluation.evaluate import collection_labels
from imgbatch.evaluation.intervals import Values, interval
from imgbatch.evaluation.results import Gain, TrialReport, Tuning
from imgbatch.evaluation.trials import Search, Setting, TrialImages
from imgbatch.files import cache, paths
from imgbatch.index.sqlite.opened import open_sqlite
from imgbatch.index.sqlite.refresh import SqliteFolder
from imgbatch.loading import MetadataFiles, collect, given_files
from imgbatch.types import Floats, Hashes, Progress, Rows

_MOST_IMAGES = 6000
_LEAST_MEMBERS = 4  # of a class, so that each half has two


def load_with_descriptors(
    folder: str | os.PathLike[str],
    config: Config,
    descriptors: Sequence[str],
    *,
    index: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    metadata: MetadataFiles | None = None,
) -> Collection:
    """Load a folder as `imgbatch.load` does, and compute descriptors that have no weight, too.

    Parameters
    ----------
    descriptors
        Names of descriptors to compute besides those with a weight in the config.
    metadata
        See `imgbatch.load`.

    Examples
    --------
    >>> import imgbatch
    >>> config = imgbatch.load_config().config
    >>> collection = load_with_descriptors("photos", config, ["gist"])
    >>> sorted(collection.features(np.array([0])))
    ['gist', 'hog', 'hsv', 'miniature', 'phash']
    """
    started, given = time.perf_counter(), given_files(metadata)
    path = paths.absolute(folder)
    paths.refuse_url(path, index)
    directory = cache.index_directory(path, index)
    opened = open_sqlite(SqliteFolder(path, directory, config, tuple(descriptors)), progress)
    return collect(config, opened, started, given)


def tune(
    collection: Collection,
    *,
    descriptors: Sequence[str] | None = None,
    trials: int = 100,
    seed: int = 0,
    labels: str | os.PathLike[str] | None = None,
    report: TrialReport | None = None,
) -> Tuning:
    """Search the setting with the highest precision at 10 of single queries.

    `Search` tries the collection's settings first, then its presets, then others. Three searches
    run side by side: one on all images, whose best setting is the result, and one on each half of
    the images. The best setting of a half is measured on the other half, which says what the
    search gains on images that it does not see: two-fold cross-validation of the whole search
    (Cawley and Talbot, JMLR 2010). Of more than 6,000 images a random sample is used. No image is
    decoded for a trial. ``KeyboardInterrupt`` ends the search, and the best so far is returned.
    Deterministic by seed and number of trials.

    Parameters
    ----------
    collection
        The folder, with the settings to begin with and to compare with.
    descriptors
        Names of the descriptors that may get a weight; None means those that have one. Others are
        loaded by `load_with_descriptors`.
    trials
        How many settings to try, at least 1.
    seed
        Seed of the halves, the sample, the trials and the intervals.
    labels
        A file of classes (see `find_labels`); None takes those of the collection.
    report
        Called after each trial.

    Raises
    ------
    UsageError
        An argument is out of range, or the collection lacks one of the descriptors.
    LabelError
        There are not two classes of at least four images each, or the label file does not fit.

    Examples
    --------
    >>> import imgbatch
    >>> tuning = tune(imgbatch.load("photos"), trials=3)
    >>> [gain.name for gain in tuning.gains]
    ['precision_at_10', 'similar_purity']
    """
    if trials < 1 or seed < 0:
        raise UsageError(f"trials is {trials} and seed {seed}", "give trials >= 1 and seed >= 0")
    config = collection.config
    if descriptors is None:
        descriptors = [name for name, weight in config.weights.items() if weight > 0]
    found_labels = collection_labels(collection, labels)
    rows, classes = _rows_of_large_classes(collection, found_labels, seed)
    features, augmented = collection.features(rows), collection.augmented()
    all_images, first, second = (
        _trial_images(features, descriptors, classes, positions, augmented)
        for positions in (np.arange(len(rows)), *halve(classes, seed))
    )
    presets = [config, *map(config.with_emphasis, config.presets)]
    start = [Setting.of(preset, all_images.shares(preset)) for preset in presets]
    searches = [
        Search(images, start, np.random.default_rng((seed, 1)))
        for images in (all_images, first, second)
    ]
    done, stopped = _run(searches, trials, report)
    best, best_on_first, best_on_second = (search.best for search in searches)
    # Each half is measured with the setting that was found on the other half.
    gains = compare(config, start[0], [(second, best_on_first), (first, best_on_second)], seed)
    notes = list(found_labels.notes)
    if gains[0].low <= 0:
        notes.append("no clear gain on unseen images: the settings it began with serve as well")
    return Tuning(
        config=best.put_into(config),
        gains=gains,
        folder=collection.folder,
        images=len(rows),
        classes=len(np.unique(classes)),
        seed=seed,
        trials=done,
        stopped=stopped,
        notes=tuple(notes),
    )


def _trial_images(
    features: Mapping[str, Floats],
    descriptors: Sequence[str],
    classes: Rows,
    positions: Rows,
    augmented: Augmented | None,
) -> TrialImages:
    """The images at some positions, with the features of some descriptors."""
    if missing := [name for name in descriptors if name not in features]:
        raise UsageError(
            f"the collection was loaded without the descriptors {', '.join(missing)}",
            "load it with load_with_descriptors",
        )
    chosen = {name: features[name][positions] for name in descriptors}
    hashes = _hashes(features[HASH][positions])
    return TrialImages(chosen, classes[positions], hashes, augmented)


def _hashes(features: Floats) -> Hashes:
    """(n, 64) pHash features, -1 or 1 for each bit -> (n,) uint64 pHashes."""
    return as_integers(np.packbits(features > 0, axis=1))


def _run(searches: Sequence[Search], trials: int, report: TrialReport | None) -> tuple[int, bool]:
    """Step all searches in turn; return how many trials are done, and whether Ctrl-C ended them."""
    try:
        for trial in range(1, trials + 1):
            for search in searches:
                search.step()
            if report is not None:
                report(trial, trials, searches[0].first_score, searches[0].best_score)
    except KeyboardInterrupt:
        done = min(search.tried for search in searches)
        if not done:
            raise
        return done, True
    return trials, False


def _rows_of_large_classes(collection: Collection, labels: Labels, seed: int) -> tuple[Rows, Rows]:
    """Rows of classes with enough images, at most 6,000 of them, and their class numbers."""
    classes = class_numbers(labels.names)
    sizes = np.bincount(classes[classes >= 0], minlength=1)
    rows = np.flatnonzero((classes >= 0) & (sizes[np.maximum(classes, 0)] >= _LEAST_MEMBERS))
    large = len(np.unique(classes[rows]))
    if large < 2:
        raise LabelError(
            f"tune needs at least 2 classes of {_LEAST_MEMBERS} images or more, but "
            f"{collection.folder} has {len(labels.classes)} classes, {large} of them large enough",
            HOW_TO_LABEL,
        )
    if len(rows) > _MOST_IMAGES:
        rows = np.sort(np.random.default_rng(seed).choice(rows, _MOST_IMAGES, replace=False))
    return rows, classes[rows]


def halve(classes: Rows, seed: int) -> tuple[Rows, Rows]:
    """Split images into two random halves, each class in equal parts; rising positions.

    Examples
    --------
    >>> first, second = halve(np.array([0, 0, 1, 1, 1, 1]), seed=0)
    >>> len(first), len(second)
    (3, 3)
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(classes))
    order = order[np.argsort(classes[order], kind="stable")]
    return np.sort(order[::2]), np.sort(order[1::2])


def compare(
    config: Config, start: Setting, measured: Sequence[tuple[TrialImages, Setting]], seed: int
) -> tuple[Gain, ...]:
    """How settings do against the start, each on images that took no part in finding it."""
    random = np.random.default_rng((seed, 2))
    return (
        _gain(
            "precision_at_10",
            [images.scores(start) for images, _ in measured],
            [images.scores(setting) for images, setting in measured],
            "share of an image's ten nearest others that are of its class",
            random,
        ),
        _gain(
            "similar_purity",
            [images.purities(start, config, seed) for images, _ in measured],
            [images.purities(setting, config, seed) for images, setting in measured],
            "share of a random similar set's others that are of the anchor's class",
            random,
        ),
    )


def _gain(
    name: str,
    before: Sequence[Values],
    after: Sequence[Values],
    definition: str,
    random: np.random.Generator,
) -> Gain:
    old, new = np.concatenate(before), np.concatenate(after)
    low, high = interval(new - old, random)
    return Gain(name, float(old.mean()), float(new.mean()), low, high, definition)
