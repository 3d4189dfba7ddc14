"""How well tags learned from a few examples rank the other images; a class stands for a tag.

``python benchmarks/learned_tags.py corel1k caltech101`` prints the mean average precision over
classes, and the precision of the first 20, with 5, 10 and 20 examples drawn five times, under the
default settings and under ``extended``; beside it the precision of random order. Examples are not
ranked. ``--trust`` prints how many images a tag is given to unasked, and how many of these are
right, where half of the folder has labels.
"""

import argparse

import numpy as np
from sklearn.metrics import average_precision_score

import imgbatch
from imgbatch.learning.tags import learned_scores, trust_of

_DRAWS, _AGAINST, _FIRST = 5, 500, 20


def rank(points: np.ndarray, labels: np.ndarray, count: int, draw: int) -> list[tuple[float, ...]]:
    """Average precision, precision of the first and share of the class, for each class."""
    random, found = np.random.default_rng(draw), []
    for name in np.unique(labels):
        rows = np.flatnonzero(labels == name)
        if len(rows) < count + _FIRST:
            continue
        examples = np.sort(random.choice(rows, count, replace=False))
        scores = learned_scores(points, points[examples], examples, _AGAINST)
        rest = np.setdiff1d(np.arange(len(points)), examples)
        right, order = labels[rest] == name, np.argsort(-scores[rest])
        average = average_precision_score(right, scores[rest])
        found.append((average, right[order[:_FIRST]].mean(), right.mean()))
    return found


def trusted(points: np.ndarray, labels: np.ndarray, draw: int) -> tuple[int, int, int]:
    """Tags given unasked, how many of the other half's images get them, how many are right."""
    random = np.random.default_rng(draw)
    known = np.sort(random.choice(len(points), len(points) // 2, replace=False))
    others = np.setdiff1d(np.arange(len(points)), known)
    tags = given = right = 0
    for name in np.unique(labels):
        has_tag = labels[known] == name
        trust = trust_of(points, known, has_tag, _AGAINST, 0.9)
        if not trust.given:
            continue
        examples = known[has_tag]
        scores = learned_scores(points, points[examples], examples, _AGAINST)[others]
        tags += 1
        given += int((scores >= trust.threshold).sum())
        right += int((labels[others][scores >= trust.threshold] == name).sum())
    return tags, given, right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--index")
    parser.add_argument("--trust", action="store_true")
    options = parser.parse_args()
    for folder in options.folders:
        for emphasis in (None, "extended"):
            photos = imgbatch.load(folder, index=options.index, emphasis=emphasis)
            points, labels = np.asarray(photos.points), np.array(photos.labels)
            print(f"\n{folder}, {emphasis or 'default'}, {len(points)} images")
            for count in (5, 10, 20):
                draws = [np.array(rank(points, labels, count, draw)) for draw in range(_DRAWS)]
                average, first, chance = np.mean(draws, axis=(0, 1))
                spread = np.ptp([draw[:, 0].mean() for draw in draws])
                print(
                    f"{count:3} examples, {len(draws[0])} classes: average precision "
                    f"{average:.1%} (draws differ by {spread:.1%}), first {_FIRST} {first:.1%}, "
                    f"random {chance:.1%}"
                )
            if options.trust:
                print("unasked: tags, images, right:", *trusted(points, labels, 0))


if __name__ == "__main__":
    main()
