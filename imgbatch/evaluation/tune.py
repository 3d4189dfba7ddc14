"""`tune`: search descriptor weights and settings of the space on a labelled folder."""

import os
import time
from collections.abc import Sequence

import numpy as np

from imgbatch.annotations.source import Given, MetadataFiles, given_files
from imgbatch.collection import Collection
from imgbatch.config.schema import Config
from imgbatch.errors import UsageError
from imgbatch.evaluation.halves import halve
from imgbatch.evaluation.intervals import Values, interval
from imgbatch.evaluation.labelled import MOST_IMAGES, LabelledRows, refuse_learned, trial_images
from imgbatch.evaluation.results import Gain, TrialReport, Tuning
from imgbatch.evaluation.trials import Search, Setting, TrialImages
from imgbatch.files import cache, paths
from imgbatch.index.sqlite.opened import open_sqlite
from imgbatch.index.sqlite.refresh import SqliteFolder
from imgbatch.loading import collect
from imgbatch.seeds import is_whole
from imgbatch.types import Progress


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

    Learned points are left out: a search changes the weights that they were learned with.

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
    config = config.without_learned
    started, given = time.perf_counter(), Given(given_files(metadata))
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
        There are not two classes of at least four images each, copies counting as one, or the label
        file does not fit.

    Examples
    --------
    >>> import imgbatch
    >>> tuning = tune(imgbatch.load("photos"), trials=3)
    >>> [gain.name for gain in tuning.gains]
    ['precision_at_10', 'similar_purity']
    """
    if not (is_whole(trials, 1) and is_whole(seed)):
        raise UsageError(
            f"trials is {trials!r:.40} and seed {seed!r:.40}", "give trials >= 1 and seed >= 0"
        )
    config = collection.config
    refuse_learned(config)
    if descriptors is None:
        descriptors = [name for name, weight in config.weights.items() if weight > 0]
    labelled = LabelledRows.of(collection, labels)
    all_images = trial_images(collection, labelled.sample(MOST_IMAGES, seed), descriptors)
    first, second = map(all_images.take, halve(all_images.labels, seed, all_images.groups))
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
    notes = list(labelled.notes)
    if gains[0].low <= 0:
        notes.append("no clear gain on unseen images: the settings it began with serve as well")
    return Tuning(
        config=best.put_into(config),
        gains=gains,
        folder=collection.folder,
        images=len(all_images.labels),
        classes=len(np.unique(all_images.labels)),
        seed=seed,
        trials=done,
        stopped=stopped,
        notes=tuple(notes),
    )


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
