r"""Plans: the batches of some epochs in a file, as paths inside the image folder.

Three formats, by ending. All hold, for each batch, `epoch` and `batch` (both from 0) and `paths`:

- ``.jsonl``: a JSON object a line; the header's fields are repeated in each;
- ``.csv``: a line a batch under a line of names; `paths` is a JSON array in one cell;
- ``.parquet``: a row a batch, `paths` a list of strings; the header stands, as JSON, in the
  schema's metadata under ``imgbatch``.

Bytes of names that are no UTF-8 stand in JSON (and so in CSV) as lone surrogates, ``\udcXX``, which
`os.fsencode` turns back into the bytes. Parquet has only valid text: if there is such a name, its
paths are binary.

A plan may also be a folder: a ``.jsonl`` file for each chunk that was dealt, and ``plan.json`` that
names them in order, each with its epoch and how many batches it holds.
"""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from imgbatch.errors import ImgbatchError, UsageError
from imgbatch.files.atomic import replacing, replacing_folder

_CHUNK_BATCHES = 4096  # rows of Parquet written at once
_CONTENTS = "plan.json"


@dataclass(frozen=True, slots=True)
class PlanHeader:
    """What a plan was made with: all that is needed to make it again."""

    seed: int
    batch_size: int
    folder: str
    version: str


@dataclass(frozen=True, slots=True)
class PlannedBatch:
    """One line of a plan; paths are relative to the folder, with ``/`` between their parts."""

    epoch: int
    batch: int
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan that was read: its header and, for each epoch, the batches' paths."""

    header: PlanHeader
    epochs: tuple[tuple[tuple[str, ...], ...], ...]


def check_plan_path(path: Path) -> None:
    """Raise unless the ending is a plan's and what it needs is installed."""
    if path.suffix.lower() not in PLAN_FORMATS:
        raise UsageError(
            f"the plan {path} has the ending {path.suffix or 'none'!r}",
            f"use one of {', '.join(PLAN_FORMATS)}",
        )
    if path.suffix.lower() == ".parquet":
        _pyarrow()


def write_plan(target: Path, header: PlanHeader, batches: Iterable[PlannedBatch]) -> None:
    """Write a plan, in the format of the target's ending, to a file that is replaced at once.

    Parameters
    ----------
    target, header, batches
        Where, what was asked, and the batches in order; they are written as they come.

    Raises
    ------
    UsageError
        Another ending, or Parquet without pyarrow.
    OutputError
        The file cannot be written.
    """
    check_plan_path(target)
    write = PLAN_FORMATS[target.suffix.lower()][0]
    with replacing(target) as temporary:
        write(temporary, header, batches)


def write_plan_folder(
    target: Path, header: PlanHeader, chunks: Iterable[Iterable[PlannedBatch]]
) -> None:
    """Write a plan as a folder, a file for each chunk, that takes its place when it is complete.

    Parameters
    ----------
    target, header, chunks
        Where, what was asked, and the batches in order, chunk by chunk; no chunk spans two epochs.
        One chunk is held in memory at a time.

    Raises
    ------
    OutputError
        The folder cannot be written, or holds anything but a plan.
    """
    with replacing_folder(target, _names_in) as made:
        files = []
        for number, chunk in enumerate(chunks):
            batches = list(chunk)
            epoch = batches[0].epoch if batches else 0
            name = f"epoch-{epoch:04}-chunk-{number:05}.jsonl"
            _write_jsonl(made / name, header, batches)
            files.append({"name": name, "epoch": epoch, "batches": len(batches)})
        contents = asdict(header) | {"files": files}
        (made / _CONTENTS).write_text(json.dumps(contents, indent=1), encoding="ascii")


def _names_in(folder: Path) -> set[str]:
    """The files that make up the plan in a folder; none where there is no such plan."""
    try:
        contents = json.loads((folder / _CONTENTS).read_text(encoding="utf-8"))
        PlanHeader(**{one.name: contents[one.name] for one in fields(PlanHeader)})
        return {_CONTENTS, *(str(one["name"]) for one in contents["files"])}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def read_plan(path: str | os.PathLike[str]) -> Plan:
    """Read a plan back, a file or a folder, whatever wrote it, as long as the fields are there.

    Raises
    ------
    ImgbatchError
        The file is missing, of another format, lacks a field, or is not a plan of whole epochs:
        epochs and batches counted from 0 in order, no path twice in an epoch, every batch full but
        an epoch's last.
    """
    file = Path(path)
    folder = file.is_dir()
    if not folder:
        check_plan_path(file)
    read = _read_folder if folder else PLAN_FORMATS[file.suffix.lower()][1]
    try:
        return _checked(file, read(file))
    except OSError as error:
        raise _unusable(file, error.strerror or str(error)) from None
    except (ValueError, KeyError, TypeError) as error:
        what = f"field {error} is missing" if isinstance(error, KeyError) else str(error)
        raise _unusable(file, what) from None


def _unusable(file: Path, what: str) -> ImgbatchError:
    return ImgbatchError(
        f"the plan {file} cannot be used: {what}", "write it anew with `imgbatch batches -o`"
    )


