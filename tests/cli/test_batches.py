"""`imgbatch batches`: the plan, the summary, the document, the preview, what is refused."""

import json
import os
import sys

import numpy as np
import pytest
from PIL import Image

import imgbatch
from imgbatch.batches.plan_files import read_plan
from tests.drawing import jpeg, photo


@pytest.fixture
def ask(cli, indexed):
    """Deal the shared index's twenty-four photos in three classes."""

    def run(*arguments, **options):
        return cli("batches", indexed.folder, "--index", indexed.index, *arguments, **options)

    return run


def test_every_image_is_planned_exactly_once_an_epoch(ask, indexed, tmp_path):
    target = tmp_path / "plan.jsonl"
    answer = ask("--batch-size", 7, "--epochs", 3, "--seed", 7, "-o", target, "--json")
    assert (answer.code, answer.err) == (0, "")
    document = answer.json
    assert document["mode"] == "batches"
    assert (document["seed"], document["batch_size"], document["epochs"]) == (7, 7, 3)
    assert (document["batches"], document["indexed"]) == (12, 24)
    assert document["folder"] == str(indexed.folder)
    assert (document["plan"], document["preview"]) == (str(target), None)
    assert document["skipped"] == []
    assert isinstance(document["seconds"], float)
    plan = read_plan(target)
    assert (plan.header.seed, plan.header.batch_size) == (7, 7)
    for epoch in plan.epochs:
        assert [len(paths) for paths in epoch] == [7, 7, 7, 3]
        assert sorted(path for paths in epoch for path in paths) == sorted(indexed.names)
    assert len(set(plan.epochs)) == 3
    assert len(target.read_text("utf-8").splitlines()) == 12


def test_the_plan_holds_what_the_library_deals(ask, indexed, tmp_path):
    target = tmp_path / "plan.csv"
    ask("--batch-size", 5, "--epochs", 2, "--seed", 3, "--balance", "--drop-last", "-o", target)
    photos = imgbatch.load(indexed.folder, index=indexed.index)
    for epoch, planned in enumerate(read_plan(target).epochs):
        dealt = photos.batches(5, seed=3, epoch=epoch, balance=True, drop_last=True)
        assert (dealt.seed, dealt.epoch, len(dealt)) == (3, epoch, 4)
        names = [tuple(photos.records[row].path for row in rows) for rows in dealt]
        assert tuple(names) == planned


def test_figures_stand_beside_those_of_random_batches(ask):
    figures = ask("--batch-size", 8, "--seed", 1, "--json").json["figures"]
    for name in ("variance", "leading_variance", "closest", "mean_closest", "near_duplicates"):
        assert figures[name].keys() == {"diverse", "random"}
    assert figures["variance"]["diverse"] < figures["variance"]["random"]
    assert 1 <= figures["classes"]["diverse"] <= 3


def test_the_table_shows_the_seed_and_no_colour_in_a_pipe(ask):
    answer = ask("--batch-size", 6, "--seed", 9)
    assert answer.code == 0
    assert "4 batches of 6, 24 images, 1 epoch" in answer.out
    assert "--seed 9" in answer.out
    assert "diverse" in answer.out
    assert "\x1b[" not in answer.out


def test_without_a_seed_plans_differ_and_the_printed_seed_repeats_them(ask, tmp_path):
    one, two, again = (tmp_path / f"{name}.jsonl" for name in ("one", "two", "again"))
    seeds = [ask("--batch-size", 6, "-o", path, "--json").json["seed"] for path in (one, two)]
    ask("--batch-size", 6, "-o", again, "--seed", seeds[0])
    assert seeds[0] != seeds[1]
    assert again.read_bytes() == one.read_bytes() != two.read_bytes()


def test_epochs_of_one_collection_share_a_drawn_seed(indexed):
    photos = imgbatch.load(indexed.folder, index=indexed.index)
    first, second = photos.batches(5, epoch=0), photos.batches(5, epoch=1)
    assert first.seed == second.seed
    for batches in (first, second):
        assert sorted(np.concatenate(list(batches))) == list(range(24))
    assert [rows.tolist() for rows in first] != [rows.tolist() for rows in second]
    assert first[0].tolist() == first.rows[0].tolist()


