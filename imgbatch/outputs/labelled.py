"""What `label apply` shows: how many images of each class, a JSON document, rows of metadata."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from imgbatch.annotations.matching import MACHINE
from imgbatch.learning.applying import GivenLabels
from imgbatch.outputs.base import StandardOutput, WrittenFile, files_document, titled_table
from imgbatch.outputs.json import print_json
from imgbatch.outputs.rows import writing_rows
from imgbatch.printable import printable

_LISTED = 30


def write_labelled(given: GivenLabels, files: Sequence[WrittenFile], *, json: bool) -> None:
    """Print a table of classes, or one image's label; or one JSON document."""
    if json:
        print_json(labelled_document(given, files))
        return
    console = StandardOutput()
    if len(given.files) == 1:
        likeliest = given.predictions.labels[0]
        sure = f"{float(given.predictions.probabilities[0]):.1%}"
        label = given.labels[0]
        shown = f"{label}, {sure}" if label else f"not sure enough: {likeliest}, {sure}"
        console.print_fact("label", shown)
    else:
        console.print(_classes_table(given))
    console.print_fact("labelled", f"{given.labelled:,} of {len(given.files):,} images")
    if given.min_precision is not None:
        share = f"{given.held_right:,} of {given.held_out:,}" if given.held_out else "none"
        console.print_fact("held out", f"{share} so sure were right, probability {_least(given)}")
    console.print_files(files)


def _least(given: GivenLabels) -> str:
    return "never" if np.isinf(given.least) else f"{given.least:.1%} or more"


def _classes_table(given: GivenLabels) -> Table:
    table = titled_table(f"Labels of {len(given.files):,} images in {printable(given.folder)}")
    table.add_column("class", overflow="fold")
    table.add_column("images", justify="right")
    table.add_column("share", justify="right")
    table.add_column("mean probability", justify="right")
    counts = Counter(label for label in given.labels if label)
    sums = Counter[str]()
    for label, probability in zip(
        given.labels, given.predictions.probabilities.tolist(), strict=True
    ):
        sums[label] += probability
    for name, count in counts.most_common(_LISTED):
        share = f"{count / len(given.files):.1%}"
        table.add_row(printable(name), f"{count:,}", share, f"{sums[name] / count:.1%}")
    if len(counts) > _LISTED:
        rest = sum(count for _, count in counts.most_common()[_LISTED:])
        table.add_row(f"{len(counts) - _LISTED} more", f"{rest:,}", "", "")
    if rest := len(given.files) - given.labelled:
        table.add_row("(none)", f"{rest:,}", f"{rest / len(given.files):.1%}", "", style="dim")
    return table


def labelled_document(given: GivenLabels, files: Sequence[WrittenFile]) -> dict[str, Any]:
    """The labels as values for JSON, in the order of rows; the keys are a contract."""
    likeliest = given.predictions.labels
    probabilities = given.predictions.probabilities.tolist()
    return {
        "folder": given.folder,
        "images": [
            {
                "path": path,
                "relative": name,
                "label": label,
                "suggested": suggested,
                "probability": round(probability, 6),
            }
            for path, name, label, suggested, probability in zip(
                given.files, given.names, given.labels, likeliest, probabilities, strict=True
            )
        ],
        "labelled": given.labelled,
        "indexed": len(given.files),
        "min_precision": given.min_precision,
        "least_probability": None if np.isinf(given.least) else given.least,
        "held_out": {"right": given.held_right, "of": given.held_out},
        "files": files_document(files),
        "notes": list(given.notes),
    }


def write_label_rows(given: GivenLabels, target: Path) -> WrittenFile:
    """Write ``file_name,label,probability,source``; the label is empty where it is not sure."""
    with writing_rows(target) as write:
        write(["file_name", "label", "probability", "source"])
        probabilities = given.predictions.probabilities.tolist()
        for name, label, probability in zip(given.names, given.labels, probabilities, strict=True):
            write([name, label, f"{probability:.6f}", MACHINE])
    return WrittenFile.of("rows", target, len(given.files), len(given.files))
