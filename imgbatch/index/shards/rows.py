"""A shard's rows as Parquet bytes and back: one row a file, readable or not."""

import io
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from imgbatch.index.records import Row
from imgbatch.types import ReadFile, Skipped

_HASH_BYTES = 16
_CODES = "codes:"
"""Before the fingerprint in the name of a column of codes."""


def pack(files: Iterable[ReadFile], dims: Mapping[str, int]) -> bytes:
    """Write answers as Parquet; `dims` says how many bytes each fingerprint's codes have."""
    import pyarrow as pa
    from pyarrow import parquet

    rows = list(files)
    columns = {
        "path": pa.array([os.fsencode(one.path) for one in rows], pa.binary()),
        "size": pa.array([one.size for one in rows], pa.int64()),
        "mtime_ns": pa.array([one.mtime_ns for one in rows], pa.int64()),
        "content_hash": pa.array([one.content_hash for one in rows], pa.binary(_HASH_BYTES)),
        "width": pa.array([one.width for one in rows], pa.int32()),
        "height": pa.array([one.height for one in rows], pa.int32()),
        "note": pa.array([one.note for one in rows], pa.string()),
        "error": pa.array([_text(one.error) for one in rows], pa.string()),
    } | {
        f"{_CODES}{mark}": pa.array([(one.codes or {}).get(mark) for one in rows], pa.binary(dim))
        for mark, dim in dims.items()
    }
    target = io.BytesIO()
    # Zstandard: codes shrink by a fifth to a third. No dictionary: hardly any value comes twice.
    parquet.write_table(pa.table(columns), target, compression="zstd", use_dictionary=False)
    return target.getvalue()


def open_table(data: bytes) -> Any:
    """The pyarrow table of what `pack` wrote."""
    import pyarrow as pa
    from pyarrow import parquet

    return parquet.read_table(pa.BufferReader(data))


def unpack(table: Any) -> Iterator[ReadFile]:
    """The answers that were packed."""
    marks = [name for name in table.column_names if name.startswith(_CODES)]
    for row in table.to_pylist():
        codes = {mark.removeprefix(_CODES): row.pop(mark) for mark in marks}
        path = os.fsdecode(row.pop("path"))
        yield ReadFile(path, **row, codes=codes if row["error"] is None else None)


def readable(table: Any) -> Iterator[Row]:
    """Path, width, height and note of each readable image, sorted by path."""
    images = table.filter(_is_readable(table)).select(["path", "width", "height", "note"])
    yield from zip(*(column.to_pylist() for column in images.columns), strict=True)


def skipped(table: Any) -> list[Skipped]:
    """The files that cannot be used, with the reasons, sorted by path."""
    import pyarrow.compute as pc

    others = table.filter(pc.invert(_is_readable(table))).select(["path", "error"]).to_pylist()
    return [Skipped(os.fsdecode(one["path"]), one["error"]) for one in others]


def codes_in(table: Any, fingerprint: str, dim: int) -> npt.NDArray[np.uint8]:
    """A descriptor's codes of the readable images, sorted by path: (n, dim) uint8."""
    return _bytes_of(table.column(f"{_CODES}{fingerprint}").filter(_is_readable(table)), dim)


def contents(table: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Sizes (n,) and content hashes (n, 16) of the readable images, sorted by path."""
    images = table.filter(_is_readable(table))
    return images.column("size").to_numpy(), _bytes_of(images.column("content_hash"), _HASH_BYTES)


def _bytes_of(column: Any, dim: int) -> npt.NDArray[np.uint8]:
    """A column of `dim` bytes each without nulls: (n, dim) uint8."""
    whole = column.combine_chunks()
    values = np.frombuffer(whole.buffers()[1] or b"", np.uint8)
    first = whole.offset * dim
    return values[first : first + len(whole) * dim].reshape(len(whole), dim)


def _is_readable(table: Any) -> Any:
    import pyarrow.compute as pc

    return pc.is_null(table.column("error"))


def _text(error: str | None) -> str | None:
    """Parquet's text is UTF-8; a reason may quote a name that is not."""
    return None if error is None else error.encode(errors="backslashreplace").decode()
