"""Some images of an index are an index of their own, in the space of all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import imgbatch
from imgbatch.errors import SelectionError
from imgbatch.index.filtered import FilteredIndex
from imgbatch.index.records import Records
from imgbatch.neighbours.parts import MemoryPart, Parted, taken_parts


@pytest.fixture(scope="module")
def photos(indexed):
    return imgbatch.load(indexed.folder, index=indexed.index)


def test_rows_of_the_view_are_those_of_the_whole(photos):
    rows = np.array([1, 8, 9, 23])
    some = FilteredIndex(photos._opened, rows)
    assert list(some.records) == [photos.records[row] for row in rows.tolist()]
    assert np.array_equal(some.projection().points, photos.points[rows])
    assert np.array_equal(some.projection().hashes, photos.projection.hashes[rows])
    for part, whole in zip(some.contents(), photos.contents(), strict=True):
        assert np.array_equal(part, whole[rows])
    asked = np.array([0, 2])
    for name, features in some.features(asked).items():
        assert np.array_equal(features, photos.features(rows[asked])[name])


def test_a_filter_after_a_filter_is_one_filter(photos):
    once = FilteredIndex(photos._opened, np.array([1, 8, 9, 23]))
    twice = FilteredIndex(once, np.array([0, 3]))
    assert twice.rows.tolist() == [1, 23]
    assert twice.whole is photos._opened


def test_sets_and_batches_hold_only_images_that_pass(photos):
    some = photos.where(label=["class0", "class2"])
    assert len(some) == 16
    assert some.is_filtered
    assert not photos.is_filtered
    assert set(some.labels) == {"class0", "class2"}
    picked = [some.similar(8, seed=1), some.different(8, seed=1)]
    for image in [image for selection in picked for image in selection.images]:
        assert image.label in {"class0", "class2"}
        assert image.relative.startswith(image.label)
    assert sorted(np.concatenate(list(some.batches(5, seed=1, balance=True)))) == list(range(16))


def test_an_error_of_a_filtered_folder_speaks_of_what_passes(photos):
    some = photos.where(label="class1")
    with pytest.raises(SelectionError, match=r"only 8 of the 24 readable images of .* pass"):
        some.similar(9)


def test_an_anchor_that_does_not_pass_counts_as_one_from_outside(photos):
    picked = photos.where(label="class1").similar(3, like=photos.paths[0])
    assert [image.rank for image in picked.images] == [0, 1, 2, 3]
    assert {image.label for image in picked.images[1:]} == {"class1"}


names = st.lists(st.binary(min_size=1, max_size=6).filter(lambda b: 0 not in b), unique=True)


@given(names, st.data())
def test_records_are_taken_as_from_a_list(paths, data):
    rows = [
        (path, 3 + at, 5, "odd" if at % 3 == 1 else "") for at, path in enumerate(sorted(paths))
    ]
    records = Records.pack(rows)
    chosen = sorted(data.draw(st.sets(st.sampled_from(range(len(rows)))))) if rows else []
    taken = records.take(np.array(chosen, np.int64))
    assert list(taken) == [records[row] for row in chosen]
    assert taken == Records.pack(rows[row] for row in chosen)


@given(st.sets(st.integers(0, 9), min_size=1))
def test_points_in_parts_are_taken_from_the_parts_that_hold_them(chosen):
    points = np.arange(20, dtype=np.float32).reshape(10, 2)
    hashes = np.arange(10, dtype=np.uint64)
    parts = [MemoryPart.of(points[a:b], hashes[a:b]) for a, b in ((0, 4), (4, 5), (5, 10))]
    rows = np.array(sorted(chosen))
    taken = taken_parts(parts, rows)
    assert all(part.shape[0] for part in taken)
    assert np.array_equal(Parted(taken, "points")[:], points[rows])
    assert np.array_equal(Parted(taken, "hashes")[:], hashes[rows])
    assert np.array_equal(
        np.concatenate([part.squares for part in taken]), (points**2).sum(1)[rows]
    )
