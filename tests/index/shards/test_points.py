"""Points of codes in shards: those of one machine, computed by tasks, part by part."""

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import imgbatch
from imgbatch.config import load_config
from imgbatch.descriptors import build_descriptors
from imgbatch.embedding.projection import ARRAYS
from imgbatch.errors import CatalogueError
from imgbatch.index.extract import with_fingerprints
from imgbatch.index.shards import points as shard_points
from imgbatch.index.shards.codes import ShardedCodes, features_in_shards
from imgbatch.index.shards.points import StoredPart, project_in_shards
from imgbatch.index.sqlite import points as sqlite_points
from imgbatch.measures.measured import Measures
from imgbatch.runners.maps import map_serially
from tests.drawing import write_photos
from tests.neighbours.test_parts import (
    SPREADS,
    elsewhere,
)

IMAGES = 60


@dataclass(frozen=True)
class HeldShard:
    """Codes of some images by fingerprint."""

    held: dict[str, np.ndarray]

    def __len__(self):
        return len(next(iter(self.held.values())))

    def codes(self, fingerprint, dim):
        assert self.held[fingerprint].shape == (len(self), dim)
        return self.held[fingerprint]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    base = tmp_path_factory.mktemp("points")
    write_photos(base / "photos", IMAGES)
    photos = imgbatch.load(base / "photos", index=base / "index")
    _ = photos.points
    return photos


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    def build(part_images=1000, more=""):
        file = tmp_path_factory.mktemp("config") / "c.toml"
        file.write_text(f"[cluster]\npart_images = {part_images}\n{more}", encoding="utf-8")
        return load_config(file).config

    return build


def descriptors_of(config):
    everything = (*build_descriptors(config), Measures())
    return with_fingerprints(everything, config.images.as_options())


def in_shards(photos, place, sizes, run_tasks=map_serially):
    held = photos._opened.catalogue
    ends = np.cumsum(sizes)
    assert ends[-1] == len(photos)
    cuts = {
        fingerprint: np.split(np.concatenate([*held.codes(fingerprint, one.dim)]), ends[:-1])
        for fingerprint, one in descriptors_of(photos.config)
    }
    shards = tuple(
        HeldShard({fingerprint: codes[number] for fingerprint, codes in cuts.items()})
        for number in range(len(sizes))
    )
    local, points = place / "local", str(place / "points")
    views = sqlite_points.views_of(held, photos.config)
    return ShardedCodes(shards, "one", local, points, run_tasks, run_tasks, [], views)


def project(codes, config):
    codes.directory.mkdir(exist_ok=True)
    return project_in_shards(codes, descriptors_of(config), config)


@SPREADS
@pytest.mark.parametrize("sizes", [[60], [20, 20, 20], [1, 39, 7, 13]])
@pytest.mark.parametrize("batch", [4096, 8])
def test_one_part_holds_the_points_of_one_machine_to_the_bit(
    photos, config, tmp_path, sizes, run_tasks, batch, monkeypatch
):
    monkeypatch.setattr(sqlite_points, "BATCH_ROWS", batch)
    monkeypatch.setattr(shard_points, "BATCH_ROWS", batch)
    if batch != 4096:
        photos = imgbatch.load(photos.folder, index=tmp_path / "index")
    found = project(in_shards(photos, tmp_path, sizes, run_tasks), config())
    assert len(found.parts) == 1
    assert found.points.tobytes() == photos.points.tobytes()
    assert found.hashes.tobytes() == photos.projection.hashes.tobytes()
    assert found.parts[0].squares.tobytes() == photos.projection.parts[0].squares.tobytes()


@SPREADS
def test_the_sample_is_that_of_one_machine(config, tmp_path, run_tasks):
    write_photos(tmp_path / "many", 120)
    sampled = config(30, "[space]\nfit_images = 100")
    photos = imgbatch.load(tmp_path / "many", index=tmp_path / "index", config=sampled)
    index = in_shards(photos, tmp_path, [24] * 5, run_tasks)
    found = project(index, sampled)
    for name, block in photos.projection.space.blocks.items():
        assert found.space.blocks[name].axes.tobytes() == block.axes.tobytes()
    assert len(found.parts) > 3
    assert np.allclose(found.points[:], photos.points, atol=1e-6)


@pytest.mark.parametrize(
    ("sizes", "part_images", "expected"),
    [
        ([20, 20, 20], 1, [20, 20, 20]),
        ([20, 20, 20], 40, [40, 20]),
        ([50, 5, 5], 20, [50, 10]),
        ([5, 50, 5], 20, [5, 50, 5]),
    ],
)
def test_a_part_is_a_run_of_whole_shards(photos, config, tmp_path, sizes, part_images, expected):
    found = project(in_shards(photos, tmp_path, sizes), config(part_images))
    assert [part.shape[0] for part in found.parts] == expected
    assert np.allclose(found.points[:], photos.points, atol=1e-6)
    assert (found.hashes[:] == photos.projection.hashes).all()


