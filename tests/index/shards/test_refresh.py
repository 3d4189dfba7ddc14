"""A folder indexed by a real cluster of processes: the same bytes, whatever dies meanwhile."""

import os
import shutil
import signal
import sqlite3
import time
from pathlib import Path

import pytest

pytest.importorskip("distributed")
pytest.importorskip("pyarrow")

import imgbatch
from imgbatch.errors import ClusterError, FolderError, UsageError
from imgbatch.exports.run import export
from imgbatch.index.shards import rows
from imgbatch.index.shards.store import Store
from imgbatch.index.sqlite.connect import FILE_NAME
from tests.clusters import (
    DEADLY,
    forget_shards,
    kill_a_worker,
    local_cluster,
    pids,
    scheduler_and_worker,
    two_workers,
    write_preload,
)
from tests.drawing import OLD, jpeg, photo, settle, write_photos

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="kills processes by signal"),
]
SLOW = "[cluster]\nshard_images = 10\n[index]\nworkers = 2\n[images]\nview_px = 512\n"
SMALL = "[cluster]\nshard_images = 6\n[index]\nworkers = 2\n"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with two_workers(write_preload(tmp_path_factory.mktemp("preload"))) as running:
        yield running


@pytest.fixture
def many(tmp_path) -> Path:
    """Sixty photos in three folders, and two files that cannot be read as images."""
    folder = tmp_path / "photos"
    write_photos(folder, 60, classes=3)
    (folder / "class1" / "broken.jpg").write_bytes(b"no picture")
    (folder / "empty.png").write_bytes(b"")
    settle(folder)
    return folder


@pytest.fixture
def slow(tmp_path) -> Path:
    """A hundred and twenty photos whose shards keep a worker busy for a while, and a broken file."""
    folder = tmp_path / "photos"
    folder.mkdir()
    pictures = [jpeg(photo(number, 640, 480, noise=30)) for number in range(6)]
    for number in range(120):
        (folder / f"{number:03}.jpg").write_bytes(pictures[number % 6] + b"file %d" % number)
    (folder / "broken.jpg").write_bytes(b"no picture")
    settle(folder)
    return folder


def settings(tmp_path, text=SMALL):
    (tmp_path / "c.toml").write_text(text)
    return tmp_path / "c.toml"


def load(folder, cluster, text=SMALL, **more):
    config = settings(folder.parent, text)
    address = getattr(cluster, "scheduler_address", cluster)
    return imgbatch.load(folder, config=config, cluster=address, **more)


def done(collection):
    report = collection.report
    return report.read, report.described, report.removed


def in_shards(collection) -> dict[tuple[bytes, str], bytes]:
    """What the shards hold of each path: {(path, fingerprint): bytes}."""
    store = Store(str(collection.index_directory / "store"))
    (listing,) = (collection.index_directory / "store" / "listings").glob("*.jsonl")
    found = {}
    for shard in store.listing(listing.stem):
        for one in rows.unpack(store.table(shard)):
            for fingerprint, codes in (one.codes or {}).items():
                key = os.fsencode(one.path), fingerprint
                assert key not in found
                found[key] = codes
    return found


def in_sqlite(collection) -> dict[tuple[bytes, str], bytes]:
    db = sqlite3.connect(collection.index_directory / FILE_NAME)
    found = db.execute(
        "SELECT path, fingerprint, data FROM images JOIN vectors USING (content_id)"
        " JOIN descriptors ON descriptors.id = descriptor_id"
    ).fetchall()
    db.close()
    return {(path, fingerprint): data for path, fingerprint, data in found}


def assert_complete(collection, folder) -> None:
    """Every file exactly once: as an image, or among the skipped."""
    there = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    told = [record.path for record in collection.records]
    told += [one.path for one in collection.skipped]
    assert sorted(told) == there
    readable = {os.fsencode(record.path) for record in collection.records}
    assert {path for path, _ in in_shards(collection)} == readable


# ----- what comes out -----------------------------------------------------------------------------


