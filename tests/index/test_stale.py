"""An index that changed, was damaged or is trusted says what is true."""

import numpy as np
import pytest

import imgbatch
from imgbatch.errors import CatalogueError, FolderError
from imgbatch.selection import answer
from imgbatch.selection.answer import RequestClock
from tests.drawing import jpeg, photo


def test_features_of_an_index_made_anew_meanwhile_are_refused(photos):
    early = imgbatch.load(photos)
    (photos / "000.jpg").write_bytes(jpeg(photo(500)))
    imgbatch.load(photos)
    with pytest.raises(CatalogueError, match="has changed since"):
        early.features(np.array([0]))


def test_features_survive_a_damaged_index(photos):
    loaded = imgbatch.load(photos)
    before = loaded.features(np.array([0, 3]))
    file = loaded.index_directory / "catalogue.sqlite"
    loaded._opened.catalogue.close()
    loaded._opened.catalogue = type(loaded._opened.catalogue).open(
        loaded.index_directory, loaded.folder
    )
    damaged = bytearray(file.read_bytes())
    damaged[4096 * 2 :] = bytes(len(damaged) - 4096 * 2)
    file.write_bytes(damaged)
    after = loaded.features(np.array([0, 3]))
    assert {name: values.tobytes() for name, values in before.items()} == {
        name: values.tobytes() for name, values in after.items()
    }
    assert loaded.notes


def test_a_trusted_index_that_is_damaged_says_so_and_not_that_the_folder_is_empty(photos):
    directory = imgbatch.load(photos).index_directory
    (directory / "catalogue.sqlite").write_bytes(b"no database at all" * 1000)
    with pytest.raises(FolderError) as caught:
        imgbatch.load(photos, refresh=False)
    assert "damaged" in str(caught.value)
    assert "`refresh=False`" in str(caught.value)
    assert "expected .jpg" not in str(caught.value)


def test_a_pause_after_loading_is_not_part_of_the_first_requests_time(monkeypatch):
    clock = RequestClock(loading_seconds=2.0)
    monkeypatch.setattr(answer.time, "perf_counter", lambda: 3600.0)
    assert clock.start() == 3598.0
    assert clock.start() == 3600.0
