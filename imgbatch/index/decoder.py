"""The decoder of an index: learned from its files on request, and kept beside it.

The index holds pictures in little in grey only, and the colours of an image without their places.
So up to 2,000 files are decoded, about a second, the first time a picture is asked for.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from imgbatch.config.schema import Config
from imgbatch.embedding.decoder import SIDE_PX, Decoder
from imgbatch.errors import SelectionError
from imgbatch.files import paths
from imgbatch.images.quiet import quiet_codecs
from imgbatch.index.extract import read_view
from imgbatch.index.filtered import FilteredIndex
from imgbatch.index.kept_arrays import KeptArrays
from imgbatch.index.opened import OpenedIndex
from imgbatch.index.portable import PortableSpace
from imgbatch.runners.maps import ThreadMap
from imgbatch.types import DecodeOptions, Floats, View
from imgbatch.version import __version__

MOST = 2000
"""Images that a decoder is learned from, at most."""
LEAST = 10
_VIEW_PX = 64
_SEED = 20_000_023
_VERSION = 1
"""Raised whenever the same images give another decoder."""
_KEPT = 4


def decoder_of(opened: OpenedIndex, config: Config) -> Decoder:
    """The decoder of a folder: kept, or learned from its files, those that filters leave out too.

    Raises
    ------
    SelectionError
        Fewer than ten of the files can be read.
    """
    if isinstance(opened, FilteredIndex):
        opened = opened.whole
    projection = opened.projection()
    space = PortableSpace.of(opened.folder, config, projection.space, __version__).fingerprint
    directory = opened.directory / "decoders"
    kept = KeptArrays(directory, f"{opened.generation}-{space}-{_VERSION}", _KEPT)
    if (stored := kept.read()) is not None:
        return Decoder.of(stored)
    total = len(opened.records)
    random = np.random.default_rng(_SEED)
    rows = np.sort(random.choice(total, min(total, MOST), replace=False))
    files = [paths.join(opened.folder, opened.records[row].path) for row in rows.tolist()]
    reader = _Reader(replace(config.images.as_options(), view_px=_VIEW_PX))
    with quiet_codecs():
        read = list(ThreadMap(config.index.workers)(reader.read, ((file,) for file in files)))
    there = [picture for picture in read if picture is not None]
    if len(there) < LEAST:
        raise SelectionError(
            f"a picture is learned from at least {LEAST} images, but of {opened.folder} only"
            f" {len(there)} can be read",
            "add images, or bring the folder back",
        )
    chosen = rows[np.array([picture is not None for picture in read])]
    blocks = list(projection.space.columns.values()) or [slice(None)]  # learned points have one
    decoder = Decoder.fit(np.asarray(projection.points[chosen]), np.stack(there), blocks)
    kept.write(decoder.arrays())
    return decoder


def in_little(view: View) -> View:
    """A picture averaged to 32 x 32 pixels without keeping its aspect, as miniatures are."""
    small: View = cv2.resize(view, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return small


@dataclass(frozen=True, slots=True)
class _Reader:
    options: DecodeOptions

    def read(self, file: str) -> View | None:
        """The picture in little; None if the file cannot be read."""
        view = read_view(file, self.options)
        return None if view is None else in_little(view)


def checked_point(point: Floats, columns: tuple[int, ...]) -> Floats:
    """A point as float32; raises `SelectionError` unless it has so many columns."""
    if np.shape(point) != columns:
        raise SelectionError(
            f"the point has the shape {np.shape(point)}, those of the folder have {columns}",
            "give a row of this folder's points under the same weights",
        )
    return np.asarray(point, np.float32)
