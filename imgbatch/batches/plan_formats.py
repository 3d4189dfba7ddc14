r"""The formats of plan files, chosen by ending.

All hold, for each batch, `epoch` and `batch` (both from 0) and `paths`:

- ``.jsonl``: a JSON object a line; the header's fields are repeated in each;
- ``.csv``: a line a batch under a line of names; `paths` is a JSON array in one cell, and `folder`
  a JSON string, so that no cell begins like a formula of a spreadsheet;
- ``.parquet``: a row a batch, `paths` a list of strings; the header stands, as JSON, in the
  schema's metadata under ``imgbatch``.

File names that are not valid UTF-8 keep their bytes: in JSON (and so in CSV) these stand as lone
surrogates, ``\udcXX``, which `os.fsencode` turns back into the bytes. Parquet has only valid text,
so there a single such name makes all paths binary.
"""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from imgbatch.batches.plans import PlanHeader, PlannedBatch
from imgbatch.errors import UsageError
from imgbatch.files.regular import only_regular

_CHUNK_BATCHES = 4096  # rows of Parquet written at once


@dataclass(frozen=True, slots=True)
class PlanFormat:
    """How plans are written to a file and read from it, as lines that hold all fields."""

    write: Callable[[Path, PlanHeader, Iterable[PlannedBatch]], None]
    read: Callable[[Path], Iterator[dict[str, Any]]]


def write_jsonl(path: Path, header: PlanHeader, batches: Iterable[PlannedBatch]) -> None:
    """Write a JSON object a line."""
    with path.open("w", encoding="ascii", newline="\n") as file:
        for batch in batches:
            file.write(json.dumps(asdict(batch) | asdict(header)) + "\n")


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """The lines, as they are read; a `ValueError` if one is not a JSON object."""
    with open(path, encoding="utf-8", opener=only_regular) as file:
        for text in file:
            if text.strip():
                line = json.loads(text)
                if not isinstance(line, dict):
                    raise ValueError("a line is no JSON object")
                yield line


def _write_csv(path: Path, header: PlanHeader, batches: Iterable[PlannedBatch]) -> None:
    names = [field.name for field in (*fields(PlannedBatch), *fields(PlanHeader))]
    repeated = asdict(header) | {"folder": json.dumps(header.folder)}
    with path.open("w", encoding="ascii", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        for batch in batches:
            writer.writerow(asdict(batch) | {"paths": json.dumps(batch.paths)} | repeated)


def _read_csv(path: Path) -> Iterator[dict[str, Any]]:
    with open(path, encoding="utf-8", newline="", opener=only_regular) as file:
        text = file.read()
    limit = csv.field_size_limit(max(len(text), 1))
    try:
        for line in csv.DictReader(io.StringIO(text)):
            numbers = {name: int(line[name]) for name in ("epoch", "batch", "seed", "batch_size")}
            decoded = {name: json.loads(line[name]) for name in ("paths", "folder")}
            yield line | numbers | decoded
    except csv.Error as error:
        raise ValueError(f"it is no CSV: {error}") from None
    finally:
        csv.field_size_limit(limit)


def _write_parquet(path: Path, header: PlanHeader, batches: Iterable[PlannedBatch]) -> None:
    pa = need_pyarrow()
    import pyarrow.parquet as pq

    rows = list(batches)  # all of them: the type of the column depends on every name
    as_bytes = not all(_is_text(path) for batch in rows for path in batch.paths)
    path_type = pa.binary() if as_bytes else pa.string()
    columns = [("epoch", pa.int32()), ("batch", pa.int32()), ("paths", pa.list_(path_type))]
    schema = pa.schema(columns, metadata={"imgbatch": json.dumps(asdict(header))})
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, len(rows), _CHUNK_BATCHES):
            chunk = rows[start : start + _CHUNK_BATCHES]
            paths: list[Any] = [list(batch.paths) for batch in chunk]
            if as_bytes:
                paths = [[os.fsencode(path) for path in row] for row in paths]
            numbers = [[batch.epoch for batch in chunk], [batch.batch for batch in chunk]]
            writer.write_table(pa.table([*numbers, paths], schema=schema))


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_parquet(path: Path) -> Iterator[dict[str, Any]]:
    pa = need_pyarrow()
    import pyarrow.parquet as pq

    try:
        with open(path, "rb", opener=only_regular) as raw, pq.ParquetFile(raw) as file:
            metadata = file.schema_arrow.metadata or {}
            header = json.loads(metadata[b"imgbatch"])
            for part in file.iter_batches(_CHUNK_BATCHES, columns=["epoch", "batch", "paths"]):
                for row in part.to_pylist():
                    paths = [os.fsdecode(path) for path in row["paths"]]
                    yield row | {"paths": paths} | header
    except (pa.ArrowException, NotImplementedError) as error:
        raise ValueError(str(error)) from None


def need_pyarrow() -> Any:
    """The module pyarrow; a `UsageError` that says what to install if it is missing."""
    try:
        import pyarrow as pa
    except ImportError:
        raise UsageError(
            "a .parquet plan needs pyarrow, which is not installed",
            "pip install 'imgbatch[parquet]', or use .jsonl or .csv",
        ) from None
    return pa


PLAN_FORMATS: dict[str, PlanFormat] = {
    ".jsonl": PlanFormat(write_jsonl, read_jsonl),
    ".csv": PlanFormat(_write_csv, _read_csv),
    ".parquet": PlanFormat(_write_parquet, _read_parquet),
}
"""Ending -> format. A new format: two functions and a line here."""
