"""Batches of points in parts: every row once, in chunks that each look like the whole."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from imgbatch.batches.deal import deal_batches
from imgbatch.batches.epoch import chunk_shares, deal_epoch
from imgbatch.batches.population import DealOptions, Population
from imgbatch.neighbours.parts import MemoryPart, Parted, as_array
from imgbatch.runners.maps import map_serially
from tests.neighbours.test_parts import SEEDS, cut, elsewhere, spread_hashes


def normal(seed, n, d=4):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def in_parts(parts, labels=None, run_tasks=map_serially):
    """A population that lies in these parts."""
    points, hashes = (as_array(Parted(parts, name)) for name in ("points", "hashes"))
    return Population(points, hashes, labels, parts=tuple(parts), run_tasks=run_tasks)


def flat(chunks):
    return [batch for chunk in chunks for batch in chunk]


@settings(max_examples=60, deadline=None)
@given(
    seed=SEEDS,
    n=st.integers(1, 120),
    parts=st.integers(1, 9),
    batch_size=st.integers(1, 20),
    chunk_rows=st.integers(1, 60),
    drop_last=st.booleans(),
    labelled=st.booleans(),
)
def test_every_row_is_dealt_once_in_batches_of_the_usual_sizes(
    seed, n, parts, batch_size, chunk_rows, drop_last, labelled
):
    options = DealOptions(batch_size, seed % 1000, seed % 3, drop_last, balance=labelled)
    population = in_parts(cut(seed, parts, normal(seed, n)), np.arange(n) % 3)
    if len(population.parts) == 1:
        chunk_rows = n  # a part alone is a chunk
    chunks = list(deal_epoch(population, options, chunk_rows=chunk_rows))
    batches = flat(chunks)
    full, rest = divmod(n, batch_size)
    sizes = [batch_size] * full + [rest] * (rest > 0 and not drop_last)
    assert [len(batch) for batch in batches] == sizes
    rows = np.concatenate(batches) if batches else np.empty(0, np.int64)
    assert rows.dtype == np.int64
    assert len(set(rows.tolist())) == sum(sizes)
    if not drop_last:
        assert sorted(rows.tolist()) == list(range(n))
    assert all(sum(map(len, chunk)) <= max(chunk_rows, batch_size) for chunk in chunks)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 100), parts=st.integers(1, 5), drop_last=st.booleans())
def test_one_chunk_gives_the_batches_of_one_machine(seed, n, parts, drop_last):
    points, hashes, labels = normal(seed, n), spread_hashes(n), np.arange(n) % 4
    options = DealOptions(7, seed, 3, drop_last, balance=True)
    ours = flat(deal_epoch(in_parts(cut(seed, parts, points, hashes), labels), options))
    theirs = deal_batches(Population(points, hashes, labels), options)
    assert [batch.tolist() for batch in ours] == [batch.tolist() for batch in theirs]


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 50), min_size=1, max_size=12).filter(sum),
    batch_size=st.integers(1, 9),
    chunk_rows=st.integers(1, 60),
)
def test_every_chunk_has_its_share_of_every_part(lengths, batch_size, chunk_rows):
    total = sum(lengths)
    shares = chunk_shares(np.array(lengths), batch_size, chunk_rows)
    assert (shares >= 0).all()
    assert shares.sum(axis=0).tolist() == lengths
    sizes = shares.sum(axis=1)
    assert all(size % batch_size == 0 for size in sizes[:-1])
    assert sizes.max() - sizes.min() < 2 * batch_size
    exact = np.outer(sizes / total, lengths)
    assert np.abs(shares - exact).max() < 2


def test_seed_and_epoch_alone_decide_also_elsewhere():
    parts = cut(0, 4, normal(0, 200))

    def dealt(seed, epoch, run_tasks=map_serially):
        population = in_parts(parts, run_tasks=run_tasks)
        chunks = deal_epoch(population, DealOptions(8, seed, epoch), chunk_rows=40)
        return [batch.tolist() for batch in flat(chunks)]

    assert dealt(1, 0) == dealt(1, 0) == dealt(1, 0, run_tasks=elsewhere)
    assert len({str(dealt(seed, epoch)) for seed in range(3) for epoch in range(3)}) == 9


def test_chunks_of_parts_sorted_by_class_hold_every_class_alike():
    labels = np.repeat(np.arange(4), 100)
    parts = cut(0, 4, normal(0, 400))
    options = DealOptions(8, 0, balance=True)
    for chunk in deal_epoch(in_parts(parts, labels), options, chunk_rows=80):
        for batch in chunk:
            assert np.bincount(labels[batch], minlength=4).max() <= 3


def test_copies_of_a_chunk_do_not_share_a_batch():
    hashes = spread_hashes(200)
    hashes[:8] = hashes[0]
    parts = cut(1, 5, normal(0, 200), hashes)
    for batch in flat(deal_epoch(in_parts(parts), DealOptions(5, 0), chunk_rows=100)):
        assert (batch < 8).sum() <= 1


def test_each_epoch_and_each_seed_draws_other_rows_for_a_chunk():
    population = in_parts(cut(0, 4, normal(0, 200)))
    firsts = set()
    for seed in range(3):
        for epoch in range(3):
            chunks = deal_epoch(population, DealOptions(8, seed, epoch), chunk_rows=40)
            firsts.add(frozenset(np.concatenate(next(chunks)).tolist()))
    assert len(firsts) == 9


def test_chunks_of_the_same_rows_would_be_dealt_differently():
    def with_the_rows_of_the_first(function, tasks):
        tasks = list(tasks)
        return [function(tasks[0][0], *rest) for _, *rest in tasks]

    part = MemoryPart.of(np.zeros((120, 3), np.float32), spread_hashes(120))
    population = in_parts([part, part], run_tasks=with_the_rows_of_the_first)
    chunks = list(deal_epoch(population, DealOptions(8, 1), chunk_rows=40))
    dealt = {str([batch.tolist() for batch in chunk]) for chunk in chunks}
    assert len(dealt) == len(chunks) == 6


def test_hashes_count_only_if_the_population_has_them():
    copies = np.zeros(60, np.uint64)
    parts = cut(1, 3, normal(0, 60), copies)
    bare = Population(as_array(Parted(parts, "points")), parts=tuple(parts))
    ours = flat(deal_epoch(bare, DealOptions(6, 2)))
    theirs = deal_batches(Population(normal(0, 60)), DealOptions(6, 2))
    assert [batch.tolist() for batch in ours] == [batch.tolist() for batch in theirs]