def test_points_are_computed_once_and_only_what_is_missing_or_damaged_again(
    photos, config, tmp_path
):
    worked = []

    def noting(function, tasks):
        worked.append(0)
        for task in tasks:
            worked[-1] += 1
            yield function(*task)

    index = in_shards(photos, tmp_path, [15] * 4, noting)
    points = np.asarray(project(index, config(15)).points)
    assert worked == [4, 4, 4]  # fitting, projecting, reading
    assert np.asarray(project(index, config(15)).points).tobytes() == points.tobytes()
    assert worked == [4, 4, 4, 4]
    files = sorted(Path(index.points_root).rglob("*.points.npy"))
    assert len(files) == 4
    files[1].unlink()
    files[2].write_bytes(files[2].read_bytes()[:-1])
    data = files[3].read_bytes()
    files[3].write_bytes(data[:500] + bytes(100) + data[600:])
    shard_points._opened.cache_clear()
    del worked[:]
    assert np.asarray(project(index, config(15)).points).tobytes() == points.tobytes()
    assert worked[0] == 3
    assert index.notes == [
        f"{files[at]} is damaged; the points were computed anew" for at in (2, 3)
    ]
    assert not list(Path(index.points_root).rglob(".part-*"))


def test_a_folder_in_the_place_of_a_file_of_points_makes_room(photos, config, tmp_path):
    index = in_shards(photos, tmp_path, [30, 30])
    expected = np.asarray(project(index, config(30)).points)
    for ending in (*(f"{name}.npy" for name in ARRAYS), "seal.json"):
        file = min(Path(index.points_root).glob(f"*/*.{ending}"))
        file.unlink()
        (file / "inside").mkdir(parents=True)
        shard_points._opened.cache_clear()
        assert np.asarray(project(index, config(30)).points).tobytes() == expected.tobytes()
        assert file.is_file()


def test_a_damaged_space_is_fitted_anew_with_a_note(photos, config, tmp_path):
    index = in_shards(photos, tmp_path, [30, 30])
    expected = np.asarray(project(index, config(30)).points)
    (file,) = (tmp_path / "local").rglob("space.npz")
    data = file.read_bytes()
    file.write_bytes(data.replace(data[1000:1004], bytes(4)))
    shutil.rmtree(index.points_root)
    shard_points._opened.cache_clear()
    assert np.asarray(project(index, config(30)).points).tobytes() == expected.tobytes()
    assert index.notes == [f"{file} is damaged; the space was fitted anew"]


def test_a_kept_part_of_another_shape_is_computed_anew(photos, config, tmp_path):
    index = in_shards(photos, tmp_path, [30, 30])
    expected = np.asarray(project(index, config(30)).points)
    first, second = sorted(Path(index.points_root).glob("*/*.points.npy"))
    columns = expected.shape[1]
    for rows, width in ((29, columns), (30, columns - 1)):
        np.save(first, np.ones((rows, width), np.float32))
        for name, dtype in (("squares", np.float32), ("hashes", np.uint64)):
            np.save(str(first).replace("points.npy", f"{name}.npy"), np.zeros(rows, dtype))
        shard_points._opened.cache_clear()
        written = second.stat().st_mtime_ns
        assert np.asarray(project(index, config(30)).points).tobytes() == expected.tobytes()
        assert second.stat().st_mtime_ns == written


@SPREADS
def test_features_are_those_of_one_machine_in_the_order_asked_for(photos, tmp_path, run_tasks):
    index = in_shards(photos, tmp_path, [1, 39, 7, 13], run_tasks)
    rows = np.array([59, 0, 1, 40, 39, 12])
    descriptors = descriptors_of(photos.config)
    found = features_in_shards(index, descriptors, rows)
    expected = sqlite_points.features_of(photos._opened.catalogue, descriptors, rows)
    assert list(found) == list(expected)
    assert all(found[name].tobytes() == expected[name].tobytes() for name in found)


def test_the_points_of_the_newest_four_spaces_are_kept(photos, config, tmp_path):
    index = in_shards(photos, tmp_path, [30, 30])
    for weight in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6):
        project(index, config(30, f"[weights]\nhsv = {weight}"))
    assert len(os.listdir(index.points_root)) == 4


def test_points_that_are_used_count_as_new(photos, config, tmp_path):
    index = in_shards(photos, tmp_path, [30, 30])
    first = config(30, "[weights]\nhsv = 0.1")
    project(index, first)
    (kept,) = Path(index.points_root).iterdir()
    for weight in (0.2, 0.3, 0.4):
        project(index, config(30, f"[weights]\nhsv = {weight}"))
    for number, path in enumerate(
        sorted(Path(index.points_root).iterdir(), key=lambda p: p != kept)
    ):
        os.utime(path, (number, number))  # the first is the oldest
    project(index, first)
    project(index, config(30, "[weights]\nhsv = 0.5"))
    assert len(os.listdir(index.points_root)) == 4
    assert kept.is_dir()


