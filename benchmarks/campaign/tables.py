"""Part `tables`: a hostile table or journal is read as promised, or is an error of one line.

A table is read as metadata of a folder, as the table of ``prepare``, and as the labels of the local
page, which then gets one label more and must keep every row; a journal is undone, and no file may
be lost. Every hundredth goes through the real command, too.
"""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from campaign.answers import clear_line
from campaign.base import Campaign, Failure, Outcome, Part
from campaign.folders import copy_pictures
from campaign.probe import Hostile, Reading, probed, wrong_line
from campaign.processes import run
from campaign.tablefiles import IMAGES, JOURNAL, hostile_table

_READING = Reading(
    "tables",
    "campaign.tables:read_tables",
    ("campaign.tables", "imgbatch.annotations.kept", "imgbatch.intake.rows",
     "imgbatch.index.records", "imgbatch.web.saved", "imgbatch.copies.journal", "pyarrow.parquet"),
    batch_files=30,
)  # fmt: skip
_EACH_REAL = 100
_FEW = 12
_LONGEST = 2000
"""Characters of an error; it may name the file and its columns."""


def _run(campaign: Campaign, cases: Sequence[int]) -> Iterator[Outcome]:
    def make(folder: Path, case: int) -> Hostile:
        return hostile_table(campaign.random("tables", case), folder, case)

    def beyond(home: Path, hostile: Hostile, outcome: Outcome) -> Outcome:
        real = hostile.case % _EACH_REAL in (0, 1, 2, 3, 4)
        return _by_command(campaign, hostile, outcome, home) if real else outcome

    yield from probed(campaign, cases, _READING, make, beyond)


# ----- in the process that reads ------------------------------------------------------------------


def read_tables(given: dict[str, Any]) -> None:
    """Read the files; see `Reading`."""
    print(json.dumps([_read(file) for file in given["files"]]))


def _read(file: str) -> list[str] | None:
    from imgbatch.errors import ImgbatchError

    readers: tuple[Callable[[str], list[str] | None], ...] = (_as_metadata, _as_prepared, _as_saved)
    for reader in (_undone,) if file.endswith(JOURNAL) else readers:
        try:
            wrong = reader(file)
        except ImgbatchError as error:
            wrong = wrong_line(str(error), _LONGEST)
        if wrong:
            return [f"{reader.__name__[1:].replace('_', ' ')}: {wrong[0]}", wrong[1]]
    return None


def _as_metadata(file: str) -> list[str] | None:
    from imgbatch.annotations.metadata import Metadata
    from imgbatch.annotations.source import MetadataSource
    from imgbatch.annotations.table import KINDS
    from imgbatch.index.records import Records

    names = sorted(name.encode("utf-8", "surrogateescape") for name in IMAGES)
    images = Records.pack((name, 8, 6, "") for name in names)
    metadata = Metadata.read(images, MetadataSource("/none/photos", given=(file,)))
    for kind in KINDS:
        for strings in metadata.column(kind):
            if not all(isinstance(one, str) and one.strip() and "\0" not in one for one in strings):
                return ["what is no text", f"{kind}: {strings!r:.100}"]
    for note in metadata.notes:
        if wrong := wrong_line(note, _LONGEST):
            return wrong
    return None


def _as_prepared(file: str) -> list[str] | None:
    from imgbatch.intake.records import Prepare
    from imgbatch.intake.rows import Refused, RowReader
    from imgbatch.intake.tables import open_source

    if file.endswith(".json"):
        return None
    options = Prepare(file, Path("/none/made"), images="/none/photos")
    reader = RowReader.of(open_source(file, "file_name"), options)
    for row in reader.source.rows():
        read = reader.read(row)
        text = f"{read.detail}{read.what}" if isinstance(read, Refused) else ""
        if text and (wrong := wrong_line(text)):
            return wrong
        if not isinstance(read, Refused) and (read.source.startswith("/") or ".." in read.source):
            return ["a path that leads out", repr(read.source)[:100]]
    return None


def _as_saved(file: str) -> list[str] | None:
    from imgbatch.web.saved import Saved
    from imgbatch.web.turns import Turns

    if not file.endswith(".csv"):
        return None
    copy, turns = Path(f"{file}.saved.csv"), Turns(Path(f"{file}.turns"))
    shutil.copyfile(file, copy)
    before = Saved(copy, turns)
    rows, columns = dict(before._rows), list(before._columns)  # noqa: SLF001 - what it holds
    before.give({"a new one.jpg": {"label": "x"}})
    after = Saved(copy, turns)._rows  # noqa: SLF001
    lost = [path for path in rows if any(rows[path].values()) and any(
        rows[path].get(name, "") != after.get(path, {}).get(name, "") for name in columns[1:])
    ]  # fmt: skip
    return ["a row is lost", repr(lost[0])[:100]] if lost else None


def _undone(file: str) -> list[str] | None:
    from imgbatch.copies.journal import undo
    from imgbatch.errors import ImgbatchError

    folder = Path(f"{file.removesuffix(JOURNAL)}.files")
    before, wrong = _files(folder), None
    try:
        undo(Path(file))
    except ImgbatchError as error:
        wrong = wrong_line(str(error), _LONGEST)
    after = _files(folder)
    return wrong if after == before else ["a file is lost", f"{before - after}"]


def _files(folder: Path) -> "Counter[bytes]":
    return Counter(path.read_bytes() for path in folder.rglob("*.jpg") if path.is_file())


# ----- by the command -----------------------------------------------------------------------------


def _by_command(campaign: Campaign, hostile: Hostile, outcome: Outcome, home: Path) -> Outcome:
    if not (home / "photos").exists():
        copy_pictures(home / "photos", _FEW)
    file = hostile.path
    if file.name.endswith(JOURNAL):
        asked = [["duplicates", "photos", "--undo", file, "--json"]]
    else:
        made = home / f"made-{hostile.case}"
        asked = [["search", "photos", "sea", "--json", "--emphasis", "color", "--metadata", file],
                 ["prepare", file, "--images", "photos", "--to", made, "--json"]]  # fmt: skip
    failures, memory_mb = [*outcome.failures], outcome.memory_mb
    for arguments in asked:
        ended = run(campaign, arguments, home)
        memory_mb = max(memory_mb, ended.memory_mb)
        if wrong := clear_line(ended) if ended.code else "":
            text = f"{hostile.text}: {ended.in_short}"
            failures.append(Failure(f"{arguments[0]}: {wrong}", text, hostile.size_bytes))
    return Outcome(hostile.case, tuple(failures), memory_mb)


PART = Part("tables", "a hostile table or journal: read as promised, or one line", 6000, _run)
