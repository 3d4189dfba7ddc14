"""A folder's images as points of a fitted space, and the steps that lead there.

An index fits the space on some rows (`fitted_rows`), turns codes into points batch by batch
(`projected`), and keeps the points on disk under a key (`space_key`). The index in SQLite and the
one in shards share these steps, so that both give the same points.
"""

import contextlib
import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from imgbatch.config.schema import Config
from imgbatch.descriptors import HASH, MINIATURE, Codes, Descriptor, as_integers
from imgbatch.embedding.space import BlockOptions, FeatureSpace
from imgbatch.measures.quantities import MEASURED
from imgbatch.neighbours.parts import MemoryPart, Part, Parted, PartedSearch, as_array
from imgbatch.neighbours.search import NeighbourSearch, squared_lengths
from imgbatch.runners.blas import one_blas_thread
from imgbatch.runners.maps import TaskMap, map_serially
from imgbatch.types import Floats, Hashes, Rows, View

UNUSABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""What NumPy raises for files that are missing, cut off or damaged; they are then computed anew."""
ARRAYS = ("points", "squares", "hashes", "miniatures", "measures")
"""Names of the arrays of a part, also on disk."""
BATCH_ROWS = 4096
"""Images whose points are computed at once. Another number changes the last bits of points."""
SPACES_KEPT = 4
"""Of spaces and their points, the newest few are kept on disk."""
_VERSION = 5
"""Raised whenever the same index and settings give other points."""
_SEED = 20_000_003
"""Of the random sample of images that a space is fitted on."""

Descriptors = tuple[tuple[str, Descriptor], ...]
"""Descriptors, each after its fingerprint."""


@dataclass(frozen=True)
class Projection:
    """A fitted space and the images in it as points; row i is the i-th image.

    With several parts, `points` and the like look like arrays but are only read where they are
    indexed (see `Parted`).

    Attributes
    ----------
    space
        Maps descriptors' features to points.
    parts
        One or more runs of consecutive rows.
    run_tasks
        Does work on several parts.
    run_long_tasks
        Does tasks that take many seconds each.

    >>> import imgbatch
    >>> projection = imgbatch.load("photos").projection
    >>> len(projection.points), projection.points.dtype, projection.hashes.dtype
    (24, dtype('float32'), dtype('uint64'))
    """

    space: FeatureSpace
    parts: tuple[Part, ...]
    run_tasks: TaskMap = map_serially
    run_long_tasks: TaskMap = map_serially

    @cached_property
    def points(self) -> Floats:
        """(n, p) float32."""
        return self._joined("points")

    @cached_property
    def hashes(self) -> Hashes:
        """(n,) uint64 pHashes."""
        return self._joined("hashes")

    @cached_property
    def miniatures(self) -> View:
        """(n, 1024) uint8: the pictures in little."""
        return self._joined("miniatures")

    @cached_property
    def measures(self) -> View:
        """(n, m) uint8: the measured quantities, a byte each; see `measures.quantities`."""
        return self._joined("measures")

    def search(self, large: int = 0) -> NeighbourSearch:
        """Exact nearest neighbours; with one part, `large` chooses `NeighbourSearch`'s method."""
        if len(self.parts) == 1:
            return NeighbourSearch(self.points, large, self.parts[0].squares)
        return PartedSearch(self.parts, self.run_tasks)

    def _joined(self, name: str) -> npt.NDArray[Any]:
        if len(self.parts) == 1:
            whole: npt.NDArray[Any] = getattr(self.parts[0], name)
            return whole
        return as_array(Parted(self.parts, name, self.run_tasks))


# ----- what a space depends on --------------------------------------------------------------------


def space_options(config: Config) -> dict[str, BlockOptions]:
    """The part of the config that shapes the space, by descriptor name."""
    return {
        name: BlockOptions(weight, config.space.components[name], config.space.power[name])
        for name, weight in config.weights.items()
    }


def wants_views(config: Config) -> bool:
    """Whether the space is to be fitted with altered views of images; a learned one is not."""
    return not config.space.learned and (config.space.whitening > 0 or config.space.adapt > 0)


def learned_space_key(generation: str, descriptors: Descriptors, fingerprint: str) -> str:
    """24 hex digits that change with the images, the descriptors and the learned points' file."""
    return _digest(generation, descriptors, {"learned": fingerprint})


