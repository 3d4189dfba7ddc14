"""An index that is trusted, and one whose packed listing is damaged or whose folder changes."""

import pytest

import imgbatch
from imgbatch.errors import FolderError
from tests.drawing import settle


def config(text, tmp_path):
    (tmp_path / "c.toml").write_text(text)
    return tmp_path / "c.toml"


def test_an_index_is_trusted_where_the_folder_is_gone(photos, tmp_path):
    seen = imgbatch.load(photos).similar(5, seed=3)
    photos.rename(tmp_path / "elsewhere")
    trusted = imgbatch.load(photos, refresh=False)
    assert trusted.similar(5, seed=3).images == seen.images
    assert (trusted.report.read, trusted.report.removed) == (0, 0)
    with pytest.raises(FolderError, match="folder not found"):
        imgbatch.load(photos)


def test_trust_needs_an_index_and_one_that_serves_the_settings(photos, tmp_path):
    with pytest.raises(FolderError, match=r"there is no index .*--no-refresh"):
        imgbatch.load(photos, refresh=False)
    imgbatch.load(photos)
    other = config("[descriptors.hog]\norientations = 9", tmp_path)
    with pytest.raises(FolderError, match="lacks what these settings ask for, of 12 images"):
        imgbatch.load(photos, refresh=False, config=other)
    assert len(imgbatch.load(photos, refresh=False)) == 12


LISTING = ["paths.npy", "ends.npy", "sizes.npy", "notes.json", "skipped.json", "seal.json"]


@pytest.mark.parametrize("damage", [lambda _: b"damaged", lambda data: data[:-3] + bytes(3)])
@pytest.mark.parametrize("name", LISTING)
def test_a_damaged_listing_is_packed_anew_with_a_note(photos, name, damage):
    (photos / "broken.jpg").write_bytes(b"no picture")
    settle(photos)
    for _ in range(4):  # until nothing is left to be noted in the index
        first = imgbatch.load(photos)
    expected = list(first.records)
    (place,) = (first.index_directory / "listings").iterdir()
    damaged = damage((place / name).read_bytes())
    (place / name).unlink()  # not written over: the first collection has it mapped
    (place / name).write_bytes(damaged)
    again = imgbatch.load(photos)
    assert list(again.records) == expected
    assert again.skipped == first.skipped
    assert again.notes == (f"{place / name} is damaged; the listing was packed anew",)
    assert (place / name).read_bytes() != damaged


def test_records_stay_those_of_the_points_whatever_happens_to_the_index(photos):
    early = imgbatch.load(photos)
    expected = early.similar(4, seed=1).images
    for name in ("image001.jpg", "image002.jpg"):
        (photos / name).unlink()
    assert len(imgbatch.load(photos)) == 10
    assert early.similar(4, seed=1).images == expected
    assert len(early.records) == 12
