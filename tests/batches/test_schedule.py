"""Epochs of a schedule, and the figures of some of them."""

from imgbatch.batches.population import DealOptions, Population
from imgbatch.batches.schedule import Comparison, Schedule
from tests.batches.test_epoch import in_parts, normal
from tests.neighbours.test_parts import cut


def rows_of(chunk):
    return [batch.tolist() for batch in chunk.batches]


def test_a_later_epoch_is_dealt_alone_as_among_others():
    population = Population(normal(1, 50))
    options = DealOptions(8, 3)
    among = list(Schedule(population, options, epochs=3).chunks())
    alone = list(Schedule(population, options, start=2).chunks())
    assert [chunk.epoch for chunk in alone] == [2]
    assert rows_of(alone[0]) == rows_of(among[2])


def test_the_first_chunk_is_measured_whichever_epoch_it_is_of():
    population = in_parts(cut(1, 3, normal(0, 60)))
    schedule = Schedule(population, DealOptions(6, 2), start=2)
    first = next(schedule.chunks())
    comparison = Comparison(schedule, first)
    comparison.add(first)
    figures = comparison.dealt.figures()
    assert 0 < figures["closest"] <= figures["mean_closest"]
    assert figures["variance"] < comparison.random.figures()["variance"]
