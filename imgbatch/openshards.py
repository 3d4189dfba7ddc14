"""The shards of a folder as one index: what `OpenIndex` is for SQLite."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from imgbatch.descriptors import Codes
from imgbatch.errors import CatalogueError, FolderError
from imgbatch.opening import (
    MAKE_ONE,
    Progress,
    RefreshReport,
    changed_meanwhile,
    kept_listing,
    no_images,
    write_skipped,
)
from imgbatch.projection import Projection, features_of, project
from imgbatch.records import Records, Row
from imgbatch.runners import usable_cores
from imgbatch.runners.dask import DaskRunner
from imgbatch.sharding import Sharded, refresh_shards
from imgbatch.shards import DamagedShardError, Mark, rows
from imgbatch.types import Floats, Rows, Skipped

Asked = TypeVar("Asked")


def open_shards(
    sharded: Sharded, progress: Progress | None = None, *, refresh: bool = True
) -> "OpenShards":
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
    raise CatalogueError(f"the shards of {sharded.folder} are damaged: {damage}", MAKE_ONE)


def _open(sharded: Sharded, progress: Progress | None, *, refresh: bool) -> "OpenShards":
    if refresh:
        workers = sharded.config.index.workers or usable_cores()
        with DaskRunner(sharded.cluster, workers) as runner:
            marks, report = refresh_shards(sharded, runner, progress)
    else:
        marks, report = _trusted(sharded), RefreshReport(0, 0, 0, ())
    opened = OpenShards(sharded, marks, report)
    if not opened.records:
        raise no_images(sharded.folder, opened.skipped)
    return opened


def _trusted(sharded: Sharded) -> list[Mark]:
    marks = sharded.store.listing(sharded.listing)
    if not marks:
        raise FolderError(
            f"there are no shards of {sharded.folder} for these settings yet", MAKE_ONE
        )
    return marks


@dataclass(slots=True)
class OpenShards:
    """An `Opened` index in shards; also what `projection.Described` asks for."""

    sharded: Sharded
    marks: list[Mark]
    report: RefreshReport
    records: Records = field(init=False)
    skipped: list[Skipped] = field(init=False)
    skipped_list: Path | None = field(init=False)
    notes: tuple[str, ...] = ()
    _table: tuple[str, Any] = ("", None)

    def __post_init__(self) -> None:
        place = self.directory / "listings" / self.generation()
        self.records, unusable = kept_listing(place, "", self._read)
        both = (*unusable, *self.report.unlisted)
        self.skipped = sorted(both, key=lambda one: one.path)
        self.skipped_list = write_skipped(self.directory, self.skipped)

    @property
    def folder(self) -> str:
        """See `Opened`."""
        return self.sharded.folder

    @property
    def directory(self) -> Path:
        """See `Opened`."""
        return self.sharded.directory

    def projection(self) -> Projection:
        """See `Opened.projection`."""
        return self._mending(lambda: project(self, self.sharded.descriptors, self.sharded.config))

    def features(self, rows: Rows) -> dict[str, Floats]:
        """See `Opened.features`."""
        return self._mending(lambda: features_of(self, self.sharded.descriptors, rows))

    def _mending(self, ask: Callable[[], Asked]) -> Asked:
        """Ask shards, and once more where one proves damaged and was made anew."""
        try:
            return ask()
        except DamagedShardError as error:
            again = open_shards(self.sharded)
            if again.records != self.records:
                raise changed_meanwhile(self.folder) from None
            self.marks = again.marks
            self.notes += (f"{error}; it was made anew",)
            return ask()

    # ----- what projections ask for ---------------------------------------------------------------

    def generation(self) -> str:
        """Text that changes whenever a shard does."""
        digests = " ".join(mark.digest for mark in self.marks)
        return f"shards-{hashlib.blake2b(digests.encode(), digest_size=16).hexdigest()}"

    def contents(self) -> Rows:
        """(n,) int64: the rows themselves."""
        return np.arange(len(self.records), dtype=np.int64)

    def codes(self, fingerprint: str, dim: int, batch: int) -> Iterator[Codes]:
        """See `Described`; as many rows at a time as from one machine's index, to the last bit."""
        waiting = np.empty((0, dim), np.uint8)
        for mark in self.marks:
            waiting = np.concatenate([waiting, self._codes(mark, fingerprint, dim)])
            while len(waiting) >= batch:
                yield waiting[:batch]
                waiting = waiting[batch:]
        if len(waiting):
            yield waiting

    def codes_of(self, fingerprint: str, dim: int, contents: Rows) -> Codes:
        """See `Described`; each shard that holds some of the rows is read once."""
        ends = np.cumsum([mark.images for mark in self.marks])
        shards = np.searchsorted(ends, contents, side="right")
        found = np.empty((len(contents), dim), np.uint8)
        for number in np.unique(shards).tolist():
            mark, here = self.marks[number], shards == number
            found[here] = self._codes(mark, fingerprint, dim)[
                contents[here] - ends[number] + mark.images
            ]
        return found

    def _codes(self, mark: Mark, fingerprint: str, dim: int) -> Codes:
        return rows.codes_in(self._shard(mark), fingerprint, dim)

    def _shard(self, mark: Mark) -> Any:
        """The table of a shard. The last is kept, as descriptors are asked for in turn."""
        if self._table[0] != mark.digest:
            try:
                self._table = mark.digest, self.sharded.store.table(mark)
            except DamagedShardError:
                self.sharded.store.remove(mark.id)
                raise
        return self._table[1]

    def _read(self) -> tuple[Records, list[Skipped]]:
        skipped: list[Skipped] = []

        def readable() -> Iterator[Row]:
            for mark in self.marks:
                table = self._shard(mark)
                skipped.extend(rows.skipped(table))
                yield from rows.readable(table)

        return Records.pack(readable()), skipped
