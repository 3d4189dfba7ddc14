"""The batches of several epochs, dealt chunk by chunk and compared with random batches."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from imgbatch.batches.epoch import deal_epoch
from imgbatch.batches.plans import PlannedBatch
from imgbatch.batches.population import DealOptions, Population
from imgbatch.batches.tally import Tally, random_batches
from imgbatch.types import ImageRecord, Rows


@dataclass(frozen=True, slots=True)
class DealtChunk:
    """Batches that were dealt together; `number` counts the chunks of an epoch from 0."""

    epoch: int
    number: int
    batches: list[Rows]


@dataclass(frozen=True)
class Schedule:
    """The batches of some epochs of a population, one after the other.

    Attributes
    ----------
    population
        What is dealt.
    options
        How each epoch is dealt; the epoch in it does not matter.
    epochs
        Number of epochs.
    start
        The first of them.

    Examples
    --------
    >>> population = Population(np.arange(10, dtype=np.float32).reshape(-1, 1))
    >>> schedule = Schedule(population, DealOptions(batch_size=4, seed=1), epochs=2)
    >>> [(chunk.epoch, len(chunk.batches)) for chunk in schedule.chunks()]
    [(0, 3), (1, 3)]
    """

    population: Population
    options: DealOptions
    epochs: int = 1
    start: int = 0

    def chunks(self) -> Iterator[DealtChunk]:
        """Deal all epochs; one chunk is held in memory at a time."""
        for epoch in range(self.start, self.start + self.epochs):
            dealt = deal_epoch(self.population, replace(self.options, epoch=epoch))
            for number, batches in enumerate(dealt):
                yield DealtChunk(epoch, number, batches)

    def random_batches(self, n: int, epoch: int) -> list[Rows]:
        """As many random batches of n rows as would be dealt."""
        size = self.options.batch_size
        batches = random_batches(n, size, self.options.seed, epoch)
        return batches[: n // size] if self.options.drop_last else batches


class Comparison:
    """Figures of dealt batches beside those of random batches.

    If the population lies in parts, which may not fit into memory, the first chunk is measured
    alone.

    Parameters
    ----------
    schedule
        What is dealt.
    first
        The first chunk.

    Attributes
    ----------
    dealt, random : Tally
        The figures of either.
    images : int
        Number of images that are measured.
    """

    def __init__(self, schedule: Schedule, first: DealtChunk) -> None:
        population = schedule.population
        self._schedule = schedule
        self._rows: Rows | None = None
        self._first = first.epoch, first.number
        if len(population.parts) > 1:
            self._rows = np.sort(np.concatenate(first.batches))
            population = population.subset(self._rows)
        size = schedule.options.batch_size
        self.dealt, self.random = Tally(population, size), Tally(population, size)
        self.images = len(population.points)

    def add(self, chunk: DealtChunk) -> None:
        """Take a chunk into account, if it is measured."""
        if self._rows is None:
            self.dealt.add(chunk.batches)
        elif (chunk.epoch, chunk.number) == self._first:
            self.dealt.add([self._rows.searchsorted(batch) for batch in chunk.batches])
        else:
            return
        self.random.add(self._schedule.random_batches(self.images, chunk.epoch))


def planned_batches(
    chunks: Iterable[DealtChunk], records: Sequence[ImageRecord]
) -> Iterator[list[PlannedBatch]]:
    """The chunks as lines of a plan: batches numbered through each epoch, rows as paths."""
    before = 0
    for chunk in chunks:
        before = 0 if chunk.number == 0 else before
        yield [
            PlannedBatch(chunk.epoch, number, tuple(records[row].path for row in rows.tolist()))
            for number, rows in enumerate(chunk.batches, start=before)
        ]
        before += len(chunk.batches)
