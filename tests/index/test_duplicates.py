"""Near-duplicates that are kept: what earlier images of a folder tell about those of today."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

import imgbatch
from imgbatch.copies.match import Kind, Pairs
from imgbatch.index import duplicates
from imgbatch.index.kept_pairs import KeptPairs, KnownPairs
from tests.copies.drawing import scene

IMAGES = st.lists(st.integers(0, 9), unique=True, max_size=10)


def contents(numbers):
    return np.array([[number, 1] for number in numbers], np.uint8).reshape(-1, 2)


@given(before=IMAGES, now=IMAGES, links=st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9))))
def test_pairs_of_images_that_are_still_there_are_carried_over(before, now, links):
    linked = {frozenset(link) for link in links if len(set(link)) == 2 and set(link) <= set(before)}
    rows = np.array([sorted(map(before.index, link)) for link in linked], np.int64).reshape(-1, 2)
    every = np.full(len(rows), Kind.EDITED, np.uint8), np.ones(len(rows), np.float32)
    known = KnownPairs(Pairs(rows, *every), contents(before))
    carried, new = known.carried_over(contents(now))
    assert {frozenset((now[a], now[b])) for a, b in carried.rows.tolist()} == {
        link for link in linked if link <= set(now)
    }
    assert carried.rows.tolist() == sorted(map(sorted, carried.rows.tolist()))
    assert [now[row] for row in new] == [number for number in now if number not in before]


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Eight pictures, two of them mirrored; as if that were a large folder."""
    monkeypatch.setattr(duplicates, "_ANEW", 4)
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(8):
        scene(number).save(folder / f"{number}.png")
    for number in (2, 5):
        ImageOps.mirror(scene(number)).save(folder / f"m{number}.png")
    return folder


def found(folder, tmp_path):
    photos = imgbatch.load(folder, index=tmp_path / "index")
    return {
        frozenset(image.relative for image in group.images)
        for group in photos.duplicates("edited").groups
    }


def test_of_few_new_images_only_these_are_looked_for(photos, tmp_path, monkeypatch):
    pairs = {frozenset({"2.png", "m2.png"}), frozenset({"5.png", "m5.png"})}
    assert found(photos, tmp_path) == pairs
    ImageOps.flip(scene(7)).save(photos / "a new one.png")
    asked = []
    search = duplicates.find_candidates
    monkeypatch.setattr(
        duplicates,
        "find_candidates",
        lambda *given, **options: asked.append(options["between"]) or search(*given, **options),
    )
    (photos / "5.png").unlink()
    assert found(photos, tmp_path) == {
        frozenset({"2.png", "m2.png"}),
        frozenset({"7.png", "a new one.png"}),
    }
    ((new, everyone),) = asked
    assert (len(new), len(everyone)) == (1, 10)


def test_of_many_new_images_all_are_looked_for(photos, tmp_path):
    found(photos, tmp_path)
    for number in range(20, 26):
        scene(number).save(photos / f"{number}.png")
        if number % 2:
            Image.fromarray(np.asarray(scene(number))[8:, 8:]).save(photos / f"c{number}.png")
    assert len(found(photos, tmp_path)) == 5


def test_a_damaged_file_of_earlier_images_is_passed_over(tmp_path):
    kept = KeptPairs(tmp_path, "edited")
    first = KnownPairs(Pairs.none(), contents([1, 2]))
    kept.write("one", first)
    kept.write("two", KnownPairs(Pairs.none(), contents([1, 2, 3])))
    (damaged,) = tmp_path.glob("two-*")
    damaged.write_bytes(damaged.read_bytes()[:-3])
    assert kept.read("two") is None
    newest = kept.newest()
    assert newest is not None
    assert newest.contents.tolist() == first.contents.tolist()


def test_an_edit_is_found_beside_more_plain_copies_than_an_image_has_partners(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    original = scene(3)
    for number in range(30):
        scene(number).save(folder / f"{number}.png")
    for quality in range(50, 90, 3):
        original.save(folder / f"q{quality}.jpg", quality=quality)
    width, height = original.size
    original.crop((width // 4, 0, width, height)).save(folder / "cut.png")
    photos = imgbatch.load(folder, index=tmp_path / "index")
    (group,) = photos.duplicates("edited").groups
    assert len(group.images) == 16
    assert "cut.png" in {image.relative for image in group.images}


def test_copies_of_equal_files_are_no_scenes_in_whatever_order_their_files_lie(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(6):
        scene(number).save(folder / f"{number}a.png")
        scene(number).save(folder / f"{number}b.jpg", quality=60)
        (folder / f"{number}c.png").write_bytes((folder / f"{number}a.png").read_bytes())
    photos = imgbatch.load(folder, index=tmp_path / "index")

    def kinds(level):
        groups = photos.duplicates(level).groups
        return {image.relative: image.kind for group in groups for image in group.images}

    assert {kind for name, kind in kinds("edited").items() if "b" in name} <= {"copy", "exact"}
    assert kinds("scene") == kinds("edited")


def test_near_duplicates_found_while_files_are_away_are_noted_and_not_kept(tmp_path):
    folder, away = tmp_path / "photos", tmp_path / "away"
    folder.mkdir()
    for number in range(8):
        scene(number).save(folder / f"{number}.png")
        width, height = scene(number).size
        cut = scene(number).crop((width // 8, height // 8, width * 9 // 10, height * 9 // 10))
        cut.save(folder / f"{number}-cut.jpg", quality=80)
    imgbatch.load(folder, index=tmp_path / "index")
    folder.rename(away)
    absent = imgbatch.load(folder, index=tmp_path / "index", refresh=False).duplicates()
    (note,) = absent.notes
    assert "16 files could not be read" in note
    away.rename(folder)
    photos = imgbatch.load(folder, index=tmp_path / "index")
    assert len(photos.duplicates().groups) == 8 > len(absent.groups)
    assert photos.duplicates().notes == ()


def test_a_file_that_can_never_be_read_costs_one_search_and_not_one_for_each_request(
    photos, tmp_path, monkeypatch
):
    """A picture that can be read again is looked for among all once more."""
    read, search, searches = duplicates.read_view, duplicates.find_candidates, []
    monkeypatch.setattr(
        duplicates,
        "find_candidates",
        lambda *given, **options: searches.append(1) or search(*given, **options),
    )
    with monkeypatch.context() as refused:
        refused.setattr(
            duplicates,
            "read_view",
            lambda path, options: None if path.endswith("/m2.png") else read(path, options),
        )
        for _ in range(3):
            asked = imgbatch.load(photos, index=tmp_path / "index").duplicates("edited")
            assert "1 file could not be read" in asked.notes[0]
        assert len(searches) == 1
        ImageOps.flip(scene(7)).save(photos / "a new one.png")
        imgbatch.load(photos, index=tmp_path / "index").duplicates("edited")
        assert len(searches) == 2
    now = imgbatch.load(photos, index=tmp_path / "index").duplicates("edited")
    assert now.notes == ()
    assert len(now.groups) == 3
    assert len(searches) == 3
