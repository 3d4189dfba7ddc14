"""One JSON document on standard output."""

import json
import sys
from dataclasses import asdict
from typing import Any

from imgbatch.outputs.base import Result, files_document
from imgbatch.selection.tags import shared_tags
from imgbatch.types import PickedImage


def as_document(result: Result) -> dict[str, Any]:
    r"""The result as values for JSON; the keys are a contract, see DESIGN.md.

    A byte of a path that is not valid text is a lone surrogate (``\udcXX``); ``os.fsencode`` turns
    it back into the byte.
    """
    selection = result.selection
    return {
        "mode": selection.mode,
        "seed": selection.seed,
        "folder": selection.folder,
        "images": [
            _image(image) | {"colors": list(colors)}
            for image, colors in zip(selection.images, result.pictures.colors(), strict=True)
        ],
        "shared_tags": list(shared_tags(selection)),
        "sheet": None if result.sheet is None else str(result.sheet),
        "files": files_document(result.files),
        "skipped": [asdict(skipped) for skipped in selection.skipped],
        "ignored": dict(result.ignored),
        "indexed": selection.indexed,
        "seconds": round(selection.seconds, 3),
        "notes": list(selection.notes),
        "by": selection.by or None,
    }


def _image(image: PickedImage) -> dict[str, Any]:
    """An image's fields; the shares of its distance are named "why"."""
    fields = asdict(image)
    return fields | {"why": fields.pop("shares")}


def print_json(document: dict[str, Any]) -> None:
    """Print a document to standard output.

    Examples
    --------
    >>> print_json({"seed": 7})
    {
      "seed": 7
    }
    """
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def write_json(result: Result) -> None:
    """Print the result as one JSON document."""
    print_json(as_document(result))
