"""Bring the shards of a folder up to date on a cluster: list, compare, describe what is missing."""

import os
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import islice

from imgbatch.errors import ClusterError
from imgbatch.files import cache
from imgbatch.images.listing import Listed
from imgbatch.images.scan import scan
from imgbatch.index.extract import Chunk
from imgbatch.index.opened import RefreshReport
from imgbatch.index.shards.cut import Shard, cut
from imgbatch.index.shards.folder import ShardedFolder
from imgbatch.index.shards.store import FinishedShard, Store
from imgbatch.index.shards.work import (
    ShardAnswer,
    ShardTask,
    crashed_probe,
    crashed_shard,
    describe_shard,
    list_task,
    probe,
)
from imgbatch.runners import Runner, SerialRunner
from imgbatch.types import Progress

SHARE = "name a place that all workers and this machine share with `index`, a path or a URL"
"""The hint where one machine does not see what another wrote."""
_FOLDERS_A_TASK = 64
"""Folders that a worker lists at once."""
_ROUNDS = 3
"""How many times a shard is tried; each time without the files that crashed their reader before."""


def refresh_shards(
    sharded: ShardedFolder, runner: Runner, progress: Progress | None = None
) -> tuple[list[FinishedShard], RefreshReport]:
    """Make the store's shards match the folder and the config; only what is missing is done.

    A stopped run goes on where it was, since every finished shard is noted in the store. The result
    does not depend on the workers.

    Returns
    -------
    shards, report
        The finished shards in the order of paths, and what was done.
    """
    cache.make_index_directory(sharded.directory, sharded.folder)
    # On one machine this process lists: no worker has to start if nothing has changed.
    lister = SerialRunner() if sharded.is_local else runner
    files, unlisted, ignored = scan(sharded.folder, partial(_list_on, lister))
    shards = [*cut(files, sharded.config.cluster.shard_images, sharded.settings)]
    former = _Listing(sharded.store.listing(sharded.listing))
    finished = _finished(sharded.store, shards, former.shards)
    tasks = [_task(sharded, shard, former) for shard in shards if shard.id not in finished]
    read, decoded, plan = 0, 0, None
    if tasks:
        plan = sharded.store.plan(sharded.listing, [task.shard.id for task in tasks])
        for answer in _describe_all(runner, tasks, progress):
            if answer.finished is not None:
                finished[answer.finished.id] = answer.finished
            read, decoded = read + answer.read, decoded + answer.decoded
        _check_stored(sharded.store, finished.values())
    listed = [finished[shard.id] for shard in shards]
    if tasks or [shard.id for shard in former.shards] != [shard.id for shard in listed]:
        sharded.store.publish(sharded.listing, listed, plan)
    removed = _removed(former.shards, listed)
    return listed, RefreshReport(read, decoded, removed, tuple(unlisted), ignored)


def _task(sharded: ShardedFolder, shard: Shard, former: "_Listing") -> ShardTask:
    return ShardTask(
        store=sharded.store,
        folder=sharded.folder,
        shard=shard,
        descriptors=sharded.stored,
        options=sharded.config.images.as_options(),
        former=former.around(shard),
    )


def _removed(former: Sequence[FinishedShard], listed: Sequence[FinishedShard]) -> int:
    """How many files of the former listing are gone."""
    former_ids = {shard.id for shard in former}
    kept = sum(shard.files if shard.id in former_ids else shard.kept for shard in listed)
    return max(sum(shard.files for shard in former) - kept, 0)


def _list_on(runner: Runner, root: str, folders: Sequence[str]) -> Iterator[Listed]:
    """List folders on a runner's workers; see `images.scan`."""
    waiting = iter(folders)
    batches = iter(lambda: [*islice(waiting, _FOLDERS_A_TASK)], [])
    tasks = ((root, batch) for batch in batches)
    for listed in runner.run(list_task, tasks, split=lambda task: [task], crashed=_not_listed):
        yield from listed


def _not_listed(task: tuple[str, Sequence[str]]) -> list[Listed]:
    raise ClusterError(
        f"the workers die when they list {task[0]}", "see their logs; they may lack memory"
    )


def _finished(
    store: Store, shards: Sequence[Shard], former: Sequence[FinishedShard]
) -> dict[str, FinishedShard]:
    """The shards that need nothing, by id: finished, settled, and of the size that was noted."""
    known = {shard.id: shard for shard in former}
    known |= store.finished(shard.id for shard in shards if shard.id not in known)
    sizes = store.sizes()
    return {
        shard.id: shard
        for shard in (known[shard.id] for shard in shards if shard.id in known)
        if shard.settled and sizes.get(shard.id) == shard.size
    }


@dataclass(frozen=True)
class _Listing:
    """The shards of the last listing, to find those whose range of paths overlaps a new shard's."""

    shards: Sequence[FinishedShard]

    @cached_property
    def _firsts(self) -> list[bytes]:
        return [os.fsencode(shard.first) for shard in self.shards]

    @cached_property
    def _lasts(self) -> list[bytes]:
        return [os.fsencode(shard.last) for shard in self.shards]

    def around(self, shard: Shard) -> tuple[FinishedShard, ...]:
        first, last = (os.fsencode(shard.files[end].path) for end in (0, -1))
        start, stop = bisect_left(self._lasts, first), bisect_right(self._firsts, last)
        return tuple(self.shards[start:stop])


def _describe_all(
    runner: Runner, tasks: Sequence[ShardTask], progress: Progress | None
) -> Iterator[ShardAnswer]:
    """Describe shards. A file that kills every worker becomes a row with that reason."""
    done, total = 0, sum(len(task.shard.files) for task in tasks)
    if progress:
        progress(0, total)
    for _ in range(_ROUNDS):
        deadly: list[ShardTask] = []
        for answer in _run(runner, tasks):
            if answer.finished is None:
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


def _run(runner: Runner, tasks: Iterable[ShardTask]) -> Iterator[ShardAnswer]:
    return runner.run(describe_shard, tasks, split=lambda task: [task], crashed=crashed_shard)


def _without_culprits(runner: Runner, task: ShardTask) -> ShardTask:
    """The same task with the files that crash their reader named."""
    answers = runner.run(probe, task.probes(), split=Chunk.split, crashed=crashed_probe)
    culprits = [path for paths in answers for path in paths]
    return replace(task, crashing=task.crashing.union(culprits))


def _check_stored(store: Store, shards: Collection[FinishedShard]) -> None:
    """Raise `ClusterError` if this machine does not see what the workers wrote."""
    sizes = store.sizes()
    if missing := [shard.id for shard in shards if sizes.get(shard.id) != shard.size]:
        raise ClusterError(
            f"{len(missing):,} of {len(shards):,} shards are not in {store.root}, "
            "though workers wrote them",
            SHARE,
        )
