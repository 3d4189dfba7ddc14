"""Vectors that the user brings, such as those of CLIP, in place of an index of descriptors.

Vectors are compared by their directions, as embeddings are: points are the vectors scaled to one
length, with which the mean squared distance of two images is 1, as in any feature space.
"""

import hashlib
import os
import shutil
import weakref
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import numpy.typing as npt

from imgbatch.embedding.projection import Projection
from imgbatch.embedding.space import Block, FeatureSpace
from imgbatch.embedding.whitening import Augmented
from imgbatch.errors import SelectionError
from imgbatch.files import paths
from imgbatch.index.filtered import FilteredIndex
from imgbatch.index.opened import OpenedIndex, RefreshReport
from imgbatch.index.records import Records
from imgbatch.neighbours.parts import MemoryPart
from imgbatch.types import Floats, Rows, Skipped, View

VECTORS = "vectors"
"""The name of the one block of a space of vectors."""
MOST_COLUMNS = 8192
"""The space holds a square of this side."""
_BATCH_ROWS = 16_384
_FLAT = 1e-6
"""Mean squared distances of directions below it count as rounding errors."""


class ListedRecords(Records):
    """Records in the order in which a user gave them, not sorted by path; their sizes are 0.

    >>> records = ListedRecords.of(["b.jpg", "a.jpg"])
    >>> records.row_of("a.jpg"), records.take(np.array([1])).row_of("a.jpg")
    (1, 0)
    """

    __slots__ = ("_rows",)
    _rows: dict[str, int] | None

    @classmethod
    def of(cls, names: Sequence[str]) -> "ListedRecords":
        """Records of paths inside the folder."""
        return cls.pack((os.fsencode(name), 0, 0, "") for name in names)

    def row_of(self, path: str) -> int | None:
        """The row of a path inside the folder, by a table made on first use."""
        rows: dict[str, int] | None = getattr(self, "_rows", None)
        if rows is None:
            rows = {name: row for row, name in enumerate(self.all_paths())}
            object.__setattr__(self, "_rows", rows)
        return rows.get(path)

    def take(self, rows: npt.NDArray[np.int64]) -> Records:
        """See `Records.take`."""
        taken = super().take(rows)
        return ListedRecords(taken.paths, taken.ends, taken.sizes, taken.notes)

    @property
    def top_folder(self) -> str:
        """See `Records.top_folder`."""
        tops = {record.label for record in self}
        return tops.pop() if len(tops) == 1 else ""


@dataclass(eq=False)
class VectorIndex:
    """An `OpenedIndex` of vectors, whose files need not be there until a picture is shown.

    Attributes
    ----------
    folder
        The deepest folder that holds all images.
    records
        In the order of the vectors.
    vectors
        (n, d) float32 of length 1.
    """

    folder: str
    records: Records
    vectors: Floats
    generation: str = field(init=False)
    skipped: list[Skipped] = field(default_factory=list)
    skipped_list: Path | None = None
    ignored: dict[str, int] = field(default_factory=dict)
    report: RefreshReport = field(default_factory=lambda: RefreshReport(0, 0, 0, ()))
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.hashes = _hashes(self.vectors)
        digest = hashlib.sha256(self.hashes.tobytes())
        digest.update(self.records.paths.tobytes())
        self.generation = digest.hexdigest()[:24]

    @cached_property
    def directory(self) -> Path:
        """A folder that is removed with this object, or when the program ends."""
        made = mkdtemp(prefix="imgbatch-vectors-")
        weakref.finalize(self, shutil.rmtree, made, ignore_errors=True)
        return Path(made)

    @cached_property
    def _projection(self) -> Projection:
        space = _space(self.vectors)
        points = self.vectors * np.float32(space.blocks[VECTORS].scale)
        return Projection(space, (MemoryPart.of(points, self.hashes),))

    def projection(self) -> Projection:
        """The points; hashes are those of the vectors' bytes, so that equal vectors are copies."""
        return self._projection

    def features(self, rows: Rows) -> dict[str, Floats]:
        """The vectors of some rows, of length 1."""
        return {VECTORS: self.vectors[rows]}

    def contents(self) -> tuple[Rows, View]:
        """Nothing is known of the files' contents: raises `SelectionError`."""
        raise no_pictures("what compares files")

    def augmented(self) -> Augmented | None:
        """Vectors are not whitened."""
        return None


