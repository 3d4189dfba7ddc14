"""The points of an index in shards: parts, computed wherever the shards can be read.

A part is a run of whole shards. One task computes its points and keeps them in three files,
``KEY/NUMBER.NAME.npy`` below the root for points, and seals them. A computation that was stopped
goes on with the parts that are missing.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from imgbatch.config.schema import Config
from imgbatch.descriptors import Codes
from imgbatch.embedding.projection import (
    ARRAYS,
    BATCH_ROWS,
    SPACES_KEPT,
    UNUSABLE,
    Descriptors,
    Projection,
    fitted_descriptors,
    fitted_rows,
    learned_space_key,
    load_part,
    projected,
    space_key,
    space_options,
    write_arrays,
)
from imgbatch.embedding.space import FeatureSpace
from imgbatch.embedding.whitening import Augmented
from imgbatch.errors import CatalogueError
from imgbatch.files.atomic import keep_newest, move_file, publishing, remove
from imgbatch.files.paths import file_system, is_url, join, only_os_errors
from imgbatch.files.seals import BrokenSealError, check_seal, seal
from imgbatch.index.augmented import missing_views
from imgbatch.index.shards.codes import ShardedCodes, features_in_shards
from imgbatch.index.shards.store import StoredShard
from imgbatch.neighbours.parts import MemoryPart
from imgbatch.types import Floats, Hashes, Rows, View

_SPACE, _SEAL = "space.npz", "seal.json"
_MAPPED = 16_384
"""Parts that a process keeps memory-mapped at most."""


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A `Part` on disk, memory-mapped when its arrays are asked for.

    Tasks take along the path, not the arrays.

    Attributes
    ----------
    path
        Path or URL of its files without the array's name and the ending.
    shape
        Rows and columns of its points.
    """

    path: str
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

    @property
    def miniatures(self) -> View:
        """See `Part`."""
        return _read(self).miniatures

    @property
    def measures(self) -> View:
        """See `Part`."""
        return _read(self).measures


def project_in_shards(codes: ShardedCodes, descriptors: Descriptors, config: Config) -> Projection:
    """The projection of a folder in shards: parts that are kept, and others computed by tasks.

    A part holds about `cluster.part_images` images. The space is fitted in this process, on the
    same images as with SQLite. A folder of one part has the same points as with SQLite, to the bit.

    Raises
    ------
    CatalogueError
        Points cannot be written, or codes cannot be read.
    """
    most = config.cluster.part_images
    space, name = _fitted_space(codes, descriptors, config)
    key = f"{name}-{most}"
    runs = _runs(codes.ends, most)
    starts = [0, *codes.ends.tolist()]
    parts = tuple(
        StoredPart(
            join(join(codes.points_root, key), f"{number:05}"),
            (starts[last] - starts[first], space.dimensions),
        )
        for number, (first, last) in enumerate(runs)
    )
    missing = [
        (part, codes.shards[first:last], descriptors, space)
        for part, (first, last) in zip(parts, runs, strict=True)
        if not _is_there(part, codes.notes)
    ]
    if missing:  # else no cluster need be there
        for _ in codes.run_long_tasks(write_part, missing):
            pass
    _remove_old(codes.points_root, key)
    return Projection(space, parts, codes.run_tasks, codes.run_long_tasks)


# ----- what tasks do ------------------------------------------------------------------------------


def write_part(
    part: StoredPart, shards: Sequence[StoredShard], descriptors: Descriptors, space: FeatureSpace
) -> None:
    """Compute a part's points from its shards and keep them; no reader sees half of a file.

    Raises
    ------
    CatalogueError
        They cannot be written.
    """
    streams = [
        _batches_of(shards, fingerprint, descriptor.dim) for fingerprint, descriptor in descriptors
    ]
    directory = None if is_url(part.path) else os.path.dirname(part.path)
    try:
        if directory:
            os.makedirs(directory, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory, prefix=".part-") as temporary:
            made = Path(temporary)
            write_arrays(projected(streams, descriptors, space), part.shape[0], made)
            files = [made / f"{name}.npy" for name in ARRAYS]
            seal(made / _SEAL, files)
            for file, target in zip([*files, made / _SEAL], _files(part), strict=True):
                if directory and os.path.isdir(target):  # a folder stands where a file belongs
                    remove(Path(target))
                move_file(file, target)
    except OSError as error:
        raise CatalogueError(
            f"points cannot be made: {part.path}: {error.strerror or error}",
            "check that the store can be read and written, and its free space",
        ) from None


def _batches_of(shards: Sequence[StoredShard], fingerprint: str, dim: int) -> Iterator[Codes]:
    """Codes of all shards in batches of `BATCH_ROWS` rows; only the last batch may be smaller.

    Batches run through the borders of shards, so that they are those of an index in SQLite.
    """
    held = np.empty((0, dim), np.uint8)
    for shard in shards:
        held = np.concatenate([held, shard.codes(fingerprint, dim)])
        whole = len(held) - len(held) % BATCH_ROWS
        for start in range(0, whole, BATCH_ROWS):
            yield held[start : start + BATCH_ROWS]
        held = held[whole:]
    if len(held):
        yield held


# ----- parts on disk ------------------------------------------------------------------------------


