"""Where a sampler's batches come from: dealt anew each epoch, or read from a plan."""

import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from imgbatch.batches.epoch import deal_epoch
from imgbatch.batches.plans import Plan
from imgbatch.batches.population import DealOptions, Population
from imgbatch.errors import SelectionError
from imgbatch.files.paths import inside
from imgbatch.types import Rows


class BatchSource(Protocol):
    """Gives the batches of each epoch."""

    @property
    def identity(self) -> dict[str, int]:
        """Numbers that tell batches apart, by which a resumed training is checked."""
        ...

    def row_count(self, epoch: int) -> int:
        """How many rows an epoch holds."""
        ...

    def batches(self, epoch: int) -> Sequence[Rows]:
        """The batches of an epoch: int64 rows."""
        ...


@dataclass(frozen=True)
class DealtBatches:
    """Batches that are dealt when they are asked for; the epoch of `options` does not matter."""

    population: Population
    options: DealOptions

    @property
    def identity(self) -> dict[str, int]:
        """See `BatchSource.identity`; of points only their number, as last bits may differ."""
        options, labels = self.options, self.population.labels
        classes = zlib.crc32(labels.tobytes()) if options.balance and labels is not None else 0
        return {
            "seed": options.seed,
            "rows": len(self.population.points),
            "balance": int(options.balance),
            "classes": classes,
        }

    def row_count(self, _epoch: int) -> int:
        """See `BatchSource.row_count`."""
        return len(self.population.points)

    def batches(self, epoch: int) -> Sequence[Rows]:
        """See `BatchSource.batches`."""
        chunks = deal_epoch(self.population, replace(self.options, epoch=epoch))
        return [rows for chunk in chunks for rows in chunk]


class PlannedBatches:
    """Batches of a plan, its paths turned into positions in a dataset.

    Parameters
    ----------
    plan
        The plan; it has no other epochs than its own.
    paths
        Path of each item of the dataset: relative, as in the plan, or leading to the same files.
    root
        Where the image folder is now; None means where the plan was made.

    Raises
    ------
    SelectionError
        The plan names an image that `paths` lacks.
    """

    def __init__(
        self, plan: Plan, paths: Sequence[str], root: str | os.PathLike[str] | None = None
    ) -> None:
        self.plan = plan
        position = {path: number for number, path in enumerate(paths)}
        folder = os.path.abspath(plan.header.folder if root is None else root)
        for number, path in enumerate(paths):
            position.setdefault(inside(os.path.abspath(path), folder), number)
        try:
            self._epochs = [
                [np.array([position[path] for path in batch], np.int64) for batch in epoch]
                for epoch in plan.epochs
            ]
        except KeyError as missing:
            raise SelectionError(
                f"the plan names {missing}, which is not among the {len(paths)} paths of the data",
                f"give paths inside {folder}, or the folder's new place as root",
            ) from None

    @property
    def identity(self) -> dict[str, int]:
        """See `BatchSource.identity`."""
        return {"seed": self.plan.header.seed, "rows": self.row_count(0), "plan": self._checksum}

    @cached_property
    def _checksum(self) -> int:
        """Of the first epoch's batches, so that a longer plan of the same batches goes on."""
        checksum = 0
        for batch in self._epochs[0]:
            checksum = zlib.crc32(batch.tobytes(), checksum)
        return checksum

    def row_count(self, epoch: int) -> int:
        """See `BatchSource.row_count`; for epochs that the plan lacks, the last epoch's rows."""
        return sum(map(len, self._epochs[min(epoch, len(self._epochs) - 1)]))

    def batches(self, epoch: int) -> Sequence[Rows]:
        """See `BatchSource.batches`.

        Raises
        ------
        SelectionError
            The plan has no such epoch.
        """
        if epoch >= len(self._epochs):
            raise SelectionError(
                f"epoch {epoch} was asked for, but the plan has {len(self._epochs)} epochs from 0",
                "make a plan with more `epochs`, or choose one of its own with set_epoch",
            )
        return self._epochs[epoch]
