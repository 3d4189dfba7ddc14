"""An image as an export in PostgreSQL holds it, with its point."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from imgbatch.exports.base import as_name
from imgbatch.types import Floats, ImageRecord

COLUMNS = (
    "SELECT path, width, height, note, label, phash::text, vector_send(embedding)"
    " FROM images JOIN image_embeddings ON image_id = images.id"
)
"""What `StoredImage.parse` reads; conditions may follow."""


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image as the database holds it."""

    record: ImageRecord
    label: str
    phash: int
    point: Floats

    @classmethod
    def parse(cls, row: tuple[Any, ...]) -> "StoredImage":
        """Read a row of `COLUMNS`."""
        path, width, height, note, label, bits, point = row
        record = ImageRecord(as_name(path), width, height, as_name(note))
        # Two 16-bit numbers stand before the coordinates. As bytes, they arrive ten times as fast.
        coordinates = np.frombuffer(point, ">f4", offset=4).astype(np.float32)
        return cls(record, as_name(label), int(bits, 2), coordinates)
