"""``evaluate``, ``tune`` and ``--emphasis``."""

import os
import signal
import time
import tomllib
from pathlib import Path

import pytest

from imgbatch.config import load_config
from tests.drawing import write_photos
from tests.events import logged

FIGURE = {"name", "value", "low", "high", "random", "definition"}


def test_evaluate_prints_each_figure_beside_random_choice(cli, indexed):
    answer = cli("evaluate", indexed.folder, "--index", indexed.index, "--sets", 5, "-n", 4)
    assert answer.code == 0, answer.err
    for words in ("precision at 10", "similar purity", "vendi", "random"):
        assert words in answer.out


def test_evaluate_json_is_one_document_of_stable_shape(cli, indexed):
    command = ("evaluate", indexed.folder, "--index", indexed.index, "--sets", 5, "-n", 4, "--json")
    answer = cli(*command)
    document = answer.json
    assert {"folder", "images", "classes", "seed", "figures"} <= set(document)
    assert all(set(figure) == FIGURE for figure in document["figures"])
    assert document["classes"] == 3
    assert cli(*command).out == answer.out


@pytest.mark.parametrize("columns", ["20", "40", "80", "200"])
def test_evaluate_fits_any_terminal(cli, indexed, columns):
    answer = cli(
        "evaluate", indexed.folder, "--index", indexed.index, "--sets", 5, "-n", 4,
        env={"COLUMNS": columns},
    )  # fmt: skip
    table = [line for line in answer.out.splitlines() if line.startswith(("│", "┃"))]
    assert table
    assert all(len(line) <= int(columns) for line in table)


def test_a_log_holds_every_figure_with_its_interval_and_chance(cli, tmp_path):
    for library in ("tensorboardX", "bm25s", "sacrebleu"):
        pytest.importorskip(library)
    names = write_photos(tmp_path / "photos", 45, classes=3)
    kinds = ("a red car", "the blue sea", "green trees")
    rows = [f"{name},{kinds[row % 3]}" for row, name in enumerate(names)]
    captions = tmp_path / "captions.csv"
    captions.write_text("file_name,text\n" + "\n".join(rows) + "\n")
    arguments = ("evaluate", tmp_path / "photos", "--sets", 2, "-n", 4, "--metadata", captions)
    document = cli(*arguments, "--log", tmp_path / "logs", "--json").json
    assert document["log"] == str(tmp_path / "logs")
    scalars = logged(next((tmp_path / "logs").glob("events.*")))
    assert {"queries/precision_at_10", "search/recall_at_10", "caption/cider"} <= set(scalars)
    for figure in document["figures"]:
        name = figure["name"].replace("_", "/", 1)
        tag = name if name in scalars else f"queries/{figure['name']}"
        for part in ("value", "low", "high", "random"):
            of_part = tag if part == "value" else f"{tag}/{part}"
            assert scalars[of_part] == [(45, pytest.approx(figure[part]))]
    for number, one in enumerate(document["by_class"], start=1):
        tag = f"classes/{number:04}_{one['label']}"
        assert scalars[tag] == [(45, pytest.approx(one["precision_at_10"]))]


def test_a_log_among_the_images_is_refused_before_any_work(cli, photos):
    pytest.importorskip("tensorboardX")
    cli("evaluate", photos, "--log", photos / "logs").assert_one_clear_line(2, "--log")
    assert not (photos / "logs").exists()


def test_evaluate_of_a_flat_folder_notes_what_classes_need(cli, photos):
    answer = cli("evaluate", photos, "--sets", 5, "-n", 4)
    assert answer.code == 0
    assert "--metadata" in answer.err


def test_evaluate_names_a_label_file_that_is_missing(cli, indexed):
    answer = cli(
        "evaluate", indexed.folder, "--index", indexed.index, "--labels", "none.csv", "-n", 4
    )
    answer.assert_one_clear_line(2, "none.csv", "--metadata")


