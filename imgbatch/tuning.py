"""`tune`: search descriptor weights and settings of the space on a labelled folder."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from imgbatch.collection import Collection
from imgbatch.config import Config
from imgbatch.errors import LabelError, UsageError
from imgbatch.labels import HOW_TO_LABEL, Labels, find_labels
from imgbatch.metrics import UNLABELLED, Values, World, interval, purity, usable_queries
from imgbatch.selectors.neighbours import NeighbourSearch, neighbour_lists
from imgbatch.selectors.similar import SimilarOptions, choose_anchor, similar
from imgbatch.space import BlockOptions, FeatureSpace
from imgbatch.types import Floats, Gain, Hashes, Rows

COMPONENTS = (16, 32, 48, 64, 96, 128)
POWERS = (0.0, 0.25, 0.5, 0.75)

_MOST_IMAGES = 6000
_MOST_QUERIES = 1000
_LEAST_MEMBERS = 4  # of a class, so that each half has two
_LEAST_WEIGHT = 0.02
_HITS = 10
_SETS = 500
_RANDOM_EVERY = 4
_CACHED = 32


@dataclass(frozen=True, slots=True)
class Setting:
    """What a trial may change: for each descriptor its weight, components and power."""

    weights: Mapping[str, float]
    components: Mapping[str, int]
    power: Mapping[str, float]

    @classmethod
    def of(cls, config: Config, names: Sequence[str]) -> "Setting":
        """The part of a config that concerns these descriptors."""
        space = config.space
        return cls(
            _shares({name: config.weights[name] for name in names}),
            {name: space.components[name] for name in names},
            {name: space.power[name] for name in names},
        )

    def put_into(self, config: Config) -> Config:
        """The config with this setting; descriptors it does not know get no weight."""
        used = [name for name, weight in self.weights.items() if weight > 0]
        components = {name: self.components[name] for name in used}
        power = {name: self.power[name] for name in used}
        space = config.space.model_copy(
            update={
                "components": config.space.components | components,
                "power": config.space.power | power,
            }
        )
        weights = dict.fromkeys(config.weights, 0.0) | dict(self.weights)
        return config.model_copy(update={"weights": weights, "space": space})


@dataclass(frozen=True, slots=True)
class Tuning:
    """What `tune` found.

    Attributes
    ----------
    config
        The settings it began with, with the best ones found on all images in them.
    gains
        How much the search gains on images it does not see: the same search is run on either half
        of the images, and what it finds is measured on the other half.
    trials
        How many settings were tried; `stopped` says whether the user ended it before its time.
    notes
        Remarks for the user.
    """

    config: Config
    gains: tuple[Gain, ...]
    folder: str
    images: int
    classes: int
    seed: int
    trials: int
    stopped: bool
    notes: tuple[str, ...] = ()


Report = Callable[[int, int, float, float], None]
"""Called with trials done, trials in all, precision at the beginning and the best so far."""


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
    report: Report | None = None,
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


def _run(searches: list["Search"], trials: int, report: Report | None) -> tuple[int, bool]:
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


class Part:
    """Some labelled images, as points under any setting.

    features: (n, d) float32 by descriptor; labels (n,) int64; hashes (n,) uint64. Each descriptor
    is fitted on these images alone, once for each choice of components and power.
    """

    def __init__(self, features: Mapping[str, Floats], labels: Rows, hashes: Hashes) -> None:
        self.labels, self.hashes = labels, hashes
        self._features = features
        self._columns = lru_cache(_CACHED)(self._fit)
        usable = usable_queries(labels)
        step = -(-len(usable) // _MOST_QUERIES)
        self.queries = usable[::step]
        sizes = np.bincount(labels[labels >= 0])
        self._possible = np.minimum(sizes[labels[self.queries]] - 1, _HITS)

    def _fit(self, name: str, components: int, power: float) -> Floats:
        block = {name: self._features[name]}
        return FeatureSpace.fit(block, {name: BlockOptions(1, components, power)}).transform(block)

    def points(self, setting: Setting) -> Floats:
        """(n, p) float32: what `FeatureSpace` makes of these images under the setting."""
        total = sum(setting.weights.values())
        return np.concatenate(
            [
                self._columns(name, setting.components[name], setting.power[name])
                * np.float32(np.sqrt(weight / total))
                for name, weight in setting.weights.items()
                if weight > 0
            ],
            axis=1,
        )

    def scores(self, setting: Setting) -> Values:
        """Precision at 10 of each query; at r where its class has only r < 10 other images."""
        near, _ = neighbour_lists(self.points(setting), self.queries, _HITS)
        hits = self.labels[near] == self.labels[self.queries][:, None]
        counted = np.arange(near.shape[1]) < self._possible[:, None]
        scores: Values = (hits & counted).sum(axis=1) / self._possible
        return scores

    def purities(self, setting: Setting, config: Config, seed: int) -> Values:
        """Purity of 500 random similar sets of ten, or of the median class size if that is less."""
        world = World(self.points(setting), self.hashes, self.labels)
        members = np.median(np.unique(self.labels, return_counts=True)[1])
        return purity(world, similar_sets(world, config, int(min(10, members)), seed))


def similar_sets(world: World, config: Config, n: int, seed: int, sets: int = _SETS) -> Rows:
    """The similar sets of requests with the seeds seed, seed + 1, ...: (sets, n) rows."""
    search = NeighbourSearch(world.points, config.index.large_folder)
    options = SimilarOptions(**config.similar.model_dump(), hashes=world.hashes)
    drawn = np.zeros((sets, n), np.int64)
    for at in range(sets):
        anchor = choose_anchor(search, n, options, np.random.default_rng(seed + at))
        drawn[at], _ = similar(search, anchor, n, options)
    return drawn


@dataclass
class Search:
    """One search on one part of the images; `step` tries one more setting."""

    part: Part
    start: Sequence[Setting]
    random: np.random.Generator
    tried: int = 0
    first_score: float = -1.0
    best_score: float = -1.0
    best: Setting = field(init=False)

    def step(self) -> None:
        """Try the next setting and keep it if it is the best so far."""
        setting = self._next()
        score = float(self.part.scores(setting).mean())
        if not self.tried:
            self.first_score = score
        if score > self.best_score:
            self.best, self.best_score = setting, score
        self.tried += 1

    def _next(self) -> Setting:
        if self.tried < len(self.start):
            return self.start[self.tried]
        if self.tried % _RANDOM_EVERY == 0:
            return self._random()
        return self._near(self.best)

    def _random(self) -> Setting:
        names = list(self.best.weights)
        drawn = self.random.dirichlet(np.full(len(names), 0.7))
        return Setting(
            _shares(dict(zip(names, drawn.tolist(), strict=True))),
            {name: int(self.random.choice(COMPONENTS)) for name in names},
            {name: float(self.random.choice(POWERS)) for name in names},
        )

    def _near(self, setting: Setting) -> Setting:
        names = list(setting.weights)
        noise = np.exp(self.random.normal(0, 0.6, len(names)))
        weights = {
            name: max(setting.weights[name], _LEAST_WEIGHT / 2) * float(factor)
            for name, factor in zip(names, noise, strict=True)
        }
        components, power = dict(setting.components), dict(setting.power)
        name = names[int(self.random.integers(len(names)))]
        change = self.random.random()
        if change < 1 / 3:
            components[name] = int(self.random.choice(COMPONENTS))
        elif change < 2 / 3:
            power[name] = float(self.random.choice(POWERS))
        return Setting(_shares(weights), components, power)


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights as shares of 1 in thousandths; what is below 2% is switched off."""
    total = sum(weights.values()) or 1.0
    kept = {n: w if w / total >= _LEAST_WEIGHT else 0.0 for n, w in weights.items()}
    total = sum(kept.values()) or 1.0
    return {name: round(weight / total, 3) for name, weight in kept.items()}


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
