"""The store of shards: what was packed comes back, what is not listed goes, damage shows."""

import contextlib
import errno
import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("fsspec")

from imgbatch.errors import CatalogueError
from imgbatch.files import paths
from imgbatch.index.shards import rows
from imgbatch.index.shards.store import DamagedShardError, FinishedShard, Store, digest_of
from imgbatch.types import ReadFile, Skipped

ANSWERS = [
    ReadFile("a/caf\udce9.jpg", 5, 7, b"h" * 16, 30, 20, "odd", codes={"f1": b"ab", "f2": b"xyz"}),
    ReadFile("a/lost.jpg", 6, -1, None, error="cannot be read: \udcff"),
    ReadFile("b.jpg", 9, 8, b"i" * 16, error="no picture"),
    ReadFile("c.jpg", 4, 3, b"j" * 16, 3, 2, codes={"f1": b"cd", "f2": b"uvw"}),
]
DIMS = {"f1": 2, "f2": 3}


@pytest.fixture(params=["local", "memory"])
def store(request, tmp_path):
    if request.param == "local":
        yield Store(str(tmp_path / "store [1]"))
        return
    import fsspec

    yield Store("memory://store-of-tests")
    with contextlib.suppress(FileNotFoundError):
        fsspec.filesystem("memory").rm("/store-of-tests", recursive=True)


def written(store, shard_id="s", data=None):
    data = rows.pack(ANSWERS, DIMS) if data is None else data
    shard = FinishedShard(shard_id, "a", "c", 4, 2, 0, True, len(data), digest_of(data))
    store.write(shard_id, data)
    store.finish(shard)
    return shard


def test_what_is_packed_comes_back_row_by_row_and_column_by_column():
    table = rows.open_table(rows.pack(ANSWERS, DIMS))
    back = [*rows.unpack(table)]
    assert [one.path for one in back] == [one.path for one in ANSWERS]
    assert [(one.size, one.mtime_ns, one.content_hash, one.codes) for one in back] == [
        (one.size, one.mtime_ns, one.content_hash, one.codes) for one in ANSWERS
    ]
    assert [*rows.readable(table)] == [
        (b"a/caf\xe9.jpg", 30, 20, "odd"), (b"c.jpg", 3, 2, ""),
    ]  # fmt: skip
    assert rows.skipped(table) == [
        Skipped("a/lost.jpg", "cannot be read: \\udcff"), Skipped("b.jpg", "no picture"),
    ]  # fmt: skip
    for fingerprint, dim in DIMS.items():
        expected = np.frombuffer(
            b"".join(one.codes[fingerprint] for one in ANSWERS if one.codes), np.uint8
        )
        assert np.array_equal(rows.codes_in(table, fingerprint, dim), expected.reshape(-1, dim))


def test_the_same_rows_give_the_same_bytes():
    assert rows.pack(ANSWERS, DIMS) == rows.pack(ANSWERS, DIMS)


def test_a_shard_of_unreadable_files_alone_has_no_codes():
    table = rows.open_table(rows.pack(ANSWERS[1:3], DIMS))
    assert [*rows.readable(table)] == []
    assert rows.codes_in(table, "f1", 2).shape == (0, 2)


def test_a_finished_shard_is_found_and_read(store):
    shard = written(store)
    assert store.finished(["s", "other"]) == {"s": shard}
    assert store.sizes() == {"s": shard.size}
    assert [one.path for one in rows.unpack(store.table(shard))] == [one.path for one in ANSWERS]


def test_a_missing_a_cut_and_an_altered_shard_are_damaged(store):
    shard = written(store)
    data = rows.pack(ANSWERS, DIMS)
    for bad in (data[:-1], b"\0" + data[1:], b""):
        store.write("s", bad)
        with pytest.raises(DamagedShardError):
            store.table(shard)
    store.remove("s")
    with pytest.raises(DamagedShardError):
        store.table(shard)


def test_an_empty_store_has_nothing(store):
    assert store.sizes() == {}
    assert store.listing("settings") == []
    assert store.finished(["s"]) == {}


def test_publishing_removes_what_only_the_former_listing_holds(store):
    shards = {name: written(store, name) for name in ("a", "b", "c", "stray")}
    store.publish("one", [shards["a"], shards["b"]])
    store.publish("two", [shards["c"]])
    store.publish("one", [shards["a"]])
    assert set(store.sizes()) == {"a", "c", "stray"}
    store.publish("two", [])
    assert set(store.sizes()) == {"a", "stray"}
    assert store.listing("one") == [shards["a"]]
    assert store.finished(["a", "b"]) == {"a": shards["a"]}


def test_what_another_run_is_making_stays_until_it_ends(store):
    first, second = store.plan("one", ["a", "b"]), store.plan("one", ["b", "c"])
    shards = {name: written(store, name) for name in ("a", "b", "c")}
    store.publish("one", [shards["a"], shards["b"]], first)
    assert set(store.sizes()) == {"a", "b", "c"}
    store.publish("one", [shards["b"], shards["c"]], second)
    assert set(store.sizes()) == {"b", "c"}
    assert [*store._names("listings")] == ["one.jsonl"]


def test_what_another_run_plans_stays_however_often_the_listing_changes(store):
    """A run under way relies on shards that other runs drop from the listing."""
    shards = {name: written(store, name) for name in ("a", "b", "c")}
    store.publish("one", [shards["a"], shards["b"]])
    plan = store.plan("one", ["b"])
    store.publish("one", [shards["a"], shards["b"], shards["c"]], store.plan("one", ["c"]))
    assert plan in store._names("listings")
    store.publish("one", [shards["a"]], store.plan("one", []))
    assert set(store.sizes()) == {"a", "b"}
    store.publish("one", [shards["a"], shards["b"]], plan)
    assert store.finished(["b"]) == {"b": shards["b"]}
    assert [*store._names("listings")] == ["one.jsonl"]


