import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import imgbatch
from imgbatch.embedding.projection import wants_views
from imgbatch.errors import LabelError, UsageError
from imgbatch.evaluation import halves, mixtures
from imgbatch.evaluation.halves import halve_classes
from imgbatch.evaluation.learn import learn
from imgbatch.evaluation.mixtures import MIXTURES, Tried, learned_metric, try_mixtures
from imgbatch.evaluation.trials import precision_at_10, some_queries
from imgbatch.evaluation.tune import tune
from imgbatch.index.portable import space_bytes
from imgbatch.learning.metric import Mixture
from tests.learned import draw_classes
from tests.learning.clouds import cloud


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    base = tmp_path_factory.mktemp("learn")
    return imgbatch.load(draw_classes(base / "photos"), index=base / "index")


@pytest.fixture(scope="module")
def found(photos):
    return learn(photos, photos.config)


def noisy(n=160, k=8, seed=0):
    """Points of classes in eight columns that differ, and in forty that do not and are strong."""
    points, classes = cloud(n, k, apart=1.5, seed=seed)
    noise = 3 * np.random.default_rng(seed + 1).normal(size=(n, 40))
    return np.hstack([points, noise]).astype(np.float32), classes


@given(st.integers(0, 20))
def test_mixtures_are_judged_as_maps_of_points_are(seed):
    points, classes = noisy(60, 5, seed)
    learned, judged = np.arange(0, 60, 2), np.arange(1, 60, 2)
    changes, of_queries = mixtures._changes(points, classes, learned, judged)
    queries = some_queries(classes[judged], 500)
    assert (of_queries == classes[judged][queries]).all()
    before = precision_at_10(points[judged], classes[judged], queries)
    metric = learned_metric(points[learned], classes[learned])
    for mixture, change in zip(MIXTURES, changes, strict=True):
        mapped = metric.map(mixture, points[learned]).transform(points[judged])
        after = precision_at_10(mapped, classes[judged], queries)
        assert change.mean() == pytest.approx((after - before).mean(), abs=0.01)


def test_a_mixture_is_never_judged_on_copies_of_images_it_was_learned_from(photos, monkeypatch):
    groups = []

    def halve(labels, seed, of_images):
        groups.append(of_images)
        return halves.halve(labels, seed, of_images)

    monkeypatch.setattr(mixtures, "halve", halve)
    learn(photos, photos.config)
    known = set(photos.labelling.groups.tolist())
    assert len(groups) > 5
    assert all(set(of_images.tolist()) <= known for of_images in groups)


@given(st.integers(0, 50))
def test_halves_of_classes_share_no_class_and_lose_no_image(seed):
    classes = np.random.default_rng(seed).integers(0, 7, 40)
    first, second = halve_classes(classes, seed)
    assert not set(classes[first]) & set(classes[second])
    assert sorted([*first, *second]) == list(range(40))
    assert abs(len(set(classes[first])) - len(set(classes[second]))) <= 1


def changed(images, classes, spread=0.0):
    """What mixtures change, each on two classes that differ by twice the spread."""
    of_classes = np.array(classes)[:, None] + np.array([-spread, spread])
    rest = np.full((len(MIXTURES) - len(images), 2), -1.0)
    return Tried(
        np.vstack([np.array(images)[:, None] + np.zeros(2), rest]), np.vstack([of_classes, rest])
    )


def test_the_mixture_that_gains_most_without_harm_is_taken():
    assert changed([0.01, 0.2, 0.1], [0.0, -0.05, 0.0]).best == MIXTURES[2]
    assert changed([0.01, 0.2, 0.1], [0.0, 0.0, 0.0]).best == MIXTURES[1]


def test_harm_that_classes_do_not_rule_out_counts_as_harm():
    assert changed([0.01, 0.2], [0.0, 0.0], spread=0.05).best is None


def test_nothing_is_taken_that_gains_less_than_half_a_point():
    assert changed([0.004, 0.003], [0.1, 0.1]).best is None
    assert changed([0.006, 0.003], [0.1, 0.1]).best == MIXTURES[0]


def test_classes_that_strong_noise_hides_are_learned():
    points, classes = noisy()
    tried = try_mixtures(points, classes, seed=0)
    best = tried.best
    assert best is not None
    assert tried.images[MIXTURES.index(best)].mean() > 0.05


def test_labels_that_mean_nothing_teach_nothing():
    points, classes = noisy(200)
    shuffled = np.random.default_rng(0).permutation(classes)
    tried = try_mixtures(points, shuffled, seed=0)
    assert tried.best is None or tried.images[MIXTURES.index(tried.best)].mean() < 0.03


def test_learning_gains_on_images_it_did_not_see(found):
    images, classes = found.gains
    assert (images.name, classes.name) == ("unseen_images", "unseen_classes")
    assert images.low > 0.05
    assert classes.after > classes.before - 0.01
    assert found.images == 80


def test_the_map_is_learned_in_the_space_that_the_folder_has(photos, found):
    space = found.points.portable.space
    assert space_bytes(space.unlearned) == space_bytes(photos.projection.space)
    assert np.mean(
        np.linalg.norm(
            space.transform(photos.features(np.arange(80)))[:, None]
            - space.transform(photos.features(np.arange(80))),
            axis=2,
        )
        ** 2
    ) == pytest.approx(1, rel=1e-3)


def test_learning_repeats_by_its_seed(photos, found):
    again = learn(photos, photos.config)
    assert again.points.portable.fingerprint == found.points.portable.fingerprint
    assert again.gains == found.gains


def test_steps_are_told(photos):
    told = []
    learn(photos, photos.config, progress=lambda done, total: told.append((done, total)))
    assert told == [(number, 5) for number in range(6)]


def test_if_nothing_helps_nothing_is_learned(photos, monkeypatch):
    monkeypatch.setattr(Tried, "best", None)
    found = learn(photos, photos.config)
    assert found.points is None
    assert found.mixture is None
    assert all(gain.before == gain.after for gain in found.gains)


def test_three_classes_are_too_few_to_learn_from(indexed):
    photos = imgbatch.load(indexed.folder, index=indexed.index)
    with pytest.raises(
        LabelError, match=r"at least 8 classes of 4 images or more, but .* 3 of them"
    ):
        learn(photos, photos.config)


def test_learned_points_are_not_learned_from_or_searched_again(photos, found, tmp_path):
    found.points.save(tmp_path / "learned.npz")
    space = photos.config.space.model_copy(update={"learned": str(tmp_path / "learned.npz")})
    config = photos.config.model_copy(update={"space": space})
    assert not wants_views(config)
    again = imgbatch.load(photos.folder, config=config, index=photos.index_directory.parent)
    for refused in (lambda: learn(again, photos.config), lambda: tune(again, trials=1)):
        with pytest.raises(UsageError, match="learned points"):
            refused()
    assert config.without_learned == photos.config


def test_the_mixture_is_told_with_the_points(found):
    assert found.points.facts["mixture"] == {
        "whitened": found.mixture.whitened,
        "discriminant": found.mixture.discriminant,
    }
    assert isinstance(found.mixture, Mixture)
