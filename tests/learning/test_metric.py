import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import eigh

from imgbatch.learning.metric import Metric, Mixture
from imgbatch.learning.sums import Sums
from tests.learning.clouds import cloud

SHARES = st.floats(0, 1)


def metric_of(points, classes):
    return Metric.of(Sums.of(points, classes, int(classes.max()) + 1))


def distances(points):
    return np.linalg.norm(points[:, None] - points, axis=2)


@given(SHARES, SHARES)
def test_shares_of_a_mixture_sum_to_one(whitened, discriminant):
    shares = Mixture(whitened, discriminant).shares
    assert sum(shares) == pytest.approx(1)
    assert min(shares) >= 0


@given(SHARES, SHARES, st.integers(0, 5))
def test_the_map_of_a_mixture_has_the_inner_products_of_its_parts(whitened, discriminant, seed):
    points, classes = cloud(60, 5, seed=seed)
    mixture, metric = Mixture(whitened, discriminant), metric_of(points, classes)
    placed = metric.placed(points)
    expected = sum(
        share * part @ part.T for share, part in zip(mixture.shares, placed, strict=True)
    )
    matrix = metric.map(mixture, points).matrix
    assert (points @ matrix) @ (points @ matrix).T == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_the_empty_mixture_turns_points_and_changes_no_angle():
    points, classes = cloud(50, 5)
    mapped = metric_of(points, classes).map(Mixture(0, 0), points).transform(points)
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    unit_mapped = mapped / np.linalg.norm(mapped, axis=1, keepdims=True)
    assert unit_mapped @ unit_mapped.T == pytest.approx(unit @ unit.T, abs=1e-4)


@given(SHARES, SHARES)
def test_a_typical_pair_is_one_apart(whitened, discriminant):
    points, classes = cloud(80, 4)
    metric = metric_of(points, classes)
    mapped = metric.map(Mixture(whitened, discriminant), points).transform(points)
    assert np.mean(distances(mapped) ** 2) == pytest.approx(1, rel=1e-3)


def test_the_discriminant_axes_solve_fisher_s_eigenproblem():
    points, classes = cloud(200, 4)
    ours = metric_of(points, classes).placed(points)[2]
    means = points[np.argsort(classes, kind="stable")].reshape(4, 50, -1).mean(axis=1)
    within = np.cov((points - means[classes]).T, bias=True)
    shrunk = 0.5 * within + 0.5 * np.trace(within) / len(within) * np.eye(len(within))
    _, axes = eigh(np.cov(means.T, bias=True), shrunk)
    expected = distances(points @ axes[:, -3:])
    assert ours.shape[1] == 3
    assert distances(ours) / distances(ours).max() == pytest.approx(
        expected / expected.max(), abs=1e-3
    )


def test_whitening_shrinks_what_varies_inside_classes():
    random = np.random.default_rng(0)
    classes = np.arange(400) % 4
    points = np.zeros((400, 2), np.float32)
    points[:, 0] = classes + 0.1 * random.normal(size=400)  # tells the classes apart
    points[:, 1] = 5 * random.normal(size=400)  # tells nothing
    whitened = metric_of(points, classes).placed(points)[1]
    covariance = np.cov(whitened.T)
    assert np.linalg.cond(covariance) < np.linalg.cond(np.cov(points.T)) / 2


@pytest.mark.parametrize(
    ("points", "classes"),
    [
        (np.ones((6, 3), np.float32), np.array([0, 0, 1, 1, 2, 2])),  # nothing varies
        (np.eye(4, dtype=np.float32), np.zeros(4, np.int64)),  # a single class
        (np.eye(4, dtype=np.float32), np.arange(4)),  # nothing varies inside a class
        (np.zeros((3, 2), np.float32), np.array([0, 1, 5])),  # numbers without images
    ],
)
def test_points_that_teach_nothing_give_a_finite_map(points, classes):
    map_ = metric_of(points, classes).map(Mixture(0.5, 0.4), points)
    assert np.isfinite(map_.matrix).all()
    assert np.isfinite(map_.transform(points)).all()


def test_parts_of_the_images_teach_as_all_at_once():
    points, classes = cloud(100, 5)
    parts = Sums.none(points.shape[1], 5)
    for batch in np.array_split(np.arange(100), 7):
        parts += Sums.of(points[batch], classes[batch], 5)
    mixture = Mixture(0.5, 0.3)
    whole = metric_of(points, classes).map(mixture, points)
    assert Metric.of(parts).map(mixture, points).matrix == pytest.approx(whole.matrix, abs=1e-4)
