"""Some images of an opened index, as an index of their own."""

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

from imgbatch.embedding.projection import Projection
from imgbatch.embedding.whitening import Augmented
from imgbatch.index.opened import OpenedIndex, RefreshReport
from imgbatch.index.records import Records
from imgbatch.neighbours.parts import taken_parts
from imgbatch.types import Floats, Rows, Skipped, View


@dataclass(slots=True)
class FilteredIndex:
    """An `OpenedIndex` of some rows of another one.

    The space is that of all images, so that distances stay what they are without the filter. Points
    of the chosen rows are copied into memory when they are asked for.

    Attributes
    ----------
    whole
        The index of all images.
    rows
        The chosen rows, rising; at least one.
    chosen
        What the chosen images have in common, in words.
    remarks
        On the choice, for the user.
    """

    whole: OpenedIndex
    rows: Rows
    chosen: str = "pass the filters"
    remarks: tuple[str, ...] = ()
    records: Records = field(init=False)
    skipped: list[Skipped] = field(init=False)
    skipped_list: Path | None = field(init=False)
    ignored: dict[str, int] = field(init=False)
    report: RefreshReport = field(init=False)
    generation: str = field(init=False)

    def __post_init__(self) -> None:
        if isinstance(self.whole, FilteredIndex):  # of a filter after a filter
            self.remarks = self.whole.remarks
            self.rows, self.whole = self.whole.rows[self.rows], self.whole.whole
        self.records = self.whole.records.take(self.rows)
        self.skipped, self.skipped_list = self.whole.skipped, self.whole.skipped_list
        self.ignored, self.report = self.whole.ignored, self.whole.report
        chosen = hashlib.sha256(self.rows.tobytes()).hexdigest()[:16]
        self.generation = f"{self.whole.generation}-{chosen}"

    @property
    def folder(self) -> str:
        """See `OpenedIndex`."""
        return self.whole.folder

    @property
    def directory(self) -> Path:
        """See `OpenedIndex`."""
        return self.whole.directory

    @property
    def notes(self) -> tuple[str, ...]:
        """See `OpenedIndex`."""
        return (*self.whole.notes, *self.remarks)

    def projection(self) -> Projection:
        """See `OpenedIndex.projection`."""
        whole = self.whole.projection()
        return replace(whole, parts=taken_parts(whole.parts, self.rows))

    def contents(self) -> tuple[Rows, View]:
        """See `OpenedIndex.contents`."""
        sizes, hashes = self.whole.contents()
        return sizes[self.rows], hashes[self.rows]

    def features(self, rows: Rows) -> dict[str, Floats]:
        """See `OpenedIndex.features`."""
        return self.whole.features(self.rows[rows])

    def augmented(self) -> Augmented | None:
        """See `OpenedIndex.augmented`."""
        return self.whole.augmented()


def holding(opened: OpenedIndex) -> str:
    """How many images an index holds, in words that begin an error."""
    count = len(opened.records)
    if isinstance(opened, FilteredIndex):
        whole = len(opened.whole.records)
        return f"only {count:,} of the {whole:,} readable images of {opened.folder} {opened.chosen}"
    return f"{opened.folder} holds {count:,} readable images"
