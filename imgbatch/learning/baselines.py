"""What a classifier is compared with: the most common class, and the nearest labelled images."""

import numpy as np

from imgbatch.learning.examples import Examples
from imgbatch.learning.judged import Judged
from imgbatch.neighbours.search import NeighbourSearch
from imgbatch.types import Floats

NEIGHBOURS = 10
_AT_ONCE = 500


def majority(train: Examples, test: Examples) -> Judged:
    """The most common class for every image; probabilities are the classes' shares."""
    counts = np.bincount(train.classes, minlength=len(train.names))
    shares = (counts / counts.sum()).astype(np.float32)
    most = int(counts.argmax())
    return Judged(
        test.classes,
        np.full(len(test), most),
        np.full(len(test), shares[most]),
        shares[test.classes],
    )


def nearest_neighbours(train: Examples, test: Examples) -> Judged:
    """The commonest class among the ten nearest training images.

    Probabilities are shares of eleven votes: one for each neighbour, one divided among all classes
    as they are frequent. Of equally common classes the one with the nearest image wins. O(t m p)
    for t test and m training images.
    """
    k = len(train.names)
    shares = np.bincount(train.classes, minlength=k).astype(np.float32) / np.float32(len(train))
    search = NeighbourSearch(train.images.points())
    judged = Judged.empty(len(test))
    for start in range(0, len(test), _AT_ONCE):
        positions = np.arange(start, min(start + _AT_ONCE, len(test)))
        queries = test.images.take(positions).points()
        search.prefetch(queries, NEIGHBOURS)
        votes = np.tile(shares, (len(positions), 1))
        for number, query in enumerate(queries):
            _vote(votes[number], train.classes[search.nearest(query, NEIGHBOURS)[0]])
        votes /= votes.sum(axis=1, keepdims=True)
        rows, classes = np.arange(len(positions)), test.classes[positions]
        predicted = votes.argmax(axis=1)
        judged.put(
            positions, Judged(classes, predicted, votes[rows, predicted], votes[rows, classes])
        )
    return judged


def _vote(votes: Floats, classes: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> None:
    """Add a vote for the class of each neighbour, nearest first; ties go to the nearest."""
    np.add.at(votes, classes, 1.0)
    votes[classes] += 1e-4 / np.arange(1, len(classes) + 1, dtype=np.float32)
