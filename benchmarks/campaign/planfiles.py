"""Hostile plans for batches: files of every format, and folders.

Some are good plans with damaged bytes, others are well-formed and say what no plan says.
"""

import csv
import io
import json
import sys
from pathlib import Path
from random import Random
from typing import Any

from campaign.damage import damaged
from campaign.probe import Hostile

NAMES = [f"class{number % 3}/image{number:03}.jpg" for number in range(30)]
"""The data set of every plan."""
ANOTHER_FILE = "photo.jpg"
"""In a folder that is a plan otherwise."""
_BATCH_SIZE = 8
_HUGE = 10**5000
_VALUES: tuple[Any, ...] = (
    float("inf"), float("nan"), -1, 0, 1, 2, 0.5, 1e300, 10**30, _HUGE, True, None, "", "0", "x\ny",
    "../../x.jpg", "/etc/passwd", "\udcff", "\0", "a" * 100_000, [], [[]], {}, {"a": 1},
    ["a.jpg"] * 9, ["a.jpg", None], ["a.jpg", "b\n.jpg"], [f"{n}.jpg" for n in range(5000)],
    [0, 1], "plan.json",
)  # fmt: skip
_FIELDS = ("epoch", "batch", "paths", "seed", "batch_size", "folder", "version")


def _lines() -> list[dict[str, Any]]:
    """A good plan of two epochs."""
    header = {"seed": 1, "batch_size": _BATCH_SIZE, "folder": "/photos", "version": "0"}
    starts = range(0, len(NAMES), _BATCH_SIZE)
    return [
        {"epoch": epoch, "batch": number, "paths": NAMES[start : start + _BATCH_SIZE]} | header
        for epoch in range(2)
        for number, start in enumerate(starts)
    ]


def hostile_plan(random: Random, folder: Path, case: int) -> Hostile:
    """Write a hostile plan, a file or a folder, into a folder."""
    ending = random.choice((".jsonl", ".jsonl", ".csv", ".parquet", ""))
    path = folder / f"{case:06}{ending}"
    if not ending:
        text = _write_folder(path, random)
        size = sum(file.lstat().st_size for file in path.rglob("*"))
        return Hostile(case, path, text, size, _memory_mb(size))
    if random.random() < 0.4:
        write_good(path)
        told = []
        for _ in range(random.randint(1, 3)):
            data, text = damaged(path.read_bytes(), random)
            path.write_bytes(data)
            told.append(text)
        return Hostile(case, path, "; ".join(told), path.stat().st_size)
    lines, text = _other_lines(_lines(), random)
    path.write_bytes(_WRITERS[ending](lines, random))
    size = path.stat().st_size
    return Hostile(case, path, text, size, _memory_mb(size))


def _memory_mb(size_bytes: int) -> float:
    """Memory that reading a plan may take: a line of JSON, maybe all of it, is read whole."""
    return 400 + 10 * size_bytes / 1e6


def write_good(path: Path) -> None:
    """Write a good plan in the product's way; without an ending, a folder."""
    from imgbatch.batches.plan_files import write_plan, write_plan_folder
    from imgbatch.batches.plans import PlanHeader, PlannedBatch

    header = PlanHeader(1, _BATCH_SIZE, "/photos", "0")
    batches = [PlannedBatch(one["epoch"], one["batch"], tuple(one["paths"])) for one in _lines()]
    if path.suffix:
        write_plan(path, header, batches)
    else:
        write_plan_folder(path, header, [batches[:4], batches[4:]])


def _other_lines(lines: list[Any], random: Random) -> tuple[list[Any], str]:
    """Lines of a plan: one with another value, or missing, doubled, in another order."""
    at = random.randrange(len(lines))
    kind = random.choice(("line", "line", "line", "everywhere", "missing", "doubled", "shuffled",
                          "no line"))  # fmt: skip
    if kind == "line":
        lines[at], text = _other_line(lines[at], random)
        return lines, f"line {at}: {text}"
    if kind == "everywhere":
        field, value = random.choice(_FIELDS), random.choice(_VALUES)
        return [line | {field: value} for line in lines], f"every line: {field} = {_shown(value)}"
    if kind == "missing":
        return lines[:at] + lines[at + 1 :], f"line {at} missing"
    if kind == "doubled":
        times = random.choice((1, 1000))
        return lines[:at] + [lines[at]] * times + lines[at:], f"line {at} repeated {times} times"
    if kind == "shuffled":
        random.shuffle(lines)
        return lines, "lines in another order"
    return [], "no line"


def _other_line(line: dict[str, Any], random: Random) -> tuple[Any, str]:
    """A line with another value, without a field, with more fields, or none at all."""
    field, value = random.choice(_FIELDS), random.choice(_VALUES)
    kind = random.choice(("value", "value", "value", "no field", "nested", "more", "no object"))
    if kind == "no field":
        return {name: one for name, one in line.items() if name != field}, f"no {field}"
    if kind == "more":
        return line | {f"field{number}": value for number in range(1000)}, "a thousand fields more"
    if kind == "no object":
        return value, _shown(value)
    if kind == "nested":
        deep: Any = []
        for _ in range(500):
            deep = [deep]
        return line | {field: deep}, f"{field} nested 500 deep"
    return line | {field: value}, f"{field} = {_shown(value)}"


