"""The folder's images as points, computed once and kept beside the index.

What is kept depends on the index's generation, on the descriptors and on the settings of the space;
any change of these gives another key and thereby another computation. Only the newest few are kept.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from imgbatch.catalogue import Catalogue
from imgbatch.descriptors import ALWAYS, Codes, Descriptor, as_integers
from imgbatch.selectors.neighbours import squared_lengths
from imgbatch.settings import Config
from imgbatch.space import BlockOptions, FeatureSpace
from imgbatch.types import Floats, Hashes

_UNUSABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""What NumPy raises for files that are missing, cut off or damaged: compute anew."""
_VERSION = 2
"""Raised whenever the same index and settings give other points."""
_KEPT = 4
_ARRAYS = ("points", "squares", "hashes")
_BATCH = 4096
_SEED = 20_000_003  # of the images the space is fitted on, where not on all

Descriptors = tuple[tuple[str, Descriptor], ...]


@dataclass(frozen=True, slots=True)
class Projection:
    """A fitted space and the images in it; row i is the i-th readable image.

    points (n, p) float32; squares (n,) float32, their squared lengths; hashes (n,) uint64 pHashes.
    """

    space: FeatureSpace
    points: Floats
    squares: Floats
    hashes: Hashes


def project(catalogue: Catalogue, descriptors: Descriptors, config: Config) -> Projection:
    """The projection of an up-to-date index: from the disk if it is there, else computed."""
    options = space_options(config)
    key = _key(catalogue, descriptors, config, options)
    place = catalogue.directory / "spaces" / key
    with contextlib.suppress(*_UNUSABLE):
        return _load(place)
    shutil.rmtree(place, ignore_errors=True)
    projection = _compute(catalogue, descriptors, config, options)
    _save(projection, place)
    return projection


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
    catalogue: Catalogue,
    descriptors: Iterable[tuple[str, Descriptor]],
    chosen: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> dict[str, Floats]:
    """Features of the marked images, (n,) bool in the order of rows, by descriptor name."""
    return {
        descriptor.name: descriptor.features(_take(catalogue, mark, descriptor, chosen))
        for mark, descriptor in descriptors
    }


def _key(
    catalogue: Catalogue, descriptors: Descriptors, config: Config, options: dict[str, BlockOptions]
) -> str:
    parts = {
        "version": _VERSION,
        "generation": catalogue.generation(),
        "descriptors": [mark for mark, _ in descriptors],
        "space": {name: asdict(one) for name, one in options.items()},
        "fit_images": config.space.fit_images,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


def _compute(
    catalogue: Catalogue, descriptors: Descriptors, config: Config, options: dict[str, BlockOptions]
) -> Projection:
    by_name = {descriptor.name: descriptor for _, descriptor in descriptors}
    used = {name for name, one in options.items() if one.weight > 0}
    fitting = _fitting_rows(len(catalogue.records()), config.space.fit_images)
    sample = features_of(catalogue, [one for one in descriptors if one[1].name in used], fitting)
    space = FeatureSpace.fit(sample, options)
    del sample
    points, hashes = [], []
    for codes in _batches(catalogue, descriptors):
        points.append(project_codes(space, by_name, codes))
        hashes.append(as_integers(codes[ALWAYS]))
    together = np.concatenate(points)
    return Projection(space, together, squared_lengths(together), np.concatenate(hashes))


def _fitting_rows(n: int, most: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    chosen = np.zeros(n, bool)
    if n <= most:
        chosen[:] = True
    else:
        chosen[np.random.default_rng(_SEED).choice(n, most, replace=False)] = True
    return chosen


def _take(
    catalogue: Catalogue,
    mark: str,
    descriptor: Descriptor,
    chosen: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> Codes:
    parts, at = [], 0
    for codes in catalogue.codes(mark, descriptor.dim, _BATCH):
        parts.append(codes[chosen[at : at + len(codes)]])
        at += len(codes)
    return np.concatenate(parts)


def _batches(catalogue: Catalogue, descriptors: Descriptors) -> Iterator[dict[str, Codes]]:
    names = [descriptor.name for _, descriptor in descriptors]
    streams = [catalogue.codes(mark, descriptor.dim, _BATCH) for mark, descriptor in descriptors]
    for codes in zip(*streams, strict=True):
        yield dict(zip(names, codes, strict=True))


def _load(place: Path) -> Projection:
    space = FeatureSpace.load(place / "space.npz")
    arrays = [
        np.load(
            place / f"{name}.npy", allow_pickle=False, mmap_mode="r" if name == "points" else None
        )
        for name in _ARRAYS
    ]
    if len({len(array) for array in arrays}) > 1:
        raise ValueError("the arrays do not belong together")
    os.utime(place)
    return Projection(space, *arrays)


def _save(projection: Projection, place: Path) -> None:
    """Write beside the place and rename; failing to keep it costs time, never the answer."""
    with contextlib.suppress(OSError):
        place.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, ignore_cleanup_errors=True) as temporary:
            made = Path(temporary) / place.name
            made.mkdir()
            projection.space.save(made / "space.npz")
            for name in _ARRAYS:
                np.save(made / f"{name}.npy", getattr(projection, name), allow_pickle=False)
            made.rename(place)
        kept = sorted(place.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in kept[_KEPT:]:
            shutil.rmtree(old, ignore_errors=True)
