"""Packed records behave as the list of records they stand for."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgbatch.index.records import Records
from imgbatch.types import ImageRecord

PATHS = st.lists(st.binary(min_size=1, max_size=9).filter(lambda b: 0 not in b), unique=True)


def rows_of(paths):
    return [
        (path, 3 + at, 5, "odd" if at % 3 == 1 else "") for at, path in enumerate(sorted(paths))
    ]


def plain(rows):
    return [ImageRecord(os.fsdecode(path), w, h, note) for path, w, h, note in rows]


@given(PATHS)
def test_packed_records_equal_the_plain_list(paths):
    rows = rows_of(paths)
    records, expected = Records.pack(rows), plain(rows)
    assert list(records) == expected
    assert len(records) == len(expected)
    assert records[:] == expected
    assert records[::-2] == expected[::-2]
    assert list(records.all_paths()) == [record.path for record in expected]
    assert [records[row - len(rows)] for row in range(len(rows))] == expected
    assert [records.row_of(record.path) for record in expected] == list(range(len(rows)))


@given(PATHS, st.binary(min_size=1, max_size=9).filter(lambda b: 0 not in b))
def test_a_path_that_is_not_there_has_no_row(paths, other):
    records = Records.pack(rows_of(set(paths) - {other}))
    assert records.row_of(os.fsdecode(other)) is None


def test_a_row_out_of_range_is_an_index_error():
    records = Records.pack(rows_of([b"a", b"b"]))
    for row in (2, -3):
        with pytest.raises(IndexError):
            records[row]


def test_records_come_back_from_the_disk_as_they_were(tmp_path):
    records = Records.pack(rows_of([b"a", b"b\xff", "\N{GREEK SMALL LETTER PI}".encode()]))
    records.save(tmp_path)
    assert Records.load(tmp_path) == records
    assert Records.load(tmp_path) != Records.pack(rows_of([b"a"]))


@pytest.mark.parametrize("name", ["paths.npy", "ends.npy", "sizes.npy", "notes.json"])
def test_damaged_records_are_refused(tmp_path, name):
    Records.pack(rows_of([b"a", b"b", b"c"])).save(tmp_path)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-1])
    with pytest.raises((OSError, ValueError)):
        Records.load(tmp_path)


def test_more_rows_than_one_part_are_packed_in_order():
    rows = [(b"%07d" % n, n, 1, "") for n in range(1, (1 << 16) + 5)]
    records = Records.pack(rows)
    assert len(records) == len(rows)
    assert records[1 << 16].width == rows[1 << 16][1]
    assert records.row_of("0065540") == 65539
