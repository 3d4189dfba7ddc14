"""What workers of a cluster do with shards: list folders, describe a shard, search a culprit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imgbatch.descriptors import Descriptor
from imgbatch.errors import CatalogueError, ClusterError
from imgbatch.images.listing import FoundFile, Listed, list_folders
from imgbatch.images.quiet import quiet_codecs
from imgbatch.index.extract import Chunk, FileTask, chunks, read_chunk, with_fingerprints
from imgbatch.index.shards.cut import Shard
from imgbatch.index.shards.rows import pack, unpack
from imgbatch.index.shards.store import DamagedShardError, FinishedShard, Store, digest_of
from imgbatch.types import DecodeOptions, ReadFile

_PROBED_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class ShardTask:
    """A shard to describe, with all a worker needs for it.

    ``former`` are shards of earlier listings that may hold some of its files already described;
    files in ``crashing`` kill whoever decodes them.
    """

    store: Store
    folder: str
    shard: Shard
    descriptors: tuple[tuple[str, Descriptor], ...]
    options: DecodeOptions
    former: tuple[FinishedShard, ...] = ()
    crashing: frozenset[str] = frozenset()

    def chunk(self, files: Sequence[FoundFile]) -> Chunk:
        """The reading of some of its files."""
        return Chunk(self.folder, _work(files), self.descriptors, self.options)

    def probes(self) -> list[Chunk]:
        """All its files in small parts, to find out which of them crashes its reader."""
        work, options = _work(self.shard.files), self.options
        return [*chunks(self.folder, work, self.descriptors, options, _PROBED_AT_ONCE)]


@dataclass(frozen=True, slots=True)
class Described:
    """The answer for a shard: its mark (None: it killed its workers); files read and decoded."""

    task: ShardTask
    mark: FinishedShard | None = None
    read: int = 0
    decoded: int = 0


def describe_shard(task: ShardTask) -> Described:
    """Read, decode and describe the files of a shard, write it to the store, mark it as finished.

    Files that a former shard holds unchanged are taken from there. Bad files become rows with a
    reason.

    Raises
    ------
    ClusterError
        This worker's imgbatch would compute something else than the asking one's.
    CatalogueError
        The store cannot be written.
    """
    if with_fingerprints([one for _, one in task.descriptors], task.options) != task.descriptors:
        raise ClusterError(
            "a worker runs another version of imgbatch", "install the same one on each"
        )
    former = _former(task)
    answers: dict[str, ReadFile] = {}
    missing: list[FoundFile] = []
    for file in task.shard.files:
        old = former.get(file.path)
        if old is not None and (old.size, old.mtime_ns) == (file.size, file.mtime_ns):
            answers[file.path] = old
        else:
            missing.append(file)
    deadly = task.chunk([file for file in missing if file.path in task.crashing])
    others = task.chunk([file for file in missing if file.path not in task.crashing])
    with quiet_codecs():
        read = [*read_chunk(others), *deadly.crashed()]
    answers |= {one.path: one for one in read}
    described = [answers[file.path] for file in task.shard.files]
    kept = sum(file.path in former for file in task.shard.files)
    mark = _write(task, described, kept)
    return Described(task, mark, len(read), sum(one.codes is not None for one in read))


def _write(task: ShardTask, described: Sequence[ReadFile], kept: int) -> FinishedShard:
    data = pack(described, {mark: descriptor.dim for mark, descriptor in task.descriptors})
    mark = FinishedShard(
        id=task.shard.id,
        first=described[0].path,
        last=described[-1].path,
        files=len(described),
        images=sum(one.error is None for one in described),
        kept=kept,
        settled=all(_is_settled(one) for one in described),
        size=len(data),
        digest=digest_of(data),
    )
    task.store.write(mark.id, data)
    task.store.finish(mark)
    return mark


def _is_settled(answer: ReadFile) -> bool:
    return answer.content_hash is not None and answer.mtime_ns != -1


def _former(task: ShardTask) -> Mapping[str, ReadFile]:
    """What former shards hold, by path; one that cannot be read holds nothing."""
    found: dict[str, ReadFile] = {}
    for mark in task.former:
        try:
            found |= {one.path: one for one in unpack(task.store.table(mark))}
        except (DamagedShardError, CatalogueError):
            continue
    return found


def crashed_shard(task: ShardTask) -> Described:
    """The answer for a shard whose workers died."""
    return Described(task)


def probe(chunk: Chunk) -> tuple[str, ...]:
    """Read files for no other purpose than to survive it."""
    with quiet_codecs():
        read_chunk(chunk)
    return ()


def crashed_probe(chunk: Chunk) -> tuple[str, ...]:
    """The answer for files that nobody survives reading."""
    return tuple(work.path for work in chunk.files)


def list_some(task: tuple[str, Sequence[str]]) -> list[Listed]:
    """List folders, given with the image folder they lie in."""
    return list_folders(*task)


def _work(files: Sequence[FoundFile]) -> tuple[FileTask, ...]:
    return tuple(FileTask(file.path, file.size, mtime_ns=file.mtime_ns) for file in files)
