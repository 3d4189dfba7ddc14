"""What workers do with a shard, and what a refresh makes of it, all in this process."""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("fsspec")

from imgbatch.config import load_config
from imgbatch.errors import ClusterError
from imgbatch.images.scan import FoundFile
from imgbatch.index.shards import rows
from imgbatch.index.shards.cut import Shard
from imgbatch.index.shards.folder import ShardedFolder
from imgbatch.index.shards.refresh import refresh_shards
from imgbatch.index.shards.store import Store
from imgbatch.index.shards.work import ShardTask, describe_shard
from imgbatch.runners import SerialRunner
from tests.drawing import OLD, settle, write_photos


@pytest.fixture
def sharded(tmp_path):
    """Twelve photos and a broken file, to be cut into shards of about four."""
    write_photos(tmp_path / "photos", 12)
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"no picture")
    settle(tmp_path / "photos")
    (tmp_path / "c.toml").write_text("[cluster]\nshard_images = 4\n")
    config = load_config(tmp_path / "c.toml").config
    return ShardedFolder.at(str(tmp_path / "photos"), tmp_path / "index", config, "local")


class Deadly(SerialRunner):
    """A runner on which files with this name kill their worker, and whole shards with them."""

    name = ""

    def run(self, function, tasks, *, split, crashed):
        waiting = list(tasks)
        while waiting:
            task = waiting.pop(0)
            if not isinstance(task, tuple) and self.name in decoded_by(task):
                parts = split(task)
                if len(parts) > 1:
                    waiting = [*parts, *waiting]
                else:
                    yield crashed(task)
            else:
                yield function(task)


def decoded_by(task):
    """Paths of the files that a task decodes."""
    if isinstance(task, ShardTask):
        return {file.path for file in task.shard.files} - task.crashing
    return {file.path for file in task.files}


def refresh(sharded, runner=None):
    shards, report = refresh_shards(sharded, runner or SerialRunner())
    return shards, (report.read, report.described, report.removed)


def contents(sharded, shards):
    """Every row of some shards, by path."""
    tables = [sharded.store.table(shard) for shard in shards]
    found = [row for table in tables for row in rows.unpack(table)]
    assert [os.fsencode(row.path) for row in found] == sorted(os.fsencode(r.path) for r in found)
    return {row.path: row for row in found}


def task_of(sharded, shards):
    """The task of describing all files in one shard, with these former shards."""
    names = sorted(os.listdir(sharded.folder), key=os.fsencode)
    stats = [os.stat(os.path.join(sharded.folder, name)) for name in names]
    files = [
        FoundFile(name, stat.st_size, stat.st_mtime_ns)
        for name, stat in zip(names, stats, strict=True)
    ]
    options = sharded.config.images.as_options()
    shard = Shard("all", tuple(files))
    return ShardTask(sharded.store, sharded.folder, shard, sharded.stored, options, tuple(shards))


def test_a_refresh_describes_every_file_once_and_a_rerun_nothing(sharded):
    shards, done = refresh(sharded)
    assert len(shards) > 2
    assert done == (13, 12, 0)
    assert sorted(contents(sharded, shards)) == sorted(os.listdir(sharded.folder))
    assert refresh(sharded) == (shards, (0, 0, 0))


def test_rows_of_former_shards_are_taken_and_never_decoded_again(sharded):
    shards, _ = refresh(sharded)
    answer = describe_shard(task_of(sharded, shards))
    assert (answer.read, answer.decoded) == (0, 0)
    assert (answer.finished.files, answer.finished.images, answer.finished.kept) == (13, 12, 13)
    assert contents(sharded, [answer.finished]) == contents(sharded, shards)


@pytest.mark.parametrize("change", ["size", "time"])
def test_a_file_of_another_size_or_another_time_is_read_again(sharded, change):
    shards, _ = refresh(sharded)
    file = max(Path(sharded.folder).iterdir())
    before = file.stat()
    if change == "size":
        file.write_bytes(file.read_bytes() + b" ")
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    else:
        os.utime(file, (OLD + 9, OLD + 9))
    assert describe_shard(task_of(sharded, shards)).read == 1


