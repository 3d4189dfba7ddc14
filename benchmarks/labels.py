"""How well labels are learned, checked and given.

Usage: python benchmarks/labels.py FOLDER [--per-class 50] [--splits 5] [--emphasis extended]
       [--only classify|check|precision] [--index DIR]

FOLDER has class subfolders. Near-duplicates are never divided between training and test images,
but by --per-class, which draws single images as published protocols do.
- classify: `label train` on so many images a class (or that share, below 1), the rest is tested.
- check: 5% of all labels are replaced, by random other classes or by the class that is most often
  confused; the precision of `label check` among as many images as were replaced.
- precision: `label train` on one half, `label apply --min-precision 0.95` on the other.
"""

import argparse
from dataclasses import replace

import numpy as np

import imgbatch
from imgbatch.learning import baselines
from imgbatch.learning.check import doubted_labels
from imgbatch.learning.classify import train
from imgbatch.learning.figures import FIGURES, confusion_matrix, figure_values
from imgbatch.learning.judged import judged_by
from imgbatch.learning.parts import dealt_parts
from imgbatch.learning.predictions import lowest_threshold

WRONG = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--per-class", type=float, default=0.5)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--emphasis", default="extended")
    parser.add_argument("--only", choices=("classify", "check", "precision"))
    parser.add_argument("--index")
    arguments = parser.parse_args()
    photos = imgbatch.load(arguments.folder, emphasis=arguments.emphasis, index=arguments.index)
    examples = photos.labelling.examples()
    for name, measure in {"classify": classify, "check": check, "precision": precision}.items():
        if arguments.only in {None, name}:
            measure(examples, arguments)


def classify(examples, arguments):
    rows = []
    for split in range(arguments.splits):
        fit, test = divided(examples.classes, arguments.per_class, split)
        trained = train(examples.take(fit), split)
        tested = examples.take(test)
        k = len(examples.names)
        ours = figure_values(judged_by(trained.classifier, tested), k)
        knn = figure_values(baselines.nearest_neighbours(examples.take(fit), tested), k)
        rows.append([*ours.values(), *knn.values()])
        print(f"  split {split}: {trained.learner.name}: " + shown(ours), flush=True)
    rows = np.array(rows)
    for name, columns in (("learned", rows[:, :5]), ("10 nearest", rows[:, 5:])):
        print(f"classify, {arguments.per_class:g} a class, {name}: {with_intervals(columns)}")


def divided(classes, per_class, seed):
    random = np.random.default_rng(seed)
    fit = list[int]()
    for number in np.unique(classes):
        members = random.permutation(np.flatnonzero(classes == number))
        count = per_class if per_class >= 1 else len(members) * per_class
        fit += members[: round(count)].tolist()
    fit = np.sort(fit)
    return fit, np.setdiff1d(np.arange(len(classes)), fit)


def check(examples, arguments):
    trained = train(examples, 0)
    k = len(examples.names)
    matrix = confusion_matrix(trained.judged, k).astype(float)
    np.fill_diagonal(matrix, 0)
    confused = matrix + matrix.T + np.random.default_rng(0).random((k, k)) * 0.01
    np.fill_diagonal(confused, -1)
    partner = confused.argmax(axis=1)
    for kind in ("random classes", "most confused classes"):
        found = []
        for draw in range(arguments.splits):
            random = np.random.default_rng(draw)
            count = round(WRONG * len(examples))
            wrong = random.choice(len(examples), count, replace=False)
            classes = examples.classes.copy()
            others = (classes[wrong] + random.integers(1, k, count)) % k
            classes[wrong] = others if kind == "random classes" else partner[classes[wrong]]
            _, order = doubted_labels(replace(examples, classes=classes), draw)
            first = order[:count]
            found.append([np.isin(first, wrong).mean(), np.isin(first[: count // 2], wrong).mean()])
        at, half = np.mean(found, axis=0)
        low, high = spread(np.array(found)[:, 0])
        print(
            f"check, {WRONG:.0%} wrong, {kind}: precision at {count}: {at:.1%} ({low:.1%} to"
            f" {high:.1%}), at the half of it {half:.1%}; random order {WRONG:.1%}",
            flush=True,
        )


def precision(examples, arguments):
    rows = []
    for split in range(arguments.splits):
        dealt = dealt_parts(examples.classes, examples.groups, [0.5, 0.5], split)
        trained = train(examples.take(np.flatnonzero(dealt == 0)), split)
        judged = judged_by(trained.classifier, examples.take(np.flatnonzero(dealt == 1)))
        order = np.argsort(-trained.judged.confidence, kind="stable")
        held = trained.judged.take(order)
        for wanted in (0.9, 0.95, 0.99):
            sure = judged.confidence >= lowest_threshold(held.confidence, held.right, wanted)
            reached = judged.right[sure].mean() if sure.any() else np.nan
            rows.append([split, wanted, reached, sure.mean()])
    rows = np.array(rows)
    for wanted in (0.9, 0.95, 0.99):
        of = rows[rows[:, 1] == wanted]
        low, high = np.nanmin(of[:, 2]), np.nanmax(of[:, 2])
        print(
            f"precision {wanted:.0%} asked for, half to train on: reached"
            f" {np.nanmean(of[:, 2]):.1%} ({low:.1%} to {high:.1%}),"
            f" coverage {of[:, 3].mean():.1%}",
            flush=True,
        )


def shown(figures):
    return ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in figures.items())


def with_intervals(columns):
    parts = []
    for name, values in zip(FIGURES, columns.T, strict=True):
        low, high = spread(values)
        parts.append(f"{name.replace('_', ' ')} {values.mean():.3f} ({low:.3f} to {high:.3f})")
    return ", ".join(parts)


def spread(values):
    """The 95% interval of the mean of a few splits, by Student's t."""
    from scipy.stats import t

    half = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return values.mean() - half, values.mean() + half


if __name__ == "__main__":
    main()
