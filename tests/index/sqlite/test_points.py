"""Points are computed once, kept beside the index, and made anew when anything they depend on changes."""

import os
import shutil

import numpy as np
import pytest

import imgbatch
from imgbatch.config import default_config_path, load_config
from imgbatch.embedding.projection import ARRAYS
from imgbatch.index.sqlite import points
from tests.drawing import jpeg, photo


def config_of(tmp_path, text=""):
    """The defaults with some lines laid over them, and one process."""
    file = tmp_path / "settings.toml"
    file.write_text(f"[index]\nworkers = 1\n{text}", encoding="utf-8")
    return load_config(file).config


def spaces(collection):
    return sorted((collection.index_directory / "spaces").iterdir())


@pytest.fixture
def no_computing(monkeypatch):
    """Make any computation fail: what passes came from the disk."""

    def refuse(*_):
        raise AssertionError("computed although nothing had changed")

    return lambda: monkeypatch.setattr(points, "_compute", refuse)


def test_points_have_a_row_for_each_image_and_are_finite(photos, tmp_path):
    collection = imgbatch.load(photos, config=config_of(tmp_path))
    points = collection.points
    assert points.shape[0] == len(collection) == 12
    assert points.dtype == np.float32
    assert np.isfinite(points).all()
    assert collection.projection.hashes.shape == (12,)
    assert collection.projection.hashes.dtype == np.uint64


def test_a_second_load_takes_the_same_points_from_the_disk(photos, tmp_path, no_computing):
    first = imgbatch.load(photos, config=config_of(tmp_path)).projection
    no_computing()
    again = imgbatch.load(photos, config=config_of(tmp_path)).projection
    assert again.points.tobytes() == first.points.tobytes()
    assert again.points.shape == first.points.shape
    assert again.hashes.tobytes() == first.hashes.tobytes()
    for name, block in first.space.blocks.items():
        assert again.space.blocks[name].axes.tobytes() == block.axes.tobytes()


def test_what_is_kept_holds_no_pickled_object(photos, tmp_path):
    collection = imgbatch.load(photos, config=config_of(tmp_path))
    _ = collection.points
    (place,) = spaces(collection)
    files = sorted(path.name for path in place.iterdir())
    arrays = ["hashes.npy", "measures.npy", "miniatures.npy", "points.npy"]
    assert files == [*arrays, "seal.json", "space.npz", "squares.npy"]
    for name in set(files) - {"seal.json"}:
        stored = np.load(place / name, allow_pickle=False)
        if name.endswith(".npz"):
            with stored:
                assert all(stored[key].dtype != object for key in stored.files)


@pytest.mark.parametrize(
    "text",
    [
        "[weights]\nhsv = 0.1",
        "[weights]\nphash = 0.0",
        "[space.components]\nhog = 9",
        "[space.power]\nhog = 0.75",
        "[space]\nfit_images = 100",
        "[descriptors.hsv]\ngrid = 2",
        "[images]\nview_px = 64",
    ],
    ids=lambda text: text.splitlines()[1],
)
def test_a_setting_that_shapes_the_points_has_them_made_anew(photos, tmp_path, text):
    first = imgbatch.load(photos, config=config_of(tmp_path))
    _ = first.points
    changed = imgbatch.load(photos, config=config_of(tmp_path, text))
    _ = changed.points
    assert len(spaces(changed)) == 2


@pytest.mark.parametrize(
    "text",
    ["[similar]\npool = 50", "[different]\nsmoothing = 3", "[sheet]\ncolumns = 3"],
    ids=lambda text: text.splitlines()[1],
)
def test_a_setting_that_does_not_shape_the_points_leaves_them(photos, tmp_path, text, no_computing):
    _ = imgbatch.load(photos, config=config_of(tmp_path)).points
    no_computing()
    assert len(imgbatch.load(photos, config=config_of(tmp_path, text)).points) == 12


def test_a_new_a_changed_and_a_removed_image_change_the_points(photos, tmp_path):
    config = config_of(tmp_path)
    first = imgbatch.load(photos, config=config).points.tobytes()
    (photos / "new.jpg").write_bytes(jpeg(photo(77)))
    added = imgbatch.load(photos, config=config)
    assert len(added.points) == 13
    second = added.points.tobytes()
    (photos / "new.jpg").write_bytes(jpeg(photo(78)))
    third = imgbatch.load(photos, config=config).points.tobytes()
    assert third != second
    (photos / "new.jpg").unlink()
    assert imgbatch.load(photos, config=config).points.tobytes() == first


def test_only_the_newest_four_spaces_are_kept(photos, tmp_path):
    for number in range(1, 8):
        config = config_of(tmp_path, f"[weights]\nhsv = 0.{number}")
        collection = imgbatch.load(photos, config=config)
        _ = collection.points
    assert len(spaces(collection)) == 4
    newest = collection.points.tobytes()
    assert imgbatch.load(photos, config=config).points.tobytes() == newest


def test_a_space_that_is_used_counts_as_new(photos, tmp_path):
    first = config_of(tmp_path, "[weights]\nhsv = 0.1")
    collection = imgbatch.load(photos, config=first)
    _ = collection.points
    (kept,) = spaces(collection)
    for number in range(2, 5):
        _ = imgbatch.load(photos, config=config_of(tmp_path, f"[weights]\nhsv = 0.{number}")).points
    for number, path in enumerate(sorted(spaces(collection), key=lambda path: path != kept)):
        os.utime(path, (number, number))  # the first is the oldest
    _ = imgbatch.load(photos, config=first).points
    _ = imgbatch.load(photos, config=config_of(tmp_path, "[weights]\nhsv = 0.5")).points
    assert len(spaces(collection)) == 4
    assert kept in spaces(collection)


