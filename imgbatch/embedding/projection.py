"""The folder's images as points, computed once and kept beside the index.

What is kept depends on the index's generation, on the descriptors and on the settings of the space;
any change of these gives another key and thereby another computation. Only the newest few are kept.
"""

import contextlib
import hashlib
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import numpy.typing as npt

from imgbatch.config.schema import Config
from imgbatch.descriptors import ALWAYS, Codes, Descriptor, as_integers
from imgbatch.embedding.space import BlockOptions, FeatureSpace
from imgbatch.files.atomic import publishing
from imgbatch.neighbours.parts import (
    MemoryPart,
    Part,
    Parted,
    PartedSearch,
    as_array,
)
from imgbatch.neighbours.search import NeighbourSearch, squared_lengths
from imgbatch.runners.maps import TaskMap, map_serially
from imgbatch.types import Floats, Hashes, Rows

UNUSABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""What NumPy raises for files that are missing, cut off or damaged: compute anew."""
_VERSION = 2
"""Raised whenever the same index and settings give other points."""
_KEPT = 4
ARRAYS = ("points", "squares", "hashes")
BATCH_ROWS = 4096
_SEED = 20_000_003  # of the images the space is fitted on, where not on all

Descriptors = tuple[tuple[str, Descriptor], ...]


class Described(Protocol):
    """Whoever holds the codes of a folder's readable images: the index, or shards."""

    @property
    def directory(self) -> Path:
        """The local folder in which points may be kept."""
        ...

    def generation(self) -> str:
        """Text that changes whenever the images, or their order, do."""
        ...

    def contents(self) -> Rows:
        """(n,) int64: what `codes_of` knows each image by, in the order of rows."""
        ...

    def codes(self, fingerprint: str, dim: int, batch: int) -> Iterator[Codes]:
        """A descriptor's codes in the order of rows, as arrays (<= batch, dim) uint8."""
        ...

    def codes_of(self, fingerprint: str, dim: int, contents: Rows) -> Codes:
        """A descriptor's codes of some images, in the order given: (m, dim) uint8."""
        ...


