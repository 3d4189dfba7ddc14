"""The shards of a folder as one index: what `SqliteIndex` is for SQLite."""

import contextlib
import hashlib
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from imgbatch.descriptors import Codes
from imgbatch.embedding.projection import Projection
from imgbatch.errors import CatalogueError, ClusterError, FolderError, ImgbatchError
from imgbatch.files import cache
from imgbatch.index.opened import (
    REFRESH_HINT,
    RefreshReport,
    cached_listing,
    changed_meanwhile,
    no_images,
    write_skipped,
)
from imgbatch.index.records import Records, Row
from imgbatch.index.shards import rows
from imgbatch.index.shards.points import features_in_shards, project_in_shards
from imgbatch.index.shards.refresh import SHARE, ShardedFolder, refresh_shards
from imgbatch.index.shards.store import DamagedShardError, FinishedShard, Store
from imgbatch.runners import build_runner, usable_cores
from imgbatch.runners.dask import LOCAL, DaskRunner
from imgbatch.runners.maps import RunnerMap, TaskMap, ThreadMap
from imgbatch.types import Floats, Progress, Rows, Skipped, View

Asked = TypeVar("Asked")


def open_shards(
    sharded: ShardedFolder, progress: Progress | None = None, *, refresh: bool = True
) -> "ShardedIndex":
    """Bring the shards of a folder up to date and open them; damaged ones are made anew.

    Without `refresh` they are trusted: no cluster is needed, and the folder need not be there.

    Raises
    ------
    FolderError
        The folder is missing or unreadable, or holds no readable image; or, without `refresh`,
        it was never indexed under these settings.
    CatalogueError
        The store cannot be read or written.
    ClusterError
        The cluster cannot be reached, or went away.
    """
    damage = ""
    for _ in range(2):
        try:
            return _open(sharded, progress, refresh=refresh)
        except DamagedShardError as error:  # shows when they are read; their marks are gone by now
            damage = str(error)
    raise CatalogueError(f"the shards of {sharded.folder} are damaged: {damage}", REFRESH_HINT)


def _open(sharded: ShardedFolder, progress: Progress | None, *, refresh: bool) -> "ShardedIndex":
    if refresh:
        workers = sharded.config.index.workers or usable_cores()
        with DaskRunner(sharded.cluster, workers) as runner:
            marks, report = refresh_shards(sharded, runner, progress)
    else:
        marks, report = _trusted(sharded), RefreshReport(0, 0, 0, ())
    opened = ShardedIndex(sharded, marks, report, refresh)
    if not opened.records:
        raise no_images(sharded.folder, opened.skipped)
    return opened


def _trusted(sharded: ShardedFolder) -> list[FinishedShard]:
    marks = sharded.store.listing(sharded.listing)
    if not marks:
        raise FolderError(
            f"there are no shards of {sharded.folder} for these settings yet", REFRESH_HINT
        )
    with contextlib.suppress(CatalogueError):  # keeping what is read costs time, never the answer
        cache.make_index_directory(sharded.directory, sharded.folder)
    return marks