def _runs(ends: Rows, part_images: int) -> list[tuple[int, int]]:
    """Shards of each part, first and one past the last: as many as `part_images` allows, or one."""
    runs, first, start = list[tuple[int, int]](), 0, 0
    for shard, end in enumerate(ends.tolist()):
        if shard > first and end - start > part_images:
            runs.append((first, shard))
            first, start = shard, int(ends[shard - 1])
    return [*runs, (first, len(ends))]


def _files(part: StoredPart) -> list[str]:
    """Path or URL of each array in `ARRAYS` and of their seal, in the order of writing."""
    return [*(f"{part.path}.{name}.npy" for name in ARRAYS), f"{part.path}.{_SEAL}"]


def _is_there(part: StoredPart, notes: list[str]) -> bool:
    """Whether the part was written whole; a damaged part is not there, and noted.

    Local files are opened. Of a URL the last file counts.
    """
    if is_url(part.path):
        system, inside = file_system(_files(part)[-1])
        try:
            with only_os_errors():
                return bool(system.exists(inside))
        except OSError as error:
            raise _unreadable(part, error) from None
    try:
        _opened(part)  # may be remembered from a time when the files were there
    except BrokenSealError as error:
        notes.append(f"{error}; the points were computed anew")
        return False
    except UNUSABLE:
        return False
    return all(map(os.path.exists, _files(part)))


def _read(part: StoredPart) -> MemoryPart:
    """The arrays of a part that was written, maybe by a machine that sees other files."""
    try:
        return _opened(part)
    except (BrokenSealError, *UNUSABLE) as error:
        raise _unreadable(part, error) from None


def _unreadable(part: StoredPart, error: Exception) -> CatalogueError:
    if isinstance(error, BrokenSealError):
        hint = f"remove {os.path.dirname(part.path)}: the next request computes it anew"
    else:
        hint = "check that the store is in a place that all workers and this machine can read"
    return CatalogueError(f"points cannot be read: {part.path}: {error}", hint)


@lru_cache(maxsize=_MAPPED)
def _opened(part: StoredPart) -> MemoryPart:
    """The arrays of a part, memory-mapped; of a URL from a local copy that fsspec keeps.

    Errors are not cached, so a part that is missing or damaged can be computed and opened again.
    """
    files = _files(part)
    if is_url(part.path):
        import fsspec

        with only_os_errors():
            files = [fsspec.open_local(f"simplecache::{file}") for file in files]
    *arrays, sealed = map(Path, files)
    check_seal(sealed, arrays)
    opened = load_part(*arrays)
    if opened.shape != part.shape:
        raise ValueError(f"{opened.shape} rows and columns, but {part.shape} were expected")
    return opened


def _remove_old(points_root: str, key: str) -> None:
    """Remove all but the newest few spaces' points from a local folder; `key` is now the newest."""
    if is_url(points_root):
        return
    with contextlib.suppress(OSError):
        os.utime(os.path.join(points_root, key))
        keep_newest(Path(points_root).iterdir(), SPACES_KEPT)


# ----- the fitted space ---------------------------------------------------------------------------


def _fitted_space(
    codes: ShardedCodes, descriptors: Descriptors, config: Config
) -> tuple[FeatureSpace, str]:
    """The space, and its key: a learned one, else kept in the local directory, or fitted now."""
    if config.space.learned:
        from imgbatch.index.learned import learned_space  # of no use to most requests

        space, fingerprint = learned_space(config, descriptors)
        return space, learned_space_key(codes.generation, descriptors, fingerprint)
    fitted = fitted_descriptors(descriptors, config)
    if codes.views is not None:
        key = space_key(codes.generation, descriptors, config, codes.views.sample.id)
        if (kept := _kept_space(codes, key)) is not None:
            return kept, key
        augmented = codes.views.load(fitted, config)
        if augmented is not None:
            return _fit_space(codes, fitted, config, key, augmented), key
        codes.notes.extend(missing_views(codes.views.sample))
    key = space_key(codes.generation, descriptors, config)
    return _kept_space(codes, key) or _fit_space(codes, fitted, config, key), key


def _kept_space(codes: ShardedCodes, key: str) -> FeatureSpace | None:
    """The space of a key; None if there is none. A damaged one is removed, and noted."""
    directory = codes.directory / "spaces" / key
    file, sealed = directory / _SPACE, directory / _SEAL
    try:
        check_seal(sealed, [file])
        return FeatureSpace.load(file)
    except BrokenSealError as error:
        codes.notes.append(f"{error}; the space was fitted anew")
    except UNUSABLE:  # missing, or kept by a version that did not seal
        pass
    remove(directory)
    return None


def _fit_space(
    codes: ShardedCodes,
    fitted: Descriptors,
    config: Config,
    key: str,
    augmented: Augmented | None = None,
) -> FeatureSpace:
    rows = fitted_rows(int(codes.ends[-1]), config)
    features = features_in_shards(codes, fitted, rows)
    space = FeatureSpace.fit(features, space_options(config), augmented)
    directory = codes.directory / "spaces" / key
    with contextlib.suppress(OSError), publishing(directory, SPACES_KEPT) as made:
        space.save(made / _SPACE)
        seal(made / _SEAL, [made / _SPACE])
    return space