def test_points_behind_a_url_are_there_once_the_last_file_is(photos, config, tmp_path):
    pytest.importorskip("fsspec", reason="needs fsspec")
    index = replace(in_shards(photos, tmp_path, [60]), points_root=f"file://{tmp_path}/there")
    expected = np.asarray(project(index, config(60)).points)
    (last,) = (tmp_path / "there").rglob("*.seal.json")
    last.unlink()  # as if its writer had been killed before the end
    assert np.asarray(project(index, config(60)).points).tobytes() == expected.tobytes()
    assert last.is_file()


def test_points_in_another_kind_of_storage_are_read_from_a_copy(photos, config, tmp_path):
    pytest.importorskip("fsspec", reason="needs fsspec")
    index = in_shards(photos, tmp_path, [30, 30])
    index = replace(index, points_root=f"memory://points-{os.getpid()}")
    found = project(index, config(30))
    assert np.allclose(found.points[:], photos.points, atol=1e-6)
    again = project(index, config(30))
    assert again.points[:].tobytes() == found.points[:].tobytes()
    whole = project(index, config(60))
    assert [part.shape[0] for part in whole.parts] == [60]
    assert whole.points.shape == (60, found.points.shape[1])


def test_points_behind_a_url_whose_folder_is_not_there_yet_are_made(photos, config, tmp_path):
    pytest.importorskip("fsspec", reason="needs fsspec")
    index = in_shards(photos, tmp_path, [30, 30])
    index = replace(index, points_root=f"file://{tmp_path}/not/there/yet")
    assert np.allclose(project(index, config(30)).points[:], photos.points, atol=1e-6)


def test_points_that_cannot_be_read_are_a_readable_error(tmp_path):
    for place in (f"{tmp_path}/00000", f"memory://{tmp_path}/00000"):
        with pytest.raises(CatalogueError, match="points cannot be read"):
            _ = StoredPart(place, (3, 2)).points


def test_points_of_another_shape_behind_a_url_are_a_readable_error(photos, config, tmp_path):
    pytest.importorskip("fsspec", reason="needs fsspec")
    index = replace(in_shards(photos, tmp_path, [60]), points_root=f"file://{tmp_path}/there")
    (part,) = project(index, config(60)).parts
    assert part.points.shape == part.shape
    with pytest.raises(CatalogueError, match="points cannot be read"):
        _ = replace(part, shape=(59, part.shape[1])).points


def test_points_that_cannot_be_written_are_a_readable_error(photos, config, tmp_path):
    index = in_shards(photos, tmp_path, [30, 30])
    (tmp_path / "points").write_text("a file where a folder should be")
    with pytest.raises(CatalogueError, match="points cannot be made"):
        project(index, config(30))


def test_a_collection_asks_parts_like_one_array(photos, config, tmp_path):
    index = in_shards(photos, tmp_path, [10] * 6, elsewhere)
    parted = imgbatch.load(photos.folder, index=photos.index_directory.parent, refresh=False)
    parted._picker._opened = Exchanged(parted._opened, project(index, config(10)))
    assert len(parted.projection.parts) == 6
    for seed in range(5):
        one, several = photos.similar(8, seed=seed), parted.similar(8, seed=seed)
        assert told(one) == told(several)
        assert len({image.path for image in parted.different(8, seed=seed).images}) == 8
    given = photos.paths[9]
    assert told(photos.similar(3, like=given)) == told(parted.similar(3, like=given))
    dealt = [batch.tolist() for batch in parted.batches(7, seed=1)]
    assert [len(batch) for batch in dealt] == [7] * 8 + [4]
    assert sorted(row for batch in dealt for row in batch) == list(range(IMAGES))


def told(selection):
    return [(image.rank, image.path, image.score, image.anchor) for image in selection.images]


@dataclass
class Exchanged:
    """An opened index with other points."""

    opened: object
    own: object

    def projection(self):
        return self.own

    def __getattr__(self, name):
        return getattr(self.opened, name)


def test_damaged_points_behind_a_url_are_an_error_that_says_what_to_remove(
    photos, config, tmp_path
):
    pytest.importorskip("fsspec", reason="needs fsspec")
    index = replace(in_shards(photos, tmp_path, [60]), points_root=f"file://{tmp_path}/there")
    project(index, config(60))
    (file,) = (tmp_path / "there").rglob("*.points.npy")
    file.write_bytes(file.read_bytes()[:-4] + b"oops")
    shard_points._opened.cache_clear()
    with pytest.raises(CatalogueError, match=r"is damaged \(remove file://.*there/[0-9a-f]+-60"):
        _ = project(index, config(60)).points[:]
