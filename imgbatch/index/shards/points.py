"""The points of a folder whose codes lie in shards: parts, computed wherever the shards are read.

A part is a run of whole shards. Its points are computed by one task and kept in three files of its
own; a projection that was broken off goes on with the parts that are missing.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from imgbatch.config.schema import Config
from imgbatch.descriptors import Codes
from imgbatch.embedding.projection import (
    ARRAYS,
    BATCH_ROWS,
    UNUSABLE,
    Descriptors,
    Projection,
    fitted_descriptors,
    fitted_rows,
    load_part,
    projected,
    space_key,
    space_options,
    write_arrays,
)
from imgbatch.embedding.space import FeatureSpace
from imgbatch.errors import CatalogueError
from imgbatch.files.atomic import publishing
from imgbatch.files.paths import file_system, is_url, join, only_os_errors
from imgbatch.neighbours.parts import (
    MemoryPart,
    split_rows,
)
from imgbatch.runners.maps import TaskMap
from imgbatch.types import Floats, Hashes, Rows

_KEPT = 4
_MAPPED = 16_384  # parts held open by a process at most


class Shard(Protocol):
    """Some consecutive images of a folder, for a task to take along."""

    def __len__(self) -> int:
        """How many images."""
        ...

    def codes(self, fingerprint: str, dim: int) -> Codes:
        """A descriptor's codes in the order of rows: (n, dim) uint8."""
        ...


class InShards(Protocol):
    """A folder's codes in shards that tasks can read wherever they run."""

    @property
    def directory(self) -> Path:
        """The local folder in which the fitted space may be kept."""
        ...

    def generation(self) -> str:
        """Text that changes whenever the images, or their order, do."""
        ...

    @property
    def shards(self) -> Sequence[Shard]:
        """In the order of rows; one at least, each of one row at least."""
        ...

    @property
    def points_place(self) -> str:
        """A folder for points alone, an absolute path or a URL, that all tasks may write to."""
        ...

    @property
    def run_tasks(self) -> TaskMap:
        """Does the work on shards and parts that takes a second at most for each."""
        ...

    @property
    def run_long_tasks(self) -> TaskMap:
        """Does the work that takes longer, and may hold the interpreter lock."""
        ...


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part whose arrays are mapped when asked for; a task takes along where they are.

    `place` is a name in the folder of parts, without the array's name and the ending.
    """

    place: str
    shape: tuple[int, int]

    @property
    def points(self) -> Floats:
        """See `Part`."""
        return _read(self).points

    @property
    def squares(self) -> Floats:
        """See `Part`."""
        return _read(self).squares

    @property
    def hashes(self) -> Hashes:
        """See `Part`."""
        return _read(self).hashes


def project_in_shards(index: InShards, descriptors: Descriptors, config: Config) -> Projection:
    """The projection of a folder in shards, in parts of about `cluster.part_images` images each.

    The space is fitted here, on the images that would be taken of one machine's index; their codes
    and all points are read and computed by tasks. With the same images one part holds, to the bit,
    the points of one machine.

    Raises
    ------
    CatalogueError
        Points cannot be written where they are kept, or codes not be read.
    """
    most = config.cluster.part_images
    key = f"{space_key(index.generation(), descriptors, config)}-{most}"
    shards = index.shards
    ends = np.cumsum([len(shard) for shard in shards], dtype=np.int64)
    space = _space(index, descriptors, config, ends)
    columns = sum(block.axes.shape[1] for block in space.blocks.values())
    runs = _runs(ends, most)
    parts = []
    for number, (first, last) in enumerate(runs):
        rows = int(ends[last - 1] - (ends[first - 1] if first else 0))
        place = join(join(index.points_place, key), f"{number:05}")
        parts.append(StoredPart(place, (rows, columns)))
    missing = [number for number, part in enumerate(parts) if not _is_there(part)]
    tasks = (
        (parts[number], tuple(shards[slice(*runs[number])]), descriptors, space)
        for number in missing
    )
    if missing:  # else no cluster need be there
        for _ in index.run_long_tasks(write_part, tasks):
            pass
    _forget_old(index.points_place, key)
    return Projection(space, tuple(parts), index.run_tasks, index.run_long_tasks)


def write_part(
    part: StoredPart, shards: Sequence[Shard], descriptors: Descriptors, space: FeatureSpace
) -> None:
    """Compute a part's points from its shards and keep them; no reader sees half of them."""
    streams = [_stream(shards, mark, one.dim) for mark, one in descriptors]
    batches = projected(streams, descriptors, space)
    folder = None if is_url(part.place) else os.path.dirname(part.place)
    try:
        if folder:
            os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as temporary:
            write_arrays(batches, part.shape[0], Path(temporary))
            for name, target in _files(part):
                made = os.path.join(temporary, f"{name}.npy")
                if folder:
                    os.replace(made, target)
                else:
                    system, inside = file_system(target)
                    with only_os_errors():
                        system.makedirs(os.path.dirname(inside), exist_ok=True)
                        system.put_file(made, inside)
    except OSError as error:
        raise CatalogueError(
            f"points cannot be made: {part.place}: {error.strerror or error}",
            "check that the store can be read and written, and its free space",
        ) from None


