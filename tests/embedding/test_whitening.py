"""Whitening by altered views: what it does to distances, shares and odd blocks."""

import io

import numpy as np
import pytest

from imgbatch.embedding.space import BlockOptions, FeatureSpace
from imgbatch.embedding.whitening import Augmented, noise_covariance, whitening_matrix

ONE = {"a": BlockOptions(1.0, 6, 0.0)}
TWO = {"a": BlockOptions(0.3, 6, 0.0), "b": BlockOptions(0.7, 6, 0.0)}


def rows_and_views(seed=0, n=300, d=6, noisy=0, noise=2.0):
    """Rows of equal variance, and views of them that differ along one column above all."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(n, d)).astype(np.float32)
    spread = np.full(d, 0.2)
    spread[noisy] = noise
    changes = random.normal(size=(n, 2, d)) * spread
    views = np.concatenate([rows[:, None], rows[:, None] + changes], axis=1)
    return rows, views.astype(np.float32)


def along(space, column, rows):
    """How far two rows come apart if one column changes."""
    moved = rows.copy()
    moved[:, column] += 0.1
    return np.linalg.norm(
        space.transform({"a": moved}) - space.transform({"a": rows}), axis=1
    ).mean()


def test_the_covariance_is_the_naive_sum_over_images_and_views():
    _, views = rows_and_views(n=7, d=4)
    naive = np.zeros((4, 4))
    for image in views.astype(np.float64):
        for altered in image[1:]:
            naive += np.outer(altered - image[0], altered - image[0]) / 2
    assert noise_covariance(views) == pytest.approx(naive / 14, rel=1e-6)


def test_full_power_makes_the_blended_covariance_the_identity():
    _, views = rows_and_views()
    covariance = noise_covariance(views)
    blended = 0.9 * covariance + 0.1 * np.trace(covariance) / 6 * np.eye(6)
    matrix = whitening_matrix(covariance, 1.0)
    assert matrix @ blended @ matrix == pytest.approx(np.eye(6), abs=1e-9)
    half = whitening_matrix(covariance, 0.5)
    assert half @ half == pytest.approx(matrix, abs=1e-9)


def test_a_direction_in_which_views_differ_counts_less():
    rows, views = rows_and_views()
    plain = FeatureSpace.fit({"a": rows}, ONE)
    whitened = FeatureSpace.fit({"a": rows}, ONE, Augmented({"a": views}, 0.5))
    assert along(plain, 0, rows) > 0.8 * along(plain, 1, rows)
    assert along(whitened, 0, rows) < 0.6 * along(whitened, 1, rows)


def test_more_power_discounts_more():
    rows, views = rows_and_views()
    spaces = [
        FeatureSpace.fit({"a": rows}, ONE, Augmented({"a": views}, power))
        for power in (0.0, 0.25, 0.5, 1.0)
    ]
    ratios = [along(space, 0, rows) / along(space, 1, rows) for space in spaces]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[-1] < 0.5 * ratios[0]


def test_power_0_gives_the_points_of_no_whitening_to_the_bit():
    rows, views = rows_and_views()
    plain = FeatureSpace.fit({"a": rows}, ONE).transform({"a": rows})
    off = FeatureSpace.fit({"a": rows}, ONE, Augmented({"a": views}, 0.0)).transform({"a": rows})
    assert off.tobytes() == plain.tobytes()


def blocks_of_two(seed=1):
    (a, of_a), (b, of_b) = rows_and_views(seed, noise=0.2), rows_and_views(seed + 1, noise=2.0)
    return {"a": a, "b": b}, {"a": of_a, "b": of_b}


@pytest.mark.parametrize("adapt", [0.0, 0.6, 1.0])
def test_mean_squared_distances_are_1_and_split_by_the_shares(adapt):
    blocks, views = blocks_of_two()
    space = FeatureSpace.fit(blocks, TWO, Augmented(views, 0.5, adapt))
    points = space.transform(blocks).astype(np.float64)
    squares = ((points[:, None] - points) ** 2).sum(axis=(0, 1)) / len(points) ** 2
    assert squares.sum() == pytest.approx(1, abs=1e-4)
    for name, columns in space.columns.items():
        assert squares[columns].sum() == pytest.approx(space.shares[name], abs=1e-4)


def test_without_adapt_shares_are_the_weights():
    blocks, views = blocks_of_two()
    assert FeatureSpace.fit(blocks, TWO, Augmented(views, 0.5)).shares == pytest.approx(
        {"a": 0.3, "b": 0.7}
    )


def test_adapted_shares_follow_root_weight_times_energy():
    """The energies are computed here in another way: by traces of covariances."""
    blocks, views = blocks_of_two()
    energies = {}
    for name, rows in blocks.items():
        plain = FeatureSpace.fit({name: rows}, {name: TWO[name]}).blocks[name]
        reduced = plain.transform(rows).astype(np.float64) / plain.scale
        flat = plain.transform(views[name].reshape(-1, 6)).astype(np.float64) / plain.scale
        noise = noise_covariance(flat.reshape(-1, 3, 6))
        blended = 0.9 * noise + 0.1 * np.trace(noise) / 6 * np.eye(6)
        energies[name] = np.trace(np.linalg.solve(blended, np.cov(reduced.T, bias=True)))
    for adapt in (0.4, 1.0):
        raw = {name: TWO[name].weight ** (1 - adapt / 2) * energies[name] ** adapt for name in TWO}
        expected = {name: value / sum(raw.values()) for name, value in raw.items()}
        shares = FeatureSpace.fit(blocks, TWO, Augmented(views, 0.5, adapt)).shares
        assert shares == pytest.approx(expected, rel=1e-3)
    assert expected["a"] > 0.5, "the block whose views hardly differ gains"


@pytest.mark.parametrize("adapt", [0.0, 1.0])
@pytest.mark.parametrize("power", [0.5, 1.0])
@pytest.mark.parametrize("kind", ["equal rows", "equal views", "both", "two rows", "tiny changes"])
def test_odd_blocks_stay_finite_and_leave_the_distance_to_the_others(kind, power, adapt):
    blocks, views = blocks_of_two()
    odd, of_odd = blocks["b"].copy(), views["b"].copy()
    if kind in ("equal rows", "both"):
        odd[:] = odd[0]
        of_odd = of_odd - of_odd[:, :1] + odd[0]
    if kind in ("equal views", "both"):
        of_odd = np.repeat(of_odd[:, :1], 3, axis=1)
    if kind == "two rows":
        odd[: len(odd) // 2], odd[len(odd) // 2 :] = odd[0], odd[1]
    if kind == "tiny changes":
        of_odd = of_odd[:, :1] + 1e-4 * (of_odd - of_odd[:, :1])
    given = {"a": blocks["a"], "b": odd.astype(np.float32)}
    augmented = Augmented({"a": views["a"], "b": of_odd.astype(np.float32)}, power, adapt)
    space = FeatureSpace.fit(given, TWO, augmented)
    points = space.transform(given)
    assert np.isfinite(points).all()
    squares = ((points[:, None] - points) ** 2).sum(axis=2)
    assert squares.max() <= 4.1 + 1e-3
    assert space.shares["a"] > 0.01


def test_a_saved_space_gives_the_same_points_and_shares():
    blocks, views = blocks_of_two()
    space = FeatureSpace.fit(blocks, TWO, Augmented(views, 0.5, 0.6))
    file = io.BytesIO()
    space.save(file)
    file.seek(0)
    loaded = FeatureSpace.load(file)
    assert loaded.transform(blocks).tobytes() == space.transform(blocks).tobytes()
    assert loaded.shares == space.shares


def test_fitting_is_deterministic():
    blocks, views = blocks_of_two()
    one, other = (FeatureSpace.fit(blocks, TWO, Augmented(views, 0.5, 0.6)) for _ in range(2))
    assert one.transform(blocks).tobytes() == other.transform(blocks).tobytes()