def test_shards_hold_the_same_bytes_and_give_the_same_answers_as_one_machine(cluster, many):
    one = imgbatch.load(many, config=settings(many.parent))
    shards = load(many, cluster)
    assert len(list((shards.index_directory / "store" / "shards").iterdir())) > 4
    assert in_shards(shards) == in_sqlite(one)
    assert list(shards.records) == list(one.records)
    assert shards.skipped == one.skipped
    assert done(shards) == done(one)
    assert shards.points.tobytes() == one.points.tobytes()
    assert shards.projection.hashes.tobytes() == one.projection.hashes.tobytes()
    for seed in range(3):
        assert shards.similar(7, seed=seed).images == one.similar(7, seed=seed).images
        assert shards.different(7, seed=seed).images == one.different(7, seed=seed).images
    some = one.records.row_of("class2/image005.jpg")
    assert shards.similar(3, like=many / "class2" / "image005.jpg").images[0].relative == (
        one.records[some].path
    )
    by_name = shards.features([3, some]), one.features([3, some])
    assert all(by_name[0][name].tobytes() == by_name[1][name].tobytes() for name in by_name[1])


def test_one_connection_serves_the_refresh_and_the_points_and_ends_with_the_index(cluster, many):
    def connections():
        return {name for name in cluster.scheduler.clients if name.startswith("Client-")}

    before, during = connections(), set()
    shards = load(many, cluster, progress=lambda *_: during.update(connections() - before))
    assert len(during) == 1
    _ = shards.points
    shards.features([0])
    assert connections() - before == during
    del shards
    # Connections of tests before may end meanwhile, so that only new ones are looked at.
    wait_until(lambda: not connections() - before)
    for file in many.rglob("*.*"):
        file.write_bytes(b"no picture")
    settle(many)
    with pytest.raises(FolderError, match="no readable image"):
        load(many, cluster)
    wait_until(lambda: not connections() - before)


def wait_until(holds):
    deadline = time.monotonic() + 10
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert holds()


def test_a_rerun_does_nothing_and_a_change_only_what_it_takes(cluster, many):
    assert done(load(many, cluster)) == (62, 60, 0)
    assert done(load(many, cluster)) == (0, 0, 0)
    (many / "class0" / "new.jpg").write_bytes(jpeg(photo(777)))
    os.utime(many / "class0" / "new.jpg", (OLD, OLD))
    assert done(load(many, cluster)) == (1, 1, 0)
    (many / "class1" / "image001.jpg").write_bytes(jpeg(photo(778)))
    os.utime(many / "class1" / "image001.jpg", (OLD, OLD))
    assert done(load(many, cluster)) == (1, 1, 0)
    (many / "class2" / "image002.jpg").unlink()
    assert done(load(many, cluster)) == (0, 0, 1)
    for file in (many / "class0").iterdir():
        file.unlink()
    shards = load(many, cluster)
    assert done(shards) == (0, 0, 21)
    assert_complete(shards, many)
    kept = {file.stem for file in (shards.index_directory / "store" / "shards").iterdir()}
    assert len(kept) == len(list((shards.index_directory / "store" / "marks").iterdir()))
    one = imgbatch.load(many)
    assert in_shards(shards) == in_sqlite(one)
    assert list(shards.records) == list(one.records)


def test_only_the_shard_of_a_changed_file_is_written_again(cluster, many):
    place = load(many, cluster).index_directory / "store" / "shards"
    before = {file.name for file in place.iterdir()}
    os.utime(many / "class1" / "image001.jpg", (OLD + 5000, OLD + 5000))
    load(many, cluster)
    after = {file.name for file in place.iterdir()}
    assert (len(before - after), len(after - before)) == (1, 1)


def test_files_changed_a_moment_ago_are_read_again_and_no_others(cluster, many):
    load(many, cluster)
    (many / "class1" / "image001.jpg").write_bytes(jpeg(photo(778)))
    assert done(load(many, cluster)) == (1, 1, 0)
    assert done(load(many, cluster))[0] in {0, 1}  # two seconds may have passed
    os.utime(many / "class1" / "image001.jpg", (OLD, OLD))
    assert done(load(many, cluster)) == (1, 1, 0)
    assert done(load(many, cluster)) == (0, 0, 0)