@dataclass(slots=True, weakref_slot=True)
class ShardedIndex:
    """An `OpenedIndex` in shards; also the `InShards` that its points are computed from."""

    sharded: ShardedFolder
    marks: list[FinishedShard]
    report: RefreshReport
    refresh: bool
    records: Records = field(init=False)
    skipped: list[Skipped] = field(init=False)
    skipped_list: Path | None = field(init=False)
    notes: tuple[str, ...] = ()
    _cluster: TaskMap | None = None

    def __post_init__(self) -> None:
        place = self.directory / "listings" / self.generation()
        self.records, unusable = cached_listing(place, "", self._read)
        both = (*unusable, *self.report.unlisted)
        self.skipped = sorted(both, key=lambda one: one.path)
        self.skipped_list = write_skipped(self.directory, self.skipped)

    @property
    def folder(self) -> str:
        """See `OpenedIndex`."""
        return self.sharded.folder

    @property
    def directory(self) -> Path:
        """See `OpenedIndex`."""
        return self.sharded.directory

    def projection(self) -> Projection:
        """See `OpenedIndex.projection`."""
        sharded = self.sharded
        return self._mending(lambda: project_in_shards(self, sharded.descriptors, sharded.config))

    def contents(self) -> tuple[Rows, View]:
        """See `OpenedIndex.contents`."""
        return self._mending(self._contents)

    def _contents(self) -> tuple[Rows, View]:
        found = [rows.contents(shard.table()) for shard in self.shards]
        sizes, hashes = (np.concatenate(one) for one in zip(*found, strict=True))
        return sizes, hashes

    def features(self, rows: Rows) -> dict[str, Floats]:
        """See `OpenedIndex.features`."""
        return self._mending(lambda: features_in_shards(self, self.sharded.descriptors, rows))

    def _mending(self, ask: Callable[[], Asked]) -> Asked:
        """Ask shards, and once more where one proves damaged and was made anew."""
        try:
            return ask()
        except DamagedShardError as error:
            again = open_shards(self.sharded, refresh=self.refresh)
            if again.records != self.records:
                raise changed_meanwhile(self.folder) from None
            self.marks = again.marks
            self.notes += (f"{error}; it was made anew",)
            try:
                return ask()
            except DamagedShardError as error:
                raise self._beyond_mending(error) from None

    def _beyond_mending(self, error: DamagedShardError) -> ImgbatchError:
        root, cluster = self.sharded.store.root, self.sharded.cluster
        if cluster == LOCAL:
            return CatalogueError(f"the shards of {self.folder} are damaged: {error}", REFRESH_HINT)
        return ClusterError(
            f"workers at {cluster} cannot read the shards in {root}: {error}", SHARE
        )

    # ----- what projections ask for ---------------------------------------------------------------

    def generation(self) -> str:
        """Text that changes whenever a shard does."""
        digests = " ".join(mark.digest for mark in self.marks)
        return f"shards-{hashlib.blake2b(digests.encode(), digest_size=16).hexdigest()}"

    @property
    def shards(self) -> list["StoredShard"]:
        """See `InShards`: those that hold an image."""
        store = self.sharded.store
        return [StoredShard(store, mark) for mark in self.marks if mark.images]

    @property
    def points_place(self) -> str:
        """See `InShards`: beside the shards."""
        return f"{self.sharded.store.root}/points"

    @property
    def run_tasks(self) -> TaskMap:
        """See `InShards`: the cluster; on this machine alone, threads."""
        if self.sharded.cluster == LOCAL:
            return ThreadMap(self._workers)
        return self._on_cluster()

    @property
    def run_long_tasks(self) -> TaskMap:
        """See `InShards`: the cluster; on this machine alone, processes if they pay."""
        if self.sharded.cluster == LOCAL:
            size = sum(mark.size for mark in self.marks)
            return RunnerMap(build_runner(self._workers, size))
        return self._on_cluster()

    @property
    def _workers(self) -> int:
        return self.sharded.config.index.workers or usable_cores()

    def _on_cluster(self) -> TaskMap:
        """The cluster, connected when first used and for as long as this index is in use."""
        if self._cluster is None:
            runner = DaskRunner(self.sharded.cluster, self._workers)
            weakref.finalize(self, runner.__exit__, None, None, None)
            self._cluster = RunnerMap(runner)
        return self._cluster

    def _read(self) -> tuple[Records, list[Skipped]]:
        skipped: list[Skipped] = []

        def readable() -> Iterator[Row]:
            for mark in self.marks:
                table = StoredShard(self.sharded.store, mark).table()
                skipped.extend(rows.skipped(table))
                yield from rows.readable(table)

        return Records.pack(readable()), skipped


@dataclass(frozen=True, slots=True)
class StoredShard:
    """A shard of a store, for a task to take along; the last few read are kept in each process."""

    store: Store
    mark: FinishedShard

    def __len__(self) -> int:
        return self.mark.images

    def codes(self, fingerprint: str, dim: int) -> Codes:
        """See `partition.Shard`; one that proves damaged is removed, to be made anew."""
        return rows.codes_in(self.table(), fingerprint, dim)

    def table(self) -> Any:
        """All that the shard holds, as a pyarrow table."""
        try:
            return _table_of(self)
        except DamagedShardError:
            self.store.discard(self.mark)
            raise


@lru_cache(maxsize=8)
def _table_of(shard: StoredShard) -> Any:
    """Kept, since descriptors are asked for in turn, each for a batch that spans some shards."""
    return shard.store.table(shard.mark)
