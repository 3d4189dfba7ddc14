"""`tune`: search descriptor weights and settings of the space on a labelled folder."""

import os
from collections.abc import Sequence

import numpy as np

from imgbatch.annotations.labels import HOW_TO_LABEL, Labels, find_labels
from imgbatch.collection import Collection
from imgbatch.config.schema import Config
from imgbatch.errors import LabelError, UsageError
from imgbatch.evaluation.metrics import UNLABELLED, Values, interval
from imgbatch.evaluation.results import Gain, TrialReport, Tuning
from imgbatch.evaluation.trials import Part, Search, Setting
from imgbatch.types import Rows

_MOST_IMAGES = 6000
_LEAST_MEMBERS = 4  # of a class, so that each half has two


def with_all_descriptors(config: Config) -> Config:
    """The config with every descriptor switched on, if by a hair, so that `load` computes it."""
    weights = {name: max(weight, 1e-6) for name, weight in config.weights.items()}
    return config.model_copy(update={"weights": weights})


def tune(
    collection: Collection,
    config: Config,
    *,
    trials: int = 100,
    seed: int = 0,
    labels: str | os.PathLike[str] | None = None,
    report: TrialReport | None = None,
) -> Tuning:
    """Search the setting with the highest precision at 10 of single queries.

    Trials begin with the config and its presets; then every fourth is drawn at random (weights
    from a Dirichlet distribution), the others change the best so far a little: random search
    (Bergstra and Bengio, JMLR 2012) with local steps. Three such searches go side by side: on all
    images, whose best is the answer, and on either half, to learn what the search is worth on
    images it does not see (two-fold cross-validation of the whole search, as Cawley and Talbot,
    JMLR 2010, demand). A trial decodes nothing. A ``KeyboardInterrupt`` ends the search, not the
    call: the best so far is returned. Deterministic by seed and the number of trials done.

    Parameters
    ----------
    collection
        The folder, loaded with every descriptor that may get a weight switched on.
    config
        The settings to begin with and to compare with.
    trials
        How many settings to try, at least 1.
    labels
        A CSV file of classes; None takes the first-level subfolders.
    report
        Called after each trial.

    Raises
    ------
    LabelError
        There are not two classes of at least four images each.
    """
    if trials < 1 or seed < 0:
        raise UsageError(f"trials is {trials} and seed {seed}", "give trials >= 1 and seed >= 0")
    found = find_labels(collection.records, collection.folder, labels)
    rows, classes = _usable(collection, found, seed)
    names = [name for name, weight in collection.config.weights.items() if weight > 0]
    features = {name: collection.features(rows)[name] for name in names}
    hashes = collection.projection.hashes[rows]
    halves = halve(classes, seed)
    parts = [
        Part({name: block[half] for name, block in features.items()}, classes[half], hashes[half])
        for half in (np.arange(len(rows)), *halves)
    ]
    start = [Setting.of(config, names)]
    start += [Setting.of(config.with_emphasis(name), names) for name in config.presets]
    searches = [Search(part, start, np.random.default_rng((seed, 1))) for part in parts]
    done, stopped = _run(searches, trials, report)
    first, second = (search.best for search in searches[1:])
    gains = compare(config, start[0], [(parts[2], first), (parts[1], second)], seed)
    notes = list(found.notes)
    if gains[0].low <= 0:
        notes.append("no clear gain on unseen images: the settings it began with serve as well")
    return Tuning(
        config=searches[0].best.put_into(config),
        gains=gains,
        folder=collection.folder,
        images=len(rows),
        classes=len(np.unique(classes)),
        seed=seed,
        trials=done,
        stopped=stopped,
        notes=tuple(notes),
    )


def _run(searches: list[Search], trials: int, report: TrialReport | None) -> tuple[int, bool]:
    """Step all searches in turn; trials done, and whether Ctrl-C ended it."""
    done = 0
    try:
        for done in range(1, trials + 1):
            for search in searches:
                search.step()
            if report is not None:
                report(done, trials, searches[0].first_score, searches[0].best_score)
    except KeyboardInterrupt:
        if any(search.best_score < 0 for search in searches):
            raise
        return max(1, done - 1), True
    return done, False


def _usable(collection: Collection, found: Labels, seed: int) -> tuple[Rows, Rows]:
    """Rows of classes with enough images, at most 6,000 of them, and their classes by number."""
    number = {name: place for place, name in enumerate(found.classes)} | {"": UNLABELLED}
    classes = np.array([number[name] for name in found.names], np.int64)
    sizes = np.bincount(classes[classes >= 0], minlength=1)
    rows = np.flatnonzero((classes >= 0) & (sizes[np.maximum(classes, 0)] >= _LEAST_MEMBERS))
    if len(np.unique(classes[rows])) < 2:
        raise LabelError(
            f"tune needs at least 2 classes of {_LEAST_MEMBERS} images or more, but "
            f"{collection.folder} has {len(found.classes)} classes, "
            f"{len(np.unique(classes[rows]))} of them large enough",
            HOW_TO_LABEL,
        )
    if len(rows) > _MOST_IMAGES:
        rows = np.sort(np.random.default_rng(seed).choice(rows, _MOST_IMAGES, replace=False))
    return rows, classes[rows]


def halve(classes: Rows, seed: int) -> tuple[Rows, Rows]:
    """Two random halves of the images, each class halved; rising positions."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(classes))
    order = order[np.argsort(classes[order], kind="stable")]
    return np.sort(order[::2]), np.sort(order[1::2])


def compare(
    config: Config, start: Setting, found: Sequence[tuple[Part, Setting]], seed: int
) -> tuple[Gain, ...]:
    """How settings do, against the start, on parts of the images that took no part in finding."""
    random = np.random.default_rng((seed, 2))
    before = [part.scores(start) for part, _ in found]
    after = [part.scores(setting) for part, setting in found]
    precision = _gain(
        "precision_at_10",
        (np.concatenate(before), np.concatenate(after)),
        "share of an image's ten nearest others that are of its class",
        random,
    )
    before = [part.purities(start, config, seed) for part, _ in found]
    after = [part.purities(setting, config, seed) for part, setting in found]
    return precision, _gain(
        "similar_purity",
        (np.concatenate(before), np.concatenate(after)),
        "share of a random similar set's others that are of the anchor's class",
        random,
    )


def _gain(
    name: str, values: tuple[Values, Values], definition: str, random: np.random.Generator
) -> Gain:
    before, after = values
    low, high = interval(after - before, random)
    return Gain(name, float(before.mean()), float(after.mean()), low, high, definition)