def index_of_vectors(
    vectors: npt.ArrayLike, files: Sequence[str | os.PathLike[str]]
) -> VectorIndex:
    """Vectors and the files that they describe, as an index of which nothing stays on the disk.

    Parameters
    ----------
    vectors
        (n, d) finite numbers, d at most 8,192. They are compared by their directions: points are
        the vectors scaled to one length, with which the mean squared distance of two images is 1.
    files
        n paths in the order of vectors, each once. They are read only to be shown, so that they
        need not be there.

    Raises
    ------
    SelectionError
        They do not fit each other, a file was given twice, or a vector is not finite or zero.
    UsageError
        A file is a URL.

    Notes
    -----
    O(n d), and n d float32 in memory. Deterministic.

    Examples
    --------
    >>> opened = index_of_vectors([[3, 4], [5, 0]], ["/photos/a/1.jpg", "/photos/b/1.jpg"])
    >>> opened.folder, opened.records[0].label, opened.vectors.tolist()[1]
    ('/photos', 'a', [1.0, 0.0])
    """
    rows = _checked(vectors)
    names = [os.fspath(file) for file in files]
    if len(names) != len(rows):
        raise SelectionError(
            f"{len(rows):,} vectors and {len(names):,} paths were given", "give a path for each"
        )
    paths.refuse_url(*names)
    absolute = [os.path.abspath(name) for name in names]
    if len(set(absolute)) < len(absolute):
        twice = Counter(absolute).most_common(1)[0][0]
        raise SelectionError(f"{twice} was given twice", "give each image once")
    folder = paths.common_folder(map(os.path.dirname, absolute))
    inside = [paths.inside(path, folder) for path in absolute]
    return VectorIndex(folder, ListedRecords.of(inside), rows)


def is_of_vectors(opened: OpenedIndex) -> bool:
    """Whether an index, or the one that it is a part of, holds vectors that the user brought."""
    whole = opened.whole if isinstance(opened, FilteredIndex) else opened
    return isinstance(whole, VectorIndex)


def need_pictures(opened: OpenedIndex, what: str) -> None:
    """Raise `SelectionError` for vectors, as `what` needs the descriptors of pictures."""
    if is_of_vectors(opened):
        raise no_pictures(what)


def no_pictures(what: str) -> SelectionError:
    """The error for what needs descriptors where there are vectors alone."""
    return SelectionError(
        f"this collection was made of vectors, and {what} needs the descriptors of pictures",
        "load the folder with imgbatch.load",
    )


def vectors_fingerprint(columns: int) -> str:
    """What vectors of equal length have in common, as descriptors have a fingerprint."""
    return f"{VECTORS}-{columns}"


def as_point(vector: Floats, space: FeatureSpace) -> Floats:
    """A vector, or a point, of a space of vectors as its point; points of other spaces stay.

    Raises
    ------
    SelectionError
        A vector is zero or not finite.
    """
    if VECTORS not in space.blocks:
        return vector
    point: Floats = _checked(vector[None])[0] * np.float32(space.blocks[VECTORS].scale)
    return point


def _checked(vectors: npt.ArrayLike) -> Floats:
    """(n, d) float32 rows of length 1."""
    try:
        given = np.asarray(vectors)
        if given.dtype.kind not in "fiu":
            raise ValueError(given.dtype)
    except (TypeError, ValueError):
        raise SelectionError(
            f"the vectors are a {type(vectors).__name__}, expected an (n, d) array of numbers",
            "give one row for each image",
        ) from None
    if given.ndim != 2 or not given.size or given.shape[1] > MOST_COLUMNS:
        raise SelectionError(
            f"the vectors have the shape {given.shape}, expected (n, d), d at most {MOST_COLUMNS}",
            "give one row for each image",
        )
    rows = np.empty(given.shape, np.float32)
    for start in range(0, len(given), _BATCH_ROWS):
        batch = given[start : start + _BATCH_ROWS].astype(np.float64)
        lengths = np.linalg.norm(batch, axis=1)
        bad = np.flatnonzero(~np.isfinite(lengths) | (lengths == 0))
        if len(bad):
            raise SelectionError(
                f"vector {start + int(bad[0])} is zero or holds what is no number",
                "leave out images without a vector",
            )
        rows[start : start + len(batch)] = batch / lengths[:, None]
    return rows


def _space(vectors: Floats) -> FeatureSpace:
    """The space that scales a vector of any length to that of all points."""
    mean = vectors.mean(axis=0, dtype=np.float64)
    spread = 2 * (1 - float(mean @ mean))
    scale = float(np.sqrt(1 / spread)) if spread > _FLAT else 1.0
    nothing = np.zeros(vectors.shape[1], np.float32)
    axes = np.eye(vectors.shape[1], dtype=np.float32)
    return FeatureSpace({VECTORS: Block(nothing, axes, nothing, scale, 1.0)})


def _hashes(vectors: Floats) -> npt.NDArray[np.uint64]:
    """(n,) uint64: equal for equal vectors, for others different in about half of the bits."""

    def digests() -> Iterator[bytes]:
        for vector in vectors:
            yield hashlib.blake2b(vector.tobytes(), digest_size=8).digest()

    return np.frombuffer(b"".join(digests()), np.uint64)
