"""The first batches as pictures: the sheet of ``--preview``, the page of ``--report``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imgbatch.cli.common import default_picture, note

if TYPE_CHECKING:
    from imgbatch.batches.schedule import Comparison, DealtChunk, Schedule
    from imgbatch.collection import Collection
    from imgbatch.outputs.base import WrittenFile
    from imgbatch.outputs.batches import BatchesResult
    from imgbatch.types import Rows


@dataclass(frozen=True)
class FirstBatches:
    """The first batches that were dealt, and the random batches they are compared with."""

    photos: "Collection"
    schedule: "Schedule"
    first: "DealtChunk"
    comparison: "Comparison"

    def preview(self, rows: int) -> Path | None:
        """Draw the first batches, and as many random ones, as rows; None for no rows."""
        if rows == 0:
            return None
        from imgbatch.outputs.batches import (
            MOST_SHOWN,
            most_shown_batches,
            shown_batches,
            write_preview,
        )

        photos, dealt = self.photos, self.first.batches
        name, seed = Path(photos.folder).name, self.schedule.options.seed
        target = default_picture(photos, "batches", name or "root", seed).absolute()
        columns = min(len(dealt[0]), MOST_SHOWN)
        most = most_shown_batches(columns, photos.config.sheet, target)
        which = f"{name} - seed {seed}"
        if most < (wanted := min(rows, len(dealt))):
            rows, part = most, f"the first {most:,} of {wanted:,} batches"
            which += f" - {part}"
            note([f"the preview shows {part}; more do not fit on a page"])
        random = shown_batches(photos, self._random(rows), MOST_SHOWN)
        closest = min(self.comparison.dealt.closest, default=0.0)
        framed = any(distance < closest for batch in random for distance in batch.distances)
        legend = "; framed: closer to another of its batch than any two in a diverse batch"
        sections = [
            (f"diverse batches - {which}", shown_batches(photos, dealt[:rows], MOST_SHOWN)),
            (f"random batches - {which}{legend if framed else ''}", random),
        ]
        write_preview(sections, target, photos.config, closest)
        return target

    def report(
        self, result: "BatchesResult", target: Path | None, line: str
    ) -> "WrittenFile | None":
        """Write the page of the result, if there is a target; `line` is a command for it."""
        if target is None:
            return None
        from imgbatch.outputs.batches import shown_batches
        from imgbatch.outputs.pages import batches_page, write_page
        from imgbatch.outputs.pages.batches import MOST_BATCHES

        photos, config = self.photos, self.photos.config
        dealt = shown_batches(photos, self.first.batches[:MOST_BATCHES], config.page.images)
        random = shown_batches(photos, self._random(MOST_BATCHES), config.page.images)
        return write_page(batches_page(result, dealt, random, config, line), target, config)

    def _random(self, count: int) -> "Sequence[Rows]":
        return self.schedule.random_batches(len(self.photos), 0)[:count]
