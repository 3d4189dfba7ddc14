"""The finished shards of a folder, brought up to date and read; damaged shards are made anew."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from imgbatch.embedding.projection import fitted_descriptors, wants_views
from imgbatch.errors import CatalogueError, ClusterError, FolderError, ImgbatchError
from imgbatch.files import cache
from imgbatch.files.paths import join
from imgbatch.files.seals import read_checked, write_checked
from imgbatch.index.augmented import (
    AUGMENTED,
    AugmentedViews,
    Sample,
    too_few,
)
from imgbatch.index.opened import REFRESH_HINT, Listing, RefreshReport, cached_listing
from imgbatch.index.records import Records, Row
from imgbatch.index.shards import rows
from imgbatch.index.shards.folder import ShardedFolder
from imgbatch.index.shards.refresh import SHARE, refresh_shards
from imgbatch.index.shards.store import DamagedShardError, FinishedShard, StoredShard
from imgbatch.index.views import ImageCodes, ViewsTask, describe_views
from imgbatch.runners.dask import DaskRunner
from imgbatch.types import Progress, Skipped

Answer = TypeVar("Answer")
_MENDED_AT_MOST = 2
"""How many times damaged shards are made anew for one reading, before the damage is an error."""


@dataclass
class CurrentShards:
    """The finished shards of a folder, brought up to date and read.

    Parameters
    ----------
    runner
        Describes shards. Its connection stays open for other work; processes of this machine end
        after each use.
    refresh
        False trusts the shards as they are: no cluster is needed, and the folder need not exist.

    Attributes
    ----------
    finished
        In the order of paths.
    report
        What bringing them up to date did.
    notes
        One for each shard that proved damaged.
    """

    sharded: ShardedFolder
    runner: DaskRunner
    refresh: bool
    finished: list[FinishedShard] = field(default_factory=list)
    report: RefreshReport = field(default_factory=lambda: RefreshReport(0, 0, 0, ()))
    notes: tuple[str, ...] = ()

    def bring_up_to_date(self, progress: Progress | None = None) -> None:
        """Make what is missing; without `refresh`, take the shards of the last listing.

        Raises
        ------
        FolderError
            The folder is missing or unreadable; or, without `refresh`, it was never indexed under
            these settings.
        CatalogueError
            The store cannot be read or written.
        ClusterError
            The cluster cannot be reached, or went away.
        """
        if not self.refresh:
            self.finished = _trusted(self.sharded)
            return
        try:
            self.finished, report = refresh_shards(self.sharded, self.runner, progress)
            self.report = self.report.followed_by(report)
        finally:
            if self.sharded.is_local:
                self.runner.close()

    def read(self, ask: Callable[[], Answer], *, on_workers: bool = False) -> Answer:
        """The answer of `ask`, which reads shards; with `refresh`, damaged ones are made anew.

        Whoever reads a damaged shard removes it (see `StoredShard.table`). So bringing the shards
        up to date makes it anew, and `ask` is called again.

        Raises
        ------
        CatalogueError, ClusterError
            Shards are still damaged, or, `on_workers`, may be out of the workers' reach.
        """
        for _ in range(_MENDED_AT_MOST):
            try:
                return ask()
            except DamagedShardError as error:
                if not self.refresh:
                    raise self._beyond_mending(error, on_workers=on_workers) from None
                self.bring_up_to_date()
                self.notes += (f"{error}; it was made anew",)
        try:
            return ask()
        except DamagedShardError as error:
            raise self._beyond_mending(error, on_workers=on_workers) from None

    def _beyond_mending(self, error: DamagedShardError, *, on_workers: bool) -> ImgbatchError:
        sharded = self.sharded
        if on_workers and not sharded.is_local:
            return ClusterError(
                f"workers at {sharded.cluster} cannot read the shards in {sharded.store.root}: "
                f"{error}",
                SHARE,
            )
        return CatalogueError(f"the shards of {sharded.folder} are damaged: {error}", REFRESH_HINT)

    # ----- contents of the shards -----------------------------------------------------------------

    @property
    def generation(self) -> str:
        """Text that changes whenever a shard does."""
        digests = " ".join(shard.digest for shard in self.finished)
        return f"shards-{hashlib.blake2b(digests.encode(), digest_size=16).hexdigest()}"

    @property
    def stored(self) -> list[StoredShard]:
        """All shards, for tasks to take along."""
        return [StoredShard(self.sharded.store, shard) for shard in self.finished]

    def images(self) -> tuple[Records, list[Skipped]]:
        """The readable images, and the files that cannot be used with the reasons.

        What was read once is kept in the local directory.

        Raises
        ------
        DamagedShardError
            See `read`, which mends this.
        """
        directory = self.sharded.directory / "listings" / self.generation
        listing = cached_listing(directory, "", self._read_images)
        self.notes += listing.notes
        return listing.records, listing.skipped

    # ----- altered views --------------------------------------------------------------------------

    def views(self) -> AugmentedViews | None:
        """Where altered views of the images are kept; None if the settings want none.

        Raises
        ------
        DamagedShardError
            See `read`, which mends this.
        """
        if not wants_views(self.sharded.config):
            return None
        return AugmentedViews(join(self.sharded.store.root, AUGMENTED), self._sample())

    def complete_views(self) -> None:
        """Describe altered views that are missing, on the workers.

        Raises
        ------
        DamagedShardError, ClusterError
            As for `read`.
        """
        if (views := self.views()) is not None:
            sharded = self.sharded
            options = sharded.config.images.as_options()
            viewed = fitted_descriptors(sharded.descriptors, sharded.config)
            views.complete(sharded.folder, viewed, options, self._run_views)
            if self.report.described:
                self.notes += too_few(views.sample)

    def _run_views(self, tasks: Sequence[ViewsTask]) -> Iterator[dict[bytes, ImageCodes]]:
        try:
            yield from self.runner.run(
                describe_views, tasks, split=ViewsTask.split, crashed=ViewsTask.crashed
            )
        finally:
            if self.sharded.is_local:
                self.runner.close()

    def _sample(self) -> Sample:
        """The images with the smallest content hashes; kept in the local directory."""
        count = self.sharded.config.space.augmented_images
        file = str(self.sharded.directory / AUGMENTED / f"{self.generation}-{count}.json")
        if (kept := read_checked(file)) is not None:
            images = [(bytes.fromhex(content), *rest) for content, *rest in json.loads(kept)]
            return Sample(tuple(images))
        found: dict[bytes, tuple[bytes, str, int]] = {}
        for shard in self.stored:
            for image in rows.smallest_hashes(shard.table(), count):
                found.setdefault(image[0], image)
        images = [found[content] for content in sorted(found)[:count]]
        text = json.dumps([(content.hex(), *rest) for content, *rest in images])
        with contextlib.suppress(OSError):
            write_checked(file, text.encode())
        return Sample(tuple(images))

    def _read_images(self) -> Listing:
        skipped: list[Skipped] = []

        def readable() -> Iterator[Row]:
            for shard in self.stored:
                table = shard.table()
                skipped.extend(rows.skipped(table))
                yield from rows.readable(table)

        return Listing(Records.pack(readable()), skipped)


def _trusted(sharded: ShardedFolder) -> list[FinishedShard]:
    finished = sharded.store.listing(sharded.listing)
    if not finished:
        raise FolderError(
            f"there are no shards of {sharded.folder} for these settings yet", REFRESH_HINT
        )
    with contextlib.suppress(CatalogueError):  # keeping what is read saves time only
        cache.make_index_directory(sharded.directory, sharded.folder)
    return finished
