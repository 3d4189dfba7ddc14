"""Which images of a folder to label next, and which labels of it to doubt."""

import time
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from imgbatch.annotations.labels import UNLABELLED
from imgbatch.errors import LabelError, UsageError
from imgbatch.files.names import number_of
from imgbatch.files.paths import join
from imgbatch.learning.active import typical_images, uncertain_images
from imgbatch.learning.check import doubted_labels
from imgbatch.learning.classify import Classifier, drawn, train
from imgbatch.learning.examples import Examples
from imgbatch.learning.known import KnownLabels
from imgbatch.learning.predictions import Predictions, labelled
from imgbatch.learning.results import Asked, AskedImage
from imgbatch.neighbours.search import NeighbourSearch
from imgbatch.runners.blas import one_blas_thread
from imgbatch.seeds import checked_seed
from imgbatch.types import Floats, Rows

_COLD = 3
"""Labels a class up to which typical images are asked for."""
_MOST_LOOKED_AT = 20_000
_NEIGHBOURS = 3
_LITTLE = 0.9
"""A lead that nobody would call little."""


@one_blas_thread()  # more would change the last bits
def label_next(
    known: KnownLabels,
    n: int,
    seed: int = 0,
    *,
    at_random: bool = False,
    said: Predictions | None = None,
) -> Asked:
    """Images to label next, the most useful first; at most one of each group of copies.

    With few labels, or none: typical images of groups without a label. Later: images of which a
    model, trained on the labels so far, is least certain, and that differ. Labels of images that
    the metadata keep for measuring (``split``) are not looked at. Deterministic by seed;
    large folders are sampled. `at_random` draws a random sample instead, to measure on: images
    that were chosen because they are typical, or uncertain, are easier, or harder, than the rest.
    `said` is what `predicted` gives; None asks it where it is needed.

    Raises
    ------
    UsageError
        n is below 1.
    LabelError
        Every image has a label, or is a copy of one that has.
    """
    started = time.perf_counter()
    _check(n, seed)
    classes = known.classes
    free = free_rows(known)
    has_label = (classes != UNLABELLED) & ~known.to_measure
    if not len(free):
        raise LabelError(
            f"all {len(known):,} images have a label, or are copies of images that have one, or "
            "are kept for measuring",
            "give `metadata` a file with the labels so far: without one, subfolders are the labels",
        )
    count = min(n, len(free))
    if at_random:
        drawn_rows = free[drawn(len(free), count, seed)].tolist()
        images = tuple(_asked(known, row, "", 0.0, "drawn at random") for row in drawn_rows)
    elif not has_enough(known):
        images = _typical(known, free, np.flatnonzero(has_label), count, seed)
    else:
        said = predicted(known, free, _trained(known, seed)) if said is None else said
        images = _uncertain(known, free, said, count, seed)
    notes: tuple[str, ...] = ()
    if count < n:
        notes = (f"{n} images were asked for; no more than {count:,} are there to be labelled",)
    return Asked(
        known.folder,
        images,
        int((classes != UNLABELLED).sum()),
        len(known),
        seed,
        time.perf_counter() - started,
        notes,
        "test" if at_random else "",
    )


def has_enough(known: KnownLabels) -> bool:
    """Whether there are labels enough to train on: two classes, with three labels each or so."""
    classes = known.classes[(known.classes != UNLABELLED) & ~known.to_measure]
    k = len(np.unique(classes))
    return k > 1 and len(classes) >= _COLD * k


def free_rows(known: KnownLabels) -> Rows:
    """Rows without a label, the first one of each group in which no image has one.

    Images that are kept for measuring are not free, labelled or not, nor are copies of them.
    """
    groups, has_label = known.groups, (known.classes != UNLABELLED) | known.to_measure
    free = np.flatnonzero(~has_label & ~np.isin(groups, groups[has_label]))
    return np.sort(free[np.unique(groups[free], return_index=True)[1]])


def _typical(
    known: KnownLabels, free: Rows, with_label: Rows, n: int, seed: int
) -> tuple[AskedImage, ...]:
    looked_at = free[drawn(len(free), max(_MOST_LOOKED_AT, n), seed)]
    rows = np.concatenate([with_label[drawn(len(with_label), _MOST_LOOKED_AT, seed)], looked_at])
    positions = np.arange(len(rows) - len(looked_at))
    chosen = rows[typical_images(known.images(rows).points(), positions, n, seed)]
    return tuple(
        _asked(known, row, "", 0.0, "typical of a group without a label") for row in chosen.tolist()
    )


def _trained(known: KnownLabels, seed: int) -> Classifier:
    return train(known.examples(all_parts=False), seed).classifier


def predicted(known: KnownLabels, rows: Rows, classifier: Classifier) -> Predictions:
    """What a classifier of a folder's classes says of some of its images."""
    said = Predictions.empty(known.names, len(rows))
    for positions, batch in known.images(rows).map(labelled, with_all=(classifier,)):
        said.put(positions, batch)
    return said


def _uncertain(
    known: KnownLabels, free: Rows, said: Predictions, n: int, seed: int
) -> tuple[AskedImage, ...]:
    pool = np.sort(np.lexsort((said.odds, said.margins))[: max(_MOST_LOOKED_AT, n)])
    points = known.images(free[pool]).points()
    chosen = pool[uncertain_images(points, said.margins[pool], said.odds[pool], n, seed)]
    labels = said.labels
    return tuple(
        _asked(
            known,
            int(free[position]),
            labels[position],
            float(said.probabilities[position]),
            _why_asked(float(said.margins[position])),
        )
        for position in chosen.tolist()
    )


