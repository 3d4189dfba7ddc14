"""Points for tests of batches, random batches, and how much the batches' means spread."""

import numpy as np


def clustered_points(n, d=16, clusters=12, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(clusters, d))
    points = centres[rng.integers(clusters, size=n)] + 0.3 * rng.normal(size=(n, d))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def random_batches(n, batch_size, seed=0):
    order = np.random.default_rng(seed).permutation(n)
    return np.split(order, np.arange(batch_size, n, batch_size))


def spread_of_means(points, dealt):
    mean = points.mean(axis=0)
    return np.mean([((points[rows].mean(axis=0) - mean) ** 2).sum() for rows in dealt])
