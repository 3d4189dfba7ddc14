"""What `tune` tries: settings, the images they are tried on, and a search for the best setting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from threadpoolctl import threadpool_limits

from imgbatch.config.schema import Config
from imgbatch.embedding.principal import Principal
from imgbatch.embedding.projection import space_options
from imgbatch.embedding.space import BlockOptions, FeatureSpace
from imgbatch.embedding.whitening import Augmented
from imgbatch.evaluation.intervals import Values
from imgbatch.evaluation.metrics import LabelledPoints, purity
from imgbatch.evaluation.rankings import usable_queries
from imgbatch.neighbours.search import NeighbourSearch, neighbour_lists
from imgbatch.selection.similar import SimilarOptions, choose_anchor, similar
from imgbatch.types import Floats, Hashes, Rows

COMPONENTS = (16, 32, 48, 64, 96, 128)
POWERS = (0.0, 0.25, 0.5, 0.75)

_MOST_QUERIES = 1000
_LEAST_WEIGHT = 0.02
NEAREST = 10
"""Others of a query that are looked at."""
_SIMILAR_SETS = 500
_RANDOM_EVERY = 4
_CACHED_BLOCKS = 32


@dataclass(frozen=True, slots=True)
class Setting:
    """What a trial may change: for each descriptor its weight, components and power."""

    weights: Mapping[str, float]
    components: Mapping[str, int]
    power: Mapping[str, float]

    @classmethod
    def of(cls, config: Config, weights: Mapping[str, float]) -> "Setting":
        """Weights of descriptors, with the components and powers that a config gives them."""
        space, names = config.space, list(weights)
        return cls(
            _rounded_shares(weights),
            {name: space.components[name] for name in names},
            {name: space.power[name] for name in names},
        )

    def put_into(self, config: Config) -> Config:
        """The config with this setting; descriptors that the setting lacks get weight 0.

        Its weights are those that came out best, so they are not adapted once more.
        """
        used = [name for name, weight in self.weights.items() if weight > 0]
        components = {name: self.components[name] for name in used}
        power = {name: self.power[name] for name in used}
        space = config.space.model_copy(
            update={
                "components": config.space.components | components,
                "power": config.space.power | power,
                "adapt": 0.0,
            }
        )
        weights = dict.fromkeys(config.weights, 0.0) | dict(self.weights)
        return config.model_copy(update={"weights": weights, "space": space})


class TrialImages:
    """Labelled images on which settings are tried, as points under any setting.

    Each descriptor is fitted on these images alone, once for each choice of components and power.

    Parameters
    ----------
    features
        (n, d) float32 by descriptor.
    labels
        (n,) int64 class numbers, or `UNLABELLED`.
    hashes
        (n,) uint64 pHashes.
    augmented
        Altered views of images of the folder, by which blocks are whitened; None whitens nothing.
    groups
        (n,) images of equal numbers, such as copies, stay together; None: each is one of its own.
    """

    def __init__(
        self,
        features: Mapping[str, Floats],
        labels: Rows,
        hashes: Hashes,
        augmented: Augmented | None = None,
        groups: Rows | None = None,
    ) -> None:
        self.labels, self.hashes = labels, hashes
        self.groups = np.arange(len(labels)) if groups is None else groups
        self._features, self._augmented = features, augmented
        self._columns = lru_cache(_CACHED_BLOCKS)(self._fit)
        self._principal = lru_cache(_CACHED_BLOCKS)(self._find_axes)
        self.queries = some_queries(labels, _MOST_QUERIES)

    def _fit(self, name: str, components: int, power: float) -> Floats:
        block, options = {name: self._features[name]}, BlockOptions(1, components, power)
        axes = {name: self._principal(name, max(components, *COMPONENTS))}
        return FeatureSpace.fit(block, {name: options}, self._augmented, axes).transform(block)

    def _find_axes(self, name: str, most: int) -> Principal:
        # BLAS is kept to one thread as in `FeatureSpace.fit`, since last bits depend on it.
        with threadpool_limits(limits=1, user_api="blas"):
            return Principal.of(self._features[name], most)

    def shares(self, config: Config) -> dict[str, float]:
        """The shares that a config's weights come to on these images, by descriptor name."""
        options = {
            name: block for name, block in space_options(config).items() if name in self._features
        }
        weights = dict.fromkeys(self._features, 0.0)
        if not any(block.weight for block in options.values()):
            return weights
        augmented = self._augmented
        if augmented is not None:
            augmented = replace(augmented, adapt=config.space.adapt)
        axes = {
            name: self._principal(name, max(block.components, *COMPONENTS))
            for name, block in options.items()
            if block.weight > 0
        }
        return weights | FeatureSpace.fit(self._features, options, augmented, axes).shares

    def take(self, positions: Rows) -> "TrialImages":
        """Some of the images, on which descriptors are fitted anew."""
        features = {name: rows[positions] for name, rows in self._features.items()}
        return TrialImages(
            features,
            self.labels[positions],
            self.hashes[positions],
            self._augmented,
            self.groups[positions],
        )

    def space(self, setting: Setting) -> FeatureSpace:
        """The space that makes `points`; it places other images, too."""
        used = {name: weight for name, weight in setting.weights.items() if weight > 0}
        options = {
            name: BlockOptions(weight, setting.components[name], setting.power[name])
            for name, weight in used.items()
        }
        axes = {
            name: self._principal(name, max(block.components, *COMPONENTS))
            for name, block in options.items()
        }
        augmented = self._augmented
        if augmented is not None:  # the weights are the shares
            augmented = replace(augmented, adapt=0.0)
        return FeatureSpace.fit(self._features, options, augmented, axes)

    def placed(self, space: FeatureSpace) -> Floats:
        """(n, p) float32: the images in a space that may be fitted on others."""
        return space.transform(self._features)

    def points(self, setting: Setting) -> Floats:
        """(n, p) float32: the points that `FeatureSpace` makes of the images under the setting."""
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
        """Precision at 10 of each query, or at r if its class has only r < 10 other images.

        The queries are all images that share their class with another image, or 1,000 of them.
        """
        return precision_at_10(self.points(setting), self.labels, self.queries)

    def purities(self, setting: Setting, config: Config, seed: int) -> Values:
        """Purity of 500 random similar sets of ten, or of the median class size if that is less."""
        images = LabelledPoints(self.points(setting), self.hashes, self.labels)
        members = np.median(np.unique(self.labels, return_counts=True)[1])
        return purity(images, similar_sets(images, config, int(min(10, members)), seed))