def _why_asked(margin: float) -> str:
    """Why an image is asked for; of a model that is sure of it, the only reason is the others.

    >>> _why_asked(0.04), _why_asked(1.0)
    ('leads by 4% only', 'less sure than others, though it leads by 100%')
    """
    if margin < _LITTLE:
        return f"leads by {margin:.0%} only"
    return f"less sure than others, though it leads by {margin:.0%}"


@one_blas_thread()
def check_labels(known: KnownLabels, n: int, seed: int = 0) -> Asked:
    """Images whose label is likely wrong, the most doubtful first.

    Copies with different labels come first: at least one of them is wrong. Then come images by the
    probability that models, trained without them, give their label; those that would be given
    their label are not listed. Nothing can be said of an image whose class has no others, but
    copies of it. Deterministic by seed.

    Raises
    ------
    UsageError
        n is below 1.
    LabelError
        There are fewer than two classes.
    """
    started = time.perf_counter()
    _check(n, seed)
    examples = known.examples()
    judged, order = doubted_labels(examples, seed)
    disputed = _disputed(examples)
    alone = _alone(examples)
    doubted = [place for place in order.tolist() if not (judged.right[place] or alone[place])]
    first = [position for position in order.tolist() if position in disputed]
    listed = [*first, *(position for position in doubted if position not in disputed)][:n]
    evidence = _Evidence(examples)
    images = tuple(
        _asked(
            known,
            int(examples.rows[position]),
            examples.names[judged.predicted[position]],
            float(judged.confidence[position]),
            _why(known, examples, disputed.get(position), float(judged.of_given[position])),
            evidence.of(position, int(judged.predicted[position])),
        )
        for position in listed
    )
    total = len(disputed.keys() | set(doubted))
    notes = list[str]()
    if total > n:
        notes.append(f"{total:,} labels are doubted; the first {n} are listed")
    if count := int(alone.sum()):
        alike = number_of(count, "image")
        notes.append(f"not judged: {alike} whose class has no others but copies")
    seconds = time.perf_counter() - started
    counts = len(examples), len(known)
    return Asked(known.folder, images, *counts, seed, seconds, tuple(notes), doubted=True)


def _alone(examples: Examples) -> npt.NDArray[np.bool_]:
    """(m,) whether all images of an example's class are copies of it, or of its group."""
    of_class = np.unique(np.column_stack((examples.classes, examples.groups)), axis=0)[:, 0]
    counts = np.bincount(of_class, minlength=len(examples.names))
    return np.asarray(counts[examples.classes] == 1)


def _disputed(examples: Examples) -> dict[int, int]:
    """Examples with a copy, or one of their group, of another class: its position, by position."""
    order = np.lexsort((examples.classes, examples.groups))
    groups, classes = examples.groups[order], examples.classes[order]
    found = dict[int, int]()
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(order)], strict=True):
        if classes[start] != classes[end - 1]:
            for place in range(start, end):
                other = start if classes[place] != classes[start] else end - 1
                found[int(order[place])] = int(order[other])
    return found


def _why(known: KnownLabels, examples: Examples, other: int | None, probability: float) -> str:
    if other is None:
        return f"its label has a probability of {probability:.1%}"
    name = examples.names[examples.classes[other]]
    return f"copy of {known.paths[int(examples.rows[other])]}, which is labelled {name}"


class _Evidence:
    """The nearest images of two classes."""

    def __init__(self, examples: Examples) -> None:
        self._examples = examples
        self._searches = dict[int, tuple[Rows, NeighbourSearch]]()

    def of(self, position: int, predicted: int) -> Mapping[str, Rows]:
        """Rows of the nearest images of an example's own class, and of the predicted one."""
        given = int(self._examples.classes[position])
        point = self._examples.images.take(np.array([position])).points()[0]
        names = self._examples.names
        return {
            names[number]: self._nearest(number, position, point)
            for number in dict.fromkeys((given, predicted))
        }

    def _nearest(self, number: int, position: int, point: Floats) -> Rows:
        if number not in self._searches:
            members = np.flatnonzero(self._examples.classes == number)
            points = self._examples.images.take(members).points()
            self._searches[number] = members, NeighbourSearch(points)
        members, search = self._searches[number]
        nearest = members[search.nearest(point, _NEIGHBOURS + 1)[0]]
        rows: Rows = self._examples.rows[nearest[nearest != position][:_NEIGHBOURS]]
        return rows


def _asked(
    known: KnownLabels,
    row: int,
    suggested: str,
    probability: float,
    reason: str,
    evidence: Mapping[str, Rows] | None = None,
) -> AskedImage:
    relative = known.paths[row]
    path = join(known.folder, relative)
    label = known.labels[row]
    shown = {
        name: tuple(known.paths[other] for other in others.tolist())
        for name, others in (evidence or {}).items()
    }
    return AskedImage(row, path, relative, label, suggested, probability, reason, shown)


def _check(n: int, seed: int) -> None:
    checked_seed(seed)
    if n < 1:
        raise UsageError(f"n is {n}", "give 1 or more images")
