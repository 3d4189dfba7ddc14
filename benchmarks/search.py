"""How well search by words finds images: with known texts, without them, and both together.

    python benchmarks/search.py captions FOLDER [--index DIR]   # with captions.csv, as Flickr8k
    python benchmarks/search.py words FOLDER [--index DIR]      # what function words should weigh
    python benchmarks/search.py classes FOLDER [--index DIR]    # subfolders are classes
    python benchmarks/search.py scale [TEXTS]                   # synthetic points and texts

Points are those of ``extended``. Images without texts are really without: their texts are hidden
before anything is learned. Intervals are 95% bootstrap intervals over images, or over classes.
"""

import argparse
import resource
import time
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import numpy as np

import imgbatch
from imgbatch.annotations.columns import Column
from imgbatch.words.documents import Documents
from imgbatch.words.kept import FolderWords
from imgbatch.words.search import search
from imgbatch.words.text_index import TextIndex, known_words
from imgbatch.words.vectors import SharedSpace
from imgbatch.words.visual import VisualSearch

SPLITS = (1, 2, 3)
LEARNED = 0.8


@dataclass
class Split:
    """Images to learn from (rows) and images to measure, by a random split."""

    learned: np.ndarray
    measured: np.ndarray

    @classmethod
    def of(cls, n, seed, share=LEARNED):
        """A random split of n images."""
        order = np.random.default_rng(seed).permutation(n)
        border = round(n * share)
        return cls(np.sort(order[:border]), np.sort(order[border:]))


def documents(texts, rows, most=None):
    """The texts of some rows; the others have none."""
    known = set(rows.tolist())
    texts = [tuple(text[:most]) if row in known else () for row, text in enumerate(texts)]
    empty = Column.empty(len(texts))
    return Documents((Column.of(texts), empty, empty))


def learned(texts, points):
    index = TextIndex.build(list(texts))
    return index, VisualSearch.fit(index, texts, points, np.arange(len(points)))


def ranks(index, visual, queries, points):
    """For each image without a text, the ranks that its own texts as queries give it."""
    return [
        [rank_of(visual.scores(index.query(text), points)[0], place) for text in queries[row]]
        for place, row in enumerate(visual.rows.tolist())
    ]


def rank_of(scores, place):
    """1 for the best; ties count as their middle."""
    better, equal = np.sum(scores > scores[place]), np.sum(scores == scores[place])
    return better + (equal + 1) / 2


def interval(groups, figure=np.mean, draws=300):
    """The figure of all values, and its bootstrap interval over groups of one value or more."""
    random = np.random.default_rng(0)
    groups = [np.asarray(group, float) for group in groups if len(group)]
    values, ends = np.concatenate(groups), np.cumsum([len(group) for group in groups])
    starts = ends - [len(group) for group in groups]
    found = []
    for _ in range(draws):
        drawn = random.integers(len(groups), size=len(groups))
        lengths = ends[drawn] - starts[drawn]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        found.append(figure(values[np.repeat(starts[drawn], lengths) + within]))
    return float(figure(values)), *np.quantile(found, [0.025, 0.975])


def recall(most):
    return lambda found: float((found <= most).mean())


def print_ranks(name, groups):
    print(f"{name:34}", end="")
    for most in (1, 5, 10):
        value, low, high = interval(groups, recall(most))
        print(f"  R@{most} {value:6.1%} ({low:.1%} to {high:.1%})", end="")
    value, low, high = interval(groups, np.median)
    print(f"  median {value:g} ({low:g} to {high:g})")


