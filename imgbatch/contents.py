"""What a `Collection` knows of its files' contents; apart from it to keep both files short."""

import sqlite3

import numpy as np

from imgbatch.catalogue import Catalogue, Records
from imgbatch.errors import CatalogueError
from imgbatch.types import Rows, View

_HASH_BYTES = 16


class Contents:
    """Tells sizes and content hashes of whoever has records and a catalogue."""

    folder: str
    records: Records
    _catalogue: Catalogue
    _generation: str

    def contents(self) -> tuple[Rows, View]:
        """The file of each row.

        Returns
        -------
        sizes, hashes
            (n,) int64 bytes; (n, 16) uint8, BLAKE2b of the bytes.

        Raises
        ------
        CatalogueError
            The folder was indexed anew meanwhile, so that rows would be those of other images.
        """
        try:
            with self._catalogue.snapshot():
                # Another process that did the same work at the same time has changed nothing.
                same = self._catalogue.generation() == self._generation
                if same or self._catalogue.records() == self.records:
                    return self._read_contents()
        except sqlite3.DatabaseError as error:
            what = f"cannot be read: {error}"
        else:
            what = "has changed since it was loaded"
        raise CatalogueError(f"the index of {self.folder} {what}", "load the folder again")

    def _read_contents(self) -> tuple[Rows, View]:
        sizes = np.zeros(len(self.records), np.int64)
        hashes = np.zeros((len(sizes), _HASH_BYTES), np.uint8)
        readable = (file for _, file in self._catalogue.files() if file.error is None)
        for row, file in enumerate(readable):
            sizes[row] = file.size
            hashes[row] = np.frombuffer(file.content_hash or b"", np.uint8)
        return sizes, hashes
