"""NumPy's .npz: one array for each column, row i for the i-th image; nothing is pickled.

`ids` and `hashes` are (n, 16) uint8, `phashes` uint64, `points` (n, p) float32, names fixed-width
text. `tags`, `texts` and `machine_tags` (measured or learned) are (bytes,) uint8, JSON arrays in
UTF-8 one after the other; `tag_ends` and so on (n,) say where that of each image ends. `folder` and
`fingerprint` are single strings; `settings` (JSON) and `space` (bytes) hold the feature space, see
`read_space`.

`text_rows` (t,) int64 is the row of the image that each text tells of, image by image. Texts and
images are float32 vectors of length 1 in the space that they share (see `words.vectors`):
`text_vectors` (t, k) and `image_vectors` (n, k), of which the latter are ``(points - vector_mean) @
vector_axes``, scaled. The product of two is the cosine of their angle. k is at most 128, and 0 if
nothing could be learned. A text of which no word was learned is a row of zeros.
"""

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from imgbatch.exports.base import Batch, ImageTable, as_text, file_exporter, no_space
from imgbatch.files.unpacked import unpacked_arrays
from imgbatch.index.portable import PortableSpace
from imgbatch.types import Floats, Progress, Rows

if TYPE_CHECKING:  # a search for similar images needs no words
    from imgbatch.words.vectors import SharedSpace

_Array = npt.NDArray[Any]

_COLUMNS: Mapping[str, Callable[[Batch], _Array]] = {
    "ids": lambda batch: _bytes(image_id.bytes for image_id in batch.ids),
    "paths": lambda batch: np.array(batch.paths),
    "labels": lambda batch: np.array(batch.labels),
    "widths": lambda batch: np.array(batch.widths, np.int32),
    "heights": lambda batch: np.array(batch.heights, np.int32),
    "sizes": lambda batch: np.array(batch.sizes, np.int64),
    "hashes": lambda batch: _bytes(batch.hashes),
    "phashes": lambda batch: np.array(batch.phashes, np.uint64),
    "notes": lambda batch: np.array(batch.notes),
    "points": lambda batch: np.ascontiguousarray(batch.points, np.float32),
    "splits": lambda batch: np.array(batch.splits),
    "groups": lambda batch: np.array(batch.groups),
}
_LISTS: Mapping[str, Callable[[Batch], list[bytes]]] = {
    "tag": lambda batch: _documents(batch.tags),
    "text": lambda batch: _documents(batch.texts),
    "machine_tag": lambda batch: _documents(batch.machine_tags),
}
"""Lists of strings have no width: as fixed-width text, one long text would make all rows long."""


def _documents(lists: Iterable[tuple[str, ...]]) -> list[bytes]:
    return [json.dumps(strings, ensure_ascii=False).encode() for strings in lists]


def _bytes(values: Iterable[bytes]) -> _Array:
    return np.frombuffer(b"".join(values), np.uint8).reshape(-1, 16)


