from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import imgbatch
from imgbatch.annotations.metadata import Metadata
from imgbatch.annotations.source import MetadataSource
from imgbatch.config import load_config
from imgbatch.config.schema import Config
from imgbatch.config.write import differences, write_config
from imgbatch.embedding.projection import space_options
from imgbatch.embedding.space import FeatureSpace
from imgbatch.errors import LabelError, UsageError
from imgbatch.evaluation import tune as tune_module
from imgbatch.evaluation.halves import halve
from imgbatch.evaluation.labelled import LabelledRows, hashes_of, trial_images
from imgbatch.evaluation.learn import halved_images
from imgbatch.evaluation.metrics import LabelledPoints
from imgbatch.evaluation.trials import Search, Setting, TrialImages, similar_sets
from imgbatch.evaluation.tune import load_with_descriptors, tune
from imgbatch.index.records import Records
from tests.drawing import jpeg, photo, settle


@pytest.fixture
def collection(indexed):
    return imgbatch.load(indexed.folder, index=indexed.index)


def drawn_images(seed: int = 0, n: int = 60) -> TrialImages:
    """Three classes that `good` tells apart and `bad` does not."""
    random = np.random.default_rng(seed)
    labels = np.arange(n, dtype=np.int64) % 3
    good = random.normal(size=(n, 8)) + 4 * np.eye(3, 8)[labels]
    bad = random.normal(size=(n, 8))
    features = {"good": good.astype(np.float32), "bad": bad.astype(np.float32)}
    return TrialImages(features, labels, random.integers(0, 2**63, n).astype(np.uint64))


def setting(good: float = 0.5, bad: float = 0.5) -> Setting:
    both = ("good", "bad")
    return Setting({"good": good, "bad": bad}, dict.fromkeys(both, 16), dict.fromkeys(both, 0.0))


def test_the_points_of_trial_images_are_those_of_the_feature_space(collection):
    config = collection.config
    rows = np.arange(len(collection))
    images = TrialImages(collection.features(rows), rows % 3, collection.projection.hashes)
    made = images.points(Setting.of(config, images.shares(config)))
    whole = FeatureSpace.fit(collection.features(rows), space_options(config))
    assert made == pytest.approx(whole.transform(collection.features(rows)), abs=1e-3)
    assert made == pytest.approx(np.asarray(collection.points), abs=1e-3)


def test_scores_are_the_naive_precision_at_10_capped_at_the_class_s_size():
    images = drawn_images(n=24)  # eight to a class: seven others at most
    points = images.points(setting())
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    naive = []
    for row in range(24):
        others = [other for other in np.argsort(distances[row], kind="stable") if other != row]
        naive.append(np.mean([images.labels[other] == images.labels[row] for other in others[:7]]))
    assert images.scores(setting()) == pytest.approx(naive)


def test_the_search_finds_the_descriptor_that_tells_classes_apart():
    search = Search(drawn_images(), [setting(0.1, 0.9)], np.random.default_rng(0))
    for _ in range(30):
        search.step()
    assert search.best_score > search.first_score + 0.1
    assert search.best.weights["good"] > 0.7


def test_the_best_so_far_never_gets_worse_and_a_longer_search_begins_like_a_shorter_one():
    short = Search(drawn_images(), [setting()], np.random.default_rng(5))
    long = Search(drawn_images(), [setting()], np.random.default_rng(5))
    best = []
    for _ in range(12):
        short.step()
        best.append(short.best_score)
    for _ in range(24):
        long.step()
        best.append(long.best_score)
        if long.tried == 12:
            assert long.best == short.best
    assert best[:12] == sorted(best[:12])
    assert best[12:] == sorted(best[12:])