def test_a_former_shard_that_is_damaged_is_read_from_the_images(sharded):
    shards, _ = refresh(sharded)
    Path(sharded.store.root, "shards", f"{shards[0].id}.parquet").write_bytes(b"damage")
    assert describe_shard(task_of(sharded, shards)).read == shards[0].files


def test_a_shard_is_noted_as_finished_only_once_it_is_written(sharded, monkeypatch):
    finish = Store.finish

    def check(store, shard):
        assert store.sizes().get(shard.id) == shard.size
        finish(store, shard)

    monkeypatch.setattr(Store, "finish", check)
    assert describe_shard(task_of(sharded, ())).read == 13


def test_a_worker_of_another_version_is_a_readable_error(sharded):
    task = task_of(sharded, ())
    other = tuple(("0" * 16, descriptor) for _, descriptor in task.descriptors)
    with pytest.raises(ClusterError, match="another version"):
        describe_shard(replace(task, descriptors=other))
    assert sharded.store.sizes() == {}


def test_shards_that_this_machine_does_not_see_are_a_readable_error(sharded, tmp_path):
    class Elsewhere(SerialRunner):
        """A worker that sees another folder below the store's path."""

        def run(self, function, tasks, *, split, crashed):
            for task in tasks:
                yield function(replace(task, store=Store(str(tmp_path / "elsewhere"))))

    with pytest.raises(ClusterError, match=r"shards are not in .*though workers wrote them"):
        refresh(sharded, Elsewhere())
    assert sharded.store.listing(sharded.listing) == []


def test_a_shard_with_a_file_that_could_not_be_read_is_described_again(sharded):
    file = min(Path(sharded.folder).iterdir())
    os.utime(file)  # changed a moment ago
    shards, _ = refresh(sharded)
    assert [shard.settled for shard in shards] == [False] + [True] * (len(shards) - 1)
    _, (read, _, _) = refresh(sharded)
    assert read == 1


def test_a_shard_whose_file_is_gone_or_of_another_size_is_described_again(sharded):
    shards, _ = refresh(sharded)
    files = sorted(Path(sharded.store.root, "shards").iterdir())
    files[0].unlink()
    files[1].write_bytes(b"cut")
    again, (read, _, _) = refresh(sharded)
    assert again == [
        replace(shard, kept=new.kept) for shard, new in zip(shards, again, strict=True)
    ]
    assert read == sum(
        shard.files for shard in shards if shard.id in {file.stem for file in files[:2]}
    )


def test_a_file_that_kills_its_worker_becomes_a_row_that_says_so(sharded):
    name = Deadly.name = min(os.listdir(sharded.folder))
    shards, done = refresh(sharded, Deadly())
    found = contents(sharded, shards)
    assert len(found) == 13
    assert found[name].error.startswith("decoding it crashed the decoder")
    assert done[0] == 13


def test_a_shard_that_kills_its_workers_for_no_file_of_its_own_is_a_readable_error(sharded):
    class Cursed(SerialRunner):
        def run(self, function, tasks, *, split, crashed):
            for task in tasks:
                yield crashed(task) if isinstance(task, ShardTask) else function(task)

    with pytest.raises(ClusterError, match="though each of its files alone does not"):
        refresh(sharded, Cursed())


class DeadlyTogether(SerialRunner):
    """A runner on which whole shards kill their workers, though no file alone does."""

    def __init__(self):
        self.tried = Counter()

    def run(self, function, tasks, *, split, crashed):
        for task in tasks:
            if isinstance(task, ShardTask):
                self.tried[task.shard.id] += 1
                yield crashed(task)
            else:
                yield function(task)


def test_a_shard_that_kills_its_workers_without_a_culprit_is_tried_three_times(sharded):
    runner = DeadlyTogether()
    with pytest.raises(ClusterError, match="though each of its files alone does not"):
        refresh_shards(sharded, runner)
    assert len(runner.tried) > 1
    assert set(runner.tried.values()) == {3}
