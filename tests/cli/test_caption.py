"""``imgbatch caption``: suggestions for images without captions, or for all."""

import csv

import cv2
import pytest

import imgbatch
from tests.cli.test_search import EACH, KINDS, KNOWN, coloured  # noqa: F401 - a fixture

pytest.importorskip("bm25s")
pytest.importorskip("regex")
pytest.importorskip("snowballstemmer")


def test_images_without_captions_get_those_of_images_that_look_alike(cli, coloured, tmp_path):  # noqa: F811
    folder, captions = coloured
    target = tmp_path / "own.csv"
    document = cli("caption", folder, "--metadata", captions, "-o", target, "--json").json
    assert len(document["images"]) == 2 * (EACH - KNOWN)
    for image in document["images"]:
        (caption,) = image["captions"]
        kind = "red" if image["relative"].startswith("red") else "blue"
        assert caption["text"] == KINDS[kind][1]
        assert caption["agreement"] > 0.4
        assert all(source.startswith(kind) for source in caption["sources"])
    rows = list(csv.DictReader(target.read_text(encoding="utf-8").splitlines()))
    assert {row["source"] for row in rows} == {"imgbatch"}
    assert set(imgbatch.load(folder, metadata=target).texts) == {()}
    trusted = imgbatch.load(folder, metadata=target, trust_predicted=True)
    assert sum(map(len, trusted.texts)) == len(rows) == 2 * (EACH - KNOWN)


def test_all_images_are_captioned_if_asked_and_never_by_their_own(cli, coloured):  # noqa: F811
    folder, captions = coloured
    answer = cli("caption", folder, "--metadata", captions, "--all", "--suggestions", 2, "--json")
    images = answer.json["images"]
    assert len(images) == 2 * EACH
    for image in images:
        for caption in image["captions"]:
            assert image["relative"] not in caption["sources"]


def test_a_sheet_and_a_page_are_written(cli, coloured, tmp_path):  # noqa: F811
    folder, captions = coloured
    sheet, page = tmp_path / "a.png", tmp_path / "a.html"
    answer = cli("caption", folder, "--metadata", captions, "-o", sheet, "-o", page)
    assert cv2.imread(str(sheet)) is not None
    assert KINDS["red"][1] in page.read_text(encoding="utf-8")
    assert "captions of 24 images" in answer.out


def test_named_images_in_the_folder_and_elsewhere_get_captions(coloured, tmp_path):  # noqa: F811
    folder, captions = coloured
    photos = imgbatch.load(folder, metadata=captions, emphasis="extended")
    other = tmp_path / "elsewhere.png"
    other.write_bytes((folder / "blue13.png").read_bytes())
    found = photos.caption(["red00.png", str(other)], suggestions=1)
    assert [image.captions[0].text for image in found.images] == [KINDS["red"][1], KINDS["blue"][1]]
    assert "red00.png" not in found.images[0].captions[0].sources
    assert found.images[1].relative == str(other)
    some = photos.where(tag="red").caption(["red13.png"])
    assert some.images[0].relative == "red13.png"


def test_too_few_captions_are_an_error_and_full_folders_a_note(cli, coloured, tmp_path):  # noqa: F811
    folder, captions = coloured
    few = tmp_path / "few.csv"
    few.write_text("file_name,caption\nred00.png,a barn\n")
    cli("caption", folder, "--metadata", few).assert_one_clear_line(
        2, "only 1 image of", "has captions", "20"
    )
    tags = tmp_path / "all.csv"
    rows = captions.read_text() + "".join(
        f"{name}{n}.png,some {name}\n" for name in KINDS for n in range(KNOWN, EACH)
    )
    tags.write_text(rows)
    answer = cli("caption", folder, "--metadata", tags, "--json")
    assert answer.json["images"] == []
    assert any("--all" in note for note in answer.json["notes"])
    cli("caption", folder, "--metadata", captions, "--suggestions", "0").assert_one_clear_line(
        2, "suggestions is 0"
    )