def test_halves_share_no_image_and_split_every_class():
    classes = np.random.default_rng(0).integers(0, 5, 101)
    first, second = halve(classes, seed=1)
    assert sorted([*first, *second]) == list(range(101))
    for number in range(5):
        sizes = [int((classes[half] == number).sum()) for half in (first, second)]
        assert abs(sizes[0] - sizes[1]) <= 1
    assert first.tolist() != halve(classes, seed=2)[0].tolist()


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-9, 9)), min_size=1, max_size=60),
    st.integers(0, 9),
)
def test_halves_leave_groups_together_and_deal_them_evenly(images, seed):
    classes, groups = np.array(images).T
    first, second = halve(classes, seed, groups)
    assert sorted([*first, *second]) == list(range(len(images)))
    assert not set(groups[first]) & set(groups[second])
    owners = {group: label for label, group in reversed(images)}
    for label in range(4):
        dealt = [
            sum(owners[group] == label for group in set(groups[half].tolist()))
            for half in (first, second)
        ]
        assert abs(dealt[0] - dealt[1]) <= 1


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """Six pictures of each of two classes, each a second time, saved anew."""
    base = tmp_path_factory.mktemp("twice")
    for label in "ab":
        (base / "photos" / label).mkdir(parents=True)
        for number in range(6):
            picture = photo(10 * ord(label) + number)
            for name, quality in (("one", 95), ("two", 93)):
                file = base / "photos" / label / f"{number}-{name}.jpg"
                file.write_bytes(jpeg(picture, quality=quality))
    settle(base / "photos")
    return imgbatch.load(base / "photos", index=base / "index")


def test_a_setting_is_never_measured_on_copies_of_images_it_was_found_on(twice, monkeypatch):
    measured = []

    def compare(config, start, halves, seed):
        measured.extend(images.groups for images, _ in halves)
        return real(config, start, halves, seed)

    real = tune_module.compare
    monkeypatch.setattr(tune_module, "compare", compare)
    tune(twice, trials=1)
    assert len(set(twice.labelling.groups.tolist())) == 12
    first, second = measured
    assert (len(first), len(second)) == (12, 12)
    assert not set(first) & set(second)
    trial, _ = halved_images(
        trial_images(twice, LabelledRows.of(twice, None), ["hsv"]), setting(), seed=0
    )
    assert not set(trial.learn.groups) & set(trial.measure.groups)


