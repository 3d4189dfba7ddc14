"""Synthetic catalogues: the descriptor bytes of a real folder's images, jittered, in any number."""

import hashlib
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from imgbatch import Collection
from imgbatch.descriptors import HASH, MINIATURE
from imgbatch.descriptors.miniature import SIDE_PX
from imgbatch.files.cache import index_directory, remember_folder
from imgbatch.index.extract import limits_of
from imgbatch.index.sqlite.store import Catalogue
from imgbatch.types import ReadFile

Codes = npt.NDArray[np.uint8]
CHUNK = 5000
_NOISE = 0.15  # of a histogram's entry, relative; no synthetic image equals another
_BITS = 6  # of a pHash, flipped on average
_OWN = 0.27  # of a miniature's coarse variance: as many pairs are alike as among photographs
_COARSE = 3.0  # waves across a picture; what is finer is an image's own
TWINS = 50  # of each 5,000 images: half are plain copies of another one, half are mirrored
_GRAIN = 4  # grey values by which a twin's miniature differs


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
        for mark, descriptor in source._opened.indexed.stored  # noqa: SLF001
    }
    random = np.random.default_rng(0)
    with Catalogue.open(directory, folder) as catalogue:
        for start in range(0, n, CHUNK):
            numbers = range(start, min(start + CHUNK, n))
            drawn = random.integers(len(source), size=len(numbers))
            jittered = {
                mark: _JITTER.get(name, _scaled)(rows[drawn], random)
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


def _mixed(rows: Codes, random: np.random.Generator) -> Codes:
    """Miniatures of their own: alike in composition at most, with noise of 1/f for details."""
    shape = len(rows), SIDE_PX, SIDE_PX
    y, x = np.fft.fftfreq(SIDE_PX)[:, None], np.fft.rfftfreq(SIDE_PX)
    frequency = np.hypot(y, x)
    shared = np.where(frequency * SIDE_PX <= _COARSE, 1 - _OWN, 0.0)
    frequency[0, 0], shared[0, 0] = np.inf, 1
    spectra = np.fft.rfft2(rows.reshape(shape).astype(np.float32))
    noise = np.fft.rfft2(random.standard_normal(shape)) / frequency
    noise *= (abs(spectra).mean(axis=0) / abs(noise).mean(axis=0).clip(1e-9)) * (frequency < np.inf)
    mixed = np.fft.irfft2(spectra * shared**0.5 + noise * (1 - shared) ** 0.5, shape[1:])
    twins = mixed[:TWINS] + random.uniform(-_GRAIN, _GRAIN, mixed[:TWINS].shape)
    twins[::2] = twins[::2, :, ::-1]
    mixed[len(mixed) - len(twins) :] = twins
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8).reshape(rows.shape)


_JITTER = {HASH: _flipped, MINIATURE: _mixed}
