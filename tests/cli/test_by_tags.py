"""``--by tags``: what the sets promise, on real folders and from the command line."""

import csv
import os

import pytest

import imgbatch
from tests.commands import ROOT
from tests.drawing import jpeg, photo, write_photos

TAGGED = [("sea", "sky"), ("sea", "sky"), ("sea", "sky", "boat"), ("sea", "boat"),
          ("sky", "boat"), ("sea",), ("sea", "sky")]  # fmt: skip


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return imgbatch.load(ROOT / "samples", index=tmp_path_factory.mktemp("by-tags"))


@pytest.fixture
def tagged(tmp_path):
    """A folder of seven photos whose only tags are given ones; the last is a copy of the first."""
    folder = tmp_path / "photos"
    write_photos(folder, len(TAGGED) - 1)
    (folder / "image006.jpg").write_bytes(jpeg(photo(0), quality=60))
    rows = [f"image{number:03}.jpg,{';'.join(tags)}" for number, tags in enumerate(TAGGED)]
    (folder / "metadata.csv").write_text("\n".join(["file_name,tags", *rows]))
    names = imgbatch.load(folder).tag_table().names
    off = [name for name in names if name not in {"sea", "sky", "boat"}]
    keys = [name.replace(" ", "-") for name in off]
    vocabulary = tmp_path / "tags.toml"
    vocabulary.write_text("".join(f"[tags.{key}]\non = false\n" for key in keys))
    return folder, ("--vocabulary", vocabulary)


def pairs(selection):
    return [frozenset(image.pair) for image in selection.images]


@pytest.mark.parametrize("seed", range(6))
def test_a_similar_set_agrees_in_the_two_strongest_tags(samples, seed):
    picked = samples.similar(5, seed=seed, by="tags")
    assert picked.by == "tags"
    assert len(set(pairs(picked))) == 1
    assert [image.anchor for image in picked.images] == [True, False, False, False, False]
    assert len({image.path for image in picked.images}) == 5
    for image in picked.images:
        assert frozenset(tag.tag for tag in image.all_tags[:2]) == frozenset(image.pair)


@pytest.mark.parametrize("seed", range(6))
def test_no_two_of_a_different_set_have_the_same_two_strongest_tags(samples, seed):
    picked = samples.different(8, seed=seed, by="tags")
    assert len(set(pairs(picked))) == 8
    for image in picked.images:
        assert frozenset(tag.tag for tag in image.all_tags[:2]) == frozenset(image.pair)


@pytest.mark.parametrize("mode", ["similar", "different"])
def test_a_seed_repeats_a_set_and_other_seeds_give_others(samples, mode):
    pick = getattr(samples, mode)
    sets = [tuple(image.path for image in pick(4, seed=s, by="tags").images) for s in range(8)]
    assert len(set(sets)) > 4
    assert sets == [
        tuple(image.path for image in pick(4, seed=s, by="tags").images) for s in range(8)
    ]


def test_the_usual_way_stays_the_default(samples):
    picked = samples.similar(5, seed=1)
    assert (picked.by, picked.images[0].pair) == ("", ())


def test_a_given_anchor_decides_the_pair(cli, tagged):
    folder, options = tagged
    document = cli("similar", folder, "-n", 2, "--by", "tags", "--like", "image001.jpg", "--json",
                   "--no-sheet", *options).json  # fmt: skip
    assert document["by"] == "tags"
    assert document["images"][0]["relative"] == "image001.jpg"
    assert [image["pair"] for image in document["images"]] == [["sea", "sky"]] * 2


def test_too_many_is_one_line_that_tells_the_largest_n(cli, tagged):
    folder, options = tagged
    ask = ("--by", "tags", "--no-sheet", *options)
    # sea and sky: images 0, 1 and 6, of which 0 and 6 are copies; boat and another: 2, 3, 4
    cli("similar", folder, "-n", 4, *ask).assert_one_clear_line(2, "n is 4", "at most 2", "1 to 2")
    assert cli("similar", folder, "-n", 2, *ask).code == 0
    answer = cli("similar", folder, "-n", 3, "--keep-duplicates", "--json", *ask)
    assert {image["relative"][5:8] for image in answer.json["images"]} == {"000", "001", "006"}
    cli("different", folder, "-n", 4, *ask).assert_one_clear_line(2, "at most 3", "1 to 3")
    assert cli("different", folder, "-n", 3, *ask).code == 0


def test_an_image_with_fewer_than_two_tags_is_in_no_set(cli, tagged):
    folder, options = tagged
    like = ("--like", "image005.jpg")
    answer = cli("similar", folder, "-n", 1, "--by", "tags", *like, *options)
    answer.assert_one_clear_line(2, "fewer than two tags")
    for seed in range(8):
        document = cli("different", folder, "-n", 3, "--by", "tags", "--seed", seed, "--json",
                       "--no-sheet", *options).json  # fmt: skip
        assert "image005.jpg" not in {image["relative"] for image in document["images"]}


def test_filters_leave_pairs_and_rarity_as_they_are_in_the_folder(cli, tagged):
    folder, options = tagged
    whole = cli("different", folder, "-n", 3, "--by", "tags", "--json", "--no-sheet", *options)
    pair_of = {image["relative"]: image["pair"] for image in whole.json["images"]}
    document = cli("different", folder, "-n", 2, "--by", "tags", "--tag", "boat", "--json",
                   "--no-sheet", *options).json  # fmt: skip
    for image in document["images"]:
        assert "boat" in image["pair"]
        assert image["pair"] == pair_of.get(image["relative"], image["pair"])
    too_many = cli("different", folder, "-n", 3, "--by", "tags", "--tag", "boat", *options)
    too_many.assert_one_clear_line(2, "that pass the filters", "give 1 to 2")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--by", "colour"), ("--by colour", "tags")),
        (("-n", 2, "--by", "tags", "--like", "elsewhere.jpg"), ("elsewhere.jpg", "--by tags")),
    ],
)
def test_what_makes_no_sense_is_one_clear_line(cli, tagged, arguments, words):
    folder, options = tagged
    with open("elsewhere.jpg", "wb") as file:
        file.write(jpeg(photo(99)))
    cli("similar", folder, *arguments, *options).assert_one_clear_line(2, *words)


def test_by_tags_from_a_database_is_refused(cli):
    answer = cli("similar", "--from", "postgresql://host/d", "--like", "a.jpg", "--by", "tags")
    answer.assert_one_clear_line(2, "--by", "--from")


@pytest.mark.parametrize("mode", ["similar", "different"])
def test_the_reason_stands_in_the_table_rows_page_and_sheet(cli, samples, mode):
    given = ("-o", "a.csv", "-o", "a.html", "-o", "a.png")
    answer = cli(mode, ROOT / "samples", "--index", samples.index_directory.parent, "-n", 3,
                 "--seed", 1, "--by", "tags", *given)  # fmt: skip
    assert answer.code == 0
    assert "two strongest tags" in answer.out
    with open("a.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert all(len(row["pair"].split(";")) == 2 for row in rows)
    assert ", ".join(rows[0]["pair"].split(";")) in " ".join(answer.out.split())
    with open("a.html", encoding="utf-8") as file:
        page = file.read()
    assert "two strongest tags" in page
    assert "--by tags" in page
    assert os.path.getsize("a.png")
