"""The feature space against naive computations over all pairs of rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgbatch.embedding.principal import principal_axes
from imgbatch.embedding.space import BlockOptions, FeatureSpace

SEEDS = st.integers(0, 2**32 - 1)


def rows_of(seed, n, d, spread=1.0):
    """Correlated columns of falling variance about a mean that is far from zero."""
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(d, d)) * (0.9 ** np.arange(d))[:, None]
    return (5 + spread * random.normal(size=(n, d)) @ mixing).astype(np.float32)


def mean_squared_distance(points):
    """Over all n * n pairs, one after the other."""
    points = points.astype(np.float64)
    return float(np.mean([((points - one) ** 2).sum(axis=1) for one in points]))


def distances(points):
    points = points.astype(np.float64)
    return np.linalg.norm(points[:, None] - points[None], axis=2)


@settings(max_examples=30, deadline=None)
@given(
    seed=SEEDS,
    n=st.integers(4, 60),
    weights=st.tuples(*[st.floats(0.01, 1)] * 3),
    power=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    components=st.integers(1, 30),
)
def test_each_blocks_share_of_the_mean_squared_distance_is_its_weight_and_the_total_is_1(
    seed, n, weights, power, components
):
    names = ("a", "b", "c")
    blocks = {name: rows_of(seed + i, n, 5 + 9 * i) for i, name in enumerate(names)}
    options = {
        name: BlockOptions(weight, components, power)
        for name, weight in zip(names, weights, strict=True)
    }
    space = FeatureSpace.fit(blocks, options)
    points = space.transform(blocks)
    assert points.dtype == np.float32
    for name, weight in zip(names, weights, strict=True):
        share = mean_squared_distance(points[:, space.columns[name]])
        assert share == pytest.approx(weight / sum(weights), abs=1e-3)
    assert mean_squared_distance(points) == pytest.approx(1, abs=1e-3)


def test_a_block_of_weight_0_is_left_out_and_need_not_be_given():
    rows = rows_of(0, 20, 6)
    options = {"a": BlockOptions(0.5, 4, 0), "off": BlockOptions(0, 4, 0)}
    space = FeatureSpace.fit({"a": rows}, options)
    points = space.transform({"a": rows})
    assert list(space.columns) == ["a"]
    assert points.shape == (20, 4)
    assert mean_squared_distance(points) == pytest.approx(1, abs=1e-3)


DEGENERATE = {
    "one row": np.full((1, 5), 3, np.float32),
    "two rows": np.array([[1, 2, 3], [3, 2, 1]], np.float32),
    "two equal rows": np.ones((2, 4), np.float32),
    "all rows equal": np.tile(np.arange(7, dtype=np.float32), (9, 1)),
    "zeros": np.zeros((6, 4), np.float32),
    "one column": np.arange(5, dtype=np.float32)[:, None],
    "one constant column": np.ones((5, 1), np.float32),
    "fewer rows than components": rows_of(1, 3, 50),
    "one row apart from many equal ones": np.eye(30, 4, k=-29, dtype=np.float32),
    "mostly equal rows": np.eye(30, 8, dtype=np.float32),
    "one of two values": np.repeat(np.eye(2, dtype=np.float32), 10, axis=0),
    "a single bit differs": np.where(np.arange(40)[:, None] == 3, -1, 1) * np.ones((1, 64)),
    "tiny": rows_of(2, 8, 5) * np.float32(1e-9),
    "a duplicate column": np.repeat(rows_of(3, 12, 3), 2, axis=1),
}


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_blocks_give_finite_points(case, power):
    rows = DEGENERATE[case].astype(np.float32)
    good = rows_of(4, len(rows), 6)
    options = {"odd": BlockOptions(0.5, 16, power), "good": BlockOptions(0.5, 16, power)}
    for blocks in ({"odd": rows}, {"odd": rows, "good": good}):
        space = FeatureSpace.fit(blocks, {name: options[name] for name in blocks})
        points = space.transform(blocks)
        assert points.shape[0] == len(rows)
        assert points.dtype == np.float32
        assert np.isfinite(points).all()
        others = {name: rows_of(9, 4, block.shape[1], 3) for name, block in blocks.items()}
        assert np.isfinite(space.transform(others)).all()


@pytest.mark.parametrize("case", ["zeros", "all rows equal", "two equal rows", "one row"])
def test_a_block_without_variance_gives_zeros_and_leaves_the_others_alone(case):
    rows = DEGENERATE[case]
    good = rows_of(4, len(rows), 6)
    options = {"odd": BlockOptions(0.5, 16, 0.5), "good": BlockOptions(0.5, 16, 0.5)}
    space = FeatureSpace.fit({"odd": rows, "good": good}, options)
    points = space.transform({"odd": rows, "good": good})
    assert not points[:, space.columns["odd"]].any()
    if len(rows) > 1:
        share = mean_squared_distance(points[:, space.columns["good"]])
        assert share == pytest.approx(0.5, abs=1e-3)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, n=st.integers(5, 40), power=st.sampled_from([0.0, 0.5]))
def test_the_order_of_the_rows_does_not_change_distances(seed, n, power):
    rows = rows_of(seed, n, 12)
    order = np.random.default_rng(seed).permutation(n)
    options = {"a": BlockOptions(1, 64, power)}
    one = FeatureSpace.fit({"a": rows}, options).transform({"a": rows})
    other = FeatureSpace.fit({"a": rows[order]}, options).transform({"a": rows[order]})
    assert np.allclose(distances(one)[np.ix_(order, order)], distances(other), atol=2e-3)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, factor=st.sampled_from([1e-3, 0.1, 7.0, 1e4]), power=st.sampled_from([0.0, 0.5]))
def test_a_block_multiplied_by_a_constant_changes_nothing(seed, factor, power):
    blocks = {"a": rows_of(seed, 25, 8), "b": rows_of(seed + 1, 25, 30)}
    options = {name: BlockOptions(0.5, 12, power) for name in blocks}
    scaled = {"a": blocks["a"] * np.float32(factor), "b": blocks["b"]}
    one = FeatureSpace.fit(blocks, options).transform(blocks)
    other = FeatureSpace.fit(scaled, options).transform(scaled)
    assert np.allclose(distances(one), distances(other), atol=2e-3)


def test_a_constant_added_to_a_block_changes_nothing():
    rows = rows_of(0, 30, 10)
    options = {"a": BlockOptions(1, 8, 0.5)}
    one = FeatureSpace.fit({"a": rows}, options).transform({"a": rows})
    moved = rows + np.arange(10, dtype=np.float32)
    other = FeatureSpace.fit({"a": moved}, options).transform({"a": moved})
    assert np.allclose(distances(one), distances(other), atol=2e-3)


def test_the_squared_distance_is_the_sum_of_the_blocks_squared_distances():
    blocks = {"a": rows_of(0, 20, 8), "b": rows_of(1, 20, 30), "c": rows_of(2, 20, 3)}
    options = {name: BlockOptions(w, 6, 0.5) for name, w in zip(blocks, (1, 2, 3), strict=True)}
    space = FeatureSpace.fit(blocks, options)
    points = space.transform(blocks)
    parts = [distances(points[:, columns]) ** 2 for columns in space.columns.values()]
    assert np.allclose(sum(parts), distances(points) ** 2, atol=1e-9)
    taken = [np.arange(points.shape[1])[columns] for columns in space.columns.values()]
    assert np.concatenate(taken).tolist() == list(range(points.shape[1]))


def test_fitting_and_transforming_twice_gives_the_same_bytes():
    blocks = {"a": rows_of(0, 40, 8), "b": rows_of(1, 40, 100)}
    options = {name: BlockOptions(1, 16, 0.5) for name in blocks}
    one = FeatureSpace.fit(blocks, options).transform(blocks)
    other = FeatureSpace.fit(blocks, options).transform(blocks)
    assert one.tobytes() == other.tobytes()


def test_transforming_some_rows_gives_their_points_and_none_gives_none():
    blocks = {"a": rows_of(0, 40, 8), "b": rows_of(1, 40, 100)}
    space = FeatureSpace.fit(blocks, {name: BlockOptions(1, 16, 0.5) for name in blocks})
    points = space.transform(blocks)
    some = space.transform({name: rows[7:9] for name, rows in blocks.items()})
    assert np.allclose(some, points[7:9], atol=1e-5)
    assert space.transform({n: rows[:0] for n, rows in blocks.items()}).shape == (
        0,
        points.shape[1],
    )


def test_equal_rows_are_equal_points_and_the_inputs_stay_as_they_were():
    rows = rows_of(0, 30, 12)
    rows[[4, 9, 17]] = rows[2]
    kept = rows.copy()
    options = {"a": BlockOptions(1, 16, 0.5)}
    points = FeatureSpace.fit({"a": rows}, options).transform({"a": rows})
    assert np.allclose(points[[4, 9, 17]], points[2], atol=1e-6)
    assert (rows == kept).all()


def test_what_is_saved_is_loaded_to_the_last_bit_and_nothing_is_pickled(tmp_path):
    blocks = {"a": rows_of(0, 20, 8), "b": rows_of(1, 20, 30)}
    options = {name: BlockOptions(0.3, 6, 0.5) for name in blocks}
    space = FeatureSpace.fit(blocks, options)
    space.save(tmp_path / "space.npz")
    with np.load(tmp_path / "space.npz", allow_pickle=False) as stored:
        assert all(stored[key].dtype != object for key in stored.files)
    again = FeatureSpace.load(tmp_path / "space.npz")
    assert list(again.blocks) == list(space.blocks)
    for name, block in space.blocks.items():
        assert again.blocks[name].scale == block.scale
        for part in ("mean", "axes", "offset"):
            assert getattr(again.blocks[name], part).tobytes() == getattr(block, part).tobytes()
    assert again.transform(blocks).tobytes() == space.transform(blocks).tobytes()


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, n=st.integers(2, 40), d=st.integers(1, 40), most=st.integers(1, 50))
def test_principal_axes_are_those_of_numpys_svd_up_to_their_sign(seed, n, d, most):
    rows = rows_of(seed, n, d)
    centred = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    _, values, expected = np.linalg.svd(centred, full_matrices=False)
    variances = values**2 / n
    axes, found = principal_axes(rows, most)
    kept = axes.shape[1]
    assert 1 <= kept <= most
    assert (np.diff(found) <= 0).all()
    assert np.allclose(found, variances[:kept], rtol=1e-3, atol=1e-5 * variances[0])
    assert (variances[kept:most] <= 1e-5 * variances[0]).all()
    strong = found > 1e-3 * found[0]
    assert np.allclose(axes.T @ axes, np.eye(kept), atol=2e-2)
    for place in np.flatnonzero(strong):
        gaps = np.abs(np.delete(variances, place) - variances[place])
        if gaps.size == 0 or gaps.min() > 0.02 * variances[place]:
            assert abs(axes[:, place] @ expected[place]) == pytest.approx(1, abs=1e-3)


def test_the_sign_of_every_axis_makes_its_largest_entry_positive():
    axes, _ = principal_axes(rows_of(0, 50, 12), 12)
    largest = np.abs(axes).argmax(axis=0)
    assert (axes[largest, np.arange(axes.shape[1])] > 0).all()


def test_a_power_between_none_and_whitening_lies_between_them():
    rows = rows_of(0, 400, 10)
    spreads = []
    for power in (0.0, 0.5, 1.0):
        points = FeatureSpace.fit({"a": rows}, {"a": BlockOptions(1, 10, power)}).transform(
            {"a": rows}
        )
        deviations = points.std(axis=0)
        spreads.append(deviations.max() / deviations.min())
    assert spreads[0] > spreads[1] > spreads[2]
    assert spreads[2] < 1.5


def test_a_space_is_the_same_whatever_the_number_of_threads():
    from threadpoolctl import threadpool_limits

    rows = np.random.default_rng(3).normal(size=(900, 400)).astype(np.float32)
    options, spaces = {"a": BlockOptions(1, 96, 0.5)}, []
    for threads in (1, 2, 4):
        with threadpool_limits(limits=threads, user_api="blas"):
            spaces.append(FeatureSpace.fit({"a": rows}, options).blocks["a"])
    assert len({space.axes.tobytes() for space in spaces}) == 1
    assert len({space.offset.tobytes() for space in spaces}) == 1
