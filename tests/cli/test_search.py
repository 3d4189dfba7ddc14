"""``imgbatch search``: hits by text and by looks, files, languages, filters, what is refused."""

import csv

import cv2
import numpy as np
import pytest

import imgbatch
from tests.drawing import settle

pytest.importorskip("bm25s")
pytest.importorskip("regex")
pytest.importorskip("snowballstemmer")

KINDS = {
    "red": ((205, 25, 30), "Two red barns on a hill"),
    "blue": ((40, 90, 200), "Waves of a blue sea"),
}
KNOWN, EACH = 12, 15


def write_captions(target, texts):
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("file_name", "caption"), *texts.items()])
    return target


@pytest.fixture(scope="module")
def coloured(tmp_path_factory):
    """Fifteen red and fifteen blue pictures; of each colour twelve have captions."""
    images = tmp_path_factory.mktemp("search") / "photos"
    images.mkdir()
    texts = {}
    for seed, (name, (color, text)) in enumerate(KINDS.items()):
        for number in range(EACH):
            noise = np.random.default_rng(100 * seed + number).integers(-25, 26, (60, 80, 3))
            rgb = (np.array(color) + noise).clip(0, 255).astype(np.uint8)
            cv2.imwrite(
                str(images / f"{name}{number:02}.png"), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
            )
            if number < KNOWN:
                texts[f"{name}{number:02}.png"] = text
    settle(images)
    return images, write_captions(images.parent / "captions.csv", texts)


def test_texts_come_first_and_images_without_texts_by_their_looks(cli, coloured):
    folder, captions = coloured
    document = cli("search", folder, "barn", "-n", EACH, "--metadata", captions, "--json").json
    images = document["images"]
    assert {image["relative"][:3] for image in images} == {"red"}
    assert [image["why"]["source"] for image in images] == ["text"] * KNOWN + ["visual"] * 3
    assert all(image["why"]["words"] == ["barn"] for image in images)
    relevances = [image["relevance"] for image in images]
    assert relevances == sorted(relevances, reverse=True)
    assert document["with_text"] == 2 * KNOWN
    assert document["language"] == "english"


def test_only_and_filters_restrict_and_fewer_hits_are_a_note(cli, coloured):
    folder, captions = coloured
    base = ("search", folder, "blue waves", "--metadata", captions, "--json")
    unknown = cli(*base, "--only", "unknown").json
    assert {image["relative"] for image in unknown["images"]} == {
        f"blue{n}.png" for n in (12, 13, 14)
    }
    assert any("3 of the 10 images asked for" in note for note in unknown["notes"])
    assert len(cli(*base, "-n", 20, "--only", "known").json["images"]) == KNOWN
    tagged = cli(*base, "-n", 20, "--tag", "red").json
    assert not any(image["relative"].startswith("blue") for image in tagged["images"])


def test_an_image_to_be_like_comes_first(cli, coloured):
    folder, captions = coloured
    like = folder / "blue07.png"
    first = cli(
        "search", folder, "sea", "--metadata", captions, "--like", like, "--json", "-n", 3
    ).json["images"]
    assert first[0]["relative"] == "blue07.png"


def test_an_unknown_word_is_named_with_known_ones_near_it(cli, coloured):
    folder, captions = coloured
    answer = cli("search", folder, "barm", "--metadata", captions, "--json")
    assert answer.code == 0
    assert answer.json["images"] == []
    assert answer.json["unknown"] == {"barm": ["barns"]}
    assert "'barm' stands in no known text; near it are 'barns'" in answer.err


def test_russian_texts_are_found_by_other_forms_of_a_word(cli, coloured, tmp_path):
    folder, _ = coloured
    texts = {f"blue{n:02}.png": "Собака бежит по берегу и у моря" for n in range(3)}
    captions = write_captions(tmp_path / "ru.csv", texts | {"red00.png": "Дом на горе"})
    found = cli("search", folder, "собаки", "--metadata", captions, "--json").json
    assert found["language"] == "russian"
    assert [image["relative"] for image in found["images"]] == list(texts)
    assert any("only 4 images have texts" in note for note in found["notes"])
    plain = cli("search", folder, "собаки", "--language", "none", "--metadata", captions, "--json")
    assert plain.json["images"] == []


