"""The readers of metadata files by their endings: tables in text, Parquet, COCO captions."""

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Any

from imgbatch.annotations.misfits import Misfit, Misfits
from imgbatch.annotations.table import (
    Layout,
    Reader,
    Row,
    RowMaker,
    Table,
    unreadable,
)
from imgbatch.annotations.text_tables import read_csv, read_jsonl, read_tsv
from imgbatch.errors import UsageError
from imgbatch.files.regular import TooLargeError, only_regular, read_regular

_BATCH_ROWS = 1 << 8
_LONGEST_TEXT = 1 << 17
_MOST_JSON_BYTES = 1 << 30
"""A COCO file is one value, which is read whole and takes some eight times its size."""
_PARQUET_HINT = "write it anew, or give .csv or .jsonl"
_COCO_HINT = 'give {"images": [{"id", "file_name"}], "annotations": [{"image_id", "caption"}]}'


def open_table(file: str, misfits: Misfits) -> Table:
    """Open a metadata file by its ending; without a known one it is taken for CSV.

    Raises
    ------
    LabelError
        The file cannot be read or has no column that is needed. While the rows are gone through,
        the same error may come later.
    UsageError
        A Parquet file is given, and pyarrow is not installed.
    """
    return READERS.get(os.path.splitext(file)[1].lower(), read_csv)(file, misfits)


def _read_parquet(file: str, misfits: Misfits) -> Table:
    parquet, hint = open_parquet(file), _PARQUET_HINT
    import pyarrow as pa

    with parquet_errors_named(file):
        schema = parquet.schema_arrow
        names = list(schema.names)
    layout = Layout.of_header(file, names)
    if len(set(names)) < len(names):
        raise unreadable(file, "two of its columns have one name", hint)
    name = schema.field(layout.name)
    if not (_is_string(name.type) or pa.types.is_dictionary(name.type)):
        reason = f"its column {name.name} holds {name.type}"
        raise unreadable(file, reason, "give a column file_name that holds text")
    return Table(tuple(layout.kinds), _parquet_rows(file, parquet, layout, misfits), "row")


def _parquet_rows(file: str, parquet: Any, layout: Layout, misfits: Misfits) -> Iterator[Row]:

    names = parquet.schema_arrow.names
    taken = [layout.name, *(at for positions in layout.kinds.values() for at in positions)]
    taken_layout = Layout.of(file, [names[at] for at in taken])
    maker = RowMaker(file, "row", layout.kinds, taken_layout, misfits)
    number = 0
    for columns in parquet_values(file, parquet, [names[at] for at in taken]):
        for number, cells in enumerate(zip(*columns, strict=True), start=number + 1):  # noqa: B020
            yield maker.row(number, cells)


def parquet_values(file: str, parquet: Any, columns: list[str]) -> Iterator[list[list[Any]]]:
    """The values of an opened Parquet file, some rows at a time: a list for each column.

    A text that recurs lies in the file once. So a file of kilobytes may hold rows of gigabytes;
    what is shared there stays shared here, and few rows are unpacked at a time.

    Raises
    ------
    LabelError
        The file is damaged, or holds a text that is longer than one of CSV may be.
    """
    with parquet_errors_named(file):
        for batch in parquet.iter_batches(_BATCH_ROWS, columns=columns):
            yield [_values(file, batch.column(name)) for name in columns]


