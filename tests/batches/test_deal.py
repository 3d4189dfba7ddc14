"""Batches: an exact partition, diverse, fresh each epoch, near-duplicates apart, classes even."""

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgbatch.batches import deal as deal_module
from imgbatch.batches.deal import deal_batches
from imgbatch.batches.population import DealOptions, Population
from imgbatch.copies.rule import hamming
from imgbatch.errors import SelectionError
from tests.batches.points import clustered_points, random_batches, spread_of_means


def deal(points, batch_size, *, labels=None, hashes=None, **options):
    """Batches of arrays; balanced if labels are given."""
    balance = labels is not None
    population = Population(np.asarray(points, np.float32), hashes, labels)
    return deal_batches(population, DealOptions(batch_size, balance=balance, **options))


def closest_pair(points, rows):
    apart = ((points[rows][:, None] - points[rows][None]) ** 2).sum(axis=2)
    return np.sqrt(apart[np.triu_indices(len(rows), 1)].min())


def mates(dealt):
    return {(a, b) for rows in dealt for a in rows.tolist() for b in rows.tolist() if a < b}


def assert_partition(dealt, n, batch_size):
    assert [len(rows) for rows in dealt[:-1]] == [batch_size] * (len(dealt) - 1)
    assert len(dealt) == -(-n // batch_size)
    assert all(rows.dtype == np.int64 for rows in dealt)
    assert sorted(row for rows in dealt for row in rows.tolist()) == list(range(n))


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(
    n=st.integers(0, 90),
    batch_size=st.integers(1, 95),
    d=st.integers(1, 9),
    seed=st.integers(0, 2**40),
    kinds=st.integers(1, 90),
    labelled=st.booleans(),
    hashed=st.booleans(),
)
def test_every_image_is_dealt_exactly_once(n, batch_size, d, seed, kinds, labelled, hashed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(kinds, d)).astype(np.float32)[rng.integers(kinds, size=n)]
    labels = rng.integers(4, size=n) if labelled else None
    hashes = rng.integers(0, 50, size=n).astype(np.uint64) if hashed else None
    options = {"seed": seed, "epoch": n, "labels": labels, "hashes": hashes}
    dealt = deal(points, batch_size, **options)
    if n:
        assert_partition(dealt, n, batch_size)
    else:
        assert dealt == []
    kept = deal(points, batch_size, drop_last=True, **options)
    assert [len(rows) for rows in kept] == [batch_size] * (n // batch_size)
    rows = [row for batch in kept for row in batch.tolist()]
    assert len(set(rows)) == len(rows)
    assert set(rows) <= set(range(n))


@pytest.mark.parametrize(
    ("n", "batch_size"),
    [(1, 1), (1, 5), (5, 8), (8, 8), (9, 8), (40, 1), (41, 40), (600, 599), (700, 300), (1300, 3)],
)
def test_sizes_at_the_edges_are_exact_partitions(n, batch_size):
    points = clustered_points(n)
    assert_partition(deal(points, batch_size, seed=1), n, batch_size)
    kept = deal(points, batch_size, seed=1, drop_last=True)
    assert [len(rows) for rows in kept] == [batch_size] * (n // batch_size)


def test_many_batches_are_dealt_in_groups_and_stay_a_partition(monkeypatch):
    monkeypatch.setattr(deal_module, "GROUP_CELLS", 8)
    monkeypatch.setattr(deal_module, "CELL_ROWS", 6)
    points, labels = clustered_points(701), np.arange(701) % 5
    for batch_size in (2, 7, 13):
        assert_partition(deal(points, batch_size, seed=2), 701, batch_size)
        dealt = deal(points, batch_size, seed=2, labels=labels)
        assert_partition(dealt, 701, batch_size)


@pytest.mark.parametrize("batch_size", [1, 7, 32, 300])
def test_duplicates_only_are_a_partition(batch_size):
    points, hashes = np.full((300, 8), 0.35, np.float32), np.full(300, 99, np.uint64)
    for options in ({}, {"hashes": hashes}, {"labels": np.arange(300) % 3}):
        assert_partition(deal(points, batch_size, seed=3, **options), 300, batch_size)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_any_scale_and_offset_of_the_points_is_dealt_well(scale):
    points = clustered_points(400) * np.float32(scale)
    points[:4] *= np.float32(1e6)  # outliers do not squeeze the rest
    dealt = deal(points, 20, seed=4)
    assert_partition(dealt, 400, 20)
    usual = clustered_points(400)
    ours, theirs = spread_of_means(usual, dealt), spread_of_means(usual, random_batches(400, 20))
    assert ours < 0.3 * theirs


def test_the_same_seed_and_epoch_give_the_same_batches():
    points, labels = clustered_points(500), np.arange(500) % 7
    for options in ({}, {"labels": labels}, {"hashes": np.arange(500, dtype=np.uint64)}):
        first = deal(points, 16, seed=5, epoch=2, **options)
        again = deal(points.copy(), 16, seed=5, epoch=2, **options)
        assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


@pytest.mark.slow
def test_the_number_of_threads_changes_nothing():
    script = (
        "import numpy as np; from imgbatch.batches.deal import deal_batches;"
        "from imgbatch.batches.population import DealOptions, Population;"
        "points = np.random.default_rng(0).normal(size=(900, 64)).astype(np.float32);"
        "batches = deal_batches(Population(points), DealOptions(30, seed=1));"
        "print(np.concatenate(batches).tolist())"
    )
    seen = set()
    for threads in "1", "4":
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        env = {"PYTHONPATH": ":".join(sys.path), **dict.fromkeys(names, threads)}
        run = subprocess.run(
            [sys.executable, "-c", script], env=env, check=True, capture_output=True
        )
        seen.add(run.stdout)
    assert len(seen) == 1


def test_another_seed_or_epoch_gives_other_batches():
    points = clustered_points(400)
    sets = [
        frozenset(frozenset(rows.tolist()) for rows in deal(points, 8, seed=s, epoch=e))
        for s, e in ((0, 0), (0, 1), (1, 0), (1, 1))
    ]
    assert len(set(sets)) == 4


def test_two_epochs_share_few_pairs_of_batch_mates():
    points = clustered_points(600)
    epochs = [mates(deal(points, 12, seed=1, epoch=epoch)) for epoch in range(6)]
    chance = [mates(random_batches(600, 12, seed)) for seed in range(6)]
    shared = [len(a & b) for i, a in enumerate(epochs) for b in epochs[:i]]
    by_chance = [len(a & b) for i, a in enumerate(chance) for b in chance[:i]]
    assert np.mean(shared) < 2 * np.mean(by_chance)


def test_the_incomplete_batch_comes_last_and_the_others_in_random_order():
    points = clustered_points(103)
    firsts = set()
    for epoch in range(20):
        dealt = deal(points, 10, seed=1, epoch=epoch)
        assert len(dealt[-1]) == 3
        firsts.update(dealt[0].tolist())
    assert len(firsts) > 70


def test_the_rows_left_out_are_others_each_epoch():
    points = clustered_points(30)
    left_out = Counter()
    for epoch in range(60):
        kept = np.concatenate(deal(points, 7, seed=1, epoch=epoch, drop_last=True))
        left_out.update(set(range(30)) - set(kept.tolist()))
    assert len(left_out) == 30  # each is expected 60 * 2 / 30 = 4 times
    assert max(left_out.values()) <= 13


@pytest.mark.parametrize("batch_size", [5, 20, 60])
def test_batches_are_more_even_and_more_varied_than_random_ones(batch_size):
    points = clustered_points(600)
    theirs = random_batches(600, batch_size)
    dealt = deal(points, batch_size, seed=6)
    assert spread_of_means(points, dealt) < 0.4 * spread_of_means(points, theirs)
    worst = min(closest_pair(points, rows) for rows in dealt)
    assert worst > 1.3 * min(closest_pair(points, rows) for rows in theirs)


def test_dealing_every_row_again_makes_batches_more_even(monkeypatch):
    points = clustered_points(2000)

    def spread():
        return sum(spread_of_means(points, deal(points, 4, seed=seed)) for seed in range(3))

    with_redeals = spread()
    monkeypatch.setattr(deal_module, "REDEALS", 0)
    assert with_redeals < 0.97 * spread()  # 0.947


@pytest.mark.slow
def test_batches_put_together_from_cells_are_even_too():
    points = clustered_points(2400)
    dealt = deal(points, 600, seed=6)
    assert spread_of_means(points, dealt) < 0.3 * spread_of_means(points, random_batches(2400, 600))


@pytest.mark.parametrize("n", [240, 250, 251])
@pytest.mark.parametrize("batch_size", [4, 12, 24])
def test_every_class_is_within_one_of_its_share_of_every_batch(n, batch_size):
    rng = np.random.default_rng(0)
    labels = rng.choice(6, p=[0.4, 0.2, 0.2, 0.1, 0.06, 0.04], size=n) * 1000 - 7
    points = clustered_points(n)
    for epoch in range(3):
        dealt = deal(points, batch_size, seed=1, epoch=epoch, labels=labels)
        for name in np.unique(labels):
            for rows in dealt:
                share = (labels == name).mean() * len(rows)
                assert abs((labels[rows] == name).sum() - share) <= (
                    1.0001 if len(rows) == batch_size else 1.9
                )


def test_equal_classes_are_dealt_exactly_evenly():
    labels = np.repeat(np.arange(10), 50)
    for rows in deal(clustered_points(500), 20, seed=1, labels=labels):
        assert np.bincount(labels[rows], minlength=10).tolist() == [2] * 10


def avoidable(near, sizes, dropped):
    """Try every placement: can all near-duplicates be apart?"""
    room, members = list(sizes), [[] for _ in sizes]

    def all_apart(row):
        if row == len(near):
            return True
        tried = set()
        for batch, left in enumerate(room):
            met = batch != dropped and any(near[row][mate] for mate in members[batch])
            state = (left, tuple(members[batch]), batch == dropped)
            if not left or met or state in tried:
                continue
            tried.add(state)
            room[batch] -= 1
            members[batch].append(row)
            if all_apart(row + 1):
                return True
            room[batch] += 1
            members[batch].pop()
        return False

    return all_apart(0)


@pytest.mark.slow
@settings(deadline=None, max_examples=200, derandomize=True)
@given(
    copies=st.lists(st.integers(0, 4), min_size=2, max_size=11),
    batch_size=st.integers(1, 11),
    hashed=st.booleans(),
    drop_last=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_copies_share_no_batch_where_that_is_avoidable(copies, batch_size, hashed, drop_last, seed):
    n, kind = len(copies), np.array(copies)
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n if hashed else 5, 3)).astype(np.float32)
    hashes = rng.integers(0, 2**63, size=5).astype(np.uint64)[kind] if hashed else None
    points = points if hashed else points[kind]
    near = (kind[:, None] == kind) & ~np.eye(n, dtype=bool)
    sizes = [len(rows) for rows in random_batches(n, batch_size)]
    dropped = len(sizes) - 1 if drop_last and n % batch_size else None
    dealt = deal(points, batch_size, seed=seed, hashes=hashes, drop_last=drop_last)
    if avoidable(near.tolist(), sizes, dropped):
        assert not any(near[np.ix_(rows, rows)].any() for rows in dealt)


def test_chains_of_near_duplicates_are_parted_where_that_is_avoidable():
    rng = np.random.default_rng(1)
    failed = tried = 0
    for _ in range(150):
        n = int(rng.integers(2, 11))
        batch_size = int(rng.integers(1, n + 1))
        hashes = np.array([(1 << int(bits)) - 1 for bits in rng.integers(50, size=n)], np.uint64)
        near = (hamming(hashes[:, None], hashes) <= 6) & ~np.eye(n, dtype=bool)
        sizes = [len(rows) for rows in random_batches(n, batch_size)]
        if avoidable(near.tolist(), sizes, None):
            tried += 1
            dealt = deal(rng.normal(size=(n, 4)), batch_size, seed=1, hashes=hashes)
            failed += any(near[np.ix_(rows, rows)].any() for rows in dealt)
    assert tried > 50
    assert failed == 0


def test_near_duplicates_are_parted_in_a_large_set(monkeypatch):
    monkeypatch.setattr(deal_module, "GROUP_CELLS", 16)
    rng = np.random.default_rng(2)
    hashes = rng.integers(0, 2**63, size=1500).astype(np.uint64)
    hashes[:150] = hashes[0]  # as many as there are batches
    hashes[200:350] = hashes[350:500] ^ np.uint64(0b111)
    for rows in deal(clustered_points(1500), 10, seed=1, hashes=hashes):
        apart = hamming(hashes[rows][:, None], hashes[rows])
        assert (apart[np.triu_indices(len(rows), 1)] > 6).all()


def test_more_copies_than_batches_are_spread_over_all_batches():
    points = clustered_points(300)
    points[:90] = points[0]
    for rows in deal(points, 10, seed=1):
        assert 2 <= (rows < 90).sum() <= 4


def test_points_that_are_not_finite_are_refused_with_a_hint():
    points = np.full((4, 2), np.nan, np.float32)
    with pytest.raises(SelectionError, match="NaN") as caught:
        deal_batches(Population(points), DealOptions(2, seed=0))
    assert caught.value.hint
