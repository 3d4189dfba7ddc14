"""What workers of a cluster do: list folders, describe shards, find files that crash a worker."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imgbatch.descriptors import Descriptor
from imgbatch.errors import CatalogueError
from imgbatch.images.listing import FoundFile, Listed, list_folders
from imgbatch.images.quiet import quiet_codecs
from imgbatch.index.extract import Chunk, FileTask, check_version, chunks, read_chunk
from imgbatch.index.shards.cut import Shard
from imgbatch.index.shards.rows import pack, unpack
from imgbatch.index.shards.store import DamagedShardError, FinishedShard, Store, digest_of
from imgbatch.types import DecodeOptions, ReadFile

_FILES_A_PROBE = 64
"""Files that are read together to find out whether one of them crashes its reader."""


@dataclass(frozen=True, slots=True)
class ShardTask:
    """A shard to describe, with all that a worker needs for it.

    Attributes
    ----------
    former
        Shards of the last listing that may hold some of its files, already described.
    crashing
        Paths of files that crash the worker that decodes them.
    """

    store: Store
    folder: str
    shard: Shard
    descriptors: tuple[tuple[str, Descriptor], ...]
    options: DecodeOptions
    former: tuple[FinishedShard, ...] = ()
    crashing: frozenset[str] = frozenset()

    def chunk(self, files: Sequence[FoundFile]) -> Chunk:
        """A chunk of some of its files, for `read_chunk`."""
        return Chunk(self.folder, _work(files), self.descriptors, self.options)

    def probes(self) -> list[Chunk]:
        """All its files in small chunks, to find those that crash their reader."""
        work, options = _work(self.shard.files), self.options
        return [*chunks(self.folder, work, self.descriptors, options, _FILES_A_PROBE)]


@dataclass(frozen=True, slots=True)
class ShardAnswer:
    """What describing a shard gave.

    Attributes
    ----------
    finished
        The finished shard; None if the task killed its workers.
    read, decoded
        Numbers of files opened, and of those decoded.
    """

    task: ShardTask
    finished: FinishedShard | None = None
    read: int = 0
    decoded: int = 0


def describe_shard(task: ShardTask) -> ShardAnswer:
    """Describe the files of a shard, write it to the store, note it as finished.

    Files that a former shard holds unchanged are taken from there, others are read and decoded.
    Files that cannot be used become rows with a reason.

    Raises
    ------
    ClusterError
        This worker's imgbatch would compute other descriptors than the caller's.
    CatalogueError
        The store cannot be written.
    """
    check_version(task.descriptors, task.options)
    former = _former_rows(task)
    rows: dict[str, ReadFile] = {}
    missing: list[FoundFile] = []
    for file in task.shard.files:
        row = former.get(file.path)
        if row is not None and (row.size, row.mtime_ns) == (file.size, file.mtime_ns):
            rows[file.path] = row
        else:
            missing.append(file)
    crashing = task.chunk([file for file in missing if file.path in task.crashing])
    others = task.chunk([file for file in missing if file.path not in task.crashing])
    with quiet_codecs():
        read = [*read_chunk(others), *crashing.crashed()]
    rows |= {row.path: row for row in read}
    kept = sum(file.path in former for file in task.shard.files)
    finished = _write(task, [rows[file.path] for file in task.shard.files], kept)
    return ShardAnswer(task, finished, len(read), sum(row.codes is not None for row in read))


def _former_rows(task: ShardTask) -> Mapping[str, ReadFile]:
    """The rows of former shards by path; a shard that cannot be read counts as empty."""
    rows: dict[str, ReadFile] = {}
    for shard in task.former:
        with contextlib.suppress(DamagedShardError, CatalogueError):
            rows |= {row.path: row for row in unpack(task.store.table(shard))}
    return rows


def _write(task: ShardTask, rows: Sequence[ReadFile], kept: int) -> FinishedShard:
    data = pack(rows, {fingerprint: descriptor.dim for fingerprint, descriptor in task.descriptors})
    finished = FinishedShard(
        id=task.shard.id,
        first=rows[0].path,
        last=rows[-1].path,
        files=len(rows),
        images=sum(row.error is None for row in rows),
        kept=kept,
        settled=all(_is_settled(row) for row in rows),
        size=len(data),
        digest=digest_of(data),
    )
    task.store.write(finished.id, data)
    task.store.finish(finished)
    return finished


def _is_settled(row: ReadFile) -> bool:
    """Whether the file was read, and had not been changed a moment before."""
    return row.content_hash is not None and row.mtime_ns != -1


def crashed_shard(task: ShardTask) -> ShardAnswer:
    """The answer for a shard whose workers died."""
    return ShardAnswer(task)


def probe(chunk: Chunk) -> tuple[str, ...]:
    """Read and decode files; the worker survives unless one of them crashes it."""
    with quiet_codecs():
        read_chunk(chunk)
    return ()


def crashed_probe(chunk: Chunk) -> tuple[str, ...]:
    """The answer for files that crash every worker: their paths."""
    return tuple(work.path for work in chunk.files)


def list_task(task: tuple[str, Sequence[str]]) -> list[Listed]:
    """List folders inside an image folder; the task is the image folder and their paths."""
    return list_folders(*task)


def _work(files: Sequence[FoundFile]) -> tuple[FileTask, ...]:
    return tuple(FileTask(file.path, file.size, mtime_ns=file.mtime_ns) for file in files)
