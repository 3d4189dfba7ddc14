"""Bring the shards of a folder up to date on a cluster: list, compare, describe what is missing."""

import hashlib
import os
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import islice
from pathlib import Path

from imgbatch.config.schema import Config
from imgbatch.descriptors import build_descriptors
from imgbatch.embedding.projection import Descriptors
from imgbatch.errors import ClusterError, UsageError
from imgbatch.files import cache, paths
from imgbatch.images.listing import Listed
from imgbatch.images.scan import scan
from imgbatch.index.extract import Chunk, limits_of, with_fingerprints
from imgbatch.index.opened import RefreshReport
from imgbatch.index.shards.cut import Shard, cut
from imgbatch.index.shards.store import FinishedShard, Store
from imgbatch.index.shards.work import (
    Described,
    ShardTask,
    crashed_probe,
    crashed_shard,
    describe_shard,
    list_some,
    probe,
)
from imgbatch.runners import Runner, SerialRunner
from imgbatch.runners.dask import LOCAL
from imgbatch.types import Progress

SHARE = "name a place that all workers and this machine share with --index, a path or a URL"
"""What to do where one machine does not see what another wrote."""
_LISTED_AT_ONCE = 64
"""Folders that a worker lists in one go."""
_ROUNDS = 3
"""So often a shard is tried again without the files that were found to crash their reader."""


@dataclass(frozen=True)
class ShardedFolder:
    """A folder whose index lies in shards: what it takes to find, make and read them.

    Attributes
    ----------
    folder
        Absolute path or URL.
    store
        Where the shards are.
    directory
        The local folder for what is derived from them.
    cluster
        Where work is done: a scheduler's address, or "local".
    """

    folder: str
    store: Store
    directory: Path
    config: Config
    cluster: str

    @classmethod
    def at(
        cls, folder: str, index: str | os.PathLike[str] | None, config: Config, cluster: str
    ) -> "ShardedFolder":
        """The shards of a folder, in their usual place or where `index` says.

        Raises
        ------
        UsageError
            The cluster is none; or the shards would lie inside the image folder.
        """
        if cluster != LOCAL and not paths.is_url(cluster):
            raise UsageError(
                f"the cluster is {cluster!r}",
                f"give {LOCAL!r}, or the address its scheduler prints, such as tcp://host:8786",
            )
        store = Store(cache.store_root(folder, index))
        return cls(folder, store, cache.index_directory(folder, index), config, cluster)

    @property
    def descriptors(self) -> Descriptors:
        """The descriptors with their fingerprints."""
        return with_fingerprints(build_descriptors(self.config), self.config.images.as_options())

    @property
    def settings(self) -> str:
        """Text that changes whenever the same file would give another row."""
        marks = " ".join(mark for mark, _ in self.descriptors)
        return f"{marks} {limits_of(self.config.images.as_options())}"

    @property
    def listing(self) -> str:
        """The name of the listing of these settings."""
        return hashlib.blake2b(self.settings.encode(), digest_size=8).hexdigest()

    def task(self, shard: Shard, former: tuple[FinishedShard, ...]) -> ShardTask:
        """The work of describing a shard."""
        options = self.config.images.as_options()
        return ShardTask(self.store, self.folder, shard, self.descriptors, options, former)


def refresh_shards(
    sharded: ShardedFolder, runner: Runner, progress: Progress | None = None
) -> tuple[list[FinishedShard], RefreshReport]:
    """Make the store's shards match the folder and the config; only what is missing is done.

    A stopped run goes on where it was, since each finished shard is marked. What is found does
    not depend on the workers.
    """
    cache.make_index_directory(sharded.directory, sharded.folder)
    # One machine lists its own folder: no worker has to be started where nothing has changed.
    lister = SerialRunner() if sharded.cluster == LOCAL else runner
    found, unlisted = scan(sharded.folder, partial(_list_on, lister))
    shards = [*cut(found, sharded.config.cluster.shard_images, sharded.settings)]
    former = sharded.store.listing(sharded.listing)
    done = _finished(sharded.store, shards, former)
    before = _Former(former)
    todo = [sharded.task(one, before.around(one)) for one in shards if one.id not in done]
    read, decoded, plan = 0, 0, None
    if todo:
        plan = sharded.store.plan(sharded.listing, [task.shard.id for task in todo])
        for answer in _describe_all(runner, todo, progress):
            if answer.mark is not None:
                done[answer.mark.id] = answer.mark
            read, decoded = read + answer.read, decoded + answer.decoded
        _check_stored(sharded.store, done.values())
    marks = [done[shard.id] for shard in shards]
    if [mark.id for mark in former] != [mark.id for mark in marks] or todo:
        sharded.store.publish(sharded.listing, marks, plan)
    known = {mark.id for mark in former}
    kept = sum(mark.files if mark.id in known else mark.kept for mark in marks)
    gone = max(sum(mark.files for mark in former) - kept, 0)
    return marks, RefreshReport(read, decoded, gone, tuple(unlisted))


