"""Train a label model on a folder, and measure it on images that it was not trained on."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from imgbatch.annotations.labels import labels_of
from imgbatch.errors import LabelError, UsageError
from imgbatch.index.portable import PortableSpace
from imgbatch.learning import baselines
from imgbatch.learning.classify import FOLDS, Trained, drawn, train
from imgbatch.learning.curve import Trial, balanced_accuracy_with, learning_curve
from imgbatch.learning.examples import Examples
from imgbatch.learning.figures import confusions_of, figures_by_class, figures_of
from imgbatch.learning.judged import Judged, judged_by
from imgbatch.learning.known import KnownLabels
from imgbatch.learning.model import LabelModel
from imgbatch.learning.parts import dealt_parts
from imgbatch.learning.results import Figures, MixedUp, Round, Training
from imgbatch.runners.blas import one_blas_thread
from imgbatch.seeds import checked_seed
from imgbatch.types import Rows
from imgbatch.version import __version__

_MOST_COMPARED = 2_000
"""Tested images for which nearest neighbours are looked up."""
_MOST_TRAIN_JUDGED = 20_000
_MIXED_UP, _SHOWN_EACH = 10, 8
"""Pairs of classes that are reported, and images of each."""
_LEAST_FOR_TEST = 1_000
"""Labelled images from which on a fifth of them is held out unasked; fewer are cross-validated."""
_LEAST_OF_CLASS = 10
_SHARE = 0.2
_CHOSEN = (
    "images that label next chose are no random sample, and the figures are of them; "
    "label next --random draws images to measure on"
)
_ALL_SINGLE = (
    "no class has two images, so that no held-out image is of a class that was learned: "
    "the figures say nothing"
)


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """How a model is measured.

    Attributes
    ----------
    test
        Share of the labelled images that is held out, below 1; 0 cross-validates in five folds,
        and trains on all of them. None decides by their number.
    seed
        Of everything random.
    """

    test: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        checked_seed(self.seed)
        if self.test is not None and not 0 <= self.test < 1:
            raise UsageError(f"test is {self.test:g}", "give 0, or a share below 1, such as 0.2")


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """A trained learner, and what was said of images that it was not trained on."""

    trained: Trained
    trials: tuple[Trial, ...]
    judged: Judged
    tested: Rows
    protocol: str
    notes: tuple[str, ...] = ()
    by_split: bool = False


@one_blas_thread()  # more would change the last bits
def train_labels(known: KnownLabels, options: TrainOptions = TrainOptions()) -> Training:
    """Train on a folder's labels; the figures are of images that the model did not see.

    Held out are, in this order: the images that the metadata's column ``split`` calls test (or
    else validation); a share of the images, of each class; or each fold in turn, where labels are
    few: then the model is trained on all of them. Copies and groups are never divided, unless the
    column says so. The points are fitted on all images of the folder, without labels.

    Raises
    ------
    LabelError
        There are fewer than two classes.
    """
    started = time.perf_counter()
    examples = known.examples()
    measured = _measured(known, examples, options)
    trained, seed, k = measured.trained, options.seed, len(examples.names)
    fit_rows = np.unique(np.concatenate([fit for fit, _ in measured.trials]))
    seen = examples.take(fit_rows[drawn(len(fit_rows), _MOST_TRAIN_JUDGED, seed)])
    figures = figures_of(measured.judged, k, seed)
    rounds = _rounds(known, examples, measured)
    chosen = len(rounds) > 1 and not measured.by_split
    facts = {
        "images": len(known),
        "labelled": len(examples),
        "trained_on": len(fit_rows),
        "learner": trained.learner.name,
        "protocol": measured.protocol,
        "figures": {name: round(figure.value, 6) for name, figure in figures.items()},
    }
    order = np.argsort(-trained.judged.confidence, kind="stable")
    space = PortableSpace.of(known.folder, known.config, known.projection.space, __version__)
    held = trained.judged.take(order)
    model = LabelModel(
        examples.names, trained.classifier, space, held.confidence, held.right, facts
    )
    return Training(
        model=model,
        folder=known.folder,
        images=len(known),
        labelled=len(examples),
        protocol=measured.protocol,
        trained_on=len(fit_rows),
        tested_on=len(measured.tested),
        train=figures_of(judged_by(trained.classifier, seen), k, seed),
        test=figures,
        baselines=_baselines(examples, measured.trials, seed),
        by_class=figures_by_class(measured.judged, examples.names),
        judged=measured.judged,
        tested_rows=examples.rows[measured.tested],
        mixed_up=_mixed_up(known, examples, measured),
        curve=learning_curve(examples, measured.trials, trained.learner, seed),
        tried=trained.tried,
        rounds=rounds,
        seed=seed,
        seconds=time.perf_counter() - started,
        notes=(*measured.notes, *((_CHOSEN,) if chosen else ())),
    )


def _measured(known: KnownLabels, examples: Examples, options: TrainOptions) -> _Measured:
    parts = known.parts[examples.rows]
    for part, name in ((2, "test"), (1, "validation")):
        if (parts == part).any() and (parts <= 0).any():
            fit, test = np.flatnonzero(parts <= 0), np.flatnonzero(parts == part)
            protocol = f"{len(test):,} images that the metadata's split calls {name}"
            measured = _held_out(examples, fit, test, protocol, options.seed)
            notes = _divided_groups(examples, fit, test)
            return replace(measured, notes=notes, by_split=True)
    share = _share(examples) if options.test is None else options.test
    if share:
        dealt = dealt_parts(examples.classes, examples.groups, [1 - share, share], options.seed)
        fit, test = np.flatnonzero(dealt == 0), np.flatnonzero(dealt == 1)
        if len(test) and len(np.unique(examples.classes[fit])) > 1:
            protocol = f"{len(test):,} images held out, {share:.0%} of each class"
            return _held_out(examples, fit, test, protocol, options.seed)
    return _cross_validated(examples, options.seed)


def _share(examples: Examples) -> float:
    """Which share of the images is held out unasked."""
    counts = np.bincount(examples.classes)
    usual = float(np.median(counts[counts > 0]))
    enough = len(examples) >= _LEAST_FOR_TEST and usual >= _LEAST_OF_CLASS
    return _SHARE if enough else 0.0


def _held_out(
    examples: Examples,
    fit: Rows,
    test: Rows,
    protocol: str,
    seed: int,
) -> _Measured:
    trained = train(examples.take(fit), seed)
    judged = judged_by(trained.classifier, examples.take(test))
    return _Measured(trained, ((fit, test),), judged, test, protocol)


def _cross_validated(examples: Examples, seed: int) -> _Measured:
    """Each fold is judged by a model whose learner was chosen without it, too."""
    fold_of = dealt_parts(examples.classes, examples.groups, [1 / FOLDS] * FOLDS, seed)
    everyone = np.arange(len(examples))
    trials = tuple(
        (everyone[fold_of != fold], everyone[fold_of == fold])
        for fold in range(FOLDS)
        if (fold_of == fold).any() and len(np.unique(examples.classes[fold_of != fold])) > 1
    )
    if not trials:
        raise LabelError(
            f"{len(examples):,} labelled images in {len(np.unique(examples.groups)):,} groups of "
            "copies are too few to hold any out",
            "label a few more images of each class",
        )
    judged = [
        judged_by(train(examples.take(fit), seed).classifier, examples.take(test))
        for fit, test in trials
    ]
    single = np.bincount(examples.classes).max() == 1
    tested = np.concatenate([test for _, test in trials])
    protocol = f"all {len(tested):,} labelled images in {len(trials)} folds, each held out once"
    whole = train(examples, seed)
    notes = (_ALL_SINGLE,) if single else ()
    return _Measured(whole, trials, Judged.joined(judged), tested, protocol, notes)


def _divided_groups(examples: Examples, fit: Rows, test: Rows) -> tuple[str, ...]:
    """A note if the metadata put copies on both sides."""
    divided = int(np.isin(examples.groups[test], examples.groups[fit]).sum())
    if not divided:
        return ()
    note = (
        f"{divided} test images are copies, or of the group, of images that are trained on: the "
        "metadata's split puts them there, and the figures are too good by it"
    )
    return (note,)


def _baselines(examples: Examples, trials: Sequence[Trial], seed: int) -> dict[str, Figures]:
    most = max(1, _MOST_COMPARED // len(trials))
    constant, neighbours = list[Judged](), list[Judged]()
    for fit, test in trials:
        trained_on = examples.take(fit)
        constant.append(baselines.majority(trained_on, examples.take(test)))
        few = examples.take(test[drawn(len(test), most, seed)])
        neighbours.append(baselines.nearest_neighbours(trained_on, few))
    k = len(examples.names)
    return {
        "majority": figures_of(Judged.joined(constant), k, seed),
        "knn": figures_of(Judged.joined(neighbours), k, seed),
    }


def _mixed_up(known: KnownLabels, examples: Examples, measured: _Measured) -> tuple[MixedUp, ...]:
    found = confusions_of(measured.judged, len(examples.names), _MIXED_UP)
    rows = examples.rows[measured.tested]
    return tuple(
        MixedUp(
            examples.names[one.given],
            examples.names[one.predicted],
            one.count,
            one.share,
            tuple(known.paths[row] for row in rows[one.positions[:_SHOWN_EACH]].tolist()),
        )
        for one in found
    )


def _rounds(known: KnownLabels, examples: Examples, measured: _Measured) -> tuple[Round, ...]:
    """What was known after each of several metadata files, measured on the same images."""
    rounds = list[Round]()
    for file, metadata in known.metadata.rounds():
        labels = np.array(labels_of(metadata).names, object)[examples.rows]
        same = labels == np.array(examples.names, object)[examples.classes]
        value = balanced_accuracy_with(
            examples, measured.trials, measured.trained.learner, np.asarray(same, np.bool_)
        )
        if not rounds or same.sum() != rounds[-1].labels:  # other files hold texts or tags
            rounds.append(Round(file, int(same.sum()), value))
    return tuple(rounds)
