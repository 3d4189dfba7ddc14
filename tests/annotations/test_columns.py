"""Packed columns behave as the lists of tuples that they stand for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgbatch.annotations.columns import Column, First

strings = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4)
items = st.lists(st.lists(strings, max_size=3).map(tuple), max_size=8)


@given(items)
def test_a_column_equals_the_plain_list(plain):
    column = Column.of(plain)
    assert len(column) == len(plain)
    assert list(column) == column[:] == plain
    assert [column[row - len(plain)] for row in range(len(plain))] == plain
    assert column[::-2] == plain[::-2]
    assert list(First(column)) == First(column)[:] == [(*one, "")[0] for one in plain]


@given(items, st.data())
def test_rows_are_taken_and_later_columns_laid_over_as_in_plain_lists(plain, data):
    rows = data.draw(st.lists(st.sampled_from(range(len(plain))))) if plain else []
    taken = Column.of(plain).take(np.array(rows, np.int64))
    assert list(taken) == [plain[row] for row in rows]
    later = data.draw(st.lists(st.lists(strings, max_size=2).map(tuple), min_size=len(plain), max_size=len(plain)))  # fmt: skip
    both = Column.of(plain).overlaid(Column.of(later))
    assert list(both) == [new or old for old, new in zip(plain, later, strict=True)]
    for name in {name for one in both for name in one}:
        assert both.rows_with([name]).tolist() == [name in one for one in both]
    assert sum(both.counts().values()) == sum(map(len, both))


@given(items)
def test_a_column_comes_back_from_the_disk(tmp_path_factory, plain):
    directory = tmp_path_factory.mktemp("columns")
    Column.of(plain).save(directory, "tags")
    assert list(Column.load(directory, "tags")) == plain
    assert sorted(directory.iterdir()) == sorted(Column.files(directory, "tags"))


def test_a_row_beyond_the_last_is_an_error():
    with pytest.raises(IndexError, match="row 2 of 2 images"):
        Column.empty(2)[2]
