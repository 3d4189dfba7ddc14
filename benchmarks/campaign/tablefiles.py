"""Hostile tables that people give: metadata in every format, and journals of moves.

Some are good tables with damaged bytes, others are well-formed and say what no table says.
"""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from campaign.damage import damaged
from campaign.planfiles import as_json
from campaign.probe import Hostile
from imgbatch.copies.moving import Move

IMAGES = tuple(sorted([f"class{n % 3}/image{n:02}.jpg" for n in range(12)] + ["caf\udce9.jpg"]))
"""The images that every table speaks of."""
JOURNAL = ".journal.jsonl"
ENDINGS = (".csv", ".tsv", ".jsonl", ".json", ".parquet", JOURNAL)
_COLUMNS = ("file_name", "label", "tags", "text", "split", "group", "source")
_NAMES = (*_COLUMNS, "path", "image", "class", "caption", "title", "Label", " text ", "", "a\nb",
          "x" * 5000, "\u202e", "id", "url", "from", "to", "size", "mtime_ns")  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, float("nan"), float("inf"), 10**30, 10**5000, "", " ", ";", "\n", "\0",
    "a\x1b[31mb", "\udcff", "\ud800", "../../etc/passwd", "/none/1.jpg", "class0\\image00.jpg",
    "./class0/../class0/image00.jpg", "imgbatch", "train", "a" * 100_000, '"', "a,b", "=1+1",
    "\u202e", [], [None], ["a", "b"], [["a"]], {}, {"a": 1}, ["x" * 10_000] * 50, "NaN",
    "caf\u00e9.jpg",
)  # fmt: skip
_ENCODINGS = ("utf-16", "utf-8-sig", "utf-32", "utf-7", "cp037", "latin-1")
_REPEATED = 20_000


def _rows() -> list[dict[str, Any]]:
    """A good table."""
    return [
        {"file_name": name, "label": name.partition("/")[0], "tags": ["sea", "sky"],
         "text": f"picture {number}", "split": "train", "group": str(number % 4), "source": "me"}
        for number, name in enumerate(IMAGES)
    ]  # fmt: skip


def _moves(folder: Path) -> list[dict[str, Any]]:
    """A good journal of files that lie in a folder of their own beside it."""
    rows: list[dict[str, Any]] = [{"kind": "imgbatch moves", "version": 3}]
    for number in range(6):
        moved = folder / "moved" / f"{number}.jpg"
        moved.parent.mkdir(parents=True, exist_ok=True)
        moved.write_bytes(b"picture %d" % number)
        status = moved.stat()
        source = str(folder / "photos" / f"{number}.jpg")
        rows.append(Move(source, str(moved), status.st_size, status.st_mtime_ns).row())
    return rows


def hostile_table(random: Random, folder: Path, case: int) -> Hostile:
    """Write a hostile table into a folder; the ending goes round by the case."""
    ending = ENDINGS[case % len(ENDINGS)]
    path = folder / f"{case:06}{ending}"
    rows = _moves(folder / f"{case:06}.files") if ending == JOURNAL else _rows()
    kind = random.choice(("bytes", "bytes", "rows", "rows", "rows", "rows", "odd", "encoding"))
    write = _WRITERS[ending]
    if kind in ("bytes", "encoding"):
        data = write(rows, random)
        if kind == "encoding" and ending != ".parquet":
            name = random.choice(_ENCODINGS)
            data, text = data.decode("utf-8", "replace").encode(name, "replace"), f"in {name}"
        else:
            told = []
            for _ in range(random.randint(1, 3)):
                data, one = damaged(data, random)
                told.append(one)
            text = "; ".join(told)
    elif kind == "odd":
        data, text = (_odd_parquet if ending == ".parquet" else _odd_text)(random)
    else:
        rows, text = _other_rows(rows, random)
        data = write(rows, random)
    path.write_bytes(data)
    # A line of JSON, and a file of COCO captions, are read whole.
    return Hostile(case, path, text, len(data), 400 + 12 * len(data) / 1e6)


def _other_rows(rows: list[dict[str, Any]], random: Random) -> tuple[list[dict[str, Any]], str]:
    at = random.randrange(len(rows))
    name = random.choice([*rows[at]])
    value = random.choice(_VALUES)
    shown = "10**5000" if value == 10**5000 else repr(value)[:40]
    kinds = ("value", "value", "value", "everywhere", "name", "gone", "doubled", "more", "none")
    kind = random.choice(kinds)
    if kind == "value":
        rows[at] = rows[at] | {name: value}
    elif kind == "everywhere":
        rows = [row | {name: value} for row in rows]
    elif kind == "name":
        shown = random.choice(_NAMES)
        rows = [
            {(shown if key == name else key): cell for key, cell in row.items()} for row in rows
        ]
    elif kind == "gone":
        rows = [{key: cell for key, cell in row.items() if key != name} for row in rows]
    elif kind == "doubled":
        rows = [*rows, *[rows[at]] * random.choice((1, 1000))]
    elif kind == "more":
        rows = [row | {f"column{n}": "x" for n in range(1200)} for row in rows[:2]]
    else:
        rows = []
    return rows, f"{name} {kind}: {shown[:40]!r}"