def some_queries(labels: Rows, most: int) -> Rows:
    """Rows that share their class with another row; of more than `most`, evenly many."""
    usable = usable_queries(labels)
    return usable[:: max(1, -(-len(usable) // most))]


def precision_at_10(points: Floats, labels: Rows, queries: Rows) -> Values:
    """Precision at 10 of each query, or at r if its class has only r < 10 other images."""
    near, _ = neighbour_lists(points, queries, NEAREST)
    return capped_precision(near, labels, queries)


def capped_precision(near: Rows, labels: Rows, queries: Rows) -> Values:
    """The same from the ten nearest others of each query, the nearest first: (q, 10) -> (q,)."""
    sizes = np.bincount(labels[labels >= 0])
    possible = np.minimum(sizes[labels[queries]] - 1, NEAREST)
    hits = labels[near] == labels[queries][:, None]
    counted = np.arange(near.shape[1]) < possible[:, None]
    scores: Values = (hits & counted).sum(axis=1) / possible
    return scores


def similar_sets(
    images: LabelledPoints, config: Config, n: int, seed: int, sets: int = _SIMILAR_SETS
) -> Rows:
    """The similar sets that answer requests with the seeds seed, seed + 1, ...: (sets, n) rows."""
    search = NeighbourSearch(images.points, config.index.large_folder)
    options = SimilarOptions(**config.similar.model_dump(), hashes=images.hashes)
    drawn = np.zeros((sets, n), np.int64)
    for number in range(sets):
        anchor = choose_anchor(search, n, options, np.random.default_rng(seed + number))
        drawn[number], _ = similar(search, anchor, n, options)
    return drawn


@dataclass
class Search:
    """A search for the setting with the highest precision at 10; `step` tries one more.

    The first trials are the settings of ``start``. Then every fourth is drawn at random, with
    weights from a Dirichlet distribution; the others change the best so far a little: random
    search (Bergstra and Bengio, JMLR 2012) with local steps. Deterministic by ``random``.
    """

    images: TrialImages
    start: Sequence[Setting]
    random: np.random.Generator
    tried: int = 0
    first_score: float = -1.0
    best_score: float = -1.0
    best: Setting = field(init=False)

    def step(self) -> None:
        """Try one more setting and keep it if it is the best so far."""
        setting = self._next()
        score = float(self.images.scores(setting).mean())
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
        weights = self.random.dirichlet(np.full(len(names), 0.7))
        return Setting(
            _rounded_shares(dict(zip(names, weights.tolist(), strict=True))),
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
        return Setting(_rounded_shares(weights), components, power)


def _rounded_shares(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights as shares of 1, in thousandths; weights below 2% become 0."""
    total = sum(weights.values()) or 1.0
    kept = {
        name: weight if weight / total >= _LEAST_WEIGHT else 0.0 for name, weight in weights.items()
    }
    total = sum(kept.values()) or 1.0
    return {name: round(weight / total, 3) for name, weight in kept.items()}