DAMAGE = {
    "empty": lambda _: b"",
    "cut in the middle": lambda data: data[: len(data) // 2],
    "without its last byte": lambda data: data[:-1],
    "only the beginning": lambda data: data[:7],
    "zeros": lambda data: bytes(len(data)),
    "other text": lambda _: b"not an array at all",
    "damaged inside": lambda data: data[:200] + bytes(100) + data[300:],
    "not a number": lambda data: data[:-4] + b"\0\0\xc0\x7f",
    "a header of a line that never ends": lambda data: data.replace(b"'shape': (", b"'shape': [("),
}


@pytest.mark.parametrize("name", ["space.npz", *(f"{name}.npy" for name in ARRAYS)])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_made_anew_with_a_note_and_is_whole_afterwards(
    photos, tmp_path, name, damage, monkeypatch
):
    config = config_of(tmp_path)
    first = imgbatch.load(photos, config=config)
    expected = first.points.tobytes()
    (place,) = spaces(first)
    (place / name).write_bytes(DAMAGE[damage]((place / name).read_bytes()))
    again = imgbatch.load(photos, config=config)
    assert again.points.tobytes() == expected
    assert again.report.read == 0
    (note,) = again.notes
    assert note == f"{place / name} is damaged; the points were computed anew"
    computed = []
    compute = points._compute
    monkeypatch.setattr(points, "_compute", lambda *a: computed.append(1) or compute(*a))
    assert imgbatch.load(photos, config=config).points.tobytes() == expected
    assert not computed, "the damaged files stay, and every request computes anew"


@pytest.mark.parametrize("name", ["space.npz", *(f"{name}.npy" for name in ARRAYS)])
def test_a_missing_file_is_made_anew_silently_and_is_there_afterwards(photos, tmp_path, name):
    config = config_of(tmp_path)
    first = imgbatch.load(photos, config=config)
    expected = first.points.tobytes()
    (place,) = spaces(first)
    (place / name).unlink()
    again = imgbatch.load(photos, config=config)
    assert again.points.tobytes() == expected
    assert (place / name).is_file(), "every request computes anew"


def test_a_deleted_folder_of_spaces_is_made_anew_without_reading_an_image(photos, tmp_path):
    config = config_of(tmp_path)
    first = imgbatch.load(photos, config=config)
    expected = first.points.tobytes()
    shutil.rmtree(first.index_directory / "spaces")
    again = imgbatch.load(photos, config=config)
    assert again.points.tobytes() == expected
    assert again.report.read == 0
    assert len(spaces(again)) == 1


def test_points_that_cannot_be_kept_are_used_all_the_same(photos, tmp_path, monkeypatch):
    config = config_of(tmp_path)
    first = imgbatch.load(photos, config=config)

    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(points, "publishing", refuse)
    assert len(first.points) == 12
    assert len(first.similar(5, seed=1).images) == 5
    assert not (first.index_directory / "spaces").exists()


def test_a_file_where_the_folder_of_spaces_should_be_makes_room_for_it(photos, tmp_path):
    first = imgbatch.load(photos, config=config_of(tmp_path))
    (first.index_directory / "spaces").write_text("a file")
    assert len(first.points) == 12
    assert len(spaces(first)) == 1


def test_points_on_disk_stay_usable_while_another_process_removes_them(photos, tmp_path):
    config = config_of(tmp_path)
    _ = imgbatch.load(photos, config=config).points
    warm = imgbatch.load(photos, config=config)
    expected = warm.points.tobytes()
    if os.name != "nt":  # an open file cannot be removed there
        shutil.rmtree(warm.index_directory / "spaces")
    assert warm.points.tobytes() == expected
    assert len(warm.different(5, seed=1).images) == 5


def test_fitting_on_a_sample_is_repeatable_and_projects_every_image(tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(130):
        (folder / f"{number}.jpg").write_bytes(jpeg(photo(number, 40, 30)))
    config = config_of(tmp_path, "[space]\nfit_images = 100")
    one = imgbatch.load(folder, config=config, index=tmp_path / "one").points
    other = imgbatch.load(folder, config=config, index=tmp_path / "other").points
    assert one.shape[0] == 130
    assert one.tobytes() == other.tobytes()
    whole = imgbatch.load(folder, config=config_of(tmp_path), index=tmp_path / "whole").points
    assert whole.tobytes() != one.tobytes()


def test_the_default_weights_share_the_mean_squared_distance(photos, tmp_path):
    collection = imgbatch.load(photos, config=config_of(tmp_path))
    points = np.asarray(collection.points, np.float64)
    squared = ((points[:, None] - points[None]) ** 2).mean(axis=(0, 1))
    weights = load_config(default_config_path()).config.weights
    assert squared.sum() == pytest.approx(1, abs=1e-3)
    for name, columns in collection.projection.space.columns.items():
        share = weights[name] / sum(weights.values())
        assert squared[columns].sum() == pytest.approx(share, abs=1e-3)