def test_copies_count_as_one_image_of_their_class(tmp_path):
    for label in "ab":
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(6):
            picture = photo(10 * ord(label) + number // 2)
            file = tmp_path / "photos" / label / f"{number}.jpg"
            file.write_bytes(jpeg(picture, quality=93 + 2 * (number % 2)))
    settle(tmp_path / "photos")
    photos = imgbatch.load(tmp_path / "photos", index=tmp_path / "index")
    with pytest.raises(LabelError, match="copies, and images of one group, count as one"):
        tune(photos)


def test_copies_with_another_label_take_nothing_from_their_class(tmp_path):
    """Class b has four different pictures; two of them are those of class a."""
    for label, pictures in (("a", (1, 2, 3, 4)), ("b", (1, 2, 5, 6))):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in pictures:
            (tmp_path / "photos" / label / f"{number}.jpg").write_bytes(jpeg(photo(number)))
    settle(tmp_path / "photos")
    photos = imgbatch.load(tmp_path / "photos", index=tmp_path / "index")
    assert len(LabelledRows.of(photos, None).rows) == 8
    assert tune(photos, trials=1).classes == 2


def test_similar_sets_are_those_of_the_collection(collection):
    points = LabelledPoints(
        np.asarray(collection.points), collection.projection.hashes, np.zeros(24, int)
    )
    rows = similar_sets(points, collection.config, 5, seed=3, sets=4)
    row_of = {record.path: row for row, record in enumerate(collection.records)}
    for at in range(4):
        picked = collection.similar(5, seed=3 + at).images
        assert rows[at].tolist() == [row_of[image.relative] for image in picked]


@pytest.mark.slow
def test_tune_is_deterministic_and_reports_every_trial(collection):
    seen = []
    first = tune(collection, trials=6, report=lambda *one: seen.append(one))
    again = tune(collection, trials=6)
    assert first.config == again.config
    assert first.gains == again.gains
    assert [one[:2] for one in seen] == [(done, 6) for done in range(1, 7)]
    assert not first.stopped


@pytest.mark.slow
def test_ctrl_c_ends_the_search_and_keeps_the_best(collection):
    def stop(done: int, _total: int, _first: float, _best: float) -> None:
        if done == 4:
            raise KeyboardInterrupt

    found = tune(collection, trials=500, report=stop)
    assert found.stopped
    assert 3 <= found.trials <= 4
    assert found.gains


def test_ctrl_c_before_the_first_trial_is_done_is_passed_on(collection, monkeypatch):
    def stop(_self: TrialImages, _setting: Setting) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(TrialImages, "scores", stop)
    with pytest.raises(KeyboardInterrupt):
        tune(collection, trials=5)


def test_without_classes_tune_says_what_it_needs(photos):
    with pytest.raises(LabelError, match="at least 2 classes") as raised:
        tune(imgbatch.load(photos))
    assert "`metadata`" in raised.value.hint
    assert "subfolder" in raised.value.hint


def test_what_is_written_loads_as_what_was_found(collection, tmp_path):
    found = tune(collection, trials=8)
    target = tmp_path / "tuned.toml"
    changed = {"imgbatch": {"config_version": 1}, **differences(found.config)}
    write_config(changed, ["by a test"], target)
    assert load_config(target).config == found.config


@dataclass
class MemoryCollection:
    """What `tune` asks of a collection, with features that a test makes up."""

    blocks: dict[str, np.ndarray]
    records: Records
    config: Config
    folder: str = "/photos"

    @property
    def metadata(self):
        return Metadata.of(self.records, MetadataSource(self.folder))

    @property
    def labelling(self):
        return SimpleNamespace(groups=np.arange(len(self.records)))

    def features(self, rows):
        return {name: block[rows] for name, block in self.blocks.items()}

    def augmented(self):
        return None


def test_what_one_half_alone_shows_is_no_gain_on_the_other_half():
    """On the first half only hsv tells classes apart, on the second only hog does.

    A search on one half thus finds a setting that is worthless on the other half.
    """
    classes = np.arange(120) % 3
    records = Records.pack(
        (b"%d/%d.jpg" % (label, row), 8, 8, "") for row, label in enumerate(classes)
    )
    random = np.random.default_rng(0)
    halves = halve(classes.astype(np.int64), seed=5)
    blocks = {name: random.normal(size=(120, 6)) for name in ("hsv", "hog")}
    for block, half in zip(blocks.values(), halves, strict=True):
        block[half] += 6 * np.eye(3, 6)[classes[half]]
    blocks = {name: block.astype(np.float32) for name, block in blocks.items()}
    blocks["phash"] = random.choice(np.float32([-1, 1]), (120, 64))
    config = load_config().config
    weights = dict.fromkeys(config.weights, 0.0) | {"hsv": 0.5, "hog": 0.5}
    config = config.model_copy(update={"weights": weights, "presets": {}})
    tuned = tune(MemoryCollection(blocks, records, config), trials=12, seed=5)
    for gain in tuned.gains:
        assert gain.high < 0, gain


def test_hashes_from_features_are_those_of_the_projection(collection):
    features = collection.features(np.arange(24))
    np.testing.assert_array_equal(hashes_of(features["phash"]), collection.projection.hashes)


def test_descriptors_without_a_weight_are_loaded_and_change_no_point(indexed, collection):
    config = collection.config
    described = load_with_descriptors(
        indexed.folder, config, list(config.weights), index=indexed.index
    )
    assert set(described.features(np.arange(2))) == set(config.weights)
    assert described.config == config
    np.testing.assert_array_equal(described.points, collection.points)


def test_tune_gives_weights_only_to_the_descriptors_it_may(indexed, collection):
    described = load_with_descriptors(
        indexed.folder, collection.config, ["gist", "lbp"], index=indexed.index
    )
    tuned = tune(described, descriptors=["hsv", "gist"], trials=10)
    assert {name for name, weight in tuned.config.weights.items() if weight > 0} <= {"hsv", "gist"}
    enabled = {name for name, weight in collection.config.weights.items() if weight > 0}
    assert {
        name for name, weight in tune(described, trials=10).config.weights.items() if weight > 0
    } <= enabled


def test_a_descriptor_that_was_not_loaded_is_named(collection):
    with pytest.raises(UsageError, match="without the descriptors gist") as raised:
        tune(collection, descriptors=["hsv", "gist"], trials=1)
    assert "load_with_descriptors" in raised.value.hint