def test_settings_side_by_side_keep_their_shards(cluster, many, tmp_path):
    first = in_shards(load(many, cluster))
    other = settings(tmp_path, SMALL + "[descriptors.hog]\norientations = 9\n")
    assert imgbatch.load(many, config=other, cluster=cluster.scheduler_address).report.read == 62
    assert done(load(many, cluster)) == (0, 0, 0)
    assert imgbatch.load(many, config=other, cluster=cluster.scheduler_address).report.read == 0
    assert len(first) == 60 * 5


def test_shards_of_another_size_are_cut_from_the_old_ones_without_decoding(cluster, many, tmp_path):
    load(many, cluster)
    whole = imgbatch.load(many, cluster=cluster.scheduler_address)
    assert done(whole) == (0, 0, 0)
    assert len(list((whole.index_directory / "store" / "shards").iterdir())) == 1
    assert in_shards(whole) == in_sqlite(imgbatch.load(many))


def test_shards_are_trusted_where_the_folder_is_gone(cluster, many):
    with pytest.raises(FolderError, match=r"no shards .*`refresh=False`"):
        load(many, cluster, refresh=False)
    seen = load(many, cluster).similar(5, seed=3).images
    many.rename(many.with_name("elsewhere"))
    assert load(many, "tcp://127.0.0.1:9", refresh=False).similar(5, seed=3).images == seen
    with pytest.raises(FolderError, match="folder not found"):
        load(many, cluster)


def test_a_folder_and_a_store_in_memory_need_no_disk(tmp_path):
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    for number in range(12):
        memory.pipe_file(f"/album/sub{number % 2}/{number:02}.jpg", jpeg(photo(number)))
    memory.pipe_file("/album/bad.png", b"no picture")
    memory.pipe_file("/album/.hidden.jpg", b"no picture")
    with local_cluster(n_workers=1, threads_per_worker=2, processes=False) as inside:
        place = {"index": "memory://store", "cluster": inside.scheduler_address}
        album = imgbatch.load("memory://album", **place)
        assert done(album) == (13, 12, 0)
        assert [one.path for one in album.skipped] == ["bad.png"]
        picked = album.similar(3, like="sub1/05.jpg", seed=1)
        assert picked.images[0].path == "memory://album/sub1/05.jpg"
        assert album.similar(3, like="memory://album/sub1/05.jpg", seed=1).images == picked.images
        written = export(album, tmp_path / "album.csv")
        assert written.folder == "memory://album"
        assert done(imgbatch.load("memory://album/", **place)) == (0, 0, 0)
        memory.pipe_file("/album/sub0/00.jpg", jpeg(photo(99)))
        assert done(imgbatch.load("memory://album", **place)) == (1, 1, 0)
        with pytest.raises(FolderError, match="folder not found: memory://nowhere"):
            imgbatch.load("memory://nowhere", **place)
    memory.rm("/album", recursive=True)
    memory.rm("/store", recursive=True)


def test_what_no_cluster_can_do_is_one_clear_error(photos, tmp_path):
    with pytest.raises(UsageError, match="scheduler"):
        imgbatch.load(photos, cluster="four")
    with pytest.raises(UsageError, match="`cluster"):
        imgbatch.load("s3://bucket/photos")
    with pytest.raises(UsageError, match="`cluster"):
        imgbatch.load(photos, index="s3://bucket/index")
    with pytest.raises(UsageError, match="inside the image folder"):
        imgbatch.load(photos, index=photos / "index", cluster="local")


# ----- what goes wrong ----------------------------------------------------------------------------


def test_a_worker_killed_in_the_middle_costs_no_image(cluster, slow):
    killed = []

    def kill_once(at, total):
        if not killed and at >= total // 4:
            killed.append(kill_a_worker(cluster))

    shards = load(slow, cluster, text=SLOW, progress=kill_once)
    assert killed
    assert killed[0] not in pids(cluster)
    assert done(shards) == (121, 120, 0)
    assert_complete(shards, slow)
    assert in_shards(shards) == in_sqlite(imgbatch.load(slow, config=settings(slow.parent, SLOW)))


