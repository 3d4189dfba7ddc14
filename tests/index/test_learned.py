"""Learned points under an index: kept, shared by all ways in, and refused where they do not fit."""

import io
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

import imgbatch
from imgbatch.config import load_config
from imgbatch.errors import ConfigError, UsageError
from imgbatch.evaluation.evaluate import evaluate
from imgbatch.evaluation.learn import learn
from imgbatch.exports.npz import read_space
from imgbatch.exports.run import export
from imgbatch.index.learned import LEARNED_FILE, LearnedPoints
from imgbatch.index.portable import PortableSpace
from tests.learned import draw_classes


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A folder, its index, and a file of points learned from it."""
    base = tmp_path_factory.mktemp("learned")
    photos = imgbatch.load(draw_classes(base / "photos"), index=base / "index")
    learn(photos, photos.config).points.save(base / "tuned.npz")
    return base


@pytest.fixture
def place(original, tmp_path):
    """The same in a folder of its own, with a config that names the learned points."""
    shutil.copytree(original / "index", tmp_path / "index")
    shutil.copy(original / "tuned.npz", tmp_path)
    (tmp_path / "tuned.toml").write_text('[space]\nlearned = "tuned.npz"\n')
    return tmp_path


def load(original, place, **options):
    options = {"config": place / "tuned.toml", "index": place / "index"} | options
    return imgbatch.load(original / "photos", **options)


def learned_of(original):
    return LearnedPoints.load(original / "tuned.npz")


def unlearned(original, place):
    return imgbatch.load(original / "photos", index=place / "index")


def test_points_are_those_of_the_learned_space(original, place):
    photos = load(original, place)
    space = learned_of(original).portable.space
    expected = space.transform(photos.features(np.arange(len(photos))))
    assert np.asarray(photos.points) == pytest.approx(expected, abs=1e-6)
    assert np.abs(expected - unlearned(original, place).points).max() > 0.05


def test_points_are_computed_once(original, place):
    first = np.array(load(original, place).points)
    kept = sorted((place / "index").rglob("points.npy"))
    assert load(original, place).points.tobytes() == first.tobytes()
    assert sorted((place / "index").rglob("points.npy")) == kept


def test_points_kept_from_a_file_are_not_those_of_another_file(original, place):
    _ = load(original, place).points
    space = learned_of(original).portable.space
    matrix = space.learned.matrix.copy()
    matrix[:, ::2] = 0
    changed = replace(space, learned=replace(space.learned, matrix=matrix))
    photos = unlearned(original, place)
    portable = PortableSpace.of(photos.folder, photos.config, changed, "0.2")
    LearnedPoints(portable, {}).save(place / "tuned.npz")
    again = load(original, place)
    assert not np.asarray(again.points)[:, ::2].any()


def test_shards_have_the_points_of_one_machine(original, place):
    whole = load(original, place)
    sharded = load(original, place, index=place / "shards", cluster="local")
    assert sharded.points[:].tobytes() == np.asarray(whole.points).tobytes()
    assert sharded.projection.space.learned is not None


def test_a_picture_from_elsewhere_is_placed_as_one_of_the_folder(original, place):
    photos = load(original, place)
    shutil.copy(photos.paths[3], place / "copy.png")
    found = photos.similar(3, like=place / "copy.png", keep_duplicates=True, seed=0)
    assert found.images[1].relative == photos.records[3].path
    assert found.images[1].score == pytest.approx(0, abs=1e-3)


def test_sets_name_no_shares_and_explain_splits_the_distance_before_learning(original, place):
    photos, before = load(original, place), unlearned(original, place)
    assert all(image.shares == {} for image in photos.similar(5, seed=0).images)
    a, b = photos.paths[0], photos.paths[11]
    explained = photos.explain(a, b)
    assert explained.distance == pytest.approx(
        float(np.linalg.norm(photos.points[0] - photos.points[11])), abs=1e-4
    )
    assert explained.unlearned_distance == pytest.approx(before.explain(a, b).distance, abs=1e-4)
    squares = sum(part.squared_distance for part in explained.parts)
    assert squares == pytest.approx(explained.unlearned_distance**2, rel=1e-6)
    assert before.explain(a, b).unlearned_distance is None


def test_an_export_carries_the_learned_map_and_no_path(original, place):
    photos = load(original, place)
    export(photos, place / "out.npz")
    space = read_space(place / "out.npz")
    _, point, _ = space.project(photos.paths[5])
    assert point == pytest.approx(np.asarray(photos.points[5]), abs=1e-4)
    assert "tuned.npz" not in json.dumps(space.settings)
    assert space.fingerprint == learned_of(original).portable.fingerprint
    assert space.picture_of(point).shape == (32, 32, 3)


def test_a_label_model_of_learned_points_labels_a_folder_without_them(original, place):
    model = load(original, place).train_labels()
    plain = imgbatch.load(original / "photos", config=model.config, index=place / "index")
    assert plain.projection.space.learned is None
    of_folder = model.predict(plain).labels
    assert of_folder == model.predict(load(original, place)).labels
    assert model.predict(plain.paths[:4]).labels == of_folder[:4]


def test_maps_pictures_evaluation_and_batches_work_under_learned_points(original, place):
    photos, before = load(original, place), unlearned(original, place)
    assert len(photos.map().positions) == 80
    assert photos.describe(photos.paths[0]).kept.shape == (32, 32, 3)
    assert len(photos.different(5, seed=0).images) == 5
    assert sorted(np.concatenate(photos.batches(8, seed=0).rows).tolist()) == list(range(80))
    figures = [evaluate(each, sets=5).figures for each in (before, photos)]
    precision = [
        next(figure.value for figure in each if figure.name == "precision_at_10")
        for each in figures
    ]
    assert precision[1] > precision[0] + 0.1


def test_a_file_that_is_gone_is_named(original, place):
    (place / "tuned.npz").unlink()
    with pytest.raises(ConfigError, match=r"tuned.npz.*no such file"):
        load(original, place)
    assert load_config().config.space.learned == ""


def cut(data):
    return data[: len(data) // 2]


def flipped(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :]


def other_arrays(_data):
    file = io.BytesIO()
    np.savez(file, a=np.zeros(3))
    return file.getvalue()


@pytest.mark.parametrize("spoil", [cut, flipped, other_arrays, lambda _data: b"text"])
def test_a_damaged_file_is_one_clear_error(original, place, spoil):
    (place / "tuned.npz").write_bytes(spoil((original / "tuned.npz").read_bytes()))
    photos = load(original, place)
    with pytest.raises(UsageError, match=r"tuned.npz.*(damaged|is no file of learned points)"):
        _ = photos.points


def rewrite(place, kind=LEARNED_FILE, **changed):
    """Write the learned points as a file of another kind, or with other arrays."""
    header, arrays = LEARNED_FILE.read(place / "tuned.npz")
    del header["kind"], header["version"]
    kind.write(place / "tuned.npz", header, arrays | changed)


def test_a_newer_version_and_another_kind_are_refused(original, place):
    rewrite(place, replace(LEARNED_FILE, version=9))
    with pytest.raises(UsageError, match="version 9, and 1 is known"):
        _ = load(original, place).points
    shutil.copy(original / "tuned.npz", place)
    rewrite(place, replace(LEARNED_FILE, kind="something"))
    with pytest.raises(UsageError, match="is no file of learned points"):
        _ = load(original, place).points


def test_a_space_that_is_not_the_one_written_is_refused(original, place):
    _, arrays = LEARNED_FILE.read(place / "tuned.npz")
    other = arrays["space"].copy()
    other[-100] ^= 1
    rewrite(place, space=other)
    with pytest.raises(UsageError, match="damaged"):
        _ = load(original, place).points


@pytest.mark.parametrize(
    "setting", ["[weights]\nhsv = 0.9", "[space.power]\nhog = 0.1", "[space]\nwhitening = 0.9"]
)
def test_other_settings_than_those_learned_with_are_refused(original, place, setting):
    text = 'learned = "tuned.npz"'
    written = setting + ("\n" + text if setting.startswith("[space]") else f"\n[space]\n{text}")
    (place / "tuned.toml").write_text(written)
    with pytest.raises(ConfigError, match="other settings"):
        _ = load(original, place).points


def test_an_emphasis_beside_learned_points_is_refused(original, place):
    with pytest.raises(ConfigError, match="without `emphasis`"):
        _ = load(original, place, emphasis="color").points


def test_unlike_descriptors_are_one_clear_error(original, place):
    (place / "tuned.toml").write_text(
        '[space]\nlearned = "tuned.npz"\n[descriptors.hsv]\nhue_bins = 12\n'
    )
    with pytest.raises(ConfigError, match="other descriptors than these: hsv"):
        _ = load(original, place).points


def test_a_config_names_learned_points_from_where_it_lies(original, place, monkeypatch, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    loaded = load_config(place / "tuned.toml")
    assert loaded.config.space.learned == str(place / "tuned.npz")
    assert loaded.unless_weighted("extended") is None
    assert load(original, place).projection.space.learned is not None
