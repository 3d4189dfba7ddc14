"""`evaluate`: how good the sets of a folder are, measured against its classes and random choice."""

import os
from collections.abc import Callable

import numpy as np

from imgbatch.annotations.labels import HOW_TO_LABEL, Labels, find_labels
from imgbatch.collection import Collection
from imgbatch.errors import UsageError
from imgbatch.evaluation.metrics import (
    METRICS,
    UNLABELLED,
    Metric,
    Values,
    World,
    interval,
    random_ranking,
    rank_queries,
    usable_queries,
)
from imgbatch.evaluation.results import Evaluation, Figure
from imgbatch.types import Progress, Rows, Selection

_COMPARISONS = 30_000_000
_LEAST_QUERIES = 200


def evaluate(
    collection: Collection,
    *,
    n: int = 10,
    sets: int = 300,
    seed: int = 0,
    labels: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure single queries, random similar sets and different sets of a folder.

    The sets are those of the requests with the seeds ``seed``, ``seed + 1``, ...; so each can be
    looked at with ``imgbatch similar --seed``. Every figure stands beside that of random choice:
    computed exactly for single queries, measured on as many random sets otherwise. The answer
    depends on the folder, the settings and the arguments alone.

    Single queries are all images with another of their class, as long as these make at most 30
    million comparisons; of larger folders a random sample, at least 200.

    Parameters
    ----------
    n
        Images in a set, 2 to the number of images.
    sets
        Requests of each kind, at least 2.
    seed
        Seed of the first request, and of samples, random sets and intervals.
    labels
        A CSV file of classes; None takes the first-level subfolders (see `find_labels`).
    progress
        Called with (requests done, requests in all).

    Raises
    ------
    UsageError
        An argument is out of range, or the labels do not fit.
    """
    if not 2 <= n <= len(collection):
        raise UsageError(
            f"n is {n}, but {collection.folder} holds {len(collection)} readable images",
            f"give 2 to {len(collection)}" if len(collection) > 1 else "give it more images",
        )
    if sets < 2 or seed < 0:
        raise UsageError(f"sets is {sets} and seed {seed}", "give sets >= 2 and seed >= 0")
    found = find_labels(collection.records, collection.folder, labels)
    world = world_of(collection, found)
    notes = list(found.notes)
    if not world.labelled:
        notes.append(f"figures that need classes are left out: {HOW_TO_LABEL}")
    random = np.random.default_rng(seed)
    queries = _queries(world.labels, random) if world.labelled else np.zeros(0, np.int64)
    figures = _query_figures(world, queries, random) if len(queries) else []
    figures += _set_figures(world, _draw(collection, n, sets, seed, progress), random)
    return Evaluation(
        folder=collection.folder,
        images=len(collection),
        classes=len(found.classes),
        seed=seed,
        n=n,
        sets=sets,
        queries=len(queries),
        figures=tuple(figures),
        notes=tuple(notes),
    )


def world_of(collection: Collection, labels: Labels) -> World:
    """A collection's images, with their classes by number."""
    number = {name: place for place, name in enumerate(labels.classes)} | {"": UNLABELLED}
    return World(
        np.asarray(collection.points),
        collection.projection.hashes,
        np.array([number[name] for name in labels.names], np.int64),
        collection.config.similar.duplicate_bits,
    )


def _queries(labels: Rows, random: np.random.Generator) -> Rows:
    usable = usable_queries(labels)
    most = max(_LEAST_QUERIES, _COMPARISONS // len(labels))
    if len(usable) > most:
        usable = np.sort(random.choice(usable, most, replace=False))
    return usable


def _query_figures(world: World, queries: Rows, random: np.random.Generator) -> list[Figure]:
    ranking = rank_queries(world.points, world.labels, queries)
    precision, average = random_ranking(world.labels, queries)
    return [
        _figure(name, values, by_chance, definition, random)
        for name, values, by_chance, definition in (
            (
                "precision_at_1",
                ranking.precision_at_1,
                precision,
                "share of images whose nearest other image is of their class",
            ),
            (
                "precision_at_10",
                ranking.precision_at_10,
                precision,
                "share of an image's ten nearest others that are of its class",
            ),
            (
                "mean_average_precision",
                ranking.average_precision,
                average,
                "mean precision at the rank of each other image of the class",
            ),
        )
    ]


def _draw(
    collection: Collection, n: int, sets: int, seed: int, progress: Progress | None
) -> dict[str, Rows]:
    """The rows of the requested sets, (sets, n) by kind, of dealt batches, and of random sets."""
    row_of = {record.path: row for row, record in enumerate(collection.records)}
    drawn: dict[str, Rows] = {}
    requests: dict[str, Callable[[int], Selection]] = {
        "similar": lambda one: collection.similar(n, seed=one),
        "different": lambda one: collection.different(n, seed=one),
    }
    for place, (kind, request) in enumerate(requests.items()):
        drawn[kind] = np.zeros((sets, n), np.int64)
        for at in range(sets):
            drawn[kind][at] = [row_of[image.relative] for image in request(seed + at).images]
            if progress is not None:
                progress(place * sets + at + 1, len(requests) * sets)
    drawn["batches"] = _deal(collection, n, sets, seed)
    random = np.random.default_rng(seed)
    total = len(collection)
    drawn["random"] = np.stack([random.choice(total, n, replace=False) for _ in range(sets)])
    return drawn


def _deal(collection: Collection, n: int, sets: int, seed: int) -> Rows:
    """As many full batches of n as there are sets, (sets, n), of as many epochs as that takes."""
    full: list[Rows] = []
    epoch = 0
    while len(full) < sets:
        dealt = collection.batches(n, seed=seed, epoch=epoch, drop_last=True)
        full += list(dealt)
        epoch += 1
    return np.stack(full[:sets])


def _set_figures(world: World, drawn: dict[str, Rows], random: np.random.Generator) -> list[Figure]:
    return [
        _figure(
            name,
            metric.values(world, drawn[metric.of]),
            float(metric.values(world, drawn["random"]).mean()),
            metric.definition,
            random,
        )
        for name, metric in METRICS.items()
        if _applies(metric, world, drawn)
    ]


def _applies(metric: Metric, world: World, drawn: dict[str, Rows]) -> bool:
    if not metric.needs_labels:
        return True
    return world.labelled and bool((world.labels[drawn[metric.of][:, 0]] != UNLABELLED).any())


def _figure(
    name: str, values: Values, by_chance: float, definition: str, random: np.random.Generator
) -> Figure:
    low, high = interval(values, random)
    return Figure(name, float(values.mean()), low, high, by_chance, definition)