def _write(target: Path, table: ImageTable, progress: Progress) -> tuple[str, ...]:
    """Write array after array in batches: many passes over the rows, but constant memory."""
    widest = dict.fromkeys(_COLUMNS, 1)
    for batch in table.batches():
        for name, texts in (
            ("paths", batch.paths),
            ("labels", batch.labels),
            ("notes", batch.notes),
            ("splits", batch.splits),
            ("groups", batch.groups),
        ):
            widest[name] = max(widest[name], *map(len, texts))
    vectors = _Vectors.of(table)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, allowZip64=True) as file:
        _add(file, "folder", iter([np.array(as_text(table.folder))]))
        _add(file, "fingerprint", iter([np.array(table.space.fingerprint)]))
        _add(file, "settings", iter([np.array(json.dumps(table.space.settings))]))
        _add(file, "space", iter([np.frombuffer(table.space.arrays(), np.uint8)]))
        for number, (name, column) in enumerate(_COLUMNS.items(), start=1):
            _add(file, name, _parts(table, column, widest[name]), len(table))
            progress(number * len(table) // len(_COLUMNS), len(table))
        for name, documents in _LISTS.items():
            ends = _ends(table, documents)
            _add(file, f"{name}_ends", iter([ends]))
            _add(file, f"{name}s", _joined(table, documents), int(ends[-1]) if len(ends) else 0)
        vectors.write(file)
    return vectors.notes


@dataclass(frozen=True)
class _Vectors:
    """Texts and images as vectors; `shared` is None where nothing was learned."""

    table: ImageTable
    text_rows: Rows
    shared: "SharedSpace | None"
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: ImageTable) -> "_Vectors":
        """Learn the space that texts and images share, unless there are no texts."""
        counts = [len(texts) for batch in table.batches() for texts in batch.texts]
        rows = np.repeat(np.arange(len(table)), counts)
        if not len(rows) or table.words is None:
            return cls(table, rows, None)
        if (shared := table.words.shared) is not None:
            return cls(table, rows, shared)
        from imgbatch.words.visual import why_not_learned

        why = why_not_learned(table.words.to_learn)
        if table.words.to_learn < len(table.words.texts.rows):
            why += "; images that a split keeps for measuring do not count"
        return cls(table, rows, None, (f"texts are exported without vectors: {why}",))

    def write(self, file: zipfile.ZipFile) -> None:
        """Add the arrays, batch by batch."""
        dims, p = self.shared.dimensions if self.shared else 0, self.table.points.shape[1]
        maps = self.shared.maps if self.shared else None
        mean = np.zeros(p, np.float32) if maps is None else maps.point_mean
        axes = np.zeros((p, dims), np.float32) if maps is None else maps.image_axes
        _add(file, "text_rows", iter([self.text_rows]))
        _add(file, "text_vectors", map(self._of_texts, self.table.batches()), len(self.text_rows))
        _add(file, "image_vectors", map(self._of_images, self.table.batches()), len(self.table))
        _add(file, "vector_mean", iter([np.asarray(mean)]))
        _add(file, "vector_axes", iter([np.asarray(axes)]))

    def _of_texts(self, batch: Batch) -> Floats:
        texts = [text for of_image in batch.texts for text in of_image]
        if self.shared is None:
            return np.zeros((len(texts), 0), np.float32)
        return self.shared.of_texts(texts)

    def _of_images(self, batch: Batch) -> Floats:
        if self.shared is None:
            return np.zeros((len(batch), 0), np.float32)
        return self.shared.of_points(batch.points)


def _ends(table: ImageTable, documents: Callable[[Batch], list[bytes]]) -> _Array:
    """Where the document of each image ends."""
    lengths = [len(one) for batch in table.batches() for one in documents(batch)]
    return np.cumsum(lengths, dtype=np.int64)


def _joined(table: ImageTable, documents: Callable[[Batch], list[bytes]]) -> Iterator[_Array]:
    for batch in table.batches():
        yield np.frombuffer(b"".join(documents(batch)), np.uint8)


def _parts(table: ImageTable, column: Callable[[Batch], _Array], widest: int) -> Iterator[_Array]:
    for batch in table.batches():
        values = column(batch)
        yield values.astype(f"<U{widest}") if values.dtype.kind == "U" else values


def _add(
    file: zipfile.ZipFile, name: str, parts: Iterator[_Array], rows: int | None = None
) -> None:
    """Write one array; `rows` is its full length where it comes in parts."""
    first = next(parts)
    shape = first.shape if rows is None else (rows, *first.shape[1:])
    entry = zipfile.ZipInfo(f"{name}.npy")
    # Fixed-width text is mostly padding; points hardly shrink.
    entry.compress_type = zipfile.ZIP_DEFLATED if first.dtype.kind == "U" else zipfile.ZIP_STORED
    with file.open(entry, "w", force_zip64=True) as member:
        np.lib.format.write_array_header_1_0(
            member, {"descr": first.dtype.str, "fortran_order": False, "shape": shape}
        )
        member.write(first.tobytes())
        for part in parts:
            member.write(part.tobytes())


def read_space(path: str | Path) -> PortableSpace:
    """The feature space of an exported file.

    Raises
    ------
    ImgbatchError
        The file cannot be read, or the stored space is damaged.
    """
    try:
        with Path(path).open("rb") as file:
            stored = unpacked_arrays(file, ("settings", "fingerprint", "space"))
        settings, fingerprint = (stored[name].item() for name in ("settings", "fingerprint"))
        return PortableSpace.restore(fingerprint, json.loads(settings), stored["space"].tobytes())
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise no_space(path, error) from None


EXPORTER = file_exporter(_write, holds_words=True)
