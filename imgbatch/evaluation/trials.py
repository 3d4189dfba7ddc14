"""What `tune` tries: settings, the images they are tried on, and one search among them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from imgbatch.config.schema import Config
from imgbatch.embedding.space import BlockOptions, FeatureSpace
from imgbatch.evaluation.metrics import Values, World, purity, usable_queries
from imgbatch.neighbours.search import NeighbourSearch, neighbour_lists
from imgbatch.selection.similar import SimilarOptions, choose_anchor, similar
from imgbatch.types import Floats, Hashes, Rows

COMPONENTS = (16, 32, 48, 64, 96, 128)
POWERS = (0.0, 0.25, 0.5, 0.75)

_MOST_QUERIES = 1000
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
