"""``imgbatch overview``: tables, one JSON document, rows, a page, and what it refuses."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

import imgbatch
from imgbatch.overview import answer
from tests.drawing import jpeg, photo, write_photos


@pytest.fixture
def ask(cli, indexed):
    """Ask for the overview of the shared folder of photos."""

    def run(*arguments, **options):
        return cli("overview", indexed.folder, "--index", indexed.index, *arguments, **options)

    return run


def test_the_document_says_what_is_in_the_folder(ask, indexed):
    answer = ask("--json")
    assert (answer.code, answer.err) == (0, "")
    document = answer.json
    assert document["folder"] == str(indexed.folder)
    assert (document["images"], document["skipped"], document["looked_at"]) == (24, 0, 24)
    assert document["formats"] == [{"name": "jpg", "images": 24, "share": 1.0}]
    assert [one["name"] for one in document["classes"]["counts"]] == ["class0", "class1", "class2"]
    assert document["classes"]["balance"] == 1
    assert sum(group["images"] for group in document["grouping"]["groups"]) == 24
    assert {"landscape": 24}.items() <= {
        one["name"]: one["images"] for one in document["tags"]
    }.items()
    assert document["repetition"]["copies"] == 0
    assert document["size"] == sum(os.path.getsize(indexed.folder / name) for name in indexed.names)
    assert "blurred" in document["not_looked_for"]


@pytest.mark.parametrize("columns", ["40", "80", "120"])
def test_the_tables_fit_the_terminal(ask, columns):
    answer = ask(env={"COLUMNS": columns})
    assert answer.code == 0
    for line in answer.out.splitlines()[1:]:  # the first one is the folder's path
        if "│" in line:
            assert len(line) <= int(columns)
    for word in ("formats", "classes", "tags", "copies", "groups"):
        assert word in answer.out


def test_the_same_seed_gives_the_same_overview_and_another_seed_other_covers(ask):
    def seen(seed):
        document = ask("--json", "--seed", seed).json
        return {name: document[name] for name in ("grouping", "repetition", "problems")}

    assert seen(3) == seen(3)


def test_rows_and_a_page_are_written_and_told(cli, tmp_path):
    folder = tmp_path / "photos"
    write_photos(folder, 8)
    (folder / "broken.jpg").write_text("nothing")
    (folder / "long.jpg").write_bytes(jpeg(photo(3, 400, 40)))
    answer = cli("overview", folder, "--json", "-o", tmp_path / "a.csv", "-o", tmp_path / "a.html")
    assert answer.code == 0
    assert [file["kind"] for file in answer.json["files"]] == ["rows", "page"]
    with open(tmp_path / "a.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = [(problem["name"], image["relative"])
             for problem in answer.json["problems"] for image in problem["images"]]  # fmt: skip
    assert [(row["problem"], row["path"]) for row in rows] == found
    assert ("unreadable", "broken.jpg") in found
    assert ("odd aspect", "long.jpg") in found
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "Odd aspect: 1 image" in page
    assert "imgbatch overview" in page


def test_metadata_give_classes_and_splits(cli, tmp_path):
    folder = tmp_path / "photos"
    names = write_photos(folder, 6)
    (folder / "z.jpg").write_bytes((folder / names[0]).read_bytes())
    labels = tmp_path / "labels.csv"
    lines = [f"{name},{'cat' if name != 'z.jpg' else 'dog'}," for name in [*names, "z.jpg"]]
    labels.write_text("\n".join(["file_name,label,split", *lines, ""]))
    document = cli("overview", folder, "--metadata", labels, "--json").json
    (problem,) = [one for one in document["problems"] if one["name"] == "copies across classes"]
    assert {image["relative"]: image["detail"] for image in problem["images"]} == {
        names[0]: "cat; shows what z.jpg shows (dog)",
        "z.jpg": f"dog; shows what {names[0]} shows (cat)",
    }
    assert "copies across splits" in document["not_looked_for"]


def test_a_single_image_has_an_overview(cli, tmp_path):
    write_photos(tmp_path / "photos", 1)
    document = cli("overview", tmp_path / "photos", "--json").json
    assert [group["images"] for group in document["grouping"]["groups"]] == [1]
    assert cli("overview", tmp_path / "photos").code == 0


def test_equal_images_have_an_overview(cli, tmp_path):
    for number in range(12):
        (tmp_path / "photos").mkdir(exist_ok=True)
        (tmp_path / "photos" / f"{number}.jpg").write_bytes(jpeg(photo(1)))
    document = cli("overview", tmp_path / "photos", "--json").json
    assert document["repetition"]["copies"] == 11
    assert [cover["images"] for cover in document["repetition"]["covers"]] == [1, 1, 1]
    (group,) = document["grouping"]["groups"]
    assert len(group["typical"]) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-o", "x.txt"), ("'.txt'", ".html", ".csv")),
        (("-o", "x.png"), ("'.png'", ".html", ".csv")),
        (("--seed", "-1"), ("seed", "-1")),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(ask, arguments, words):
    ask(*arguments).assert_one_clear_line(2, *words)


def test_an_output_inside_the_folder_is_refused(cli, photos):
    cli("overview", photos, "-o", photos / "x.csv").assert_one_clear_line(2, "x.csv")
    assert not (photos / "x.csv").exists()


def test_a_large_folder_is_looked_at_by_a_sample_and_only_equal_files_are_copies(
    cli, photos, monkeypatch
):
    monkeypatch.setattr(answer, "MOST_LOOKED_AT", 10)
    monkeypatch.setattr(answer, "MOST_COMPARED", 11)
    given = cli("overview", photos, "--json", "--seed", 5)
    document = json.loads(given.out)
    assert document["looked_at"] == 10
    assert sum(group["images"] for group in document["grouping"]["groups"]) == 10
    assert (document["images"], document["repetition"]["level"]) == (12, "exact")
    assert "10 random images of 12" in given.err
    assert "only equal files" in given.err


def test_near_duplicates_that_were_found_before_are_counted_in_a_large_folder(
    cli, photos, monkeypatch
):
    monkeypatch.setattr(answer, "MOST_COMPARED", 5)
    assert cli("overview", photos, "--json").json["repetition"]["level"] == "exact"
    cli("duplicates", photos)
    assert cli("overview", photos, "--json").json["repetition"]["level"] == "edited"


def test_the_library_gives_what_the_command_shows(indexed, ask):
    photos = imgbatch.load(indexed.folder, index=indexed.index)
    seen = photos.overview(seed=2)
    document = ask("--json", "--seed", 2).json
    assert document["grouping"]["silhouette"] == seen.grouping.silhouette
    assert document["repetition"]["nearest"] == seen.repetition.nearest
    assert np.isclose(document["spreads"]["bytes"]["median"], seen.spreads["bytes"].median)


def test_only_some_images_have_an_overview_of_their_own(indexed):
    photos = imgbatch.load(indexed.folder, index=indexed.index).where(label="class1")
    seen = photos.overview()
    assert seen.images == 8
    assert [count.name for count in seen.classes.counts] == ["class1"]


def test_a_class_whose_name_is_no_text_is_shown_all_the_same(cli, tmp_path):
    for name in (b"\xff\xfe", b"b"):
        folder = os.fsdecode(os.fsencode(tmp_path) + b"/photos/" + name)
        write_photos(Path(folder), 3)
    answer = cli("overview", tmp_path / "photos", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["images"] == 6
