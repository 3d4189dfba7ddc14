"""Metadata on the command line: what is said of them, filters, and where they go."""

import json

import pytest

import imgbatch


@pytest.fixture
def table(indexed, tmp_path):
    """Every second image is red, the first also small."""
    file = tmp_path / "t.csv"
    lines = [
        f"{name},kind {row % 3},{'red' if row % 2 == 0 else ''}{';small' if row == 0 else ''},text {row}\n"
        for row, name in enumerate(sorted(indexed.names))
    ]
    file.write_text("file_name,label,tags,text\n" + "".join(lines))
    return file


def images(answer):
    assert answer.code == 0, answer.err
    return answer.json["images"]


def test_what_was_read_is_said_and_shown_beside_the_images(cli, indexed, table):
    command = ("similar", indexed.folder, "--index", indexed.index, "-n", 3, "--no-sheet")
    answer = cli(*command, "--json", "--metadata", table)
    assert answer.err == "note: metadata: t.csv: 24 of 24 images have labels (3), 12 of 24 images have tags (2), 24 of 24 images have texts (24)\n"  # fmt: skip
    rows = {name: row for row, name in enumerate(sorted(indexed.names))}
    for image in images(answer):
        row = rows[image["relative"]]
        assert image["label"] == f"kind {row % 3}"
        assert image["texts"] == [f"text {row}"]
        assert ("red" in image["tags"]) == (row % 2 == 0)


def test_without_metadata_nothing_is_said(cli, indexed):
    answer = cli("similar", indexed.folder, "--index", indexed.index, "--no-sheet", "--json")
    assert answer.err == ""
    assert all(image["label"].startswith("class") for image in images(answer))


@pytest.mark.parametrize("command", ["similar", "different"])
def test_filters_restrict_what_is_picked(cli, indexed, table, command):
    arguments = (command, indexed.folder, "--index", indexed.index, "--metadata", table, "--json", "--no-sheet")  # fmt: skip
    picked = images(cli(*arguments, "-n", 4, "--label", "kind 0", "--tag", "red"))
    assert {image["label"] for image in picked} == {"kind 0"}
    assert all("red" in image["tags"] for image in picked)
    picked = images(cli(*arguments, "-n", 11, "--tag", "red", "--without-tag", "small"))
    assert not any("small" in image["tags"] for image in picked)
    both = images(cli(*arguments, "-n", 16, "--label", "kind 0", "--label", "kind 1"))
    assert {image["label"] for image in both} == {"kind 0", "kind 1"}
    cli(*arguments, "-n", 17, "--label", "kind 0", "--label", "kind 1").assert_one_clear_line(
        2, "only 16 of the 24", "give 1 to 16"
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--label", "kind9"), ("kind9", "3 are known", "'kind 0' (8)")),
        (("--tag", "rad"), ("'rad'", "'red' (12)")),
        (("--without-tag", "x"), ("'x'", "'red' (12)")),
        (("--label", "kind 1", "--tag", "small"), ("no image has: label kind 1, tag small",)),
    ],
)
def test_a_filter_that_no_image_passes_says_what_there_is(cli, indexed, table, given, words):
    answer = cli("different", indexed.folder, "--index", indexed.index, "--metadata", table, *given)
    answer.assert_one_clear_line(2, *words)


def test_batches_are_dealt_of_what_passes_and_balanced_by_the_labels_given(cli, indexed, table):
    command = (
        "batches",
        indexed.folder,
        "--index",
        indexed.index,
        "--metadata",
        table,
        "--seed",
        1,
    )
    answer = cli(*command, "--batch-size", 6, "--tag", "red", "--balance", "-o", "plan.jsonl")
    assert answer.code == 0, answer.err
    with open("plan.jsonl", encoding="utf-8") as plan:
        lines = [json.loads(line) for line in plan]
    dealt = [line["paths"] for line in lines if "paths" in line]
    row = {name: number for number, name in enumerate(sorted(indexed.names))}
    assert sorted(row[path] for paths in dealt for path in paths) == list(range(0, 24, 2))
    for paths in dealt:
        assert sorted(row[path] % 3 for path in paths) == [0, 0, 1, 1, 2, 2]


def test_evaluate_measures_the_classes_that_are_given(cli, indexed, table):
    command = ("evaluate", indexed.folder, "--index", indexed.index, "-n", 4, "--sets", 3, "--json")
    assert cli(*command, "--labels", table).json["classes"] == 3
    two = table.with_name("two.csv")
    two.write_text(table.read_text().replace("kind 2", "kind 1"))
    assert cli(*command, "--labels", table, "--metadata", two).json["classes"] == 2


def test_a_found_file_that_does_not_parse_is_a_note_and_costs_no_answer(cli, photos):
    (photos / "metadata.csv").write_text('file_name,label\nimage000.jpg,"cat\n')
    answer = cli("similar", photos, "-n", 2, "--no-sheet")
    assert answer.code == 0
    assert "metadata.csv cannot be read: line 2: a quote is never closed" in answer.err
    assert "left out" in answer.err


def test_a_database_takes_no_part_of_a_folder(cli, indexed):
    command = ("export", indexed.folder, "--index", indexed.index, "--to", "postgresql://nowhere/x")
    answer = cli(*command, "--label", "class1")
    answer.assert_one_clear_line(2, "removes all others", "export to a file")


@pytest.mark.parametrize("option", ["--metadata", "--label", "--tag", "--without-tag"])
def test_an_export_is_searched_without_metadata_or_filters(cli, option):
    answer = cli("similar", "--from", "postgresql://nowhere/x", "--like", "a.jpg", option, "x")
    answer.assert_one_clear_line(2, f"{option} was given with --from")


def test_a_part_of_a_folder_is_exported_to_a_file_with_all_that_is_known(cli, indexed, table):
    import csv

    command = ("export", indexed.folder, "--index", indexed.index, "--metadata", table)
    assert cli(*command, "--to", "out.csv", "--tag", "small").code == 0
    with open("out.csv", encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["path"] == min(indexed.names)
    assert (row["label"], row["tags"], json.loads(row["texts"])) == ("kind 0", "red;small", ["text 0"])  # fmt: skip
    known = imgbatch.load(indexed.folder, index=indexed.index, metadata="out.csv")
    assert known.tags[0] == ("red", "small")