@dataclass(frozen=True)
class Projection:
    """A fitted space and the images in it, in one part or several; row i is the i-th image.

    The arrays of one part are arrays; those of several are only read where they are indexed (see
    `Parted`). `run_tasks` does the work on several parts; `run_long_tasks` does tasks that take
    many seconds.
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

    def search(self, large: int) -> NeighbourSearch:
        """Exact nearest neighbours; in one part, `large` decides by which method."""
        if len(self.parts) == 1:
            return NeighbourSearch(self.points, large, self.parts[0].squares)
        return PartedSearch(self.parts, self.run_tasks)

    def _joined(self, name: str) -> npt.NDArray[Any]:
        if len(self.parts) == 1:
            whole: npt.NDArray[Any] = getattr(self.parts[0], name)
            return whole
        return as_array(Parted(self.parts, name, self.run_tasks))


def project(index: Described, descriptors: Descriptors, config: Config) -> Projection:
    """The projection of an up-to-date index: from the disk if it is there, else computed."""
    key = space_key(index.generation(), descriptors, config)
    place = index.directory / "spaces" / key
    with contextlib.suppress(*UNUSABLE):
        return _load(place)
    shutil.rmtree(place, ignore_errors=True)
    return _compute(index, descriptors, config, place)


def space_options(config: Config) -> dict[str, BlockOptions]:
    """The part of the config that shapes the space, by descriptor."""
    return {
        name: BlockOptions(weight, config.space.components[name], config.space.power[name])
        for name, weight in config.weights.items()
    }


def project_codes(
    space: FeatureSpace, descriptors: Mapping[str, Descriptor], codes: Mapping[str, Codes]
) -> Floats:
    """Codes of n pictures, by descriptor name -> (n, p) points."""
    return space.transform({name: descriptors[name].features(codes[name]) for name in space.blocks})


def features_of(
    index: Described,
    descriptors: Iterable[tuple[str, Descriptor]],
    rows: Rows,
) -> dict[str, Floats]:
    """Features of some rows, in the order given, by descriptor name."""
    return _features(index, descriptors, index.contents()[rows])


def _features(
    index: Described, descriptors: Iterable[tuple[str, Descriptor]], contents: Rows
) -> dict[str, Floats]:
    return {
        descriptor.name: descriptor.features(index.codes_of(mark, descriptor.dim, contents))
        for mark, descriptor in descriptors
    }


def space_key(generation: str, descriptors: Descriptors, config: Config) -> str:
    """Text that changes with the images, the descriptors and what shapes the space."""
    options = space_options(config)
    parts = {
        "version": _VERSION,
        "generation": generation,
        "descriptors": [mark for mark, _ in descriptors],
        "space": {name: asdict(one) for name, one in options.items()},
        "fit_images": config.space.fit_images,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


def _compute(index: Described, descriptors: Descriptors, config: Config, place: Path) -> Projection:
    """Compute straight into the place and map it from there; in memory if that fails."""
    contents = index.contents()
    space = _fit(index, descriptors, config, contents)
    with contextlib.suppress(OSError), publishing(place, _KEPT) as made:
        space.save(made / "space.npz")
        write_arrays(_batches(index, descriptors, space), len(contents), made)
    with contextlib.suppress(*UNUSABLE):
        return _load(place)
    parts = list(_batches(index, descriptors, space))
    whole = MemoryPart(*(np.concatenate(one) for one in zip(*parts, strict=True)))
    return Projection(space, (whole,))


def _fit(
    index: Described, descriptors: Descriptors, config: Config, contents: Rows
) -> FeatureSpace:
    """Fit on all images or, of many, on a random sample; no other is read for it."""
    rows = fitted_rows(len(contents), config)
    used = fitted_descriptors(descriptors, config)
    return FeatureSpace.fit(_features(index, used, contents[rows]), space_options(config))


def fitted_rows(n: int, config: Config) -> Rows:
    """The rows, of n, that a space is fitted on: all, or of many a random sample; rising."""
    most = config.space.fit_images
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(_SEED).choice(n, most, replace=False))


def fitted_descriptors(descriptors: Descriptors, config: Config) -> Descriptors:
    """Those that the points are made of."""
    return tuple(one for one in descriptors if config.weights[one[1].name] > 0)


def _batches(
    index: Described, descriptors: Descriptors, space: FeatureSpace
) -> Iterator[tuple[Floats, Floats, Hashes]]:
    streams = [index.codes(mark, descriptor.dim, BATCH_ROWS) for mark, descriptor in descriptors]
    return projected(streams, descriptors, space)


def projected(
    streams: Iterable[Iterable[Codes]], descriptors: Descriptors, space: FeatureSpace
) -> Iterator[tuple[Floats, Floats, Hashes]]:
    """Points, squared lengths and hashes of the codes of each descriptor, as they come.

    On one BLAS thread, since their number changes the last bits: points are to be the same
    wherever they are computed.
    """
    from threadpoolctl import threadpool_limits

    by_name = {descriptor.name: descriptor for _, descriptor in descriptors}
    for some in zip(*streams, strict=True):
        codes = dict(zip(by_name, some, strict=True))
        with threadpool_limits(limits=1, user_api="blas"):
            points = project_codes(space, by_name, codes)
        yield points, squared_lengths(points), as_integers(codes[ALWAYS])


def write_arrays(batches: Iterable[tuple[npt.NDArray[Any], ...]], n: int, directory: Path) -> None:
    """Write n rows of points, squares and hashes batch by batch, so that memory stays flat.

    Not through a memory map: where the disk is full, that would kill the process.
    """
    with contextlib.ExitStack() as opened:
        files = [opened.enter_context((directory / f"{one}.npy").open("wb")) for one in ARRAYS]
        for first, arrays in enumerate(batches):
            for file, array in zip(files, arrays, strict=True):
                if first == 0:
                    _write_header(file, array, n)
                file.write(np.ascontiguousarray(array).data)


def _write_header(file: BinaryIO, first: npt.NDArray[Any], n: int) -> None:
    shape = (n, *first.shape[1:])
    np.lib.format.write_array_header_1_0(
        file, {"descr": first.dtype.str, "fortran_order": False, "shape": shape}
    )


def _load(place: Path) -> Projection:
    space = FeatureSpace.load(place / "space.npz")
    part = load_part(*(place / f"{name}.npy" for name in ARRAYS))
    os.utime(place)
    return Projection(space, (part,))


def load_part(points: Path, squares: Path, hashes: Path) -> MemoryPart:
    """A part from its files, the points mapped.

    Raises
    ------
    OSError, ValueError, EOFError
        A file is missing or damaged.
    """
    part = MemoryPart(
        np.load(points, allow_pickle=False, mmap_mode="r"),
        np.load(squares, allow_pickle=False),
        np.load(hashes, allow_pickle=False),
    )
    if not len(part.points) == len(part.squares) == len(part.hashes):
        raise ValueError("the arrays do not belong together")
    return part
