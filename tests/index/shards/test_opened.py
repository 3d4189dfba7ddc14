"""An index in shards that is opened without its folder or its cluster."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")

from imgbatch.config import load_config
from imgbatch.errors import CatalogueError, ClusterError
from imgbatch.index.shards.opened import StoredShard, _table_of, open_shards
from imgbatch.index.shards.refresh import ShardedFolder, refresh_shards
from imgbatch.index.shards.store import Store
from imgbatch.runners import SerialRunner
from tests.drawing import settle, write_photos


@pytest.fixture
def sharded(tmp_path):
    """Twelve photos in shards; the folder is gone."""
    write_photos(tmp_path / "photos", 12)
    settle(tmp_path / "photos")
    (tmp_path / "c.toml").write_text("[cluster]\nshard_images = 4\n[index]\nworkers = 1\n")
    config = load_config(tmp_path / "c.toml").config
    sharded = ShardedFolder.at(str(tmp_path / "photos"), tmp_path / "index", config, "local")
    refresh_shards(sharded, SerialRunner())
    shutil.rmtree(tmp_path / "photos")
    return sharded


def test_damage_that_nothing_can_mend_is_a_readable_error(sharded):
    opened = open_shards(sharded, refresh=False)
    _table_of.cache_clear()  # as in another process
    file = min(Path(sharded.store.root, "shards").iterdir())
    file.write_bytes(bytes(file.stat().st_size))
    with pytest.raises(CatalogueError, match="damaged"):
        opened.contents()


def test_workers_without_the_store_are_a_readable_error(sharded, tmp_path):
    opened = open_shards(replace(sharded, cluster="tcp://127.0.0.1:9"), refresh=False)
    with pytest.raises(ClusterError, match="cannot read the shards"):
        opened._mending(StoredShard(Store(str(tmp_path)), opened.marks[0]).table)


def test_what_is_read_of_trusted_shards_is_kept_where_no_index_was(sharded, tmp_path):
    elsewhere = replace(sharded, directory=tmp_path / "new" / "place")
    opened = open_shards(elsewhere, refresh=False)
    assert (tmp_path / "new" / "place" / "listings" / opened.generation()).is_dir()