def space_key(
    generation: str, descriptors: Descriptors, config: Config, sample: str | None = None
) -> str:
    """24 hex digits that change with the images, the descriptors and what shapes the space.

    `sample` names the altered views that the space is whitened by; None if it is not.
    """
    options = space_options(config)
    shape: dict[str, Any] = {
        "space": {name: asdict(block) for name, block in options.items()},
        "fit_images": config.space.fit_images,
    }
    if sample is not None:
        shape["augmented"] = [sample, config.space.whitening, config.space.adapt]
    return _digest(generation, descriptors, shape)


def _digest(generation: str, descriptors: Descriptors, shape: Mapping[str, Any]) -> str:
    identity = {
        "version": _VERSION,
        "generation": generation,
        "descriptors": [fingerprint for fingerprint, _ in descriptors],
        **shape,
    }
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:24]


def fitted_rows(n: int, config: Config) -> Rows:
    """The rows, of n, that a space is fitted on, rising.

    All rows up to `space.fit_images`, else a random sample of that many with a fixed seed.
    """
    most = config.space.fit_images
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(_SEED).choice(n, most, replace=False))


def fitted_descriptors(descriptors: Descriptors, config: Config) -> Descriptors:
    """The descriptors with a weight above 0, of which points are made."""
    return tuple(pair for pair in descriptors if config.weights.get(pair[1].name, 0) > 0)


# ----- codes become points ------------------------------------------------------------------------


def project_codes(
    space: FeatureSpace, descriptors: Mapping[str, Descriptor], codes: Mapping[str, Codes]
) -> Floats:
    """Codes of n images, by descriptor name -> (n, p) points."""
    return space.transform({name: descriptors[name].features(codes[name]) for name in space.blocks})


def projected(
    streams: Iterable[Iterable[Codes]], descriptors: Descriptors, space: FeatureSpace
) -> Iterator[tuple[Floats, Floats, Hashes, View, View]]:
    """Yield points, squared lengths, hashes, miniatures and measures, batch by batch.

    `streams` holds an iterable of batches of codes for each descriptor. BLAS is kept to one thread,
    since the number of threads changes the last bits: points are the same wherever computed.
    """
    by_name = {descriptor.name: descriptor for _, descriptor in descriptors}
    for batch in zip(*streams, strict=True):
        codes = dict(zip(by_name, batch, strict=True))
        with one_blas_thread():
            points = project_codes(space, by_name, codes)
        beside = as_integers(codes[HASH]), codes[MINIATURE], codes[MEASURED]
        yield points, squared_lengths(points), *beside


# ----- points on disk -----------------------------------------------------------------------------


def write_arrays(batches: Iterable[tuple[npt.NDArray[Any], ...]], n: int, directory: Path) -> None:
    """Write n rows of points and all that goes with them batch by batch, so that memory stays flat.

    Not through a memory map: a full disk would then kill the process.
    """
    with contextlib.ExitStack() as opened:
        files = [opened.enter_context((directory / f"{name}.npy").open("wb")) for name in ARRAYS]
        for number, arrays in enumerate(batches):
            for file, array in zip(files, arrays, strict=True):
                if number == 0:
                    _write_header(file, array, n)
                file.write(np.ascontiguousarray(array).data)


def _write_header(file: BinaryIO, first: npt.NDArray[Any], n: int) -> None:
    shape = (n, *first.shape[1:])
    np.lib.format.write_array_header_1_0(
        file, {"descr": first.dtype.str, "fortran_order": False, "shape": shape}
    )


def load_part(
    points: Path, squares: Path, hashes: Path, miniatures: Path, measures: Path
) -> MemoryPart:
    """A part from its files; points, miniatures and measures memory-mapped.

    Raises
    ------
    OSError, ValueError, EOFError
        A file is missing or damaged.
    """
    part = MemoryPart(
        np.load(points, allow_pickle=False, mmap_mode="r"),
        np.load(squares, allow_pickle=False),
        np.load(hashes, allow_pickle=False),
        np.load(miniatures, allow_pickle=False, mmap_mode="r"),
        np.load(measures, allow_pickle=False, mmap_mode="r"),
    )
    if len({len(getattr(part, name)) for name in ARRAYS}) != 1:
        raise ValueError("the arrays do not belong together")
    return part
