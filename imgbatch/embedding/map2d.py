"""The images of a folder on a plane: t-SNE of a sample, the rest beside their nearest in it.

t-SNE keeps neighbours together and says little about large distances. It takes half a minute for
5,000 images. So of a larger folder a sample is laid out, and every other image joins the image of
the sample that is nearest in the space: such guests lie around their host like the seeds of a
sunflower, the nearest ones inside. A weighted mean of several hosts would put an image between
islands, into the void (trustworthiness 0.85 in place of 0.95 for 9,293 photographs).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from imgbatch.embedding.principal import principal_axes
from imgbatch.embedding.projection import Projection
from imgbatch.types import Floats, Progress, Rows

NEIGHBOURS = 10
"""Neighbours that trustworthiness and accuracy ask for."""
SAMPLE = 5000
"""Most images that t-SNE lays out."""
ASKED = 1000
"""Most images whose neighbourhoods are measured."""
_COMPONENTS = 50
_PERPLEXITY = 30
_LEAST = 5
"""With fewer images t-SNE has nothing to do."""
_START = 1e-4
_GOLDEN_ANGLE = np.pi * (3 - 5**0.5)
_BLOCK_ROWS = 4096
_FLAT = 1e-12
_ROUNDING = 1e-5
"""Of a squared distance that was computed from products."""


@dataclass(frozen=True, slots=True, eq=False)
class Map2d:
    """Images on a plane, and how far their neighbours there can be trusted.

    Attributes
    ----------
    positions
        (n, 2) float32 from 0 to 1, of one scale for both axes.
    principal
        (n, 2) float32: the first two principal components, for comparison.
    asked
        (m,) rows whose neighbourhoods were measured.
    near
        (m, k) their nearest other rows in the feature space, nearest first.
    trust, principal_trust
        Trustworthiness of `positions` and `principal`, see `trustworthiness`.
    """

    positions: Floats
    principal: Floats
    asked: Rows
    near: Rows
    trust: float
    principal_trust: float


def map_of(projection: Projection, seed: int = 0, progress: Progress | None = None) -> Map2d:
    """Lay all images of a projection out on a plane.

    Parameters
    ----------
    projection
        n points, in one or more parts.
    seed
        Draws the sample, and the images that are measured.
    progress
        Called with (images placed, images in all).

    Notes
    -----
    Source: van der Maaten and Hinton, "Visualizing data using t-SNE", JMLR 2008; scikit-learn's
    Barnes-Hut version, perplexity 30. It starts from the principal components, as Kobak and Berens,
    "The art of using t-SNE for single-cell transcriptomics", Nature Communications 2019, advise; so
    large distances are less arbitrary and equal folders give equal maps. Departure: the rest of a
    large folder joins its nearest images, as above. Deterministic for given points and seed; one
    thread, since more would change the last bits and so the map. O(s log s) for a sample of s
    images and O(n s) for the rest, with flat memory but for 16 bytes an image.

    Examples
    --------
    >>> import imgbatch
    >>> laid_out = map_of(imgbatch.load("photos").projection)
    >>> laid_out.positions.shape, float(laid_out.positions.min()) >= 0
    ((24, 2), True)
    """
    # Before the limit, which holds for libraries that are loaded by then.
    from sklearn import manifold  # noqa: F401
    from threadpoolctl import threadpool_limits

    report = progress or (lambda _done, _total: None)
    points, total = projection.points, len(projection.points)
    random = np.random.default_rng(seed)
    report(0, total)
    with threadpool_limits(limits=1):
        sample = np.sort(random.choice(total, min(total, SAMPLE), replace=False))
        sampled: Floats = np.asarray(points[sample])
        centre = sampled.mean(axis=0, dtype=np.float64).astype(np.float32)
        axes, _ = principal_axes(sampled, _COMPONENTS)
        reduced: Floats = (sampled - centre) @ axes
        hosts = _laid_out(reduced, seed)
        report(len(sample), total)
        host_of, distances = np.empty(total, np.int64), np.empty(total, np.float32)
        principal = np.zeros((total, 2), np.float32)
        for block in _blocks(total):
            rows: Floats = (points[block] - centre) @ axes
            principal[block, : rows.shape[1]] = rows[:, :2]
            if total > len(sample):
                host_of[block], distances[block] = _nearest(rows, reduced)
            report(max(block.stop, len(sample)), total)
        positions = hosts
        if total > len(sample):
            host_of[sample], distances[sample] = np.arange(len(sample)), -1
            positions = _around(hosts, host_of, distances)
        asked = np.sort(random.choice(total, min(total, ASKED), replace=False))
        near = _neighbours(projection, asked)
        trusts = [trustworthiness(points, plane, asked) for plane in (positions, principal)]
    return Map2d(_scaled(positions), principal, asked, near, *trusts)


def _laid_out(reduced: Floats, seed: int) -> Floats:
    """(m, c) principal components -> (m, 2) positions by t-SNE; few points stay as they are."""
    start = np.zeros((len(reduced), 2), np.float32)
    start[:, : reduced.shape[1]] = reduced[:, :2]
    spread = float(start[:, 0].std())
    if len(reduced) < _LEAST or spread < _FLAT:
        return start
    from sklearn.manifold import TSNE

    perplexity = min(_PERPLEXITY, (len(reduced) - 1) / 3)
    tsne = TSNE(perplexity=perplexity, init=start / spread * _START, random_state=seed)
    laid_out: Floats = tsne.fit_transform(reduced).astype(np.float32)
    return laid_out


def _blocks(total: int) -> Iterator[slice]:
    return (slice(at, min(at + _BLOCK_ROWS, total)) for at in range(0, total, _BLOCK_ROWS))


def _nearest(rows: Floats, hosts: Floats) -> tuple[Rows, Floats]:
    """The nearest host of each row, and a number that grows with its distance from there."""
    squared = rows @ (hosts.T * np.float32(-2))
    squared += (hosts**2).sum(axis=1)
    nearest = squared.argmin(axis=1)
    own = (rows**2).sum(axis=1)
    return nearest, np.take_along_axis(squared, nearest[:, None], axis=1)[:, 0] + own


def _around(hosts: Floats, host_of: Rows, distances: Floats) -> Floats:
    """Guests in a disc around each host, which ends halfway to the nearest other host.

    Hosts are their own guests, at a distance below 0. Discs of hosts do not overlap, so no image
    is nearer to the host of others than to its own.

    >>> hosts = np.array([[0, 0], [4, 0]], np.float32)
    >>> placed = _around(hosts, np.array([0, 1, 0]), np.array([-1, -1, 0.5], np.float32))
    >>> placed[:2].tolist(), bool(np.hypot(*placed[2]) <= 2)
    ([[0.0, 0.0], [4.0, 0.0]], True)
    """
    from scipy.spatial import KDTree

    apart = KDTree(hosts).query(hosts, k=2)[0][:, 1] / 2
    order = np.lexsort((distances, host_of))
    counts = np.bincount(host_of, minlength=len(hosts))
    place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    sorted_hosts = host_of[order]
    radius = apart[sorted_hosts] * np.sqrt(place / counts[sorted_hosts])
    angle = place * _GOLDEN_ANGLE
    placed = np.empty((len(order), 2), np.float32)
    offsets = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    placed[order] = hosts[sorted_hosts] + offsets
    return placed


def _scaled(positions: Floats) -> Floats:
    """Positions between 0 and 1, centred, of one scale for both axes."""
    low, high = positions.min(axis=0), positions.max(axis=0)
    reach = max(float((high - low).max()), _FLAT)
    scaled: Floats = (positions - (low + high) / 2) / reach + np.float32(0.5)
    return np.clip(scaled, 0, 1).astype(np.float32)


def _neighbours(projection: Projection, asked: Rows) -> Rows:
    """The nearest other rows of some rows in the feature space: (m, k)."""
    search, step = projection.search(), 64
    near = np.empty((len(asked), min(NEIGHBOURS, len(projection.points) - 1)), np.int64)
    for start in range(0, len(asked), step):
        queries: Floats = np.asarray(projection.points[asked[start : start + step]])
        search.prefetch(queries, near.shape[1] + 1)
        for number, query in enumerate(queries, start):
            rows = search.nearest(query, near.shape[1] + 1)[0]
            near[number] = rows[rows != asked[number]][: near.shape[1]]
    return near


def plane_neighbours(plane: Floats, asked: Rows) -> Rows:
    """The nearest other rows of some rows on a plane (n, 2): (m, k), nearest first."""
    from scipy.spatial import KDTree

    k = min(NEIGHBOURS, len(plane) - 1)
    found = KDTree(plane).query(plane[asked], k=k + 1)[1].reshape(len(asked), k + 1)
    itself = found == asked[:, None]
    itself[:, -1] |= ~itself.any(axis=1)  # among many equal positions the row may be missing
    others: Rows = found[~itself].reshape(len(asked), k)
    return others


def trustworthiness(points: Floats, plane: Floats, asked: Rows) -> float:
    """How far the neighbours of some images on a plane are neighbours in the feature space, too.

    1 if all are; 0.5 is about what random positions give.

    Parameters
    ----------
    points
        (n, p) float32.
    plane
        (n, 2).
    asked
        (m,) rows; with all rows the figure is that of the source, else an estimate of it.

    Returns
    -------
    1 minus the mean rank, scaled, that neighbours on the plane have beyond the k-th in the space;
    NaN for folders too small to ask for 10 neighbours.

    Notes
    -----
    Source: Venna and Kaski, "Neighborhood preservation in nonlinear projection methods", ICANN
    2001. O(m n p). Equal distances count as the lower rank.

    Examples
    --------
    >>> line = np.arange(40, dtype=np.float32)[:, None] * np.ones(2, np.float32)
    >>> trustworthiness(line, line, np.arange(40))
    1.0
    """
    total, k = len(points), NEIGHBOURS
    if total < 2 * k + 2:
        return float("nan")
    near = plane_neighbours(plane, asked)
    queries: Floats = np.asarray(points[asked])
    apart = np.stack([_squared(queries, points[near[:, place]]) for place in range(k)], axis=1)
    ranks = np.zeros(near.shape, np.int64)
    doubled, own = queries * np.float32(-2), (queries**2).sum(axis=1)
    for block in _blocks(total):
        rows: Floats = np.asarray(points[block])
        squared = doubled @ rows.T + (rows**2).sum(axis=1) + own[:, None]
        inside = (asked >= block.start) & (asked < block.stop)
        squared[np.flatnonzero(inside), asked[inside] - block.start] = np.inf
        for place in range(k):
            ranks[:, place] += (squared < apart[:, place, None] * (1 - _ROUNDING)).sum(axis=1)
    beyond = np.maximum(ranks + 1 - k, 0).sum()
    return 1 - 2 * float(beyond) / (len(asked) * k * (2 * total - 3 * k - 1))


def _squared(a: Floats, b: Floats) -> Floats:
    difference = a - b
    squared: Floats = np.einsum("nd,nd->n", difference, difference)
    return squared