def _odd_text(random: Random) -> tuple[bytes, str]:
    """No table at all."""
    return random.choice((
        (b"", "empty"), (b"\0" * 5000, "zeros"), (b"file_name,text\n" + b'"' * 99_999, "quotes"),
        (b"\xef\xbb\xbf" * 3, "three byte order marks"), (b"file_name,text\n" + b"a," * 500_000,
        "a million cells"), (b"[" * 200_000, "brackets"), (b'{"a":' * 50_000, "braces"),
        (b"file_name,label\n" + b"x" * 2_000_000, "a cell of two megabytes"),
        (b'{"file_name": ' + b"1" * 100_000 + b"}", "a long number"),
        (b"file_name\tlabel\n" + b"\t" * 100_000, "tabs"), (b"\r" * 100_000, "line ends"),
        (b'{"images": [{"id": [1], "file_name": 3}], "annotations": [{"image_id": [1]}, 1, null]}',
         "odd captions"),
        (b'{"images": [], "annotations": [{"caption": {}}], "images": 3}', "images twice"),
    ))  # fmt: skip


def _odd_parquet(random: Random) -> tuple[bytes, str]:
    """A column of a type that no table has, or one that is small in the file alone."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    count, large = len(IMAGES), "x" * 1_000_000
    names = [name.encode("utf-8", "replace").decode() for name in IMAGES]
    odd: dict[str, Callable[[], Any]] = {
        "a struct": lambda: pa.array([{"a": {"b": [1]}}] * count),
        "a map": lambda: pa.array([[("a", 1)]] * count, pa.map_(pa.string(), pa.int64())),
        "bytes": lambda: pa.array([b"\xff\0"] * count),
        "moments": lambda: pa.array([2**62] * count, pa.timestamp("ns")),
        "far days": lambda: pa.array([2**30] * count, pa.date32()),
        "decimals": lambda: pa.array([1] * count, pa.decimal128(38, 10)),
        "lists": lambda: pa.array([[[["a"]]]] * count),
        "nulls": lambda: pa.nulls(count),
        "half numbers": lambda: pa.array([float("nan")] * count, pa.float16()),
        "a dictionary": lambda: pa.array(names).dictionary_encode(),
        "invalid text": lambda: pa.array([b"\xff"] * count).view(pa.string()),
        "one large text, often": lambda: pa.DictionaryArray.from_arrays(
            pa.array([0] * _REPEATED, pa.int32()), pa.array([large])
        ),
    }
    kind = random.choice([*odd])
    column = odd[kind]()
    where = random.choice(("file_name", "label", "tags", "text", "other"))
    columns = {"file_name": pa.array((names * (len(column) // count + 1))[: len(column)]),
               "label": pa.array(["a"] * len(column)), where: column}  # fmt: skip
    sink = io.BytesIO()
    try:
        pq.write_table(pa.table(columns), sink)
    except pa.ArrowException:
        return b"PAR1" + bytes(8) + b"PAR1", f"{kind}, which cannot be written"
    return sink.getvalue(), f"{where} holds {kind}"


# ----- writing ------------------------------------------------------------------------------------


def _delimited(delimiter: str) -> Callable[[list[dict[str, Any]], Random], bytes]:
    def write(rows: list[dict[str, Any]], random: Random) -> bytes:
        text = io.StringIO()
        names = [*dict.fromkeys(name for row in rows for name in row)]
        quoting = random.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
        writer = csv.writer(text, delimiter=delimiter, quoting=quoting)
        writer.writerow(names)
        for row in rows:
            writer.writerow([_cell(row.get(name)) for name in names])
        return _encoded(text.getvalue())

    return write


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ";".join(map(_cell, value))
    return "" if value is None else value if isinstance(value, str) else as_json(value)


def _as_jsonl(rows: list[dict[str, Any]], random: Random) -> bytes:
    end = random.choice(("\n", "\r\n", "\n\n"))
    return _encoded("".join(as_json(row) + end for row in rows))


def _as_coco(rows: list[dict[str, Any]], random: Random) -> bytes:  # noqa: ARG001 - as the others
    images = [{"id": number, "file_name": row.get("file_name")} for number, row in enumerate(rows)]
    captions = [{"image_id": number, "caption": row.get("text"), "id": row.get("group")}
                for number, row in enumerate(rows)]  # fmt: skip
    return _encoded(as_json({"images": images, "annotations": captions}))


def _as_parquet(rows: list[dict[str, Any]], random: Random) -> bytes:  # noqa: ARG001
    """A Parquet file of the rows; a column of values that fit no type becomes text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        try:
            columns[_text(name)] = pa.array(values)
        except (pa.ArrowException, OverflowError, UnicodeError, ValueError, TypeError):
            columns[_text(name)] = pa.array([_text(_cell(value)) for value in values])
    sink = io.BytesIO()
    try:
        pq.write_table(pa.table(columns), sink)
    except pa.ArrowException:
        return b""
    return sink.getvalue()


def _text(value: str) -> str:
    return value.encode("utf-8", "replace").decode()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape" if "\ud800" not in text else "surrogatepass")


_WRITERS = {
    ".csv": _delimited(","), ".tsv": _delimited("\t"), ".jsonl": _as_jsonl, ".json": _as_coco,
    ".parquet": _as_parquet, JOURNAL: _as_jsonl,
}  # fmt: skip