def _values(file: str, column: Any) -> list[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        shared = _values(file, column.dictionary)
        return [None if at is None else shared[at] for at in column.indices.to_pylist()]
    texts = column
    while pa.types.is_list(texts.type) or pa.types.is_large_list(texts.type):
        texts = texts.flatten()
    if pa.types.is_dictionary(texts.type):
        texts = texts.dictionary
    if _is_string(texts.type):
        longest = pc.max(pc.binary_length(texts.cast(pa.large_string()))).as_py() or 0
        if longest > _LONGEST_TEXT:
            reason = f"a text of {longest:,} bytes is too long"
            raise unreadable(file, reason, f"give texts of {_LONGEST_TEXT:,} bytes at most")
    return list(column.to_pylist())


def _is_string(kind: Any) -> bool:
    """Whether a type of pyarrow is text; the first versions that we allow know no views."""
    from pyarrow import types

    is_view = getattr(types, "is_string_view", None)
    known = types.is_string(kind) or types.is_large_string(kind)
    return known or (is_view is not None and is_view(kind))


def open_parquet(file: str) -> Any:
    """Open a Parquet file, as pyarrow's ``ParquetFile``; its rows are read later.

    Raises
    ------
    LabelError
        It cannot be read.
    UsageError
        pyarrow is not installed.
    """
    try:
        import pyarrow.parquet as pq
    except ImportError:
        raise UsageError(
            f"{file} needs pyarrow, which is not installed",
            "pip install 'imgbatch[parquet]', or give .csv or .jsonl",
        ) from None
    with parquet_errors_named(file):
        with open(file, "rb", opener=only_regular):
            pass
        return pq.ParquetFile(file)


@contextlib.contextmanager
def parquet_errors_named(file: str) -> Iterator[None]:
    """Turn what pyarrow raises about a file into a `LabelError` that names it."""
    import pyarrow as pa

    try:
        yield
    # Values that Python cannot hold, such as days in a million years, raise the last two.
    except (OSError, pa.ArrowException, ValueError, OverflowError) as error:
        raise unreadable(file, _first_line(error), _PARQUET_HINT) from None


def _first_line(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).split("\n", maxsplit=1)[0]


def _read_coco(file: str, misfits: Misfits) -> Table:
    """COCO captions: images with ids, and annotations that give a caption to an id."""
    try:
        data, _ = read_regular(file, _MOST_JSON_BYTES)
        if data.startswith(b"\xef\xbb\xbf"):
            misfits.add(Misfit.BYTE_ORDER_MARK, file, "line 1")
        document = json.loads(data.decode("utf-8-sig", "surrogateescape"))
    except TooLargeError as error:
        reason = f"it has {error.size_bytes:,} bytes"
        raise unreadable(file, reason, "write its captions as .csv or .jsonl") from None
    except OSError as error:
        raise unreadable(file, error.strerror or error, "give a file that can be read") from None
    except (ValueError, RecursionError) as error:
        reason = f"it is no JSON: {str(error).split(' (', maxsplit=1)[0]}"
        raise unreadable(file, reason, _COCO_HINT) from None
    images, annotations = (
        document.get(name) if isinstance(document, dict) else None
        for name in ("images", "annotations")
    )
    if not isinstance(images, list) or not isinstance(annotations, list):
        keys = ", ".join(document) if isinstance(document, dict) else type(document).__name__
        raise unreadable(file, f"it holds {keys or 'nothing'}, no COCO captions", _COCO_HINT)
    named = [one for one in images if isinstance(one, dict)]
    names = {_id(one.get("id")): one.get("file_name") for one in named}
    if annotations and not any(isinstance(one, dict) and "caption" in one for one in annotations):
        raise unreadable(file, "none of its annotations has a caption", _COCO_HINT)
    return Table(("texts",), _captions(file, annotations, names, misfits), "annotation")


def _captions(
    file: str, annotations: list[Any], names: dict[str, Any], misfits: Misfits
) -> Iterator[Row]:
    layout = Layout(0, {"texts": [1]})
    maker = RowMaker(file, "annotation", layout.kinds, layout, misfits)
    for number, one in enumerate(annotations, start=1):
        annotation = one if isinstance(one, dict) else {}
        name = names.get(_id(annotation.get("image_id")))
        yield maker.row(number, (name, annotation.get("caption")))


def _id(value: object) -> str:
    """An id as a key; ids are numbers, but some files hold lists or objects."""
    return repr(value)


READERS: dict[str, Reader] = {
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".jsonl": read_jsonl,
    ".parquet": _read_parquet,
    ".json": _read_coco,
}
"""Reader by ending. A new format: its reader, a line here."""
