"""Points to deal: whole numbers, centred, bounded; and their leading principal components."""

import numpy as np
import pytest

from imgbatch.batches.deal import deal_batches
from imgbatch.batches.points import (
    LONGEST,
    RADIUS,
    leading_components,
    quantise,
    squared_distances,
)
from imgbatch.batches.population import DealOptions, Population
from imgbatch.errors import SelectionError


def stretched_points(n, d, seed=0):
    rng = np.random.default_rng(seed)
    turned = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return (rng.normal(size=(n, d)) * np.linspace(3, 0.2, d) @ turned).astype(np.float32)


def test_quantised_points_are_whole_centred_and_bounded():
    points = stretched_points(500, 12) + 50
    points[0] = 1e9
    whole = quantise(points)
    assert (whole == np.rint(whole)).all()
    lengths = np.linalg.norm(whole, axis=1)
    assert lengths.max() <= LONGEST
    assert np.median(lengths) == pytest.approx(RADIUS, rel=0.05)
    assert not whole[-1].any()


def test_squared_distances_of_whole_points_are_without_error():
    whole = quantise(stretched_points(60, 12))
    exact = whole.astype(np.int64)
    expected = ((exact[:, None] - exact) ** 2).sum(axis=2)
    np.testing.assert_array_equal(squared_distances(whole, whole), expected)


def test_few_dimensions_stay_as_they_are():
    whole = quantise(stretched_points(50, 5))
    assert leading_components(whole, 5) is whole


def test_components_are_whole_bounded_numbers_and_the_empty_place_stays_zero():
    points = stretched_points(300, 20)
    points[7] *= 1e4
    reduced = leading_components(quantise(points), 6)
    assert reduced.shape == (301, 6)
    assert reduced.dtype == np.float32
    np.testing.assert_array_equal(reduced, np.rint(reduced))
    assert not reduced[-1].any()
    lengths = np.linalg.norm(reduced[:-1].astype(float), axis=1)
    assert lengths.max() <= LONGEST
    assert abs(np.median(lengths) - RADIUS) < 5


def test_distances_are_those_in_the_principal_components():
    points = stretched_points(200, 30)
    reduced = leading_components(quantise(points), 8)[:-1].astype(float)
    centred = points - points.mean(axis=0)
    expected = centred @ np.linalg.svd(centred, full_matrices=False)[2][:8].T
    apart = np.linalg.norm(reduced[:100] - reduced[100:], axis=1)
    wanted = np.linalg.norm(expected[:100] - expected[100:], axis=1)
    assert np.corrcoef(apart, wanted)[0, 1] > 0.999


def test_points_without_any_variance_are_zero():
    reduced = leading_components(quantise(np.ones((40, 12), np.float32)), 3)
    assert not reduced.any()


def test_batches_deviate_less_in_the_components_they_are_dealt_in():
    points = stretched_points(300, 60)
    mean = points.mean(axis=0)
    axes = np.linalg.svd(points - mean, full_matrices=False)[2][:8].T

    def spread(dealt):
        return np.mean([(((points[rows].mean(axis=0) - mean) @ axes) ** 2).sum() for rows in dealt])

    few = deal_batches(Population(points), DealOptions(10, seed=3, components=8))
    full = deal_batches(Population(points), DealOptions(10, seed=3, components=60))
    assert spread(few) < spread(full) / 2


def test_no_components_are_refused():
    with pytest.raises(SelectionError, match="components is 0"):
        DealOptions(3, seed=0, components=0)
