"""Groups of images: k-means in the feature space, with as many groups as the images bear.

Several numbers of groups are tried on a part of the images. The silhouette says how much nearer an
image is to its own group than to the next one. More groups say more of a folder, so the largest
number is taken whose silhouette is nearly as large as any.
"""

from dataclasses import dataclass

import numpy as np

from imgbatch.types import Floats, Rows

NUMBERS = (6, 8, 10, 12, 16)
"""Numbers of groups that are tried: fewer say little, and nobody looks through more."""
_NEARLY = 0.85
"""Of the largest silhouette."""
_FITTED = 3000
_LEAST_MEMBERS = 4
"""Images for each group, at least; a smaller folder has fewer groups."""
_STARTS = 4


@dataclass(frozen=True, slots=True)
class Clusters:
    """Groups of m points, the largest first.

    Attributes
    ----------
    numbers
        (m,) the group of each point, counted from 0.
    distances
        (m,) float32: from each point to the centre of its group.
    silhouette
        That of the fitted points in these groups; 0 for a single group.
    tried
        Numbers of groups that were tried, with their silhouettes.
    """

    numbers: Rows
    distances: Floats
    silhouette: float
    tried: tuple[tuple[int, float], ...]

    def members(self, number: int) -> Rows:
        """The points of a group, those nearest to its centre first.

        >>> clusters = Clusters(np.array([0, 1, 0]), np.array([2, 0, 1], np.float32), 0.5, ())
        >>> clusters.members(0).tolist()
        [2, 0]
        """
        inside = np.flatnonzero(self.numbers == number)
        return inside[np.argsort(self.distances[inside], kind="stable")]


def find_groups(points: Floats, random: np.random.Generator) -> Clusters:
    """Group m points (m, p) by k-means.

    Parameters
    ----------
    points
        float32, finite.
    random
        Decides the points that centres are fitted to, 3,000 at most, and where k-means starts.

    Notes
    -----
    Lloyd's algorithm from k-means++ starts (scikit-learn), four for each number of groups;
    silhouette: Rousseeuw 1987. With fewer than eight points there is one group. Deterministic for
    given points and `random`. O(f^2 p) for f fitted points, and O(m k p) to assign all.

    Examples
    --------
    >>> corners = np.repeat(np.eye(6, dtype=np.float32), 5, axis=0)
    >>> found = find_groups(corners, np.random.default_rng(0))
    >>> found.silhouette, np.bincount(found.numbers).tolist()
    (1.0, [5, 5, 5, 5, 5, 5])
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score
    from threadpoolctl import threadpool_limits

    fitted = points[random.permutation(len(points))[:_FITTED]]
    most = min(len(fitted) // _LEAST_MEMBERS, len(np.unique(fitted, axis=0)))
    numbers = [number for number in NUMBERS if number <= most] or [most]
    seed = int(random.integers(2**31))
    with threadpool_limits(limits=1):  # the number of threads changes the last bits
        found = [(0.0, fitted.mean(axis=0, keepdims=True))]
        if most > 1:
            fits = [KMeans(k, n_init=_STARTS, random_state=seed).fit(fitted) for k in numbers]
            scores = [round(float(silhouette_score(fitted, fit.labels_)), 4) for fit in fits]
            found = [(score, fit.cluster_centers_) for score, fit in zip(scores, fits, strict=True)]
        best = max(score for score, _ in found)
        least = min(_NEARLY * best, best)  # it may be below 0
        silhouette, centres = [each for each in found if each[0] >= least][-1]
        nearest, distances = _nearest(points, centres.astype(np.float32))
    order = np.argsort(-np.bincount(nearest, minlength=len(centres)), kind="stable")
    tried = tuple((len(fit_centres), score) for score, fit_centres in found)
    return Clusters(np.argsort(order)[nearest], distances, silhouette, tried if most > 1 else ())


def _nearest(points: Floats, centres: Floats) -> tuple[Rows, Floats]:
    """The nearest centre of each point, and its distance."""
    squared = (points**2).sum(axis=1)[:, None] - 2 * points @ centres.T + (centres**2).sum(axis=1)
    nearest = squared.argmin(axis=1)
    least = np.take_along_axis(squared, nearest[:, None], axis=1)[:, 0]
    return nearest, np.sqrt(np.maximum(least, 0)).astype(np.float32)
