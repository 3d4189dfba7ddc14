"""One JSON document on standard output."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgbatch.outputs.base import Result
from imgbatch.outputs.legend import in_words
from imgbatch.outputs.pictures import dominant_colors
from imgbatch.types import PickedImage

if TYPE_CHECKING:
    from imgbatch.selection.explain import Explanation


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
            _image(image) | {"colors": list(dominant_colors(picture))}
            for image, picture in zip(selection.images, result.pictures, strict=True)
        ],
        "sheet": None if result.sheet is None else str(result.sheet),
        "skipped": [asdict(skipped) for skipped in selection.skipped],
        "indexed": selection.indexed,
        "seconds": round(selection.seconds, 3),
        "notes": list(selection.notes),
    }


def _image(image: PickedImage) -> dict[str, Any]:
    """An image's fields; the shares of its distance stand under "why"."""
    fields = asdict(image)
    return fields | {"why": fields.pop("shares")}


def explanation_document(explanation: "Explanation", picture: Path | None) -> dict[str, Any]:
    """What ``explain --json`` prints; a distance of 1 is that of a typical pair.

    ``phash`` is hexadecimal, as ``str(imagehash.phash(image))`` writes it.
    """
    return {
        "folder": explanation.folder,
        "images": [
            {
                name: getattr(image, name)
                for name in ("path", "relative", "width", "height", "phash")
            }
            for image in explanation.images
        ],
        "distance": round(explanation.distance, 6),
        "descriptors": [
            {
                "name": part.name,
                "weight": round(part.weight, 6),
                "squared_distance": round(part.squared_distance, 6),
                "share": part.share,
                "ratio": round(part.ratio, 4),
                "against_typical_pair": in_words(part.ratio),
            }
            for part in explanation.parts
        ],
        "hash_bits_apart": explanation.hash_bits_apart,
        "picture": None if picture is None else str(picture),
    }


def print_json(document: dict[str, Any]) -> None:
    """Print a document, and nothing else, to standard output."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def write_json(result: Result) -> None:
    """The output of ``--json``."""
    print_json(as_document(result))
