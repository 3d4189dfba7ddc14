"""What a `Collection` offers on batches; apart from it to keep both files short."""

import secrets
from collections.abc import Iterator
from functools import cached_property

from imgbatch.batches.epoch import deal_epoch
from imgbatch.batches.population import DealOptions, Population, class_numbers
from imgbatch.config.schema import Config
from imgbatch.embedding.projection import Projection
from imgbatch.index.records import Records
from imgbatch.types import Batches, Rows

_SEEDS = 2**31


class Dealing:
    """Deals the images of whoever has records, a config and a projection."""

    config: Config
    records: Records

    @property
    def projection(self) -> Projection:
        """The images as points."""
        raise NotImplementedError

    def batches(
        self,
        batch_size: int,
        *,
        seed: int | None = None,
        epoch: int = 0,
        drop_last: bool = False,
        balance: bool = False,
    ) -> Batches:
        """Deal all images into one epoch's diverse batches, each image once; see `deal_batches`.

        `batch_size` and `epoch` count from 1 and 0. A seed of None is drawn once for this
        collection, so that a training's epochs belong together. `drop_last` leaves out random
        images in place of an incomplete batch; `balance` gives every batch its share of each class.

        Raises
        ------
        SelectionError
            An argument out of range, or `balance` without at least two classes.
        """
        seed = self.epochs_seed if seed is None else seed
        options = {"drop_last": drop_last, "balance": balance}
        chunks = self.batch_chunks(batch_size, seed=seed, epoch=epoch, **options)
        return Batches(tuple(rows for chunk in chunks for rows in chunk), seed, epoch)

    def batch_chunks(
        self,
        batch_size: int,
        *,
        seed: int,
        epoch: int = 0,
        drop_last: bool = False,
        balance: bool = False,
    ) -> Iterator[list[Rows]]:
        """The same batches, some at a time where there are very many: no epoch need be held."""
        options = DealOptions(batch_size, seed, epoch, drop_last, balance)
        return deal_epoch(self.population, options)

    @cached_property
    def population(self) -> Population:
        """What is dealt into batches: points, pHashes and, if there are two or more, classes.

        Made once, since every epoch asks for it and each image's class must be looked up.
        """
        labels = class_numbers([record.label for record in self.records])
        bits = min(self.config.similar.duplicate_bits, 31)
        made = self.projection
        return Population(made.points, made.hashes, labels, bits, made.parts, made.run_long_tasks)

    @cached_property
    def epochs_seed(self) -> int:
        """The seed of all epochs for which none is given."""
        return secrets.randbelow(_SEEDS)