def test_tags_and_classes_are_texts_too(cli, coloured, tmp_path):
    folder, _ = coloured
    rows = tmp_path / "tags.csv"
    rows.write_text("file_name,tags,label\nred00.png,barn;hill,farm\nblue00.png,sea,coast\n")
    for word, name in (("barn", "red00.png"), ("farms", "red00.png"), ("coast", "blue00.png")):
        found = cli("search", folder, word, "--metadata", rows, "--json").json
        assert [image["relative"] for image in found["images"]] == [name]


def test_what_a_program_wrote_is_no_text(cli, coloured, tmp_path):
    folder, _ = coloured
    rows = tmp_path / "own.csv"
    rows.write_text("file_name,caption,source\nred00.png,a barn,imgbatch\nred01.png,a hill,\n")
    assert cli("search", folder, "barn", "--metadata", rows, "--json").json["images"] == []


def test_a_sheet_a_page_and_rows_are_written(cli, coloured, tmp_path):
    folder, captions = coloured
    files = [tmp_path / name for name in ("a.png", "a.html", "a.csv")]
    outputs = [part for file in files for part in ("-o", file)]
    answer = cli("search", folder, "red barns", "--metadata", captions, "-n", 13, *outputs)
    assert "visual: red, barns" in answer.out or "visual: barns, red" in answer.out
    assert cv2.imread(str(files[0])) is not None
    page = files[1].read_text(encoding="utf-8")
    assert "red00.png" in page
    assert "imgbatch search" in page
    rows = list(csv.DictReader(files[2].read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 13
    assert rows[0]["source"] == "text"
    assert set(rows[0]["words"].split(";")) == {"red", "barns"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("barn", "--only", "some"), "'some'"),
        (("barn", "--language", "klingon"), "'klingon'"),
        (("...",), "no word"),
        (("barn", "-n", "0"), "n is 0"),
        (("barn", "-o", "a.xyz"), "'.xyz'"),
        (("barn", "--like", "nothing.png"), "nothing.png"),
    ],
)
def test_what_cannot_be_searched_is_one_clear_line(cli, coloured, given, message):
    folder, captions = coloured
    cli("search", folder, *given, "--metadata", captions).assert_one_clear_line(2, message)


def test_a_folder_of_which_nothing_is_known_is_an_error_that_says_what_to_give(cli, coloured):
    cli("search", coloured[0], "barn").assert_one_clear_line(2, "--metadata")


def test_the_library_answers_as_the_command_does(cli, coloured):
    folder, captions = coloured
    document = cli("search", folder, "barn", "--metadata", captions, "--json").json
    photos = imgbatch.load(folder, metadata=captions, emphasis="extended")
    found = photos.search("barn")
    assert [image.relative for image in found.images] == [i["relative"] for i in document["images"]]
    some = photos.where(tag="red").search("barn", 50)
    assert some.indexed == len(photos.where(tag="red"))


def test_a_narrow_table_leaves_the_room_to_names(cli, coloured):
    folder, captions = coloured
    ask = ("search", folder, "barn", "-n", 2, "--metadata", captions)
    narrow = cli(*ask, env={"COLUMNS": "40"}).out
    assert "red00.png" in narrow
    assert "rel." in narrow
    wide = cli(*ask, env={"COLUMNS": "120"}).out
    assert "relevance" in wide
    assert KINDS["red"][1] in wide


def test_where_nothing_is_found_there_is_no_table(cli, coloured):
    folder, captions = coloured
    out = cli("search", folder, "zebra", "--metadata", captions, env={"COLUMNS": "250"}).out
    assert "0 images of 30 in" in out
    assert "relevance" not in out
