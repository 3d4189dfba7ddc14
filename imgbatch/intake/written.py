"""The second pass: each row goes into the metadata or, with a reason, among the dropped ones."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain, count
from pathlib import Path
from typing import Any

from imgbatch.errors import UsageError
from imgbatch.files.atomic import replacing
from imgbatch.intake.records import DROPPED, IMAGES, METADATA, Reason
from imgbatch.intake.rows import Refused, RowReader, shown
from imgbatch.intake.state import State, Verdict
from imgbatch.intake.tables import Source, cell_text

FILE_NAME = "file_name"
_OTHER_FILE_NAME = "source_file_name"
"""What a column of the table is called that would be read as ours."""
_PARQUET_ROWS = 10_000
RowWriter = Callable[[Sequence[Any]], None]
"""Takes the values of a row: the picture's name, then the table's columns."""


def columns_of(source: Source) -> list[str]:
    """The columns of the metadata: the picture's name, then all of the table.

    A column that metadata would be read by, however it is spelled, gets another name, with a number
    if the table has that one, too.
    """
    is_ours = [name.strip().lower() == FILE_NAME for name in source.columns]
    taken = {name for name, ours in zip(source.columns, is_ours, strict=True) if not ours}
    columns = [FILE_NAME]
    for name, ours in zip(source.columns, is_ours, strict=True):
        numbered = (f"{_OTHER_FILE_NAME}_{number}" for number in count(2))
        free = (other for other in chain([_OTHER_FILE_NAME], numbered) if other not in taken)
        columns.append(next(free) if ours else name)
        taken.add(columns[-1])
    return columns


def write_tables(
    reader: RowReader, state: State, to: Path, more: Sequence[Path]
) -> tuple[int, Counter[str]]:
    """Write ``metadata.csv``, ``dropped.csv`` and further files of the same rows.

    Each appears in one step, when it is complete.

    Returns
    -------
    kept, dropped
        How many rows were kept, and how many were dropped for each reason.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    source, kept, dropped = reader.source, 0, Counter[str]()
    with ExitStack() as stack:
        tables = (_OPENERS[path.suffix.lower()](path, source) for path in (to / METADATA, *more))
        writers = [stack.enter_context(table) for table in tables]
        drop = stack.enter_context(_csv_rows(to / DROPPED))
        drop(("row", "reason", "detail", "image"))
        for row in source.rows():
            wanted = reader.read(row)
            if isinstance(wanted, Refused):
                verdict, what = Verdict("", wanted.reason, wanted.detail), wanted.what
            else:
                verdict, what = state.verdict(row.number, wanted), shown(wanted.source)
            if verdict.file:
                kept += 1
                values = [row.values.get(name) for name in source.columns]
                for write in writers:
                    write((f"{IMAGES}/{verdict.file}", *values))
            else:
                dropped[str(verdict.reason)] += 1
                drop((row.number, str(verdict.reason), verdict.detail, what))
    return kept, Counter({name: dropped[name] for name in map(str, Reason) if dropped[name]})


def check_table_path(path: Path) -> None:
    """Raise `UsageError` unless the ending of a further file of metadata is known."""
    if path.suffix.lower() not in _OPENERS:
        raise UsageError(f"-o {path} has another ending", f"give one of {', '.join(_OPENERS)}")


@contextmanager
def _csv_rows(path: Path) -> Iterator[RowWriter]:
    with (
        replacing(path) as draft,
        open(draft, "w", newline="", encoding="utf-8", errors="surrogateescape") as text,
    ):
        yield csv.writer(text).writerow


@contextmanager
def _csv_table(path: Path, source: Source) -> Iterator[RowWriter]:
    columns = columns_of(source)
    with _csv_rows(path) as write:
        write(columns)
        yield lambda values: write(list(map(cell_text, columns, values)))


@contextmanager
def _parquet_table(path: Path, source: Source) -> Iterator[RowWriter]:
    """The columns of a Parquet file keep their types; those of other tables are text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns, types = columns_of(source), source.types
    kinds = [pa.string(), *(types[name] if types else pa.string() for name in source.columns)]
    schema = pa.schema(list(zip(columns, kinds, strict=True)))
    waiting: list[Sequence[Any]] = []

    with replacing(path) as draft, pq.ParquetWriter(draft, schema) as writer:

        def flush() -> None:
            arrays = [
                pa.array(map(_parquet_value, values) if not types else values, kind)
                for values, kind in zip(zip(*waiting, strict=True), kinds, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            waiting.clear()

        def write(values: Sequence[Any]) -> None:
            waiting.append(values)
            if len(waiting) == _PARQUET_ROWS:
                flush()

        yield write
        if waiting:
            flush()


def _parquet_value(value: Any) -> str | None:
    """A value of a table without types: text that Parquet takes, or nothing."""
    if value is None:
        return None
    return cell_text("", value).encode(errors="replace").decode()


_OPENERS = {".csv": _csv_table, ".parquet": _parquet_table}
"""What a table of the kept rows is written as, by ending."""
