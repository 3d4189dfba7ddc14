"""An index in shards that is opened without its folder or its cluster."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")

from imgbatch.config import load_config
from imgbatch.errors import CatalogueError, ClusterError
from imgbatch.index.shards import current as current_shards
from imgbatch.index.shards.folder import ShardedFolder
from imgbatch.index.shards.opened import open_shards
from imgbatch.index.shards.refresh import refresh_shards
from imgbatch.index.shards.store import DamagedShardError, Store, StoredShard, _table_of
from imgbatch.runners import SerialRunner
from imgbatch.runners.dask import DaskRunner
from tests.drawing import settle, write_photos


@pytest.fixture
def sharded(tmp_path):
    """Twelve photos in three shards or more."""
    write_photos(tmp_path / "photos", 12)
    settle(tmp_path / "photos")
    (tmp_path / "c.toml").write_text("[cluster]\nshard_images = 4\n[index]\nworkers = 1\n")
    config = load_config(tmp_path / "c.toml").config
    sharded = ShardedFolder.at(str(tmp_path / "photos"), tmp_path / "index", config, "local")
    refresh_shards(sharded, SerialRunner())
    return sharded


@pytest.fixture
def trusted(sharded):
    """Twelve photos in shards; the folder is gone."""
    shutil.rmtree(sharded.folder)
    return sharded


@pytest.fixture
def in_process(monkeypatch):
    """Have this process do what a local cluster would do; the refreshes that were done."""
    done = []

    def refresh(sharded, _, progress):
        done.append(sharded)
        return refresh_shards(sharded, SerialRunner(), progress)

    monkeypatch.setattr(current_shards, "refresh_shards", refresh)
    return done


def damage(sharded, number=0):
    file = sorted(Path(sharded.store.root, "shards").iterdir())[number]
    file.write_bytes(bytes(file.stat().st_size))
    _table_of.cache_clear()  # as in another process


def test_damage_that_nothing_can_mend_is_a_readable_error(trusted):
    opened = open_shards(trusted, refresh=False)
    damage(trusted)
    with pytest.raises(CatalogueError, match="damaged"):
        opened.contents()


def test_damage_that_shows_on_opening_is_mended(sharded, in_process):
    before = open_shards(sharded)
    shutil.rmtree(sharded.directory / "listings")
    damage(sharded, 1)
    opened = open_shards(sharded)
    assert opened.records == before.records
    assert opened.generation == before.generation
    assert len(in_process) == 3
    assert opened.report.read > 0
    assert ["made anew" in note for note in opened.notes] == [True, False]
    assert "whitening is off" in opened.notes[1]


def test_damage_that_shows_again_after_mending_is_mended_again(sharded, in_process):
    opened = open_shards(sharded)
    expected = [array.tolist() for array in opened.contents()]
    for number in (0, 2):  # each reading meets one of them
        damage(sharded, number)
    assert [array.tolist() for array in opened.contents()] == expected
    assert len(in_process) == 3


def test_damage_without_end_is_an_error(sharded, in_process):
    opened = open_shards(sharded)

    def fail():
        raise DamagedShardError("shard x is damaged")

    with pytest.raises(CatalogueError, match=r"shards of .* are damaged: shard x is damaged"):
        opened.current.read(fail)
    assert len(in_process) == 3


def test_a_folder_that_changed_before_a_shard_was_made_anew_is_an_error(sharded, in_process):
    opened = open_shards(sharded)
    min(Path(sharded.folder).iterdir()).unlink()
    damage(sharded)
    with pytest.raises(CatalogueError, match="has changed"):
        opened.contents()
    with pytest.raises(CatalogueError, match="has changed"):
        opened.features([0])


@pytest.fixture
def closed(monkeypatch):
    """The runners that were closed."""
    runners = []
    monkeypatch.setattr(DaskRunner, "close", lambda runner: runners.append(runner))  # noqa: PLW0108
    return runners


def test_the_processes_of_a_local_cluster_end_with_the_refresh(sharded, in_process, closed):
    opened = open_shards(sharded)
    assert closed == [opened.current.runner]


def test_a_cluster_stays_connected_while_the_index_is_open(sharded, in_process, closed):
    opened = open_shards(replace(sharded, cluster="tcp://127.0.0.1:9"))
    assert closed == []
    codes = opened._codes()
    assert codes.run_tasks.runner is opened.current.runner
    assert codes.run_long_tasks.runner is opened.current.runner


def test_an_index_that_cannot_be_opened_closes_its_connection(trusted, closed):
    shutil.rmtree(trusted.directory / "listings", ignore_errors=True)
    damage(trusted)
    with pytest.raises(CatalogueError, match="damaged"):
        open_shards(replace(trusted, cluster="tcp://127.0.0.1:9"), refresh=False)
    assert len(closed) == 1


def test_workers_without_the_store_are_a_readable_error(trusted, tmp_path):
    opened = open_shards(replace(trusted, cluster="tcp://127.0.0.1:9"), refresh=False)
    elsewhere = StoredShard(Store(str(tmp_path)), opened.current.finished[0])
    with pytest.raises(ClusterError, match="cannot read the shards"):
        opened.current.read(elsewhere.table, on_workers=True)


def test_what_is_read_of_trusted_shards_is_kept_where_no_index_was(trusted, tmp_path):
    elsewhere = replace(trusted, directory=tmp_path / "new" / "place")
    opened = open_shards(elsewhere, refresh=False)
    assert (tmp_path / "new" / "place" / "listings" / opened.generation).is_dir()
