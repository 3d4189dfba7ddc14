"""Rows of CSV: what was written is read back, by readers that skip spaces and those that do not."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgbatch.files.cells import row_writer

CELL = st.text(st.sampled_from("ab ,;\"'\t\r\n=\u2028\x85\x1c\udcff")) | st.integers()


@pytest.mark.parametrize("skips", [True, False])
@given(rows=st.lists(st.lists(CELL, min_size=2, max_size=3), min_size=1))
def test_cells_are_read_as_they_were_written(rows, skips):
    text = io.StringIO(newline="")
    write = row_writer(text)
    for row in rows:
        write(row)
    text.seek(0)
    read = list(csv.reader(text, skipinitialspace=skips, strict=True))
    assert read == [[str(cell) for cell in row] for row in rows]


def test_plain_cells_have_no_quotes():
    text = io.StringIO(newline="")
    row_writer(text)(["a.jpg", "", 1, 0.5, "b c"])
    assert text.getvalue() == "a.jpg,,1,0.5,b c\n"
