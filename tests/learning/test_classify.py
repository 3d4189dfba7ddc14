"""Linear learners from sums: equal to scikit-learn's, to sums of parts, honest about held-out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import Ridge as SklearnRidge
from sklearn.metrics import log_loss

from imgbatch.learning.classify import (
    LEARNERS,
    fitted_steepness,
    out_of_fold,
    sums_of_folds,
    train,
)
from imgbatch.learning.judged import judged_by
from imgbatch.learning.kernel import KernelMap
from imgbatch.learning.linear import Discriminant, Ridge
from imgbatch.learning.sums import Sums
from tests.learning.clouds import cloud, examples_of


@pytest.mark.parametrize("shrinkage", [0.05, 0.5, 1.0])
def test_discriminant_analysis_gives_the_scores_of_scikit_learn(shrinkage):
    points, classes = cloud(300, 4, apart=0.5)
    ours = Discriminant(shrinkage).solve(Sums.of(points, classes, 4)).scores(points)
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(points, classes)
    expected = theirs.decision_function(points)
    # Only differences of classes count: a softmax takes out what they have in common.
    ours, expected = (scores - scores.mean(axis=1, keepdims=True) for scores in (ours, expected))
    assert np.allclose(ours, expected, rtol=0.01, atol=0.01)
    assert (ours.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.99


def test_ridge_gives_the_scores_of_scikit_learn():
    points, classes = cloud(300, 4, apart=0.5)
    sums = Sums.of(points, classes, 4)
    ours = Ridge(0.3).solve(sums).scores(points)
    spread = np.trace(sums.scatter) / sums.total / points.shape[1]
    alpha = 0.3 * spread * len(points) / 0.7
    theirs = SklearnRidge(alpha=alpha).fit(points, np.eye(4)[classes])
    # Ours mixes, which scales the weights by one factor more than adding to the diagonal.
    weights = theirs.coef_.T / 0.7
    expected = np.bincount(classes) / 300 + (points - points.mean(axis=0)) @ weights
    assert np.allclose(ours, expected, atol=0.01)


def test_the_kernel_map_is_that_of_scikit_learn():
    points, _ = cloud(80, 4)
    ours = KernelMap.of(points, gamma=0.5).map(points)
    theirs = Nystroem(gamma=0.5, n_components=80, random_state=0).fit_transform(points)
    assert np.allclose(ours @ ours.T, theirs @ theirs.T, atol=0.01)


@given(
    classes=st.lists(st.integers(0, 3), min_size=1, max_size=40),
    parts=st.integers(1, 4),
    folds=st.integers(1, 3),
)
def test_sums_of_parts_and_folds_add_up_to_those_of_all(classes, parts, folds):
    classes = np.array(classes)
    points = np.random.default_rng(len(classes)).normal(size=(len(classes), 5)).astype(np.float32)
    examples = examples_of(points, classes, parts=min(parts, len(classes)), names=tuple("abcd"))
    fold_of = np.arange(len(classes)) % folds
    added = sums_of_folds(examples, fold_of, folds)
    total = sum(added[1:], added[0])
    exact = points.astype(np.float64)
    assert np.allclose(total.counts, np.bincount(classes, minlength=4))
    assert np.allclose(total.totals, np.eye(4)[classes].T @ exact, atol=1e-4)
    assert np.allclose(total.products, exact.T @ exact, atol=1e-3)
    means = {number: exact[classes == number].mean(axis=0) for number in set(classes.tolist())}
    within = exact - np.array([means[number] for number in classes.tolist()])
    assert np.allclose(total.within, within.T @ within, atol=1e-3)


def test_training_does_not_depend_on_how_points_are_divided():
    points, classes = cloud(200, 3, apart=0.7)
    whole = train(examples_of(points, classes), seed=1)
    parted = train(examples_of(points, classes, parts=5), seed=1)
    assert whole.learner == parted.learner
    assert np.allclose(whole.classifier.scores(points), parted.classifier.scores(points), atol=0.02)


def test_the_learner_chosen_has_the_least_log_loss_and_its_loss_is_what_scikit_learn_says():
    points, classes = cloud(200, 3, apart=0.7)
    trained = train(examples_of(points, classes), seed=1)
    losses = {one.name: one.log_loss for one in trained.tried}
    assert set(losses) == {learner.name for learner in LEARNERS}
    assert losses[trained.learner.name] == min(losses.values())
    probabilities = trained.classifier.probabilities(points)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    judged = judged_by(trained.classifier, examples_of(points, classes))
    assert judged.losses.mean() == pytest.approx(log_loss(classes, probabilities), abs=1e-4)
    assert np.array_equal(judged.predicted, probabilities.argmax(axis=1))
    assert np.allclose(judged.confidence, probabilities.max(axis=1), atol=1e-5)


def test_held_out_images_are_never_trained_on():
    # Labels are drawn at random: whoever has seen an image could know its label.
    random = np.random.default_rng(0)
    points = random.normal(size=(300, 40)).astype(np.float32)
    classes = random.integers(0, 2, 300)
    trained = train(examples_of(points, classes), seed=0)
    seen = judged_by(trained.classifier, examples_of(points, classes))
    assert seen.right.mean() > 0.6
    assert abs(trained.judged.right.mean() - 0.5) < 0.1
    assert (
        abs(
            out_of_fold(examples_of(points, classes), trained, 7, np.ones(300, bool)).right.mean()
            - 0.5
        )
        < 0.1
    )


def test_copies_are_never_on_both_sides_of_a_fold():
    # Each image is there four times: a copy in another fold would give its label away.
    random = np.random.default_rng(0)
    points = np.repeat(random.normal(size=(150, 100)), 4, axis=0).astype(np.float32)
    classes = np.repeat(np.arange(150) % 2, 4)
    grouped = train(examples_of(points, classes, np.repeat(np.arange(150), 4)), seed=0)
    alone = train(examples_of(points, classes), seed=0)
    assert alone.judged.right.mean() > 0.9
    assert abs(grouped.judged.right.mean() - 0.5) < 0.15


def test_training_is_repeatable_by_seed():
    points, classes = cloud(150, 3, apart=0.4)
    answers = [train(examples_of(points, classes), seed=3) for _ in range(2)]
    assert np.array_equal(*(one.classifier.scores(points) for one in answers))
    assert np.array_equal(*(one.judged.confidence for one in answers))


@pytest.mark.parametrize(
    ("points", "classes"),
    [
        (np.zeros((20, 4), np.float32), np.arange(20) % 2),
        (np.ones((20, 4), np.float32), np.arange(20) % 2),
        (cloud(12, 12)[0], np.arange(12)),
        (cloud(3, 2)[0], np.array([0, 1, 1])),
        (cloud(400, 1)[0], np.repeat([0, 1], [399, 1])),
    ],
    ids=["all zero", "all equal", "one image a class", "three images", "a class of one"],
)
def test_odd_examples_give_finite_probabilities(points, classes):
    trained = train(examples_of(points, classes), seed=0)
    probabilities = trained.classifier.probabilities(points)
    assert np.isfinite(probabilities).all()
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-4)
    assert np.isfinite([one.log_loss for one in trained.tried]).all()


def test_equal_points_are_given_the_shares_of_the_classes():
    points, classes = np.zeros((100, 4), np.float32), np.repeat([0, 1], [80, 20])
    probabilities = train(examples_of(points, classes), seed=0).classifier.probabilities(points)
    assert np.allclose(probabilities, [0.8, 0.2], atol=0.05)


@settings(max_examples=20)
@given(st.floats(0.1, 10))
def test_the_steepness_makes_overconfident_scores_calibrated(factor):
    random = np.random.default_rng(0)
    true_scores = random.normal(size=(4000, 3))
    shares = np.exp(true_scores) / np.exp(true_scores).sum(axis=1, keepdims=True)
    classes = (random.random((4000, 1)) > np.cumsum(shares, axis=1)).sum(axis=1)
    steepness = fitted_steepness((true_scores * factor).astype(np.float32), classes)
    assert steepness * factor == pytest.approx(1, abs=0.1)