def _checked(file: Path, rows: Iterable[dict[str, Any]]) -> Plan:
    """Put rows together, epoch by epoch, equal paths sharing one string."""
    header: PlanHeader | None = None
    epochs: list[list[tuple[str, ...]]] = []
    known: dict[str, str] = {}
    in_epoch = 0
    seen: set[str] = set()
    for row in rows:
        own = PlanHeader(**{one.name: row[one.name] for one in fields(PlanHeader)})
        header = header or own
        epoch, number = int(row["epoch"]), int(row["batch"])
        if epoch == len(epochs):
            epochs.append([])
            seen, in_epoch = set(), 0
        if not epochs or (epoch, number) != (len(epochs) - 1, len(epochs[-1])):
            raise _unusable(file, f"epoch {epoch}, batch {number} does not follow in order")
        if own != header:
            raise _unusable(file, f"epoch {epoch}, batch {number} has another header")
        paths = tuple(known.setdefault(path, path) for path in row["paths"])
        seen.update(paths)
        in_epoch += len(paths)
        if len(seen) != in_epoch:
            raise _unusable(file, f"epoch {epoch} holds a path twice")
        before = epochs[-1][-1] if number else None
        if not 0 < len(paths) <= own.batch_size or (before and len(before) != own.batch_size):
            raise _unusable(file, f"epoch {epoch} has other batches than full ones and a last one")
        epochs[-1].append(paths)
    if header is None:
        raise _unusable(file, "it holds no batch")
    return Plan(header, tuple(map(tuple, epochs)))


# ----- one pair of functions for each format ----------------------------------------------------


def _write_jsonl(path: Path, header: PlanHeader, batches: Iterable[PlannedBatch]) -> None:
    with path.open("w", encoding="ascii", newline="\n") as file:
        for one in batches:
            file.write(json.dumps(asdict(one) | asdict(header)) + "\n")


def _read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ValueError("a line is no JSON object")
                yield row


def _read_folder(path: Path) -> Iterator[dict[str, Any]]:
    contents = json.loads((path / _CONTENTS).read_text(encoding="utf-8"))
    for one in contents["files"]:
        count = 0
        for row in _read_jsonl(path / os.path.basename(one["name"])):
            count += 1
            yield row
        if count != one["batches"]:
            raise ValueError(f"{one['name']} holds {count} batches, not {one['batches']}")


def _write_csv(path: Path, header: PlanHeader, batches: Iterable[PlannedBatch]) -> None:
    names = [one.name for one in (*fields(PlannedBatch), *fields(PlanHeader))]
    made_with = asdict(header) | {"folder": json.dumps(header.folder)}
    with path.open("w", encoding="ascii", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        for one in batches:
            writer.writerow(asdict(one) | {"paths": json.dumps(one.paths)} | made_with)


def _read_csv(path: Path) -> Iterator[dict[str, Any]]:
    text = path.read_text(encoding="utf-8")
    limit = csv.field_size_limit(max(len(text), 1))
    try:
        for row in csv.DictReader(io.StringIO(text)):
            numbers = {name: int(row[name]) for name in ("epoch", "batch", "seed", "batch_size")}
            decoded = {name: json.loads(row[name]) for name in ("paths", "folder")}
            yield row | numbers | decoded
    finally:
        csv.field_size_limit(limit)


def _write_parquet(path: Path, header: PlanHeader, batches: Iterable[PlannedBatch]) -> None:
    pa = _pyarrow()
    import pyarrow.parquet as pq

    rows = list(batches)  # all of them: the type of the column depends on every name
    as_bytes = not all(_is_text(path) for one in rows for path in one.paths)
    name = pa.binary() if as_bytes else pa.string()
    columns = [("epoch", pa.int32()), ("batch", pa.int32()), ("paths", pa.list_(name))]
    schema = pa.schema(columns, metadata={"imgbatch": json.dumps(asdict(header))})
    with pq.ParquetWriter(path, schema) as writer:
        for at in range(0, len(rows), _CHUNK_BATCHES):
            chunk = rows[at : at + _CHUNK_BATCHES]
            paths: list[Any] = [list(one.paths) for one in chunk]
            if as_bytes:
                paths = [[os.fsencode(path) for path in row] for row in paths]
            numbers = [[one.epoch for one in chunk], [one.batch for one in chunk]]
            writer.write_table(pa.table([*numbers, paths], schema=schema))


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_parquet(path: Path) -> Iterator[dict[str, Any]]:
    _pyarrow()
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        metadata = file.schema_arrow.metadata or {}
        header = json.loads(metadata[b"imgbatch"])
        for part in file.iter_batches(_CHUNK_BATCHES, columns=["epoch", "batch", "paths"]):
            for row in part.to_pylist():
                paths = [os.fsdecode(path) for path in row["paths"]]
                yield row | {"paths": paths} | header


def _pyarrow() -> Any:
    try:
        import pyarrow as pa
    except ImportError:
        raise UsageError(
            "a .parquet plan needs pyarrow, which is not installed",
            "pip install 'imgbatch[parquet]', or use .jsonl or .csv",
        ) from None
    return pa


_Writer = Callable[[Path, PlanHeader, Iterable[PlannedBatch]], None]
_Reader = Callable[[Path], Iterator[dict[str, Any]]]

PLAN_FORMATS: dict[str, tuple[_Writer, _Reader]] = {
    ".jsonl": (_write_jsonl, _read_jsonl),
    ".csv": (_write_csv, _read_csv),
    ".parquet": (_write_parquet, _read_parquet),
}
"""Ending -> how to write and read it. A new format: two functions and a line here."""
