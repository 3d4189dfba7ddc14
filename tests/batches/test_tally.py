"""The figures of batches, against naive versions."""

import math
import tracemalloc

import numpy as np
import pytest

from imgbatch.batches.deal import deal_batches
from imgbatch.batches.population import DealOptions, Population
from imgbatch.batches.tally import Tally, mate_distances, random_batches
from imgbatch.copies.rule import are_copies


def three_classes(n=60, d=5, seed=0):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, d)).astype(np.float32)
    hashes = rng.integers(0, 2**62, n).astype(np.uint64)
    return Population(points, hashes, np.arange(n) % 3)


def naive(population, epochs, size):
    """Each figure by its definition, pair by pair; random batches by drawing many."""
    mean = population.points.mean(axis=0)
    apart = lambda rows: ((population.points[rows].mean(axis=0) - mean) ** 2).sum()  # noqa: E731
    batches = [rows for dealt in epochs for rows in dealt]
    full = [rows for rows in batches if len(rows) == size]
    rng = np.random.default_rng(1)
    chance = np.mean([apart(rng.permutation(len(population.points))[:size]) for _ in range(20_000)])
    least, copies = [], 0
    for rows in batches:
        pairs = [(a, b) for a in rows for b in rows if a < b]
        distances = [np.linalg.norm(population.points[a] - population.points[b]) for a, b in pairs]
        if pairs:
            least.append(min(distances))
        bits = [
            (int(population.hashes[a]) ^ int(population.hashes[b])).bit_count() for a, b in pairs
        ]
        copies += sum(bit <= 6 for bit in bits)
    return {
        "variance": np.mean([apart(rows) for rows in full]) / chance,
        "closest": min(least),
        "mean_closest": np.mean(least),
        "near_duplicates": copies,
        "classes": np.mean([len({int(population.labels[row]) for row in rows}) for rows in full]),
    }


def test_figures_are_those_of_the_definition():
    population = three_classes()
    population.hashes[7] = population.hashes[8]
    epochs = [random_batches(60, 7, seed) for seed in range(2)]
    epochs[0][0] = np.array([7, 8, *[row for row in epochs[0][0] if row not in (7, 8)][:5]])
    tally = Tally(population, 7, leading=5)
    for dealt in epochs:
        tally.add(dealt)
    figures, expected = tally.figures(), naive(population, epochs, 7)
    assert figures["near_duplicates"] == expected["near_duplicates"] >= 1
    assert figures["classes"] == expected["classes"]
    assert figures["closest"] == pytest.approx(expected["closest"], rel=1e-4)
    assert figures["mean_closest"] == pytest.approx(expected["mean_closest"], rel=1e-4)
    assert figures["variance"] == pytest.approx(expected["variance"], rel=0.05)
    assert figures["leading_variance"] == pytest.approx(figures["variance"], rel=1e-5)


def test_random_batches_have_variance_one():
    tally = Tally(three_classes(200), 10)
    for epoch in range(40):
        tally.add(random_batches(200, 10, 3, epoch))
    assert tally.figures()["variance"] == pytest.approx(1, abs=0.05)


def test_dealt_batches_vary_less_and_repeat_by_their_seed():
    population = three_classes(200)
    tally = Tally(population, 10)
    dealt = deal_batches(population, DealOptions(10, seed=4, epoch=1))
    tally.add(dealt)
    assert tally.figures()["variance"] < 0.3
    again = deal_batches(population, DealOptions(10, seed=4, epoch=1))
    assert all(np.array_equal(a, b) for a, b in zip(dealt, again, strict=True))


def test_nothing_to_tell_is_nan():
    alone = Population(np.ones((3, 4), np.float32))
    tally = Tally(alone, 1)
    tally.add([np.array([0]), np.array([1]), np.array([2])])
    figures = tally.figures()
    assert figures["near_duplicates"] == 0
    assert all(math.isnan(figures[name]) for name in ("variance", "closest", "classes"))


def test_equal_points_are_near_duplicates_without_hashes():
    tally = Tally(Population(np.zeros((4, 2), np.float32)), 2)
    tally.add([np.array([0, 1]), np.array([2, 3])])
    assert tally.figures()["near_duplicates"] == 2


def test_mate_distances_are_to_the_nearest_other_of_the_batch():
    points = np.array([[0, 0], [3, 0], [3, 4], [9, 9]], np.float32)
    np.testing.assert_allclose(mate_distances(points, np.array([0, 1, 2])), [3, 3, 4])
    assert mate_distances(points, np.array([3])) == [np.inf]


def test_a_large_batch_has_the_figures_of_all_its_pairs_and_takes_little_memory():
    n, random = 1_500, np.random.default_rng(3)
    points = random.integers(0, 9, (n, 4)).astype(np.float32)
    population = Population(points, random.integers(0, 1 << 9, n).astype(np.uint64))
    whole = population.points.astype(np.float64)
    upper = np.triu_indices(n, 1)
    apart = (((whole[:, None] - whole) ** 2).sum(axis=2))[upper]
    near = are_copies(population.hashes[:, None], population.hashes, population.duplicate_bits)[
        upper
    ]
    tally = Tally(population, n)
    tracemalloc.start()
    try:
        tally.add([np.arange(n)])
        assert tracemalloc.get_traced_memory()[1] < n * n * 8
    finally:
        tracemalloc.stop()
    assert tally.near_duplicates == int(((apart < 1e-9) | near).sum())
    assert tally.closest == [math.sqrt(apart.min())]
