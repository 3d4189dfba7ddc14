"""The shards of a folder as one index: what `SqliteIndex` is for SQLite."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from imgbatch.embedding.projection import Projection, fitted_descriptors
from imgbatch.embedding.whitening import Augmented
from imgbatch.index.ignored import ignored_notes, split_ignored
from imgbatch.index.opened import RefreshReport, changed_meanwhile, no_images, write_skipped
from imgbatch.index.records import Records
from imgbatch.index.shards import rows
from imgbatch.index.shards.codes import ShardedCodes, features_in_shards
from imgbatch.index.shards.current import CurrentShards
from imgbatch.index.shards.folder import ShardedFolder
from imgbatch.index.shards.points import project_in_shards
from imgbatch.runners.dask import DaskRunner
from imgbatch.runners.maps import ProcessMap, RunnerMap, TaskMap, ThreadMap
from imgbatch.types import Floats, Progress, Rows, Skipped, View

Answer = TypeVar("Answer")


def open_shards(
    sharded: ShardedFolder, progress: Progress | None = None, *, refresh: bool = True
) -> "ShardedIndex":
    """Bring the shards of a folder up to date and open them; damaged ones are made anew.

    Parameters
    ----------
    refresh
        False trusts the shards as they are: no cluster is needed, and the folder need not exist.

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
    runner = DaskRunner(sharded.cluster, sharded.workers)
    current = CurrentShards(sharded, runner, refresh)
    try:
        current.bring_up_to_date(progress)
        records, unusable = current.read(current.images)
        if refresh and records:
            current.read(current.complete_views, on_workers=True)
        report = current.report
        skipped, ignored = split_ignored((*unusable, *report.unlisted), report.ignored)
        skipped_list = write_skipped(sharded.directory, skipped)
        if not records:
            raise no_images(sharded.folder, skipped, ignored)
    except BaseException:
        runner.close()
        raise
    found = records, current.generation, skipped, skipped_list, ignored, current.report
    return ShardedIndex(current, *found)


@dataclass(slots=True)
class ShardedIndex:
    """An `OpenedIndex` in shards; ``records`` are the images of ``generation``."""

    current: CurrentShards
    records: Records
    generation: str
    skipped: list[Skipped]
    skipped_list: Path | None
    ignored: dict[str, int]
    report: RefreshReport
    repairs: list[str] = field(default_factory=list)

    @property
    def folder(self) -> str:
        """See `OpenedIndex`."""
        return self.current.sharded.folder

    @property
    def directory(self) -> Path:
        """See `OpenedIndex`."""
        return self.current.sharded.directory

    @property
    def notes(self) -> tuple[str, ...]:
        """What was damaged and made anew, and what was ignored."""
        return (*self.current.notes, *self.repairs, *ignored_notes(self.ignored))

    def projection(self) -> Projection:
        """See `OpenedIndex.projection`."""
        sharded = self.current.sharded
        return self._unchanged(
            lambda: project_in_shards(self._codes(), sharded.stored, sharded.config),
            on_workers=True,
        )

    def contents(self) -> tuple[Rows, View]:
        """See `OpenedIndex.contents`."""
        return self._unchanged(self._contents)

    def features(self, rows: Rows) -> dict[str, Floats]:
        """See `OpenedIndex.features`."""
        descriptors = self.current.sharded.descriptors
        return self._unchanged(
            lambda: features_in_shards(self._codes(), descriptors, rows), on_workers=True
        )

    def augmented(self) -> Augmented | None:
        """See `OpenedIndex.augmented`."""
        sharded = self.current.sharded
        views = self._unchanged(self.current.views)
        return (
            None
            if views is None
            else views.load(fitted_descriptors(sharded.descriptors, sharded.config), sharded.config)
        )

    def _unchanged(self, ask: Callable[[], Answer], *, on_workers: bool = False) -> Answer:
        """The answer of `ask`, which reads shards of the very images in `records`."""

        def ask_of_same_images() -> Answer:
            if self.current.generation != self.generation:  # shards were made anew
                records, _ = self.current.images()
                if records != self.records:
                    raise changed_meanwhile(self.folder)
            return ask()

        return self.current.read(ask_of_same_images, on_workers=on_workers)

    def _contents(self) -> tuple[Rows, View]:
        of_shards = [rows.contents(shard.table()) for shard in self.current.stored if len(shard)]
        sizes, hashes = zip(*of_shards, strict=True)
        return np.concatenate(sizes), np.concatenate(hashes)

    def _codes(self) -> ShardedCodes:
        """The codes in the shards, with the task maps that work on them.

        A cluster's workers do all tasks. On this machine threads do short tasks, and processes do
        long ones, which hold the interpreter lock.
        """
        sharded = self.current.sharded
        run_tasks: TaskMap
        run_long_tasks: TaskMap
        if sharded.is_local:
            total_bytes = sum(shard.size for shard in self.current.finished)
            run_tasks = ThreadMap(sharded.workers)
            run_long_tasks = ProcessMap(sharded.workers, total_bytes)
        else:
            run_tasks = run_long_tasks = RunnerMap(self.current.runner)
        return ShardedCodes(
            shards=tuple(shard for shard in self.current.stored if len(shard)),
            generation=self.current.generation,
            directory=sharded.directory,
            points_root=f"{sharded.store.root}/points",
            run_tasks=run_tasks,
            run_long_tasks=run_long_tasks,
            notes=self.repairs,
            views=self.current.views(),
        )