def test_a_file_that_kills_its_worker_is_one_skipped_file(cluster, many):
    good = jpeg(photo(31))
    (many / "class1" / "image0025.jpg").write_bytes(good + DEADLY)
    settle(many)
    shards = load(many, cluster)
    reasons = {one.path: one.reason for one in shards.skipped}
    assert reasons["class1/image0025.jpg"].startswith("decoding it crashed the decoder")
    assert len(reasons) == 3
    assert_complete(shards, many)
    assert done(load(many, cluster)) == (0, 0, 0)
    (many / "class1" / "image0025.jpg").write_bytes(good)
    settle(many)
    assert len(load(many, cluster).skipped) == 2


def test_a_scheduler_that_goes_is_an_error_and_the_next_run_goes_on(slow, tmp_path):
    ended = []
    with scheduler_and_worker(tmp_path) as (address, scheduler):

        def end(at, total):
            if at >= total // 3 and not ended:
                ended.append(at)
                os.kill(scheduler.pid, signal.SIGKILL)

        with pytest.raises(ClusterError, match=r"the scheduler at .* is gone.*run again"):
            load(slow, address, text=SLOW, progress=end)
    assert 40 <= ended[0] < 121
    shards = load(slow, "local", text=SLOW)
    assert 0 < shards.report.read <= 121 - ended[0]
    assert_complete(shards, slow)
    assert in_shards(shards) == in_sqlite(imgbatch.load(slow, config=settings(tmp_path, SLOW)))


@pytest.mark.parametrize("how", ["cut", "altered", "gone", "temporary", "not noted"])
def test_a_shard_half_written_is_done_again(cluster, many, how):
    before = load(many, cluster)
    expected = in_shards(before)
    (listing,) = (before.index_directory / "store" / "listings").glob("*.jsonl")
    (before.index_directory / "store" / "shards" / "x.parquet.7.tmp").write_bytes(b"half")
    file = sorted((before.index_directory / "store" / "shards").glob("*.parquet"))[1]
    data = file.read_bytes()
    if how == "cut":
        file.write_bytes(data[: len(data) // 2])
    elif how == "altered":
        file.write_bytes(data[:100] + bytes(len(data) - 100))
        shutil.rmtree(before.index_directory / "listings")
    elif how == "not noted":
        listing.unlink()  # as if the run had been killed before it noted the shard
        (before.index_directory / "store" / "marks" / f"{file.stem}.json").unlink()
    else:
        file.unlink()
        if how == "temporary":
            Path(f"{file}.0123.tmp").write_bytes(data)
    again = load(many, cluster)
    assert_complete(again, many)
    assert in_shards(again) == expected
    assert list(again.records) == list(before.records)
    assert done(load(many, cluster)) == (0, 0, 0)
    if how != "altered":
        assert 0 < again.report.read < 20


def test_damage_that_shows_only_when_points_are_computed_is_mended(cluster, many):
    before = load(many, cluster)
    expected = before.points.tobytes()
    shutil.rmtree(before.index_directory / "spaces")
    late = load(many, cluster)
    forget_shards(cluster)
    file = sorted((before.index_directory / "store" / "shards").glob("*.parquet"))[2]
    file.write_bytes(bytes(file.stat().st_size))
    assert late.points.tobytes() == expected
    assert any("made anew" in line for line in late.notes)
    file.write_bytes(bytes(file.stat().st_size))
    forget_shards(cluster)
    some = late.features([1, 30])
    assert some["hog"].tobytes() == load(many, cluster).features([1, 30])["hog"].tobytes()


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file nobody can read")
def test_an_unreadable_file_in_a_shard_is_listed_and_read_again_next_time(cluster, many):
    (many / "class2" / "odd.jpg").symlink_to("/proc/self/mem")  # its first byte is an error
    shards = load(many, cluster)
    assert done(shards) == (63, 60, 0)
    reasons = {one.path: one.reason for one in shards.skipped}
    assert "cannot be read" in reasons["class2/odd.jpg"]
    assert_complete(shards, many)
    assert done(load(many, cluster)) == (1, 0, 0)
    (many / "class2" / "odd.jpg").unlink()
    assert done(load(many, cluster)) == (0, 0, 1)
