"""Images of one place or object: keypoints of nearest neighbours, matched."""

from dataclasses import replace

import numpy as np

from imgbatch.copies.match import Kind, Pairs
from imgbatch.copies.scene import LEAST_INLIERS, Keypoints, inliers, keypoints
from imgbatch.images.quiet import quiet_codecs
from imgbatch.index.duplicates import NearDuplicates
from imgbatch.neighbours.search import neighbour_lists
from imgbatch.runners.maps import ThreadMap
from imgbatch.types import Rows

_NEIGHBOURS = 5
"""Nearest neighbours of an image that may show the same place."""
_PX = 256
"""The longer side of pictures whose keypoints are matched has this many pixels or more."""
_MANY_INLIERS = 100
"""Keypoints in one arrangement that make a score of 1."""


def scene_pairs(found: NearDuplicates) -> Pairs:
    """The near-duplicates of one folder, and images of one place among nearest neighbours.

    Reads all files: about 10 ms an image, and 2 ms for each pair of neighbours.
    """
    near = found.pairs("edited")
    asked = _neighbours(found)
    asked = asked[found.contents[asked[:, 0]] != found.contents[asked[:, 1]]]
    asked = asked[~np.isin(_by_content(found, asked), _by_content(found, near.rows))]
    run = ThreadMap(found.workers)
    large = replace(found, options=replace(found.options, view_px=_PX))

    def of_row(row: int) -> Keypoints:
        return keypoints(large.views([row])[0])

    rows = np.unique(asked).tolist()
    with quiet_codecs():
        places = dict(zip(rows, run(of_row, ((row,) for row in rows)), strict=True))
    counts = run(inliers, ((places[a], places[b]) for a, b in asked.tolist()))
    fitting = np.fromiter(counts, np.int64, len(asked))
    same = fitting >= LEAST_INLIERS
    scores = np.minimum(fitting[same] / _MANY_INLIERS, 1).astype(np.float32)
    kinds = np.full(int(same.sum()), Kind.SCENE, np.uint8)
    return Pairs.best_of([near, Pairs(asked[same], kinds, scores)])


def _by_content(found: NearDuplicates, pairs: Rows) -> Rows:
    """(p,) one number for each pair of contents, whichever comes first."""
    contents = np.sort(found.contents[pairs], axis=1)
    return np.asarray(contents @ [len(found.contents), 1])


def _neighbours(found: NearDuplicates) -> Rows:
    """(p, 2) each image with its nearest neighbours, the lower row first, each pair once."""
    points = np.asarray(found.sources[0].projection.points)
    near, _ = neighbour_lists(points, np.arange(len(points)), _NEIGHBOURS)
    rows = np.repeat(np.arange(len(points)), near.shape[1])
    return np.unique(np.sort(np.column_stack((rows, near.reshape(-1))), axis=1), axis=0)
