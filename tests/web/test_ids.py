"""Images are named by row and checksum: any name of a file, and the same image after changes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imgbatch.index.records import Records
from imgbatch.web.ids import id_of, row_of

NAMES = st.sets(
    st.binary(min_size=1, max_size=12).filter(lambda name: b"\0" not in name), min_size=1
)


def records_of(names):
    return Records.pack([(name, 8, 6, "") for name in sorted(names)])


@given(NAMES)
def test_every_image_is_found_by_its_name_and_the_name_fits_into_an_address(names):
    records = records_of(names)
    ids = [id_of(records, row) for row in range(len(records))]
    assert [row_of(records, one) for one in ids] == list(range(len(records)))
    assert all(one.isascii() and one.replace("-", "").isalnum() for one in ids)


@given(NAMES, st.data())
def test_a_name_means_the_same_image_after_others_came_or_went(names, data):
    records = records_of(names)
    kept = data.draw(st.sets(st.sampled_from(sorted(names)), min_size=1))
    fewer = records_of(kept)
    for row in range(len(records)):
        found = row_of(fewer, id_of(records, row))
        expected = records[row].path if records[row].path in [one.path for one in fewer] else None
        assert (None if found is None else fewer[found].path) == expected


@given(st.text(max_size=30))
def test_any_other_text_names_no_image(text):
    records = records_of({b"a.jpg"})
    assert row_of(records, text) in {None, 0}
    assert row_of(records, text) is None or text == id_of(records, 0)


def test_a_row_beyond_the_folder_is_no_error():
    records = records_of({b"a.jpg", b"b.jpg"}).take(np.array([0]))
    assert row_of(records, "9999999999-000000000000") is None
