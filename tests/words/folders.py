"""A made-up folder: points of a few kinds, and texts that name the kind of each."""

from types import SimpleNamespace

import numpy as np

from imgbatch.annotations.columns import Column
from imgbatch.words.documents import Documents
from imgbatch.words.kept import FolderWords

KINDS = ("red car on a street", "blue sea and waves", "green tree in a park", "white snow on hills")


def made_up(count=160, hidden=40, seed=0, texts=KINDS):
    """Points, documents and the kind of each image; the last `hidden` images have no text."""
    random = np.random.default_rng(seed)
    kind = random.integers(len(KINDS), size=count)
    points = random.normal(size=(count, 12)).astype(np.float32) * 0.15
    points[np.arange(count), kind] += 1
    said = [(texts[k],) if row < count - hidden else () for row, k in enumerate(kind)]
    empty = Column.empty(count)
    return points, Documents((Column.of(said), empty, empty)), kind


class Opened:
    """As much of an opened index as words need."""

    def __init__(self, points, directory, generation="one", space=1.0):
        self.points, self.directory, self.generation = points, directory, generation
        self.space, self.asked = space, 0

    def projection(self):
        self.asked += 1

        def save(file):
            np.savez(file, space=np.array([self.space]))

        hashes = np.arange(len(self.points), dtype=np.uint64)  # of pictures that are no copies
        return SimpleNamespace(points=self.points, hashes=hashes, space=SimpleNamespace(save=save))


def folder_words(directory, **options):
    points, documents, kind = made_up(**options)
    return FolderWords(Opened(points, directory), documents), kind
