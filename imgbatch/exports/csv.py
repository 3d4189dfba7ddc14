"""Comma-separated values in UTF-8: a header, then a line for each image.

Folder and fingerprint are repeated in each line; `hash` and `phash` are hexadecimal; `point` is a
JSON array in one cell, which pgvector takes as it is. Numbers have the nine digits that bring back
every float32. The feature space itself is not exported.

Names stand as they are, so that programs find the files. A spreadsheet takes a cell that begins
with ``=``, ``+``, ``-`` or ``@`` for a formula, also in quotes: whoever opens images of strangers
in one should import the columns `path`, `label` and `note` as text, or take Parquet.
"""

import csv
from pathlib import Path

from imgbatch.exports.base import Batch, ImageTable, as_text, file_exporter
from imgbatch.types import Progress

COLUMNS = (
    "id", "folder", "path", "label", "width", "height", "size", "hash", "phash", "note",
    "fingerprint", "point",
)  # fmt: skip


def _write(target: Path, table: ImageTable, progress: Progress) -> None:
    folder, fingerprint = as_text(table.folder), table.space.fingerprint
    numbers = f"[{','.join(['%.9g'] * table.points.shape[1])}]"
    done = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        # All text in quotes: the module leaves a carriage return in a name without.
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow(COLUMNS)
        for batch in table.batches():
            columns = _columns(batch, numbers)
            writer.writerows(
                (image_id, folder, *middle, fingerprint, point)
                for image_id, *middle, point in zip(*columns, strict=True)
            )
            done += len(batch)
            progress(done, len(table))


def _columns(batch: Batch, numbers: str) -> tuple[object, ...]:
    points = (numbers % tuple(point) for point in batch.points.tolist())
    hashes = (digest.hex() for digest in batch.hashes)
    phashes = (f"{phash:016x}" for phash in batch.phashes)
    sides = batch.widths, batch.heights
    named = batch.ids, batch.paths, batch.labels
    return (*named, *sides, batch.sizes, hashes, phashes, batch.notes, points)


EXPORTER = file_exporter(_write)
