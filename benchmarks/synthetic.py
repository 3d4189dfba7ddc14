"""Synthetic catalogues: the descriptor bytes of a real folder's images, jittered, in any number."""

import hashlib
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from imgbatch import Collection
from imgbatch.descriptors import ALWAYS
from imgbatch.files.cache import index_directory, remember_folder
from imgbatch.index.extract import limits_of
from imgbatch.index.sqlite.store import Catalogue
from imgbatch.types import ReadFile

Codes = npt.NDArray[np.uint8]
_CHUNK = 5000
_NOISE = 0.15  # of a histogram's entry, relative; no synthetic image equals another
_BITS = 6  # of a pHash, flipped on average


def write_catalogue(source: Collection, n: int, folder: str, cache: Path) -> float:
    """Write an index of n images of a folder that need not exist; seconds it took.

    Image i is a jittered image of `source`, drawn at random, so that neighbours are of many kinds.
    """
    started = time.perf_counter()
    directory = index_directory(folder, cache)
    limits = limits_of(source.config.images.as_options())
    held = source._opened.catalogue  # noqa: SLF001
    codes = {
        mark: (descriptor.name, np.concatenate([*held.codes(mark, descriptor.dim)]))
        for mark, descriptor in source._opened.indexed.descriptors  # noqa: SLF001
    }
    random = np.random.default_rng(0)
    with Catalogue.open(directory, folder) as catalogue:
        for start in range(0, n, _CHUNK):
            numbers = range(start, min(start + _CHUNK, n))
            drawn = random.integers(len(source), size=len(numbers))
            jittered = {
                mark: _flipped(rows[drawn], random)
                if name == ALWAYS
                else _scaled(rows[drawn], random)
                for mark, (name, rows) in codes.items()
            }
            catalogue.record(
                [
                    ReadFile(
                        path=f"{number // 1000:05}/{number:08}.jpg",
                        size=number,
                        mtime_ns=number,
                        content_hash=hashlib.sha256(b"%d" % number).digest()[:16],
                        width=300,
                        height=240,
                        codes={mark: rows[at].tobytes() for mark, rows in jittered.items()},
                    )
                    for at, number in enumerate(numbers)
                ],
                limits,
            )
    remember_folder(directory, folder)
    return time.perf_counter() - started


def _scaled(rows: Codes, random: np.random.Generator) -> Codes:
    noise = random.standard_normal(rows.shape, dtype=np.float32) * np.float32(_NOISE) + 1
    return np.clip(np.rint(rows * noise), 0, 255).astype(np.uint8)


def _flipped(rows: Codes, random: np.random.Generator) -> Codes:
    flips = random.random((len(rows), rows.shape[1] * 8)) < _BITS / (rows.shape[1] * 8)
    return rows ^ np.packbits(flips, axis=1)