def test_emphasis_changes_the_set_and_an_unknown_one_is_refused(cli, indexed):
    command = ("similar", indexed.folder, "--index", indexed.index, "--seed", 3, "--no-sheet")
    scores = [
        [image["score"] for image in cli(*command, "--json", "--emphasis", name).json["images"]]
        for name in ("color", "shape")
    ]
    assert scores[0] != scores[1]
    cli(*command, "--emphasis", "sound").assert_one_clear_line(2, "sound", "color", "shape")


@pytest.mark.slow
def test_tune_writes_a_commented_config_that_config_takes(cli, indexed):
    command = ("tune", indexed.folder, "--index", indexed.index, "--trials", 6)
    answer = cli(*command)
    assert answer.code == 0, answer.err
    text = Path("imgbatch-tuned.toml").read_text(encoding="utf-8")
    assert "24 images of 3 classes" in text
    assert "did not see" in text
    written = tomllib.loads(text)
    assert written["imgbatch"] == {"config_version": 1}
    assert set(written) <= {"imgbatch", "weights", "space"}
    assert load_config("imgbatch-tuned.toml").config.weights == written["weights"]
    shown = cli(
        "similar", indexed.folder, "--index", indexed.index, "--config", "imgbatch-tuned.toml"
    )
    assert shown.code == 0, shown.err


@pytest.mark.slow
def test_tune_overwrites_only_the_file_that_output_names(cli, indexed, tmp_path):
    command = ("tune", indexed.folder, "--index", indexed.index, "--trials", 1, "--enabled-only")
    Path("imgbatch-tuned.toml").write_text("mine")
    assert cli(*command).code == 0
    assert Path("imgbatch-tuned.toml").read_text() == "mine"
    assert Path("imgbatch-tuned-2.toml").is_file()
    named = tmp_path / "named.toml"
    named.write_text("old")
    assert cli(*command, "-o", named).code == 0
    assert "[weights]" in named.read_text()


def test_tune_json_says_what_it_found_and_where(cli, indexed):
    document = cli(
        "tune", indexed.folder, "--index", indexed.index, "--trials", 2, "--json", "-o", "t.toml"
    ).json
    assert document["config"] == "t.toml"
    assert {gain["name"] for gain in document["gains"]} == {"precision_at_10", "similar_purity"}
    assert document["settings"]["weights"]


def test_tune_refuses_targets_it_must_not_write_to(cli, indexed, tmp_path):
    inside = indexed.folder / "tuned.toml"
    cli("tune", indexed.folder, "-o", inside).assert_one_clear_line(2, "inside the image folder")
    cli("tune", indexed.folder, "-o", tmp_path).assert_one_clear_line(2, "is a folder")


def test_tune_of_a_folder_without_classes_says_what_it_needs(cli, photos):
    answer = cli("tune", photos)
    answer.assert_one_clear_line(2, "2 classes", "subfolder", "--metadata")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process there")
def test_ctrl_c_keeps_the_best_so_far_and_exits_with_130(start, tmp_path):
    write_photos(tmp_path / "photos", 24, classes=3)
    options = ("-o", "best.toml", "--trials", 1_000_000)
    running = start("tune", tmp_path / "photos", *options, stdout=None, text=True)
    for line in running.stderr:
        if line.startswith("trial"):
            break
    time.sleep(0.2)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=100)
    assert running.returncode == 130
    assert "best.toml" in errors
    assert "stopped early" in Path("best.toml").read_text(encoding="utf-8")
    assert load_config("best.toml").config.weights


def test_search_and_captions_are_measured_where_texts_are_known(cli, indexed, tmp_path):
    pytest.importorskip("sacrebleu")
    few = tmp_path / "captions.csv"
    few.write_text(f"file_name,caption\n{indexed.names[0]},a house\n", encoding="utf-8")
    base = ("evaluate", indexed.folder, "--index", indexed.index, "--sets", 5, "-n", 4, "--json")
    plain = cli(*base).json
    assert not any("words" in note for note in plain["notes"])
    told = cli(*base, "--metadata", few).json
    assert any("fewer than 40 images have texts" in note for note in told["notes"])