def _shown(value: Any) -> str:
    """The beginning of a value; a whole number may have too many digits to be written."""
    return "10**5000" if value == _HUGE else repr(value)[:40]


def _as_jsonl(lines: list[Any], random: Random) -> bytes:
    end = random.choice(("\n", "\r\n", "\n\n", "\r", "\n\ufeff"))
    return end.join(as_json(line) for line in lines).encode("utf-8", "surrogatepass")


def as_json(value: Any) -> str:
    """JSON of any value, whole numbers of any length included."""
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        return json.dumps(value)
    finally:
        sys.set_int_max_str_digits(limit)


def _as_csv(lines: list[Any], random: Random) -> bytes:
    text = io.StringIO()
    names = random.choice((_FIELDS, _FIELDS, _FIELDS[::-1], (*_FIELDS, "paths"), _FIELDS[1:], ()))
    writer = csv.writer(text, quoting=random.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)))
    writer.writerow(names)
    for line in lines:
        if isinstance(line, dict):
            cells = [
                as_json(line.get(name)) if name in ("paths", "folder") else line.get(name)
                for name in names
            ]
            writer.writerow(["10" * 3000 if cell == _HUGE else cell for cell in cells])
        else:
            text.write(f"{_shown(line)}\n")
    return text.getvalue().encode("utf-8", "surrogatepass")


def _as_parquet(lines: list[Any], random: Random) -> bytes:
    """A Parquet file of the lines, its types as they come; a value that fits no column is left."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [line for line in lines if isinstance(line, dict)]
    columns = random.choice((_FIELDS[:3], _FIELDS[:3], _FIELDS, _FIELDS[1:3], ("epoch", "epoch")))
    arrays = []
    for name in columns:
        try:
            array = pa.array([row.get(name) for row in rows])
            pq.write_table(pa.table({name: array}), io.BytesIO())  # not every type can be written
            arrays.append(array)
        except (pa.ArrowException, OverflowError, UnicodeError, ValueError, TypeError):
            arrays.append(pa.nulls(len(rows)))
    header = {name: _lines()[0][name] for name in _FIELDS[3:]}
    odd = header | {random.choice(_FIELDS[3:]): random.choice(_VALUES)}
    metadata = random.choice(
        (as_json(header), as_json(header), as_json(odd), "[1]", "{", "", "1", None)
    )
    schema = pa.schema(
        [pa.field(name, array.type) for name, array in zip(columns, arrays, strict=True)],
        metadata=None if metadata is None else {b"imgbatch": metadata.encode()},
    )
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), sink)
    return sink.getvalue()


_WRITERS = {".jsonl": _as_jsonl, ".csv": _as_csv, ".parquet": _as_parquet}


def _write_folder(path: Path, random: Random) -> str:
    """A plan as a folder with something wrong in it."""
    write_good(path)
    chunk, contents = random.choice(sorted(path.glob("*.jsonl"))), path / "plan.json"
    kind = random.choice(("bytes", "chunk", "place", "contents", "contents", "other"))
    if kind == "bytes":
        file = random.choice((contents, chunk))
        data, text = damaged(file.read_bytes(), random)
        file.write_bytes(data)
        return f"{file.name}: {text}"
    if kind == "chunk":
        whole = [json.loads(one) for one in chunk.read_text().splitlines()]
        lines, text = _other_lines(whole, random)
        chunk.write_bytes(_as_jsonl(lines, random))
        return f"{chunk.name}: {text}"
    if kind == "place":
        return _other_place(random.choice((contents, chunk)), random)
    if kind == "other":
        (path / ANOTHER_FILE).write_bytes(b"a photo")
        return ANOTHER_FILE
    table, text = _other_contents(json.loads(contents.read_text()), random)
    contents.write_text(as_json(table), encoding="utf-8", errors="surrogatepass")
    return f"plan.json: {text}"


def _other_place(file: Path, random: Random) -> str:
    """Nothing, a folder, or a link to itself where a file was."""
    kind = random.choice(("gone", "a folder", "a link to itself"))
    file.unlink()
    if kind == "a folder":
        file.mkdir()
    elif kind == "a link to itself":
        file.symlink_to(file.name)
    return f"{file.name} is {kind}"


def _other_contents(table: dict[str, Any], random: Random) -> tuple[Any, str]:
    """Another table of contents."""
    field, value = random.choice(_FIELDS), random.choice(_VALUES)
    kind = random.choice(("name", "batches", "files", "field", "table"))
    if kind in ("name", "batches"):
        table["files"][0][kind] = value
    elif kind == "files":
        table["files"] = random.choice((value, [value], table["files"][::-1], table["files"] * 2))
    elif kind == "field":
        table[field] = value
    else:
        table = value
    return table, f"another {kind}: {_shown(value)}"