def _files(part: StoredPart) -> list[tuple[str, str]]:
    """Name and place of each array; the last to be written stands for all."""
    return [(name, f"{part.place}.{name}.npy") for name in ARRAYS]


def _is_there(part: StoredPart) -> bool:
    """Whether the part was written whole; of a local one the files are opened."""
    if is_url(part.place):
        system, inside = file_system(_files(part)[-1][1])
        try:
            with only_os_errors():
                return bool(system.exists(inside))
        except OSError as error:
            raise _unreadable(part, error) from None
    with contextlib.suppress(*UNUSABLE):
        return _opened(part).shape == part.shape
    return False


def _read(part: StoredPart) -> MemoryPart:
    """The arrays of a part that was written, maybe by a machine that sees other files."""
    try:
        return _opened(part)
    except UNUSABLE as error:
        raise _unreadable(part, error) from None


def _unreadable(part: StoredPart, error: Exception) -> CatalogueError:
    return CatalogueError(
        f"points cannot be read: {part.place}: {error}",
        "check that the store is in a place that all workers and this machine can read",
    )


@lru_cache(maxsize=_MAPPED)
def _opened(part: StoredPart) -> MemoryPart:
    """The arrays of a part, mapped; those behind a URL from a copy that fsspec keeps here."""
    places = [place for _, place in _files(part)]
    if is_url(part.place):
        import fsspec

        with only_os_errors():
            places = [fsspec.open_local(f"simplecache::{place}") for place in places]
    return load_part(*map(Path, places))


def _space(index: InShards, descriptors: Descriptors, config: Config, ends: Rows) -> FeatureSpace:
    """The fitted space, kept beside the index; fitted on codes that tasks collect."""
    place = index.directory / "spaces" / space_key(index.generation(), descriptors, config)
    with contextlib.suppress(*UNUSABLE):
        return FeatureSpace.load(place / "space.npz")
    shutil.rmtree(place, ignore_errors=True)
    rows = fitted_rows(int(ends[-1]), config)
    features = features_in_shards(index, fitted_descriptors(descriptors, config), rows)
    space = FeatureSpace.fit(features, space_options(config))
    with contextlib.suppress(OSError), publishing(place, _KEPT) as made:
        space.save(made / "space.npz")
    return space


def features_in_shards(index: InShards, descriptors: Descriptors, rows: Rows) -> dict[str, Floats]:
    """Features of some rows, in the order given, by descriptor name; tasks collect the codes."""
    shards = index.shards
    ends = np.cumsum([len(shard) for shard in shards], dtype=np.int64)
    shares = split_rows(ends, np.asarray(rows, np.int64))
    tasks = ((shards[shard], descriptors, own) for shard, _, own in shares)
    found = {one.name: np.empty((len(rows), one.dim), np.uint8) for _, one in descriptors}
    for (_, places, _), codes in zip(shares, index.run_tasks(codes_of_rows, tasks), strict=True):
        for name, some in codes.items():
            found[name][places] = some
    return {one.name: one.features(found[one.name]) for _, one in descriptors}


def codes_of_rows(shard: Shard, descriptors: Descriptors, rows: Rows) -> dict[str, Codes]:
    """Codes of some rows of a shard, by descriptor name."""
    return {one.name: shard.codes(mark, one.dim)[rows] for mark, one in descriptors}


def _stream(shards: Sequence[Shard], mark: str, dim: int) -> Iterator[Codes]:
    """Codes of all shards in arrays of `BATCH_ROWS`, but for the last, as one machine has them."""
    held: list[Codes] = []
    for shard in shards:
        held = [np.concatenate([*held, shard.codes(mark, dim)])]
        whole = len(held[0]) - len(held[0]) % BATCH_ROWS
        for start in range(0, whole, BATCH_ROWS):
            yield held[0][start : start + BATCH_ROWS]
        held = [held[0][whole:]]
    if len(held[0]):
        yield held[0]


def _runs(ends: Rows, part_images: int) -> list[tuple[int, int]]:
    """Shards of each part, first and one past the last: as many as `part_images` allows, or one."""
    runs, first, start = list[tuple[int, int]](), 0, 0
    for shard, end in enumerate(ends.tolist()):
        if shard > first and end - start > part_images:
            runs.append((first, shard))
            first, start = shard, int(ends[shard - 1])
    return [*runs, (first, len(ends))]


def _forget_old(place: str, key: str) -> None:
    """Of the spaces whose points are kept in a local folder, keep the newest few."""
    if is_url(place):
        return
    with contextlib.suppress(OSError):
        os.utime(os.path.join(place, key))
        kept = sorted(Path(place).iterdir(), key=lambda one: -one.stat().st_mtime)
        for old in kept[_KEPT:]:
            shutil.rmtree(old, ignore_errors=True)
