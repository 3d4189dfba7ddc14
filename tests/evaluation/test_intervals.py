"""Intervals of means."""

from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import bootstrap

from imgbatch.evaluation import intervals
from imgbatch.evaluation.intervals import interval


def test_the_interval_is_scipys_percentile_bootstrap_of_95_percent():
    values = np.random.default_rng(0).exponential(size=400)
    expected = bootstrap(
        (values,), np.mean, n_resamples=20_000, batch=1000, confidence_level=0.95,
        method="percentile", vectorized=True,
    ).confidence_interval  # fmt: skip
    low, high = interval(values, np.random.default_rng(1))
    width = expected.high - expected.low
    assert low == pytest.approx(expected.low, abs=0.05 * width)
    assert high == pytest.approx(expected.high, abs=0.05 * width)


def test_the_normal_interval_of_many_values_is_that_of_95_percent(monkeypatch):
    monkeypatch.setattr(intervals, "_MOST_RESAMPLED", 100)
    values = np.random.default_rng(0).exponential(size=400)
    half = NormalDist().inv_cdf(0.975) * values.std() / np.sqrt(400)
    low, high = interval(values, np.random.default_rng(1))
    assert low == pytest.approx(values.mean() - half, rel=1e-3)
    assert high == pytest.approx(values.mean() + half, rel=1e-3)


def test_an_interval_is_repeatable_and_narrows_with_more_values():
    values = np.random.default_rng(0).random(2000)
    few = interval(values[:50], np.random.default_rng(1))
    assert few == interval(values[:50], np.random.default_rng(1))
    many = interval(values, np.random.default_rng(1))
    assert many[1] - many[0] < few[1] - few[0]


def test_the_normal_interval_of_many_values_agrees_with_the_bootstrap(
    monkeypatch: pytest.MonkeyPatch,
):
    values = np.random.default_rng(0).random(5000)
    resampled = interval(values, np.random.default_rng(1))
    monkeypatch.setattr(intervals, "_MOST_RESAMPLED", 100)
    assert interval(values, np.random.default_rng(1)) == pytest.approx(resampled, abs=2e-3)
