"""A shard's rows as Parquet bytes and back: a row for each file, readable or not."""

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
"""How the name of a column of codes begins; the descriptor's fingerprint follows."""


def pack(files: Iterable[ReadFile], dims: Mapping[str, int]) -> bytes:
    """The files of a shard as Parquet; `dims` maps fingerprints to the number of bytes of codes.

    The same rows give the same bytes.
    """
    import pyarrow as pa
    from pyarrow import parquet

    rows = list(files)
    columns = {
        "path": pa.array([os.fsencode(row.path) for row in rows], pa.binary()),
        "size": pa.array([row.size for row in rows], pa.int64()),
        "mtime_ns": pa.array([row.mtime_ns for row in rows], pa.int64()),
        "content_hash": pa.array([row.content_hash for row in rows], pa.binary(_HASH_BYTES)),
        "width": pa.array([row.width for row in rows], pa.int32()),
        "height": pa.array([row.height for row in rows], pa.int32()),
        "note": pa.array([row.note for row in rows], pa.string()),
        "error": pa.array([_text(row.error) for row in rows], pa.string()),
    } | {
        f"{_CODES}{fingerprint}": pa.array(
            [(row.codes or {}).get(fingerprint) for row in rows], pa.binary(dim)
        )
        for fingerprint, dim in dims.items()
    }
    target = io.BytesIO()
    # Zstandard shrinks codes by a fifth to a third. A dictionary would not: values hardly repeat.
    parquet.write_table(pa.table(columns), target, compression="zstd", use_dictionary=False)
    return target.getvalue()


def open_table(data: bytes) -> Any:
    """What `pack` wrote, as a pyarrow table."""
    import pyarrow as pa
    from pyarrow import parquet

    return parquet.read_table(pa.BufferReader(data))


def unpack(table: Any) -> Iterator[ReadFile]:
    """Yield the files that were packed."""
    columns = [name for name in table.column_names if name.startswith(_CODES)]
    for row in table.to_pylist():
        codes = {name.removeprefix(_CODES): row.pop(name) for name in columns}
        path = os.fsdecode(row.pop("path"))
        yield ReadFile(path, **row, codes=codes if row["error"] is None else None)


def readable(table: Any) -> Iterator[Row]:
    """Yield path, width, height and note of each readable image, sorted by path."""
    images = table.filter(_is_readable(table)).select(["path", "width", "height", "note"])
    yield from zip(*(column.to_pylist() for column in images.columns), strict=True)


def skipped(table: Any) -> list[Skipped]:
    """The files that cannot be used, with the reasons, sorted by path."""
    import pyarrow.compute as pc

    others = table.filter(pc.invert(_is_readable(table))).select(["path", "error"]).to_pylist()
    return [Skipped(os.fsdecode(file["path"]), file["error"]) for file in others]


def codes_in(table: Any, fingerprint: str, dim: int) -> npt.NDArray[np.uint8]:
    """A descriptor's codes of the readable images, sorted by path: (n, dim) uint8."""
    return _bytes_of(table.column(f"{_CODES}{fingerprint}").filter(_is_readable(table)), dim)


def contents(table: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Sizes (n,) and content hashes (n, 16) of the readable images, sorted by path."""
    images = table.filter(_is_readable(table))
    return images.column("size").to_numpy(), _bytes_of(images.column("content_hash"), _HASH_BYTES)


def smallest_hashes(table: Any, count: int) -> list[tuple[bytes, str, int]]:
    """Content hash, path and size of readable images with the smallest hashes, `count` at most.

    Of images with equal contents the first path counts. Hashes rise.
    """
    images = table.filter(_is_readable(table)).group_by("content_hash")
    contents = images.aggregate([("path", "min"), ("size", "min")]).sort_by("content_hash")
    return [
        (row["content_hash"], os.fsdecode(row["path_min"]), row["size_min"])
        for row in contents.slice(0, count).to_pylist()
    ]


def _bytes_of(column: Any, dim: int) -> npt.NDArray[np.uint8]:
    """A column of `dim` bytes a row, without nulls: (n, dim) uint8, not copied."""
    whole = column.combine_chunks()
    values = np.frombuffer(whole.buffers()[1] or b"", np.uint8)
    first = whole.offset * dim
    return values[first : first + len(whole) * dim].reshape(len(whole), dim)


def _is_readable(table: Any) -> Any:
    import pyarrow.compute as pc

    return pc.is_null(table.column("error"))


def _text(error: str | None) -> str | None:
    """The reason as valid UTF-8, as Parquet demands; it may quote a name that is not."""
    return None if error is None else error.encode(errors="backslashreplace").decode()
