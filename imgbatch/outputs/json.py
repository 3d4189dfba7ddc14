"""One JSON document on standard output."""

import json
import sys
from dataclasses import asdict
from typing import Any

from imgbatch.outputs.base import Result
from imgbatch.outputs.pictures import dominant_colors


def as_document(result: Result) -> dict[str, Any]:
    r"""The result as JSON-able values; keys are a contract, see DESIGN.md.

    Bytes of names that are no text stand in paths as lone surrogates (``\udcXX``), which
    ``os.fsencode`` turns back.
    """
    selection = result.selection
    return {
        "mode": selection.mode,
        "seed": selection.seed,
        "folder": selection.folder,
        "images": [
            asdict(image) | {"colors": list(dominant_colors(picture))}
            for image, picture in zip(selection.images, result.pictures, strict=True)
        ],
        "sheet": None if result.sheet is None else str(result.sheet),
        "skipped": [asdict(skipped) for skipped in selection.skipped],
        "indexed": selection.indexed,
        "seconds": round(selection.seconds, 3),
        "notes": list(selection.notes),
    }


def print_json(document: dict[str, Any]) -> None:
    """Print a document, and nothing else, to standard output."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def write_json(result: Result) -> None:
    """The output of ``--json``."""
    print_json(as_document(result))