def test_a_shard_that_another_run_published_meanwhile_stays(tmp_path, monkeypatch):
    store = Store(str(tmp_path))
    shards = {name: written(store, name) for name in ("a", "b")}
    store.publish("one", [shards["a"], shards["b"]])
    write = Store._write

    def write_and_be_overtaken(self, name, data):
        write(self, name, data)
        if name == "listings/one.jsonl":
            monkeypatch.undo()
            self.publish("one", [shards["b"]])

    monkeypatch.setattr(Store, "_write", write_and_be_overtaken)
    store.publish("one", [shards["a"]])
    assert store.listing("one") == [shards["b"]]
    assert "b" in store.sizes()


def test_a_writer_that_fails_leaves_the_former_file_and_no_other(tmp_path, monkeypatch):
    store = Store(str(tmp_path))
    written(store)

    def full(self, data):
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(CatalogueError, match="No space left"):
        store.write("s", b"new")
    assert os.listdir(tmp_path / "shards") == ["s.parquet"]
    assert store.sizes()["s"] > 3


def test_what_stopped_runs_planned_is_removed_after_a_day(store):
    left = written(store, "a")
    for name, age in (("one", 90_000), ("one", 80_000), ("two", 90_000)):
        ids = ["a", "b"] if age > 86_400 else ["b"]
        plan = f"{name}.{int(time.time()) - age}.0.planned"
        store._write(f"listings/{plan}", json.dumps(ids).encode())
    written(store, "b")
    store.publish("one", [kept := written(store, "c")])
    assert set(store.sizes()) == {"b", "c"}
    assert left.id not in store.finished(["a"])
    assert len(store._names("listings")) == 3
    assert store.listing("one") == [kept]


@pytest.fixture
def failing(monkeypatch):
    """Let the disk fail for files whose names end so."""

    def fail(end):
        read = paths.read

        def refuse(file):
            if file.endswith(end):
                raise OSError(errno.EIO, "Input/output error")
            return read(file)

        monkeypatch.setattr(paths, "read", refuse)

    return fail


def test_who_cannot_see_what_is_planned_removes_nothing(tmp_path, failing):
    store = Store(str(tmp_path))
    shards = [written(store, name) for name in ("a", "b")]
    store.publish("one", shards)
    (tmp_path / "listings" / f"one.{int(time.time())}.0.planned").write_bytes(b"[]")
    failing(".planned")
    store.publish("one", shards[:1])
    assert set(store.sizes()) == {"a", "b"}
    assert store.listing("one") == shards[:1]


def test_a_listing_that_cannot_be_read_is_not_an_empty_one(tmp_path, failing):
    failing("one.jsonl")
    with pytest.raises(CatalogueError, match="cannot be used"):
        Store(str(tmp_path)).listing("one")


def test_old_temporaries_of_killed_writers_are_removed_young_ones_kept(tmp_path):
    store = Store(str(tmp_path))
    shard = written(store)
    for name, age in (("old", 200_000), ("young", 10)):
        file = tmp_path / "shards" / f"s.parquet.{name}.tmp"
        file.write_bytes(b"half")
        os.utime(file, (file.stat().st_mtime - age,) * 2)
    store.publish("one", [shard])
    assert sorted(os.listdir(tmp_path / "shards")) == ["s.parquet", "s.parquet.young.tmp"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"id": 1}', b"\xff", b"null\n"])
def test_a_damaged_note_or_listing_counts_as_none(tmp_path, content):
    store = Store(str(tmp_path))
    store.publish("one", [written(store)])
    (tmp_path / "marks" / "s.json").write_bytes(content)
    assert store.finished(["s"]) == {}
    (tmp_path / "listings" / "one.jsonl").write_bytes(content)
    assert store.listing("one") == []


def test_a_folder_in_the_place_of_a_file_counts_as_none_and_makes_room(tmp_path):
    store = Store(str(tmp_path))
    shard = written(store)
    store.publish("one", [shard])
    for file in ("shards/s.parquet", "marks/s.json", "listings/one.jsonl"):
        (tmp_path / file).unlink()
        (tmp_path / file / "inside").mkdir(parents=True)
    assert store.listing("one") == []
    assert store.finished(["s"]) == {}
    with pytest.raises(DamagedShardError):
        store.table(shard)
    store.discard(shard)
    store.publish("one", [written(store)])
    assert store.listing("one") == [shard]
    assert len(store.table(shard)) == len(ANSWERS)


def test_a_store_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CatalogueError, match="cannot be used"):
        Store(str(tmp_path / "file")).write("s", b"data")


def test_a_shard_that_cannot_be_read_now_is_no_damaged_one(tmp_path, failing):
    store = Store(str(tmp_path))
    shard = written(store)
    failing("s.parquet")
    with pytest.raises(CatalogueError, match="cannot be used"):
        store.table(shard)


def test_a_reader_discards_only_the_shard_it_knows(store):
    old = written(store)
    new = written(store, data=rows.pack(ANSWERS[:2], DIMS))
    with pytest.raises(DamagedShardError):
        store.table(old)
    store.discard(old)
    assert store.finished(["s"]) == {"s": new}
    assert store.sizes() == {"s": new.size}
    store.discard(new)
    assert store.finished(["s"]) == store.sizes() == {}


def test_a_shard_whose_note_is_lost_is_discarded(store):
    shard = written(store)
    store._remove_file("marks/s.json")
    store.discard(shard)
    assert store.sizes() == {}
