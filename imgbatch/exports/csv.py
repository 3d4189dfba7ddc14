"""Comma-separated values in UTF-8: a header, then a line for each image.

Folder and fingerprint are repeated in each line; `hash` and `phash` are hexadecimal; `point` is a
JSON array in one cell, which pgvector takes as it is, and `texts` is another; between tags stands a
semicolon. Numbers have the nine digits that bring back every float32. The feature space itself is
not exported.

Names stand as they are, so that programs find the files. A spreadsheet takes a cell that begins
with ``=``, ``+``, ``-`` or ``@`` for a formula, also in quotes: whoever opens images of strangers
in one should import the columns `path`, `label` and `note` as text, or take Parquet.
"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from imgbatch.exports.base import Batch, ImageTable, as_text, file_exporter
from imgbatch.types import Progress

COLUMNS = (
    "id", "folder", "path", "label", "width", "height", "size", "hash", "phash", "note",
    "fingerprint", "point", "tags", "texts", "split", "group", "machine_tags",
)  # fmt: skip


def _write(target: Path, table: ImageTable, progress: Progress) -> tuple[str, ...]:
    folder, fingerprint = as_text(table.folder), table.space.fingerprint
    numbers = f"[{','.join(['%.9g'] * table.points.shape[1])}]"
    done = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        # All text in quotes: the module leaves a carriage return in a name without.
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow(COLUMNS)
        for batch in table.batches():
            for image_id, described, known in zip(
                batch.ids, _described(batch), _known(batch, numbers), strict=True
            ):
                writer.writerow((image_id, folder, *described, fingerprint, *known))
            done += len(batch)
            progress(done, len(table))
    return ()


def _described(batch: Batch) -> Iterator[tuple[object, ...]]:
    """The cells of each row from path to note."""
    hashes = (digest.hex() for digest in batch.hashes)
    phashes = (f"{phash:016x}" for phash in batch.phashes)
    sides = batch.widths, batch.heights
    named = batch.paths, batch.labels
    return zip(*named, *sides, batch.sizes, hashes, phashes, batch.notes, strict=True)


def _known(batch: Batch, numbers: str) -> Iterator[tuple[object, ...]]:
    """The cells of each row from point on; `numbers` is the format of a point."""
    points = (numbers % tuple(point) for point in batch.points.tolist())
    tags = map(";".join, batch.tags)
    texts = (json.dumps(texts, ensure_ascii=False) for texts in batch.texts)
    machine_tags = map(";".join, batch.machine_tags)
    return zip(points, tags, texts, batch.splits, batch.groups, machine_tags, strict=True)


EXPORTER = file_exporter(_write, holds_space=False)
