"""How many labels active learning saves: typical, then uncertain images against random order.

Usage: python benchmarks/active.py FOLDER [--round 10] [--rounds 25] [--seeds 5] [--emphasis P]

FOLDER has class subfolders. Half of the images of each class are held out. Of the others, images
are labelled round by round: as `imgbatch label next` asks for them, or in random order. After each
round a model is trained as `imgbatch label train` does, and measured on the held-out half.
Printed are, for each seed and in the mean: the labels needed for 90% of the balanced accuracy that
all labels give, and the area under the curve of balanced accuracy over labels.
"""

import argparse
from dataclasses import replace

import numpy as np

import imgbatch
from imgbatch.annotations.labels import UNLABELLED
from imgbatch.learning.asking import label_next
from imgbatch.learning.classify import train
from imgbatch.learning.examples import Examples
from imgbatch.learning.judged import judged_by
from imgbatch.learning.parts import dealt_parts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--round", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--emphasis", default="extended")
    parser.add_argument("--index", default=None)
    arguments = parser.parse_args()
    photos = imgbatch.load(arguments.folder, emphasis=arguments.emphasis, index=arguments.index)
    known = photos.labelling
    rows = []
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        half = dealt_parts(known.classes, known.groups, [0.5, 0.5], seed)
        curves = {}
        whole = _accuracy(known, half, np.ones(len(known), bool) & (half == 0), seed)
        for way in ("asked", "random"):
            curves[way] = _curve(known, half, way, arguments, seed)
        wanted, step = 0.9 * whole, arguments.round
        needed = {way: _needed(curve, wanted, step) for way, curve in curves.items()}
        area = {way: float(np.mean(curve)) for way, curve in curves.items()}
        rows.append([whole, *needed.values(), *area.values()])
        print(
            f"seed {seed}: all labels {whole:.1%}; labels for 90% of it: asked {needed['asked']},"
            f" random {needed['random']}; area: asked {area['asked']:.3f}, random"
            f" {area['random']:.3f}; curve asked {_shown(curves['asked'])}, random"
            f" {_shown(curves['random'])}",
            flush=True,
        )
    whole, asked, random, area_asked, area_random = np.mean(rows, axis=0)
    print(
        f"mean: labels for 90%: asked {asked:.0f}, random {random:.0f}, ratio {asked / random:.2f};"
        f" area asked {area_asked:.3f}, random {area_random:.3f}"
    )


def _curve(known, half, way, arguments, seed):
    pool = np.flatnonzero(half == 0)
    order = np.random.default_rng([seed, 1]).permutation(pool)
    labelled, curve = np.zeros(len(known), bool), []
    for number in range(arguments.rounds):
        if way == "random":
            chosen = order[number * arguments.round : (number + 1) * arguments.round]
        else:
            chosen = _asked(known, pool, labelled, arguments.round, seed + 1000 * number)
        if not len(chosen):
            break
        labelled[chosen] = True
        curve.append(_accuracy(known, half, labelled, seed))
    return curve


def _asked(known, pool, labelled, n, seed):
    """What `label next` asks for, among the pool alone."""
    some = _Some(known, pool, labelled)
    asked = label_next(some, n, seed)
    return np.array([pool[image.row] for image in asked.images])


class _Some:
    """The pool as a folder of its own, with the labels given so far."""

    def __init__(self, known, pool, labelled):
        self.known, self.pool = known, pool
        self.folder, self.config = known.folder, known.config
        self.paths = [known.paths[row] for row in pool]
        self.labels = tuple(known.labels[row] if labelled[row] else "" for row in pool)
        self.classes = np.where(labelled[pool], known.classes[pool], UNLABELLED)
        self.groups = known.groups[pool]
        self.to_measure = np.zeros(len(pool), bool)

    def __len__(self):
        return len(self.pool)

    def images(self, rows):
        return self.known.images(self.pool[rows])

    def examples(self, *, all_parts):  # noqa: ARG002 - nothing is kept for measuring here
        return _examples(self.known, self.pool[self.classes != UNLABELLED])


def _examples(known, rows):
    names, classes = np.unique(np.array(known.labels)[rows], return_inverse=True)
    return Examples(known.images(rows), classes, known.groups[rows], tuple(names.tolist()))


def _accuracy(known, half, labelled, seed):
    examples = _examples(known, np.flatnonzero(labelled))
    if len(examples.names) < 2:
        return 0.0
    trained = train(examples, seed)
    numbers = {name: number for number, name in enumerate(examples.names)}
    test = np.flatnonzero(half == 1)
    classes = np.array([numbers.get(known.labels[row], -1) for row in test])
    seen = classes >= 0
    tested = replace(
        examples,
        images=known.images(test[seen]),
        classes=classes[seen],
        groups=known.groups[test[seen]],
    )
    judged = judged_by(trained.classifier, tested)
    right = np.zeros(len(test))
    right[seen] = judged.right
    truth = known.classes[test]
    return float(np.mean([right[truth == number].mean() for number in np.unique(truth)]))


def _needed(curve, wanted, step):
    reached = [number for number, value in enumerate(curve, start=1) if value >= wanted]
    return reached[0] * step if reached else (len(curve) + 1) * step


def _shown(curve):
    return " ".join(f"{value:.2f}" for value in curve)


if __name__ == "__main__":
    main()
