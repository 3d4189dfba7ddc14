"""Parquet: a row for each image; the metadata hold the feature space as JSON under ``imgbatch``.

`id`, `hash` and `path` are text, `phash` is an unsigned number, `point` a list of float32 of fixed
length; `tags`, `texts` and `machine_tags` (measured or learned) are lists of text. The metadata
holds folder, fingerprint, settings and, in base64, the space's arrays, see `read_space`.
"""

import base64
import json
from pathlib import Path
from typing import Any

from imgbatch.errors import UsageError
from imgbatch.exports.base import ImageTable, as_text, file_exporter, no_space
from imgbatch.files.regular import only_regular
from imgbatch.index.portable import PortableSpace
from imgbatch.types import Progress


def _write(target: Path, table: ImageTable, progress: Progress) -> tuple[str, ...]:
    pa = _pyarrow()
    import pyarrow.parquet as pq

    dimensions = table.points.shape[1]
    schema = _schema(pa, table)
    done = 0
    with pq.ParquetWriter(target, schema, use_dictionary=["label", "note"]) as writer:
        for batch in table.batches():
            flat = pa.array(batch.points.reshape(-1), pa.float32())
            columns = [
                [str(image_id) for image_id in batch.ids],
                batch.paths,
                batch.labels,
                batch.widths,
                batch.heights,
                batch.sizes,
                [digest.hex() for digest in batch.hashes],
                batch.phashes,
                batch.notes,
                pa.FixedSizeListArray.from_arrays(flat, dimensions),
                batch.tags,
                batch.texts,
                batch.splits,
                batch.groups,
                batch.machine_tags,
            ]
            writer.write_table(pa.table(columns, schema=schema))
            done += len(batch)
            progress(done, len(table))
    return ()


def _schema(pa: Any, table: ImageTable) -> Any:
    about = {
        "folder": as_text(table.folder),
        "fingerprint": table.space.fingerprint,
        "settings": table.space.settings,
        "space": base64.b64encode(table.space.arrays()).decode(),
    }
    text = pa.string()
    columns = [
        ("id", text),
        ("path", text),
        ("label", text),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("size", pa.int64()),
        ("hash", text),
        ("phash", pa.uint64()),
        ("note", text),
        ("point", pa.list_(pa.float32(), table.points.shape[1])),
        ("tags", pa.list_(text)),
        ("texts", pa.list_(text)),
        ("split", text),
        ("group", text),
        ("machine_tags", pa.list_(text)),
    ]
    return pa.schema(columns, metadata={"imgbatch": json.dumps(about)})


def read_space(path: str | Path) -> PortableSpace:
    """The feature space of an exported file.

    Raises
    ------
    UsageError
        pyarrow is not installed.
    ImgbatchError
        The file cannot be read, or the stored space is damaged.

    Examples
    --------
    >>> import pytest; _ = pytest.importorskip("pyarrow")
    >>> import imgbatch
    >>> from imgbatch.exports.run import export
    >>> photos = imgbatch.load("photos")
    >>> _ = export(photos, "photos.parquet")
    >>> read_space("photos.parquet").dimensions == photos.points.shape[1]
    True
    """
    pa = _pyarrow()
    import pyarrow.parquet as pq

    broken = (OSError, ValueError, KeyError, TypeError, RecursionError, pa.ArrowException)
    try:
        with open(path, "rb", opener=only_regular) as file:
            about = json.loads((pq.read_schema(file).metadata or {})[b"imgbatch"])
        arrays = base64.b64decode(about["space"])
        return PortableSpace.restore(about["fingerprint"], about["settings"], arrays)
    except broken as error:
        raise no_space(path, error) from None


def _pyarrow() -> Any:
    try:
        import pyarrow as pa
    except ImportError:
        raise UsageError(
            "a .parquet export needs pyarrow, which is not installed",
            "pip install 'imgbatch[parquet]', or use .npz or .csv",
        ) from None
    return pa


EXPORTER = file_exporter(_write, _pyarrow)
