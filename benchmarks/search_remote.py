"""Search by words in PostgreSQL: whether it answers as the folder does, how large it is, how fast.

    python benchmarks/search_remote.py folder URL FOLDER [--index DIR]  # captions.csv, as Flickr8k
    python benchmarks/search_remote.py scale URL [TEXTS]                # synthetic points, texts

URL is that of an empty database, postgresql://USER@HOST/DATABASE. `folder` hides the texts of every
second image, exports the folder, and asks both for 45 texts in three ways. `scale` exports as many
images without texts as with.
"""

import argparse
import csv
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import numpy as np
import psycopg

import imgbatch
from imgbatch.annotations.columns import Column
from imgbatch.exports import ImageTable, PortableSpace
from imgbatch.exports.postgres import EXPORTER
from imgbatch.exports.remote import RemoteImages
from imgbatch.exports.run import export
from imgbatch.exports.words import TABLES
from imgbatch.types import ImageRecord
from imgbatch.words.documents import Documents
from imgbatch.words.kept import FolderWords

ASKED, HITS = 45, 30
MADE_UP = "/made up"
TOPICS, WORDS, VOCABULARY = 200, 50, 20_000


def folder(url, path, index):
    """Export a folder of which half has texts; compare answers."""
    random = np.random.default_rng(0)
    whole = imgbatch.load(path, emphasis="extended", index=index)
    with TemporaryDirectory() as place:
        known = Path(place) / "half.csv"
        with known.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["file_name", "text"])
            for row in range(0, len(whole), 2):
                rows.writerows((whole.records[row].path, text) for text in whole.texts[row])
        photos = imgbatch.load(path, emphasis="extended", index=index, metadata=str(known))
        for what in ("export", "export again"):
            started = time.perf_counter()
            export(photos, url)
            print(f"{what}: {time.perf_counter() - started:.1f} s")
        remote, equal, there, here = RemoteImages(url), 0, [], []
        texts = [text for of_image in whole.texts for text in of_image]
        for text in random.choice(texts, ASKED).tolist():
            for only in (None, "known", "unknown"):
                answers = []
                for source, taken in ((remote, there), (photos, here)):
                    started = time.perf_counter()
                    found = source.search(text, HITS, only=only)
                    taken.append(time.perf_counter() - started)
                    answers.append(
                        [(one.relative, one.relevance, one.words) for one in found.images]
                    )
                equal += answers[0] == answers[1]
    print(f"{equal} of {3 * ASKED} answers of {HITS} images are equal: order, relevance, words")
    print(f"median: {np.median(there):.3f} s there, {np.median(here):.3f} s here")


def scale(url, count):
    """Export made-up images; half of them have a text of fifty words."""
    random = np.random.default_rng(0)
    vocabulary = np.array([f"w{number}" for number in range(VOCABULARY)])
    frequency = 1 / np.arange(1, VOCABULARY + 1)
    kind = random.integers(TOPICS, size=2 * count)
    points = random.normal(size=(TOPICS, 352)).astype(np.float32)[kind] * 0.3
    points += random.normal(size=points.shape).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    drawn = random.choice(VOCABULARY, (2 * count, WORDS), p=frequency / frequency.sum())
    drawn[:, WORDS // 2 :] = (drawn[:, WORDS // 2 :] + kind[:, None] * 97) % VOCABULARY
    texts = [(" ".join(vocabulary[row]),) if number % 2 else () for number, row in enumerate(drawn)]
    column, empty = Column.of(texts), Column.empty(2 * count)
    with TemporaryDirectory() as place:
        photos = imgbatch.load(samples(), index=place)
        space = photos.projection.space
        opened = SimpleNamespace(
            directory=Path(place),
            generation="made up",
            projection=lambda: SimpleNamespace(points=points, space=space),
        )
        words = FolderWords(opened, Documents((column, empty, empty)), "english")
        started = time.process_time()
        _ = words.visual
        print(f"learned in {time.process_time() - started:.1f} s of CPU")
        table = made_up(points, texts, PortableSpace.of(MADE_UP, photos.config, space, "0"))
        for what, of in (("without words", table), ("words besides", replace(table, words=words))):
            started = time.perf_counter()
            EXPORTER.check(url)
            EXPORTER.write(url, of, None)
            print(f"export {what}: {time.perf_counter() - started:.1f} s")
    print_sizes(url)
    remote = RemoteImages(url, MADE_UP)
    for only in ("known", "unknown", None):
        taken = []
        for _ in range(9):
            asked = " ".join(vocabulary[random.integers(300, size=5)])
            started = time.perf_counter()
            remote.search(asked, 10, only=only)
            taken.append(time.perf_counter() - started)
        print(f"a query of five words, {only or 'all'}: {np.median(taken):.3f} s")


def samples():
    """The sample images of the repository."""
    return Path(__file__).resolve().parent.parent / "samples"


def made_up(points, texts, space):
    """Images without files."""
    n, random = len(points), np.random.default_rng(1)
    return ImageTable(
        folder=MADE_UP,
        records=[ImageRecord(f"{row:08}.jpg", 100, 100) for row in range(n)],
        labels=[""] * n,
        sizes=np.zeros(n, np.int64),
        hashes=random.integers(0, 256, (n, 16)).astype(np.uint8),
        phashes=np.zeros(n, np.uint64),
        points=points,
        space=space,
        texts=texts,
    )


def print_sizes(url):
    """The size of each table with its indexes."""
    with psycopg.connect(url) as db:
        for name in ("images", "image_embeddings", *TABLES):
            query = "SELECT pg_size_pretty(pg_total_relation_size(%s))"
            print(f"{name}: {db.execute(query, (name,)).fetchone()[0]}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=["folder", "scale"])
    parser.add_argument("url")
    parser.add_argument("given", nargs="?", help="the folder, or how many texts")
    parser.add_argument("--index")
    options = parser.parse_args()
    if options.what == "scale":
        scale(options.url, int(options.given or 10_000))
    else:
        folder(options.url, options.given, options.index)


if __name__ == "__main__":
    main()