def test_the_preview_shows_rows_of_diverse_and_of_random_batches(ask, tmp_path):
    document = ask("--batch-size", 6, "--preview", 2, "--seed", 4, "--json", cwd=tmp_path).json
    assert document["preview"] == str(tmp_path / "imgbatch-out" / "batches-photos-4.jpg")
    with Image.open(document["preview"]) as page:
        assert page.mode == "RGB"
        assert page.width > 1400
    assert ask("--batch-size", 100, "--preview", 9, cwd=tmp_path).code == 0
    assert ask("--batch-size", 1, "--preview", 1, cwd=tmp_path).code == 0


def test_a_batch_larger_than_the_folder_is_one_incomplete_batch_and_noted(ask):
    answer = ask("--batch-size", 50, "--json")
    assert (answer.code, answer.json["batches"]) == (0, 1)
    assert answer.err.startswith("note: --batch-size is 50")
    assert answer.json["figures"]["variance"]["diverse"] is None
    ask("--batch-size", 50, "--drop-last").assert_one_clear_line(2, "24 readable images", "1 to 24")


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes need Linux")
def test_undecodable_names_survive(cli, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    name = os.path.join(os.fsencode(folder), b"\xff\xfe.jpg")
    for place, path in enumerate([name, os.fsencode(folder / "b.jpg")]):
        with open(path, "wb") as file:
            file.write(jpeg(photo(place)))
    target = tmp_path / "plan.jsonl"
    assert cli("batches", folder, "--batch-size", 2, "-o", target).code == 0
    (batch,) = read_plan(target).epochs[0]
    assert {os.fsencode(path) for path in batch} == {b"\xff\xfe.jpg", b"b.jpg"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--batch-size", 0), ("--batch-size is 0", "from 1 on")),
        (("--batch-size", 3, "--epochs", 0), ("--epochs is 0",)),
        (("--batch-size", 3, "--preview", -1), ("--preview is -1",)),
        (("--batch-size", 3, "--seed", -1), ("seed",)),
        (("--batch-size", 3, "-o", "plan.txt"), (".txt", ".jsonl")),
    ],
)
def test_what_cannot_be_dealt_is_one_clear_line(ask, arguments, words):
    ask(*arguments).assert_one_clear_line(2, *words)


@pytest.mark.parametrize("name", ["run.1/", "run.jsonl/", "run/"])
def test_a_slash_at_the_end_asks_for_a_folder_whatever_the_name(ask, indexed, tmp_path, name):
    answer = ask("--batch-size", 7, "--seed", 1, "-o", f"{tmp_path}/{name}")
    assert answer.code == 0
    assert (tmp_path / name / "plan.json").is_file()
    (epoch,) = read_plan(tmp_path / name).epochs
    assert sorted(path for paths in epoch for path in paths) == sorted(indexed.names)


def test_a_plan_inside_the_image_folder_is_refused(ask, indexed):
    target = indexed.folder / "plan.jsonl"
    ask("--batch-size", 3, "-o", target).assert_one_clear_line(2, "never written to")
    assert not target.exists()


def test_balance_without_classes_is_refused(cli, photos):
    answer = cli("batches", photos, "--batch-size", 3, "--balance")
    answer.assert_one_clear_line(2, "two classes")


def test_json_alone_stands_on_standard_output(ask):
    assert json.loads(ask("--batch-size", 4, "--json").out)["mode"] == "batches"


def test_the_table_names_the_plan_and_the_preview(cli, photos, tmp_path):
    plan = tmp_path / "plan.jsonl"
    options = ["--batch-size", 4, "-o", plan, "--preview", 1]
    answer = cli("batches", photos, *options, cwd=tmp_path)
    assert f"plan  {plan}" in answer.out
    assert f"preview  {tmp_path / 'imgbatch-out'}" in answer.out
    without = cli("batches", photos, "--batch-size", 4)
    assert "plan" not in without.out
    assert "preview" not in without.out
