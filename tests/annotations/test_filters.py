"""Filters take the rows that a plain comparison of labels and tags takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgbatch.annotations.filters import Filters, filtered_rows
from imgbatch.errors import LabelError, SelectionError
from tests.annotations.tables import IMAGES, metadata_of

LABELS = ("cat", "dog", "", "cat", "cow")
TAGS = (("sea", "sky"), ("sea",), (), ("sky",), ("sea", "sky", "red"))
PATHS = sorted(IMAGES, key=lambda path: path.encode("utf-8", "surrogateescape"))


@pytest.fixture(scope="module")
def metadata(tmp_path_factory):
    folder = tmp_path_factory.mktemp("filtered")
    file = folder / "t.csv"
    rows = zip(PATHS, LABELS, map(";".join, TAGS), strict=True)
    lines = "".join(f"{path},{label},{tags}\n" for path, label, tags in rows)
    file.write_bytes(f"path,label,tags\n{lines}".encode("utf-8", "surrogateescape"))
    return metadata_of(folder, file)


some = st.lists(st.sampled_from(["sea", "sky", "red"]), max_size=2)


@given(st.lists(st.sampled_from(["cat", "dog", "cow"]), max_size=2), some, some)
def test_filtered_rows_are_those_of_a_plain_comparison(metadata, labels, tags, without):
    expected = [
        row
        for row in range(len(PATHS))
        if (not labels or LABELS[row] in labels)
        and set(tags) <= set(TAGS[row])
        and not set(without) & set(TAGS[row])
    ]
    filters = Filters.of(labels, tags, without)
    if expected:
        assert filtered_rows(metadata, filters).tolist() == expected
    else:
        with pytest.raises(SelectionError, match="no image has: "):
            filtered_rows(metadata, filters)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"label": "Cats"}, r"label 'Cats'; 3 are known.*near it are 'cat' \(2\)"),
        ({"label": "zzzzz"}, r"most frequent are 'cat' \(2\), 'cow' \(1\), 'dog' \(1\)"),
        ({"tag": "see"}, r"tag 'see'; 3 are known.*near it are 'sea' \(3\)"),
        ({"without_tag": ["sky", "reed"]}, r"tag 'reed'.*'red' \(1\)"),
    ],
)
def test_an_unknown_name_is_refused_with_those_near_it(metadata, given, words):
    filters = Filters.of(**({"label": (), "tag": (), "without_tag": ()} | given))
    with pytest.raises(LabelError, match=words):
        filtered_rows(metadata, filters)


def test_a_folder_without_tags_says_how_to_give_some(tmp_path):
    with pytest.raises(LabelError, match=r"none has any.*`metadata`"):
        filtered_rows(metadata_of(tmp_path), Filters(tag=("sea",)))
