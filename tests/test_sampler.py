"""The sampler: every row once over all replicas, the same rest after resuming, plans, errors."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import imgbatch
from imgbatch.batches.plan_files import write_plan
from imgbatch.batches.plans import PlanHeader, PlannedBatch
from imgbatch.batches.replicas import Replica
from imgbatch.errors import ImgbatchError, SelectionError
from imgbatch.sampler import DiverseBatchSampler
from tests.commands import environment


def points(n, d=4, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def flat(batches):
    return [row for batch in batches for row in batch]


def replicas(n, batch_size, count, **options):
    return [
        DiverseBatchSampler(points(n), batch_size, num_replicas=count, rank=rank, **options)
        for rank in range(count)
    ]


@pytest.mark.slow
@settings(deadline=None, max_examples=80)
@given(
    n=st.integers(1, 70),
    batch_size=st.integers(1, 20),
    count=st.integers(1, 6),
    drop_last=st.booleans(),
    epoch=st.integers(0, 3),
)
def test_replicas_get_disjoint_batches_equally_many_that_cover_the_epoch(
    n, batch_size, count, drop_last, epoch
):
    samplers = replicas(n, batch_size, count, drop_last=drop_last)
    for sampler in samplers:
        sampler.set_epoch(epoch)
    dealt = [list(sampler) for sampler in samplers]
    assert {len(own) for own in dealt} == {len(sampler) for sampler in samplers} == {len(dealt[0])}
    rows = [row for own in dealt for row in flat(own)]
    assert all(type(row) is int for row in rows)
    assert all(0 < len(batch) <= batch_size for own in dealt for batch in own)
    if drop_last:
        assert len(dealt[0]) == n // (batch_size * count)
        assert all(len(batch) == batch_size for own in dealt for batch in own)
        assert len(set(rows)) == len(rows)
    else:
        assert set(rows) == set(range(n))
        left = n % (batch_size * count)
        if not 0 < left < count or (batch_size > 1 and n > count * batch_size):
            assert sorted(rows) == list(range(n))


@settings(deadline=None, max_examples=50)
@given(
    n=st.integers(1, 60),
    batch_size=st.integers(1, 12),
    count=st.integers(1, 3),
    done=st.integers(0, 40),
    announced=st.booleans(),
)
def test_resuming_at_any_point_gives_the_same_rest(n, batch_size, count, done, announced):
    def fresh():
        return replicas(n, batch_size, count, seed=5)[-1]

    whole = fresh()
    whole.set_epoch(2)
    done = min(done, len(whole))
    batches = iter(whole)
    handed = [next(batches) for _ in range(done)]
    state = whole.state_dict()
    assert state == whole.state_dict(done)
    rest = list(batches)
    resumed = fresh()
    resumed.load_state_dict(state)
    if announced:
        resumed.set_epoch(2)
    assert list(resumed) == rest
    following = fresh()
    following.set_epoch(3)
    assert list(resumed) == list(following) == list(whole)
    assert len(handed) + len(rest) == len(whole)


def test_an_epoch_read_to_its_end_is_followed_by_the_next():
    sampler, other = (DiverseBatchSampler(points(40), 7) for _ in range(2))
    passes = [list(sampler) for _ in range(3)]
    for epoch in range(3):
        other.set_epoch(epoch)
        assert list(other) == passes[epoch]
    assert passes[0] != passes[1] != passes[2]


def test_an_iteration_broken_off_starts_anew():
    sampler = DiverseBatchSampler(points(40), 7)
    batches = iter(sampler)
    first = [next(batches), next(batches)]
    batches.close()
    assert list(sampler)[:2] == first


def test_the_state_is_plain_numbers_that_json_keeps():
    sampler = replicas(50, 8, 2)[1]
    state = sampler.state_dict()
    assert all(type(value) is int for value in state.values())


@pytest.mark.parametrize(
    ("change", "word"),
    [({"seed": 4}, "seed"), ({"batch_size": 9}, "batch_size"), ({"count": 3}, "num_replicas")],
)
def test_a_state_of_other_batches_is_refused(change, word):
    made = {"n": 50, "batch_size": 8, "count": 2, "seed": 3}
    state = replicas(**made)[0].state_dict()
    with pytest.raises(SelectionError, match=word):
        replicas(**{**made, **change})[0].load_state_dict(state)


def test_labels_of_any_kind_are_spread_evenly():
    names = np.array(["dog", "cat", "owl", "emu"])[np.arange(80) % 4]
    sampler = DiverseBatchSampler(points(80), 8, labels=list(names))
    for batch in sampler:
        assert sorted(names[batch]) == sorted(["dog", "cat", "owl", "emu"] * 2)


def test_a_collection_and_its_sampler_deal_the_same(indexed):
    photos = imgbatch.load(indexed.folder, index=indexed.index)
    sampler = DiverseBatchSampler.from_collection(photos, 5, seed=7, balance=True)
    sampler.set_epoch(3)
    wanted = [rows.tolist() for rows in photos.batches(5, seed=7, epoch=3, balance=True)]
    assert list(sampler) == wanted


@pytest.fixture
def plan(tmp_path):
    """Two epochs of seven paths in batches of three."""
    header = PlanHeader(seed=9, batch_size=3, folder=str(tmp_path / "photos"), version="0")
    batches = [
        PlannedBatch(epoch, number, tuple(f"k/{i}.jpg" for i in rows))
        for epoch, dealt in enumerate([[(3, 0, 6), (1, 2, 5), (4,)], [(0, 1, 2), (6, 5, 4), (3,)]])
        for number, rows in enumerate(dealt)
    ]
    write_plan(tmp_path / "plan.jsonl", header, batches)
    return tmp_path / "plan.jsonl"


@pytest.mark.parametrize("absolute", [False, True])
def test_a_plan_gives_places_in_the_dataset(plan, tmp_path, absolute):
    base = f"{tmp_path}/photos/" if absolute else ""
    paths = [f"{base}k/{i}.jpg" for i in (6, 5, 4, 3, 2, 1, 0)]
    sampler = DiverseBatchSampler.from_plan(plan, paths)
    assert (sampler.batch_size, len(sampler)) == (3, 3)
    assert list(sampler) == [[3, 6, 0], [5, 4, 1], [2]]
    assert list(sampler) == [[6, 5, 4], [0, 1, 2], [3]]
    with pytest.raises(SelectionError, match="epoch 2 was asked for"):
        list(sampler)


def test_a_plan_follows_a_folder_that_moved(plan, tmp_path):
    paths = [tmp_path / "elsewhere" / "k" / f"{i}.jpg" for i in range(7)]
    sampler = DiverseBatchSampler.from_plan(plan, paths, root=tmp_path / "elsewhere")
    assert next(iter(sampler)) == [3, 0, 6]


def test_a_plan_with_an_unknown_image_is_refused(plan):
    with pytest.raises(SelectionError, match=r"k/6\.jpg"):
        DiverseBatchSampler.from_plan(plan, [f"k/{i}.jpg" for i in range(6)])


def test_a_plan_is_shared_out_and_its_last_batch_dropped(plan):
    paths = [f"k/{i}.jpg" for i in range(7)]
    two = [
        DiverseBatchSampler.from_plan(plan, paths, num_replicas=2, rank=rank) for rank in range(2)
    ]
    dealt = [list(sampler) for sampler in two]
    assert sorted(flat(dealt[0]) + flat(dealt[1])) == list(range(7))
    assert [len(own) for own in dealt] == [len(sampler) for sampler in two] == [2, 2]
    dropped = DiverseBatchSampler.from_plan(plan, paths, drop_last=True)
    assert list(dropped) == [[3, 0, 6], [1, 2, 5]]


def test_share_out_repeats_rows_only_where_nothing_else_gives_equal_numbers():
    rows = [np.array([4]), np.array([2]), np.array([7])]
    assert [Replica(2, rank).share(rows, 1, drop_last=False)[-1].tolist() for rank in range(2)] == [
        [7],
        [7],
    ]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"batch_size": 0}, "batch size is 0"),
        ({"batch_size": 10**20}, "batch size is 1000.*expected 1 to 1,000,000,000"),
        ({"batch_size": 4, "num_replicas": 2, "rank": 2}, "rank 2 of 2"),
        ({"batch_size": 4, "labels": ["one"] * 9}, "classes"),
    ],
)
def test_what_cannot_be_is_refused(arguments, word):
    with pytest.raises(ImgbatchError, match=word):
        list(DiverseBatchSampler(points(9), **arguments))


def test_something_that_is_no_array_is_refused_with_what_to_set():
    for wrong in (object(), iter([1]), [1.0, 2.0]):
        with pytest.raises(SelectionError, match="use_distributed_sampler=False"):
            DiverseBatchSampler(wrong, batch_size=4, drop_last=False)


def test_torch_is_not_imported():
    code = "import sys, imgbatch.sampler; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("batch_size", [3.0, "3", True, None, np.float32(3)])
def test_a_batch_size_that_is_no_whole_number_is_refused(batch_size, photos):
    for deal in (
        lambda: DiverseBatchSampler(points(9), batch_size),
        lambda: DiverseBatchSampler.from_collection(imgbatch.load(photos), batch_size),
        lambda: imgbatch.load(photos).batches(batch_size),
    ):
        with pytest.raises(SelectionError, match="no whole number"):
            deal()


def test_a_batch_size_may_be_a_whole_number_of_numpy():
    assert [len(rows) for rows in DiverseBatchSampler(points(9), np.int64(4))] == [4, 4, 1]


def test_a_state_of_batches_with_other_classes_is_refused():
    labels = ["a", "b", "b", "a"] * 10
    balanced = DiverseBatchSampler(points(40), 8, labels=labels)
    state = balanced.state_dict()
    with pytest.raises(SelectionError, match="the state has balance 1, this sampler 0"):
        DiverseBatchSampler(points(40), 8).load_state_dict(state)
    with pytest.raises(SelectionError, match="the state has classes"):
        DiverseBatchSampler(points(40), 8, labels=[*labels[1:], "a"]).load_state_dict(state)
    DiverseBatchSampler(points(40), 8, labels=labels).load_state_dict(state)


def test_a_state_of_another_plan_is_refused(plan):
    paths = [f"k/{i}.jpg" for i in range(7)]
    state = DiverseBatchSampler.from_plan(plan, paths).state_dict()
    with pytest.raises(SelectionError, match="the state has plan"):
        DiverseBatchSampler.from_plan(plan, paths[::-1]).load_state_dict(state)
    DiverseBatchSampler.from_plan(plan, paths).load_state_dict(state)
    with pytest.raises(SelectionError, match="the state has balance None"):
        DiverseBatchSampler(points(7), 3, seed=state["seed"]).load_state_dict(state)


def test_a_state_is_taken_up_by_a_longer_plan_and_not_by_one_of_another_order(tmp_path):
    def sampler(name, *epochs):
        header = PlanHeader(folder="/photos", seed=3, batch_size=2, version="0")
        batches = [
            PlannedBatch(epoch, number, paths)
            for epoch, batched in enumerate(epochs)
            for number, paths in enumerate(batched)
        ]
        write_plan(tmp_path / name, header, batches)
        return DiverseBatchSampler.from_plan(tmp_path / name, ["a", "b", "c"])

    state = sampler("one.jsonl", [("a", "b"), ("c",)]).state_dict()
    longer = sampler("two.jsonl", [("a", "b"), ("c",)], [("c", "a"), ("b",)])
    longer.load_state_dict(state)
    other = sampler("other.jsonl", [("b", "a"), ("c",)])
    with pytest.raises(SelectionError, match="the state has plan"):
        other.load_state_dict(state)


def test_a_state_of_version_0_9_is_taken_up():
    sampler = DiverseBatchSampler(points(40), 8, labels=["a", "b"] * 20)
    new = {"balance", "classes"}
    sampler.load_state_dict({k: v for k, v in sampler.state_dict(2).items() if k not in new})
    assert len(list(sampler)) == 3


@pytest.mark.parametrize(("name", "value"), [("epoch", None), ("epoch", 1.5), ("done", -1)])
def test_a_state_without_a_position_is_refused(name, value):
    sampler = DiverseBatchSampler(points(8), 2)
    state = {**sampler.state_dict(), name: value}
    if value is None:
        del state[name]
    with pytest.raises(SelectionError, match=f"the state has {name} {value}"):
        sampler.load_state_dict(state)


@pytest.mark.parametrize("epoch", [-1, 1.5, "1"])
def test_an_epoch_that_is_no_whole_number_is_refused(epoch):
    with pytest.raises(SelectionError, match="the epoch is"):
        DiverseBatchSampler(points(8), 2).set_epoch(epoch)
