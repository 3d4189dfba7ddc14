r"""TensorBoard's projector: a folder of points, metadata, thumbnails and the file that names them.

``tensorboard --logdir DIR`` then shows the images in its tab *Projector*: coloured by label, found
by name, laid out by PCA, t-SNE or UMAP. Neither TensorBoard nor TensorFlow is needed to write it.

`tensors.bytes` holds float32, little-endian, row after row; `metadata.tsv` a line for each image
(path, label, tags, split, width, height), in which tabs and line breaks became spaces; `sprite.png`
thumbnails of one size, row by row, in as many columns as rows.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from imgbatch.errors import UsageError
from imgbatch.exports.base import Exporter, ImageTable, Written
from imgbatch.files import paths
from imgbatch.files.atomic import refuse_other_files, replacing_folder
from imgbatch.files.targets import check_folder
from imgbatch.images.quiet import quiet_codecs
from imgbatch.index.extract import read_view
from imgbatch.runners.maps import ThreadMap
from imgbatch.types import DecodeOptions, Progress

SCHEME = "tensorboard:"
_TENSORS, _METADATA, _SPRITE = "tensors.bytes", "metadata.tsv", "sprite.png"
_CONFIG = "projector_config.pbtxt"
_FILES = {_TENSORS, _METADATA, _SPRITE, _CONFIG}
_SPRITE_PX = 8192
"""The largest side of a sprite that TensorBoard reads."""
_MOST_PX, _LEAST_PX = 64, 16
_MANY = 100_000
_NO_CELL = re.compile(r"[\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_COLUMNS = ("path", "label", "tags", "split", "width", "height")


def _folder(target: str) -> Path:
    name = target[len(SCHEME) :]
    if not name:
        raise UsageError("the target tensorboard: names no folder", "give tensorboard:DIR")
    return Path(name)


def _check(target: str) -> str:
    folder = _folder(target)
    check_folder(folder)
    refuse_other_files(folder, lambda _existing: _FILES)
    return target


def _write(target: str, table: ImageTable, progress: Progress | None) -> Written:
    count, dimensions = len(table), table.points.shape[1]
    columns = math.ceil(math.sqrt(count))
    side = min(_MOST_PX, _SPRITE_PX // columns)
    notes = []
    if count > _MANY:
        notes.append(f"TensorBoard's projector is made for {_MANY:,} images; here are {count:,}")
    with replacing_folder(_folder(target), lambda _existing: _FILES) as folder:
        with (folder / _TENSORS).open("wb") as tensors:
            for batch in table.batches():
                tensors.write(np.ascontiguousarray(batch.points, "<f4").data)
        lines = "".join(f"{line}\n" for line in _lines(table))
        (folder / _METADATA).write_text(lines, encoding="utf-8", newline="\n")
        sprite = ""
        if side >= _LEAST_PX:
            _sprite(table, columns, side, progress).save(folder / _SPRITE)
            size = f"single_image_dim: {side} single_image_dim: {side}"
            sprite = f'  sprite {{ image_path: "{_SPRITE}" {size} }}\n'
        else:
            notes.append(f"{count:,} thumbnails do not fit on a sprite; there is none")
        (folder / _CONFIG).write_text(
            'embeddings {\n  tensor_name: "images"\n'
            f'  tensor_path: "{_TENSORS}"\n  tensor_shape: {count}\n  tensor_shape: {dimensions}\n'
            f'  metadata_path: "{_METADATA}"\n{sprite}}}\n',
            encoding="utf-8",
        )
    return Written(count, count, notes=tuple(notes))


def _lines(table: ImageTable) -> Iterator[str]:
    """Tab-separated: the heading, then a line for each image."""
    yield "\t".join(_COLUMNS)
    for batch in table.batches():
        tags = map(", ".join, map(_all_tags, batch.tags, batch.machine_tags))
        sides = map(str, batch.widths), map(str, batch.heights)
        for cells in zip(batch.paths, batch.labels, tags, batch.splits, *sides, strict=True):
            yield "\t".join(_NO_CELL.sub(" ", cell) for cell in cells)


def _all_tags(given: tuple[str, ...], measured: tuple[str, ...]) -> tuple[str, ...]:
    return *given, *measured


@dataclass(frozen=True, slots=True)
class _Small:
    """Makes thumbnails of one size; grey where a file cannot be read any more."""

    options: DecodeOptions
    side: int

    def of(self, file: str) -> Image.Image:
        """The picture, at most as large as a square of the sprite."""
        view = read_view(file, self.options)
        if view is None:
            return Image.new("RGB", (self.side, self.side), "#c8c8c8")
        image = Image.fromarray(view)
        image.thumbnail((self.side, self.side), Image.Resampling.LANCZOS)
        return image


def _sprite(table: ImageTable, columns: int, side: int, progress: Progress | None) -> Image.Image:
    """All thumbnails, each in the middle of its square."""
    config = table.space.config()
    small = _Small(replace(config.images.as_options(), view_px=side), side)
    files = ((paths.join(table.folder, record.path),) for record in table.records)
    sprite = Image.new("RGB", (columns * side, columns * side), "white")
    with quiet_codecs():
        for number, image in enumerate(ThreadMap(config.index.workers)(small.of, files)):
            left = number % columns * side + (side - image.width) // 2
            top = number // columns * side + (side - image.height) // 2
            sprite.paste(image, (left, top))
            if progress:
                progress(number + 1, len(table))
    return sprite


EXPORTER = Exporter(_check, _write, folder=_folder, holds_space=False)