def captions(folder, index):
    photos = imgbatch.load(folder, emphasis="extended", index=index)
    points, texts = np.asarray(photos.points), list(photos.texts)
    print(f"{len(texts):,} images, {sum(map(len, texts)):,} texts")
    print_known(texts)
    for name, most, count in (
        ("all texts of 80%", None, None),
        ("one text each", 1, None),
        ("500 images with texts", None, 500),
    ):
        groups = []
        for seed in SPLITS:
            split = Split.of(len(texts), seed)
            rows = split.learned if count is None else split.learned[:: len(split.learned) // count]
            rows = rows[:count]
            found, visual = learned(documents(texts, rows, most), points)
            measured = replace(
                visual, rows=split.measured, placed=visual.maps.place(points[split.measured])
            )
            groups += ranks(found, measured, texts, points[split.measured])
        print_ranks(name, groups)
    print_vectors(texts, points)
    groups, random = [], np.random.default_rng(9)
    for seed in SPLITS:
        split = Split.of(len(texts), seed)
        mixed = list(texts)
        for row, other in zip(split.learned, random.permutation(split.learned), strict=True):
            mixed[row] = texts[other]
        found, visual = learned(documents(mixed, split.learned), points)
        groups += ranks(found, visual, texts, points[visual.rows])
    print_ranks("shuffled texts (control)", groups)
    n = len(split.measured)
    chances = "  ".join(f"R@{most} {most / n:.1%}" for most in (1, 5, 10))
    print(f"{'random':34}  {chances}  median {(n + 1) / 2:g}")
    for share, most in ((0.5, 3), (0.5, 12), (0.05, 3), (0.05, 12)):
        print_joined(texts, points, share, most)


def print_known(texts):
    """All images are documents of captions 2 to 5; caption 1 is the query."""
    index = TextIndex.build(["\n".join(text[1:]) for text in texts])
    groups = [
        [rank_of(index.by_word(index.query(text[0])).sum(1), row)]
        for row, text in enumerate(texts)
        if len(text) > 1
    ]
    print_ranks(f"known texts, of {len(texts):,}", groups)


def function_words(folder, index):
    """Weights of function words, tried without caption 1, which is the query of `print_known`.

    Each of captions 2 to 5 is asked for among the documents of the other three.
    """
    texts = [text[1:5] for text in imgbatch.load(folder, index=index).texts if len(text) > 4]
    weights = (0.0, 0.25, 0.5, 0.75, 1.0)
    groups = {weight: [[] for _ in texts] for weight in weights}
    for asked in range(4):
        index = TextIndex.build(["\n".join(np.delete(text, asked)) for text in texts])
        for row, text in enumerate(texts):
            query = known_words(index.query(text[asked]))
            by_word = index.by_word(query) / [word.weight for word in query]
            for weight in weights:
                scores = by_word @ [1.0 if word.counts else weight for word in query]
                groups[weight][row].append(rank_of(scores, row))
    for weight in weights:
        print_ranks(f"function words weigh {weight}", groups[weight])


def print_vectors(texts, points):
    """The vectors that exports hold: texts and images by the cosine of their angle."""
    groups = []
    for seed in SPLITS:
        split = Split.of(len(texts), seed)
        index, visual = learned(documents(texts, split.learned), points)
        shared = SharedSpace(index, visual.maps)
        images = shared.of_points(points[split.measured])
        for place, row in enumerate(split.measured.tolist()):
            likeness = shared.of_texts(texts[row]) @ images.T
            groups.append([rank_of(scores, place) for scores in likeness])
    print_ranks("vectors of exports, cosine", groups)


def print_joined(texts, points, share, most):
    """One list of images with and without texts: four rules to join them.

    A share of the images has texts. A query is one to `most` words of one text, function words
    excepted. What counts is the mean relevance of the texts, hidden or not, of the first images.
    """
    truth = TextIndex.build(["\n".join(text) for text in texts])
    names = ("expected relevance", "texts first", "looks first", "taking turns")
    found = {(name, n): [] for name in names for n in (10, 50)}
    for seed in SPLITS:
        split, random = Split.of(len(texts), seed, share), np.random.default_rng(seed)
        index, visual = learned(documents(texts, split.learned), points)
        words = FolderWords(None, None)
        words.texts, words.visual = index, visual
        words.opened = SimpleNamespace(projection=lambda: SimpleNamespace(points=points))
        for row in random.choice(len(texts), 300, replace=False):
            held = [word for word in truth.query(random.choice(texts[row])) if word.counts]
            drawn = random.choice(
                len(held), min(len(held), int(random.integers(1, most + 1))), replace=False
            )
            asked = " ".join(held[place].word for place in drawn)
            relevance = truth.relevance(truth.query(asked))
            query = index.query(asked)
            known = search(words, query, 50, only="known").rows
            looks = search(words, query, 50, only="unknown").rows
            turns = [row for pair in zip(known, looks, strict=False) for row in pair]
            turns += [*known[len(looks) :], *looks[len(known) :]]
            orders = (search(words, query, 50).rows, [*known, *looks], [*looks, *known], turns)
            for name, order in zip(names, orders, strict=True):
                for n in (10, 50):
                    found[name, n].append([relevance[np.asarray(order[:n], np.int64)].sum() / n])
    for name in names:
        print(f"{share:.0%} with texts, 1 to {most} words: {name:18}", end="")
        for n in (10, 50):
            value, low, high = interval(found[name, n], np.mean)
            print(f"  first {n}: {value:.4f} ({low:.3f} to {high:.3f})", end="")
        print()


def classes(folder, index):
    photos = imgbatch.load(folder, emphasis="extended", index=index)
    points, labels = np.asarray(photos.points), np.asarray(photos.labels)
    texts = [(label,) for label in labels]
    print(f"{len(labels):,} images, {len(set(labels))} classes")
    for share in (0.5, 0.1):
        groups, chance = [], []
        for seed in SPLITS:
            split = Split.of(len(labels), seed, share)
            found, visual = learned(documents(texts, split.learned), points)
            for label in sorted(set(labels)):
                scores, _ = visual.scores(found.query(label), points[visual.rows])
                first = np.argsort(-scores, kind="stable")[:10]
                groups.append([np.mean(labels[visual.rows[first]] == label)])
                chance.append(np.mean(labels[visual.rows] == label))
        value, low, high = interval(groups, np.mean)
        print(
            f"class names as queries, {share:.0%} of the labels known: precision at 10 {value:.1%}"
            f" ({low:.1%} to {high:.1%}), random {np.mean(chance):.1%}"
        )


def scale(count):
    """Synthetic points and texts: half of the images have a text of fifty words.

    Seconds are those of the CPU, of all threads, which other work on the machine does not change.
    """
    random = np.random.default_rng(0)
    vocabulary = np.array([f"w{number}" for number in range(20_000)])
    frequency = 1 / np.arange(1, len(vocabulary) + 1)
    topics = random.normal(size=(200, 352)).astype(np.float32)
    kind = random.integers(200, size=2 * count)
    points = topics[kind] * 0.3 + random.normal(size=(2 * count, 352)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    shift = kind[:, None] * 97
    drawn = random.choice(len(vocabulary), (2 * count, 50), p=frequency / frequency.sum())
    drawn[:, 25:] = (drawn[:, 25:] + shift) % len(vocabulary)
    texts = [(" ".join(vocabulary[row]),) if number % 2 else () for number, row in enumerate(drawn)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    column = Column.of(texts)
    held = Documents((column, Column.empty(len(texts)), Column.empty(len(texts))))
    started = time.process_time()
    index = TextIndex.build(list(held), "english")
    built = time.process_time()
    print(f"{count:,} texts indexed in {built - started:.1f} s of CPU")
    visual = VisualSearch.fit(index, held, points, np.arange(len(points)))
    fitted = time.process_time() - built
    print(f"maps fitted, {count:,} images without texts placed in {fitted:.1f} s of CPU")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory: {before:,.0f} MB before, {peak:,.0f} MB at most")
    words = FolderWords(None, None)
    words.opened = SimpleNamespace(projection=lambda: SimpleNamespace(points=points))
    with TemporaryDirectory() as place:
        places = Path(place) / "texts", Path(place) / "visual"
        for kind, directory in zip((index, visual), places, strict=True):
            directory.mkdir()
            kind.save(directory)
        print(f"kept: {sum(f.stat().st_size for f in Path(place).rglob('*.npy')) / 1e6:,.0f} MB")
        words.texts, words.visual = TextIndex.load(places[0]), VisualSearch.load(places[1])
        for only in ("known", "unknown", None):
            taken = []
            for _ in range(9):
                asked = " ".join(vocabulary[random.integers(300, size=5)])
                started = time.process_time()
                search(words, words.texts.query(asked), 10, only=only)
                taken.append(time.process_time() - started)
            print(
                f"a query of five words, {only or 'all'}: {1000 * np.median(taken):.0f} ms of CPU"
            )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=["captions", "words", "classes", "scale"])
    parser.add_argument("given", nargs="?", help="the folder, or how many texts")
    parser.add_argument("--index")
    options = parser.parse_args()
    if options.what == "scale":
        scale(int(options.given or 100_000))
    else:
        measure = {"captions": captions, "words": function_words, "classes": classes}
        measure[options.what](options.given, options.index)


if __name__ == "__main__":
    main()
