"""Metadata files that tests write, and the folder of images that they speak of."""

import csv
import json
from pathlib import Path

from imgbatch.annotations.metadata import Metadata
from imgbatch.annotations.source import MetadataSource
from imgbatch.index.records import Records

IMAGES = ("a/1.jpg", "a/2.jpg", "b/3.jpg", "b/\udcff.jpg", "ü.jpg")
KINDS = ("labels", "tags", "texts", "splits", "groups", "sources")
COLUMNS = {
    "labels": "label", "tags": "tags", "texts": "text",
    "splits": "split", "groups": "group", "sources": "source",
}  # fmt: skip


def records(*paths: str) -> Records:
    """Records of images with these paths."""
    encoded = sorted(path.encode("utf-8", "surrogateescape") for path in paths)
    return Records.pack((path, 8, 6, "") for path in encoded)


def metadata_of(
    folder: Path, *given: Path, images: tuple[str, ...] = IMAGES, **more: object
) -> Metadata:
    """The metadata of a folder that need not hold the images."""
    files = tuple(map(str, given))
    return Metadata.of(records(*images), MetadataSource(str(folder), given=files, **more))


def known_by_path(metadata: Metadata) -> dict[str, dict[str, tuple[str, ...]]]:
    """What is known of each image, by its path and by kind, without what is empty."""
    paths = sorted(IMAGES, key=lambda path: path.encode("utf-8", "surrogateescape"))
    columns = {kind: list(metadata.column(kind)) for kind in KINDS}
    return {
        path: {kind: column[row] for kind, column in columns.items() if column[row]}
        for row, path in enumerate(paths)
    }


def write_rows(file: Path, rows: list[dict[str, object]]) -> Path:
    """Write rows by the ending of the file; a row's texts and tags are lists."""
    if file.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        text, lists = pa.string(), pa.list_(pa.string())
        kinds = {"tags": lists, "text": lists}
        names = ["file_name", *COLUMNS.values()]
        columns = {
            name: pa.array([row.get(name) for row in rows], kinds.get(name, text)) for name in names
        }
        pq.write_table(pa.table(columns), file)
    elif file.suffix == ".jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif file.suffix == ".json":
        names = list(dict.fromkeys(row["file_name"] for row in rows))
        images = [{"id": number, "file_name": name} for number, name in enumerate(names)]
        annotations = [
            {"image_id": names.index(row["file_name"]), "caption": text}
            for row in rows
            for text in row["text"]
        ]
        file.write_text(json.dumps({"images": images, "annotations": annotations}))
    else:
        most = max((len(row.get("text", [])) for row in rows), default=1)
        header = ["file_name", "label", "tags", *["text"] * max(most, 1), "split", "group", "source"]  # fmt: skip
        with file.open("w", encoding="utf-8", newline="") as target:
            writer = csv.writer(target, delimiter="\t" if file.suffix == ".tsv" else ",")
            writer.writerow(header)
            for row in rows:
                texts = [*row.get("text", []), *[""] * max(most, 1)][: max(most, 1)]
                one = [row.get(name) or "" for name in ("file_name", "label")]
                last = [row.get(name) or "" for name in ("split", "group", "source")]
                writer.writerow([*one, ";".join(row.get("tags", [])), *texts, *last])
    return file


def read_naively(rows: list[dict[str, object]]) -> dict[str, dict[str, tuple[str, ...]]]:
    """What rows say of `IMAGES`, as plain dictionaries: the reader without its arrays."""
    known: dict[str, dict[str, list[str]]] = {path: {} for path in IMAGES}
    met: set[str] = set()
    for row in rows:
        strings = {
            kind: [row[name]] if isinstance(row.get(name), str) else list(row.get(name) or [])
            for kind, name in COLUMNS.items()
        }
        strings = {kind: [one.strip() for one in many] for kind, many in strings.items()}
        strings = {kind: [one for one in many if one] for kind, many in strings.items()}
        digest = json.dumps([row["file_name"], strings])
        if row["file_name"] not in known or "imgbatch" in strings["sources"] or digest in met:
            continue
        met.add(digest)
        of_image = known[row["file_name"]]
        for kind, many in strings.items():
            there = of_image.setdefault(kind, [])
            if kind == "texts":
                there += many
            elif kind == "tags":
                there += [one for one in dict.fromkeys(many) if one not in there]
            elif many and not there:
                there.append(many[0])
    return {
        path: {kind: tuple(many) for kind, many in kinds.items() if many}
        for path, kinds in known.items()
    }