def _list_on(runner: Runner, root: str, folders: Sequence[str]) -> Iterator[Listed]:
    """List folders on the workers, some at a time; see `images.scan`."""
    waiting = iter(folders)
    parts = iter(lambda: [*islice(waiting, _LISTED_AT_ONCE)], [])
    tasks = ((root, part) for part in parts)
    for listed in runner.run(list_some, tasks, split=lambda task: [task], crashed=_not_listed):
        yield from listed


def _not_listed(task: tuple[str, Sequence[str]]) -> list[Listed]:
    raise ClusterError(
        f"the workers die when they list {task[0]}", "see their logs; they may lack memory"
    )


def _finished(
    store: Store, shards: Sequence[Shard], former: Sequence[FinishedShard]
) -> dict[str, FinishedShard]:
    """The marks of shards that need nothing: finished, settled, and whole as far as sizes tell."""
    marks = {mark.id: mark for mark in former}
    marks |= store.finished(shard.id for shard in shards if shard.id not in marks)
    sizes = store.sizes()
    return {
        shard.id: mark
        for shard in shards
        if (mark := marks.get(shard.id)) and mark.settled and sizes.get(mark.id) == mark.size
    }


@dataclass(frozen=True)
class _Former:
    """The listing before, to find the shards in whose range of paths given files may lie."""

    marks: Sequence[FinishedShard]

    @cached_property
    def _firsts(self) -> list[bytes]:
        return [os.fsencode(mark.first) for mark in self.marks]

    @cached_property
    def _lasts(self) -> list[bytes]:
        return [os.fsencode(mark.last) for mark in self.marks]

    def around(self, shard: Shard) -> tuple[FinishedShard, ...]:
        first, last = (os.fsencode(shard.files[at].path) for at in (0, -1))
        return tuple(self.marks[bisect_left(self._lasts, first) : bisect_right(self._firsts, last)])


def _describe_all(
    runner: Runner, tasks: Sequence[ShardTask], progress: Progress | None
) -> Iterator[Described]:
    """Describe shards; files that kill every reader become rows that say so."""
    done, total = 0, sum(len(task.shard.files) for task in tasks)
    if progress:
        progress(0, total)
    for _ in range(_ROUNDS):
        deadly: list[ShardTask] = []
        for answer in _run(runner, tasks):
            if answer.mark is None:
                deadly.append(answer.task)
                continue
            done += len(answer.task.shard.files)
            if progress:
                progress(done, total)
            yield answer
        if not deadly:
            return
        tasks = [_without_culprits(runner, task) for task in deadly]
    raise ClusterError(
        f"shard {tasks[0].shard.id} kills its workers, though each of its files alone does not",
        "give the workers more memory, or lower cluster.shard_images",
    )


def _run(runner: Runner, tasks: Iterable[ShardTask]) -> Iterator[Described]:
    return runner.run(describe_shard, tasks, split=lambda task: [task], crashed=crashed_shard)


def _without_culprits(runner: Runner, task: ShardTask) -> ShardTask:
    """The same task, told which of its files crash their reader."""
    answers = runner.run(probe, task.probes(), split=Chunk.split, crashed=crashed_probe)
    culprits = [path for paths in answers for path in paths]
    return replace(task, crashing=task.crashing.union(culprits))


def _check_stored(store: Store, marks: Collection[FinishedShard]) -> None:
    """Make sure that what the workers wrote can be read here."""
    sizes = store.sizes()
    if missing := [mark.id for mark in marks if sizes.get(mark.id) != mark.size]:
        raise ClusterError(
            f"{len(missing)} of {len(marks)} shards are not in {store.root}, "
            "though workers wrote them",
            SHARE,
        )
