import numpy as np
import pytest

import imgbatch
from imgbatch.config import load_config
from imgbatch.embedding.projection import space_options
from imgbatch.embedding.space import FeatureSpace
from imgbatch.errors import LabelError
from imgbatch.evaluation.metrics import World
from imgbatch.evaluation.trials import Part, Search, Setting, similar_sets
from imgbatch.evaluation.tune import halve, tune, with_all_descriptors
from imgbatch.outputs.tuning import differences, write_config


@pytest.fixture
def collection(indexed):
    return imgbatch.load(indexed.folder, index=indexed.index)


def drawn_part(seed: int = 0, n: int = 60) -> Part:
    """Three classes that `good` tells apart and `bad` does not."""
    random = np.random.default_rng(seed)
    labels = np.arange(n, dtype=np.int64) % 3
    good = random.normal(size=(n, 8)) + 4 * np.eye(3, 8)[labels]
    bad = random.normal(size=(n, 8))
    features = {"good": good.astype(np.float32), "bad": bad.astype(np.float32)}
    return Part(features, labels, random.integers(0, 2**63, n).astype(np.uint64))


def setting(good: float = 0.5, bad: float = 0.5) -> Setting:
    both = ("good", "bad")
    return Setting({"good": good, "bad": bad}, dict.fromkeys(both, 16), dict.fromkeys(both, 0.0))


def test_a_part_s_points_are_those_of_the_feature_space(collection):
    config = collection.config
    rows = np.arange(len(collection))
    part = Part(collection.features(rows), rows % 3, collection.projection.hashes)
    made = part.points(Setting.of(config, list(config.weights)))
    whole = FeatureSpace.fit(collection.features(rows), space_options(config))
    assert made == pytest.approx(whole.transform(collection.features(rows)), abs=1e-3)
    assert made == pytest.approx(np.asarray(collection.points), abs=1e-3)


def test_scores_are_the_naive_precision_at_10_capped_at_the_class_s_size():
    part = drawn_part(n=24)  # eight to a class: seven others at most
    points = part.points(setting())
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    naive = []
    for row in range(24):
        others = [other for other in np.argsort(distances[row], kind="stable") if other != row]
        naive.append(np.mean([part.labels[other] == part.labels[row] for other in others[:7]]))
    assert part.scores(setting()) == pytest.approx(naive)


def test_the_search_finds_the_descriptor_that_tells_classes_apart():
    search = Search(drawn_part(), [setting(0.1, 0.9)], np.random.default_rng(0))
    for _ in range(30):
        search.step()
    assert search.best_score > search.first_score + 0.1
    assert search.best.weights["good"] > 0.7


def test_the_best_so_far_never_gets_worse_and_a_longer_search_begins_like_a_shorter_one():
    short = Search(drawn_part(), [setting()], np.random.default_rng(5))
    long = Search(drawn_part(), [setting()], np.random.default_rng(5))
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


def test_similar_sets_are_those_of_the_collection(collection):
    world = World(np.asarray(collection.points), collection.projection.hashes, np.zeros(24, int))
    rows = similar_sets(world, collection.config, 5, seed=3, sets=4)
    row_of = {record.path: row for row, record in enumerate(collection.records)}
    for at in range(4):
        picked = collection.similar(5, seed=3 + at).images
        assert rows[at].tolist() == [row_of[image.relative] for image in picked]


@pytest.mark.slow
def test_tune_is_deterministic_and_reports_every_trial(collection):
    seen = []
    first = tune(collection, collection.config, trials=6, report=lambda *one: seen.append(one))
    again = tune(collection, collection.config, trials=6)
    assert first.config == again.config
    assert first.gains == again.gains
    assert [one[:2] for one in seen] == [(done, 6) for done in range(1, 7)]
    assert not first.stopped


@pytest.mark.slow
def test_ctrl_c_ends_the_search_and_keeps_the_best(collection):
    def stop(done: int, _total: int, _first: float, _best: float) -> None:
        if done == 4:
            raise KeyboardInterrupt

    found = tune(collection, collection.config, trials=500, report=stop)
    assert found.stopped
    assert 3 <= found.trials <= 4
    assert found.gains


def test_ctrl_c_before_the_first_trial_is_done_is_passed_on(collection, monkeypatch):
    def stop(_self: Part, _setting: Setting) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Part, "scores", stop)
    with pytest.raises(KeyboardInterrupt):
        tune(collection, collection.config, trials=5)


def test_without_classes_tune_says_what_it_needs(photos):
    with pytest.raises(LabelError, match="at least 2 classes") as raised:
        tune(imgbatch.load(photos), load_config().config)
    assert "--labels" in raised.value.hint
    assert "subfolder" in raised.value.hint


def test_what_is_written_loads_as_what_was_found(collection, tmp_path):
    found = tune(collection, collection.config, trials=8)
    target = tmp_path / "tuned.toml"
    changed = {"imgbatch": {"config_version": 1}, **differences(found.config)}
    write_config(changed, ["by a test"], target)
    assert load_config(target).config == found.config


def test_switching_all_descriptors_on_changes_no_other_setting():
    config = load_config().config
    wide = with_all_descriptors(config)
    assert all(weight > 0 for weight in wide.weights.values())
    assert wide.model_copy(update={"weights": config.weights}) == config
