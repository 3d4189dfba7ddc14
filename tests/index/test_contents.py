"""Sizes and content hashes of a collection's rows: those of the files, or a clear error."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

import imgbatch
from imgbatch.errors import CatalogueError
from tests.drawing import jpeg, photo


def test_sizes_and_hashes_are_those_of_the_files_row_by_row(photos):
    (photos / "0.jpg").write_bytes(b"no picture")
    collection = imgbatch.load(photos)
    sizes, hashes = collection.contents()
    files = [Path(path).read_bytes() for path in collection.paths]
    assert len(files) == 12
    assert sizes.tolist() == list(map(len, files))
    want = [hashlib.sha256(data).digest()[:16] for data in files]
    assert np.array_equal(hashes, [list(one) for one in want])


def test_a_folder_indexed_anew_meanwhile_is_an_error(photos):
    collection = imgbatch.load(photos)
    (photos / "zzz.jpg").write_bytes(jpeg(photo(99)))
    imgbatch.load(photos)
    with pytest.raises(CatalogueError, match="changed since it was loaded"):
        collection.contents()
