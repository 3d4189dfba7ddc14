"""What `label split` shows: parts by class, a JSON document, rows of metadata."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imgbatch.files.names import number_of
from imgbatch.learning.splitting import Split
from imgbatch.outputs.base import StandardOutput, WrittenFile, files_document, titled_table
from imgbatch.outputs.json import print_json
from imgbatch.outputs.rows import writing_rows
from imgbatch.printable import printable

_LISTED = 30


def write_split(split: Split, files: Sequence[WrittenFile], *, json: bool) -> None:
    """Print how many images of each class are in each part; or one JSON document."""
    if json:
        print_json(split_document(split, files))
        return
    console = StandardOutput()
    table = titled_table(
        f"Parts of {number_of(len(split.files), 'image')} in {printable(split.folder)}"
    )
    table.add_column("class", overflow="fold")
    for part in split.parts:
        table.add_column(part, justify="right")
    counts = Counter(zip(split.labels, split.numbers.tolist(), strict=True))
    numbers = range(len(split.parts))
    names = sorted(set(split.labels))
    for name in names[:_LISTED]:
        of_class = (f"{counts[name, part]:,}" for part in numbers)
        table.add_row(printable(name) or "(no class)", *of_class)
    if len(names) > _LISTED:
        table.add_row(f"{len(names) - _LISTED} more", *("" for _ in numbers))
    sums = (f"{int((split.numbers == part).sum()):,}" for part in numbers)
    table.add_row("all", *sums, style="bold")
    console.print(table)
    console.print_fact(
        "together", f"{number_of(split.divided, 'group')} of copies, or of the metadata"
    )
    console.print_fact("seed", str(split.seed))
    console.print_files(files)


def split_document(split: Split, files: Sequence[WrittenFile]) -> dict[str, Any]:
    """The parts as values for JSON, in the order of rows; the keys are a contract."""
    numbers = split.numbers.tolist()
    return {
        "folder": split.folder,
        "images": [
            {"path": path, "relative": name, "label": label, "split": split.parts[number]}
            for path, name, label, number in zip(
                split.files, split.names, split.labels, numbers, strict=True
            )
        ],
        "counts": {part: numbers.count(number) for number, part in enumerate(split.parts)},
        "files": files_document(files),
        "seed": split.seed,
        "seconds": round(split.seconds, 3),
        "notes": list(split.notes),
    }


def write_split_rows(split: Split, target: Path) -> WrittenFile:
    """Write ``file_name,split``, which every command reads as metadata."""
    with writing_rows(target) as write:
        write(["file_name", "split"])
        for name, number in zip(split.names, split.numbers.tolist(), strict=True):
            write([name, split.parts[number]])
    return WrittenFile.of("rows", target, len(split.files), len(split.files))
