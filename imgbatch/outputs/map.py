"""What `map` shows: a table of quality, a JSON document, rows."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imgbatch.outputs.base import StandardOutput, WrittenFile, files_document, titled_table
from imgbatch.outputs.json import print_json
from imgbatch.outputs.map_colors import plural
from imgbatch.outputs.rows import writing_rows
from imgbatch.overview.map import FolderMap
from imgbatch.printable import printable

_DIGITS = 6


def write_map(shown: FolderMap, files: Sequence[WrittenFile], *, json: bool) -> None:
    """Print how far the map can be trusted, and the files written; or one JSON document."""
    if json:
        print_json(map_document(shown, files))
        return
    console = StandardOutput()
    table = titled_table(f"map of {len(shown.files):,} images in {printable(shown.folder)}")
    table.add_column("")
    table.add_column("trustworthiness", justify="right")
    table.add_column("10-NN accuracy", justify="right")
    for quality in shown.quality:
        figures = quality.trustworthiness, quality.accuracy
        table.add_row(quality.name, *("-" if math.isnan(one) else f"{one:.3f}" for one in figures))
    console.print(table)
    largest = ", ".join(printable(name) for name in shown.group_names[:3])
    more = ", ..." if len(shown.group_names) > 3 else ""
    console.print_fact("groups", f"{len(shown.group_names)} {plural(shown.color)}: {largest}{more}")
    if shown.laid_out < len(shown.files):
        words = f"{shown.laid_out:,} by t-SNE, the others beside the nearest of them"
        console.print_fact("placed", words)
    console.print_fact("measured", f"on {shown.measured:,} images")
    console.print_files(files)


def map_document(shown: FolderMap, files: Sequence[WrittenFile]) -> dict[str, Any]:
    """The map as values for JSON; the keys are a contract, see DESIGN.md."""
    return {
        "folder": shown.folder,
        "images": [
            {
                "path": file,
                "relative": name,
                "x": round(x, _DIGITS),
                "y": round(y, _DIGITS),
                "label": label,
                "group": shown.group_of(row),
            }
            for row, (file, name, (x, y), label) in enumerate(_rows(shown))
        ],
        "color": shown.color,
        "quality": {
            quality.name: {
                "trustworthiness": _number(quality.trustworthiness),
                "accuracy": _number(quality.accuracy),
            }
            for quality in shown.quality
        },
        "measured": shown.measured,
        "laid_out": shown.laid_out,
        "indexed": len(shown.files),
        "seed": shown.seed,
        "files": files_document(files),
        "seconds": round(shown.seconds, 3),
        "notes": list(shown.notes),
    }


def write_map_rows(shown: FolderMap, target: Path) -> WrittenFile:
    """Write a row for each image: its path inside the folder, x, y, label, group.

    Examples
    --------
    >>> import imgbatch
    >>> _ = write_map_rows(imgbatch.load("photos").map(), Path("map.csv"))
    >>> Path("map.csv").read_text().splitlines()[0]
    'path,x,y,label,group'
    """
    with writing_rows(target) as write:
        write(["path", "x", "y", "label", "group"])
        for row, (_, name, (x, y), label) in enumerate(_rows(shown)):
            write([name, round(x, _DIGITS), round(y, _DIGITS), label, shown.group_of(row)])
    return WrittenFile.of("rows", target, len(shown.files), len(shown.files))


def _rows(shown: FolderMap) -> Any:
    positions = shown.positions.tolist()
    return zip(shown.files, shown.names, positions, shown.labels, strict=True)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
