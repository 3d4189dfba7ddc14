"""`evaluate`: measure a folder's sets against its classes and beside random choice."""

import os
from collections.abc import Callable

import numpy as np

from imgbatch.annotations.labels import (
    HOW_TO_LABEL,
    UNLABELLED,
    Labels,
    class_numbers,
    find_labels,
    labels_of,
)
from imgbatch.collection import Collection
from imgbatch.errors import UsageError
from imgbatch.evaluation.classes import figures_by_class
from imgbatch.evaluation.intervals import Values, interval
from imgbatch.evaluation.metrics import METRICS, LabelledPoints, Metric
from imgbatch.evaluation.rankings import Ranking, random_ranking, rank_queries, usable_queries
from imgbatch.evaluation.results import ClassFigure, Evaluation, Figure
from imgbatch.runners.blas import one_blas_thread
from imgbatch.seeds import is_whole
from imgbatch.types import Progress, Rows, Selection

_MOST_COMPARISONS = 30_000_000
_LEAST_QUERIES = 200
_MOST_SETS = 10_000_000


@one_blas_thread()  # more would change the last bits
def evaluate(
    collection: Collection,
    *,
    n: int = 10,
    sets: int = 300,
    seed: int = 0,
    labels: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure single queries, similar sets, different sets and dealt batches of a folder.

    The sets answer requests with the seeds ``seed``, ``seed + 1``, ...; ``imgbatch similar --seed``
    shows each of them. Every figure stands beside that of random choice: exact for single queries,
    measured on as many random sets for sets. The result depends only on the folder, the settings
    and the arguments.

    Where at least 40 images have texts, search by words and captions are measured, too, on a fifth
    of these images, whose texts are hidden; see `evaluation.words`.

    The single queries are all images that share their class with another image, or a random sample
    of at least 200 of them if they would make more than 30 million comparisons.

    Parameters
    ----------
    n
        Images in a set, 2 to the number of images.
    sets
        Requests of each kind, at least 2.
    seed
        Seed of the first request, and of samples, random sets and intervals.
    labels
        A file of classes (see `find_labels`); None takes those of the collection.
    progress
        Called with (requests done, requests in all).

    Raises
    ------
    UsageError
        An argument is out of range.
    LabelError
        The label file cannot be read or does not fit.

    Examples
    --------
    >>> import imgbatch
    >>> measured = evaluate(imgbatch.load("photos"), n=4, sets=5)
    >>> {figure.name: figure for figure in measured.figures}["different_overlap"].random <= 1
    True
    """
    if not is_whole(n, 2) or n > len(collection):
        raise UsageError(
            f"n is {n!r:.40}, but {collection.holding}",
            f"give 2 to {len(collection)}" if len(collection) > 1 else "give it more images",
        )
    if not (is_whole(sets, 2) and is_whole(seed)) or sets > _MOST_SETS:
        raise UsageError(
            f"sets is {sets!r:.40} and seed {seed!r:.40}",
            f"give 2 to {_MOST_SETS:,} sets and seed >= 0",
        )
    found_labels = collection_labels(collection, labels)
    images = labelled_points(collection, found_labels)
    notes = list(found_labels.notes)
    if not images.has_classes:
        notes.append(f"figures that need classes are left out: {HOW_TO_LABEL}")
    random = np.random.default_rng(seed)
    queries = _queries(images.labels, random) if images.has_classes else np.zeros(0, np.int64)
    figures: list[Figure] = []
    by_class: tuple[ClassFigure, ...] = ()
    if len(queries):
        ranking = rank_queries(images.points, images.labels, queries)
        figures = _query_figures(ranking, images.labels, queries, random)
        by_class = figures_by_class(
            ranking.precision_at_10, queries, images.labels, found_labels.classes, seed
        )
    figures += _set_figures(images, _sets_by_kind(collection, n, sets, seed, progress), random)
    figures += _word_figures(collection, seed, notes)
    return Evaluation(
        folder=collection.folder,
        images=len(collection),
        classes=len(found_labels.classes),
        seed=seed,
        n=n,
        sets=sets,
        queries=len(queries),
        figures=tuple(figures),
        notes=tuple(notes),
        by_class=by_class,
    )


def _word_figures(collection: Collection, seed: int, notes: list[str]) -> list[Figure]:
    """Figures of search and captions, if texts are known; adds notes."""
    texts = collection.metadata.column("texts")
    if not texts.lengths.any():
        return []
    from imgbatch.evaluation.words import word_figures

    try:
        figures, note = word_figures(texts, collection.points, collection.labelling.groups, seed)
    except UsageError as error:  # a library of the extra is missing; the other figures stand
        figures, note = [], f"figures of words are left out: {error}"
    notes.append(note)
    return figures


def collection_labels(collection: Collection, file: str | os.PathLike[str] | None) -> Labels:
    """The classes that a file gives; those of the collection for None."""
    if file is None:
        return labels_of(collection.metadata)
    return find_labels(collection.records, collection.folder, file)


def labelled_points(collection: Collection, labels: Labels) -> LabelledPoints:
    """The points, groups of near-duplicates and class numbers of a collection's images."""
    return LabelledPoints(
        np.asarray(collection.points), collection.copy_groups, class_numbers(labels.names), 0
    )


def _queries(labels: Rows, random: np.random.Generator) -> Rows:
    usable = usable_queries(labels)
    most = max(_LEAST_QUERIES, _MOST_COMPARISONS // len(labels))
    if len(usable) > most:
        usable = np.sort(random.choice(usable, most, replace=False))
    return usable


def _query_figures(
    ranking: Ranking, labels: Rows, queries: Rows, random: np.random.Generator
) -> list[Figure]:
    precision, average_precision = random_ranking(labels, queries)
    return [
        _figure(
            "precision_at_1",
            ranking.precision_at_1,
            precision,
            "share of images whose nearest other image is of their class",
            random,
        ),
        _figure(
            "precision_at_10",
            ranking.precision_at_10,
            precision,
            "share of an image's ten nearest others that are of its class",
            random,
        ),
        _figure(
            "mean_average_precision",
            ranking.average_precision,
            average_precision,
            "mean precision at the rank of each other image of the class",
            random,
        ),
    ]


def _sets_by_kind(
    collection: Collection, n: int, sets: int, seed: int, progress: Progress | None
) -> dict[str, Rows]:
    """(sets, n) rows of each kind: similar, different, dealt batches, and random ones."""
    row_of = {record.path: row for row, record in enumerate(collection.records)}
    requests: dict[str, Callable[[int], Selection]] = {
        "similar": lambda seed: collection.similar(n, seed=seed),
        "different": lambda seed: collection.different(n, seed=seed),
    }
    drawn = {kind: np.zeros((sets, n), np.int64) for kind in requests}
    done = 0
    for kind, request in requests.items():
        for number in range(sets):
            images = request(seed + number).images
            drawn[kind][number] = [row_of[image.relative] for image in images]
            done += 1
            if progress is not None:
                progress(done, len(requests) * sets)
    drawn["batches"] = _dealt_batches(collection, n, sets, seed)
    drawn["random"] = _random_sets(len(collection), n, sets, seed)
    return drawn


def _dealt_batches(collection: Collection, n: int, sets: int, seed: int) -> Rows:
    """The first full batches of n images, of as many epochs as that takes: (sets, n)."""
    batches: list[Rows] = []
    epoch = 0
    while len(batches) < sets:
        batches += collection.batches(n, seed=seed, epoch=epoch, drop_last=True)
        epoch += 1
    return np.stack(batches[:sets])


def _random_sets(images: int, n: int, sets: int, seed: int) -> Rows:
    """Sets of n distinct rows, each drawn uniformly: (sets, n)."""
    random = np.random.default_rng(seed)
    return np.stack([random.choice(images, n, replace=False) for _ in range(sets)])


def _set_figures(
    images: LabelledPoints, drawn: dict[str, Rows], random: np.random.Generator
) -> list[Figure]:
    return [
        _figure(
            name,
            metric.measure(images, drawn[metric.kind]),
            float(metric.measure(images, drawn["random"]).mean()),
            metric.definition,
            random,
        )
        for name, metric in METRICS.items()
        if _applies(metric, images, drawn)
    ]


def _applies(metric: Metric, images: LabelledPoints, drawn: dict[str, Rows]) -> bool:
    """Whether the metric needs no classes, or there are classes and a set begins with one."""
    if not metric.needs_labels:
        return True
    first = images.labels[drawn[metric.kind][:, 0]]
    return images.has_classes and bool((first != UNLABELLED).any())


def _figure(
    name: str, values: Values, by_chance: float, definition: str, random: np.random.Generator
) -> Figure:
    low, high = interval(values, random)
    return Figure(name, float(values.mean()), low, high, by_chance, definition)
