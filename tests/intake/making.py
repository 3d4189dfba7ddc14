"""Tables and folders for tests of `prepare`, and what it made of them."""

import csv
import json
from pathlib import Path

from imgbatch.config import load_config
from imgbatch.intake.prepare import prepare
from imgbatch.intake.records import LinkOptions, Prepare, Prepared
from tests.commands import ROOT

CONFIG = load_config(ROOT / "config.toml").config


def write_table(path: Path, rows: list[dict[str, object]]) -> Path:
    """Write rows of the same columns into a file, as its ending says."""
    columns = list(rows[0])
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    else:
        with path.open("w", newline="") as text:
            delimiter = "\t" if path.suffix == ".tsv" else ","
            writer = csv.DictWriter(text, columns, delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
    return path


def made(table: Path, to: Path, images: Path | None = None, **options: object) -> Prepared:
    """Run `prepare` in this process, with the shipped settings."""
    tables, links = options.pop("tables", ()), options.pop("links", LinkOptions())
    config = options.pop("config", CONFIG)
    wanted = Prepare(str(table), to, None if images is None else str(images), **options)
    return prepare(wanted, config, links=links, tables=tables)


def kept_rows(to: Path) -> list[dict[str, str]]:
    with (to / "metadata.csv").open(newline="") as text:
        return list(csv.DictReader(text))


def dropped_rows(to: Path) -> list[tuple[int, str]]:
    """Number and reason of each row that was dropped."""
    with (to / "dropped.csv").open(newline="") as text:
        return [(int(row["row"]), row["reason"]) for row in csv.DictReader(text)]


def pictures_in(to: Path) -> dict[str, bytes]:
    """Bytes of all files beside the tables and the state, by path."""
    files = (path for path in (to / "images").rglob("*") if path.is_file())
    return {path.relative_to(to).as_posix(): path.read_bytes() for path in files}
