"""``imgbatch tune --learn``, and commands under the config that it writes."""

import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest

from imgbatch.evaluation.mixtures import Tried
from imgbatch.index.learned import LearnedPoints
from tests.learned import draw_classes

QUICK = ("--trials", 1, "--enabled-only", "--learn")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A folder of eight classes, beside which each test keeps its index."""
    return draw_classes(tmp_path_factory.mktemp("learn") / "photos")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def run(cli, cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda name, *arguments: cli(name, *arguments, "--index", cache)


@pytest.fixture(scope="module")
def tuned(drawn, cache, tmp_path_factory):
    """The config and the arrays that `tune --learn` writes."""
    from imgbatch.cli.app import app

    place = tmp_path_factory.mktemp("tuned")
    command = ["tune", str(drawn), *map(str, QUICK), "-o", str(place / "tuned.toml")]
    app([*command, "--index", str(cache)], standalone_mode=False)
    return place


def test_points_are_learned_beside_the_config_and_named_in_it(run, drawn):
    document = run("tune", drawn, *QUICK, "--json").json
    learned = document["learned"]
    assert document["config"] == "imgbatch-tuned.toml"
    assert learned["file"] == "imgbatch-tuned.npz"
    assert [gain["name"] for gain in learned["gains"]] == ["unseen_images", "unseen_classes"]
    assert learned["gains"][0]["low"] > 0
    text = Path("imgbatch-tuned.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["space"]["learned"] == "imgbatch-tuned.npz"
    assert "unseen classes" in text
    facts = LearnedPoints.load("imgbatch-tuned.npz").facts
    assert facts["gains"] == learned["gains"]
    assert (facts["images"], facts["classes"]) == (80, 8)


def test_people_see_both_gains(run, drawn, tmp_path):
    shown = run("tune", drawn, *QUICK, "-o", tmp_path / "t.toml")
    assert shown.code == 0, shown.err
    for words in ("unseen images", "unseen classes", "unlearned", "whitened inside classes"):
        assert words in shown.out


def test_without_the_option_nothing_is_learned(run, drawn):
    document = run("tune", drawn, "--trials", 1, "--enabled-only", "--json").json
    assert document["learned"] is None
    assert not list(Path().glob("*.npz"))


def test_where_nothing_helps_that_is_said_and_no_arrays_are_written(run, drawn, monkeypatch):
    monkeypatch.setattr(Tried, "best", None)
    answer = run("tune", drawn, *QUICK)
    assert answer.code == 0
    assert "no learned points help" in answer.err
    assert not list(Path().glob("*.npz"))
    written = tomllib.loads(Path("imgbatch-tuned.toml").read_text())
    assert "learned" not in written.get("space", {})


@pytest.mark.parametrize(
    "command",
    [
        ("similar", "--seed", 1, "--no-sheet"),
        ("different", "--seed", 1, "--no-sheet"),
        ("batches", "--batch-size", 8),
        ("search", "kind1"),
        ("map",),
        ("evaluate", "--sets", 3),
        ("overview",),
        ("export", "--to", "out.npz"),
        ("config",),
    ],
    ids=lambda command: command[0],
)
def test_commands_take_the_config(run, drawn, tuned, command):
    name, *arguments = command
    answer = run(name, drawn, *arguments, "--config", tuned / "tuned.toml")
    assert answer.code == 0, answer.err


def test_sets_name_no_descriptors_as_the_reason(run, drawn, tuned):
    command = ("similar", drawn, "--seed", 1, "--no-sheet")
    assert "why" in run(*command).out
    assert "why" not in run(*command, "--config", tuned / "tuned.toml").out


def test_explain_tells_both_distances(run, drawn, tuned):
    pair = (drawn / "kind0" / "0.png", drawn / "kind1" / "1.png", "--folder", drawn)
    command = ("explain", *pair, "--config", tuned / "tuned.toml")
    document = run(*command, "--no-picture", "--json").json
    squares = sum(part["squared_distance"] for part in document["descriptors"])
    assert squares == pytest.approx(document["unlearned_distance"] ** 2, abs=1e-4)
    assert document["distance"] != document["unlearned_distance"]
    assert "before learning" in run(*command).out
    assert run("explain", *pair, "--no-picture", "--json").json["unlearned_distance"] is None


def test_labels_are_learned_from_learned_points(run, drawn, tuned, tmp_path):
    config = ("--config", tuned / "tuned.toml")
    answer = run("label", "train", drawn, *config, "-o", tmp_path / "model.npz")
    assert answer.code == 0, answer.err
    target = tmp_path / "labels.csv"
    answer = run("label", "apply", tmp_path / "model.npz", drawn, "-o", target)
    assert answer.code == 0, answer.err
    assert len(target.read_text().splitlines()) == 81


def test_an_emphasis_beside_learned_points_is_one_clear_error(run, drawn, tuned):
    command = ("similar", drawn, "--config", tuned / "tuned.toml", "--emphasis", "color")
    run(*command).assert_one_clear_line(2, "tuned.npz", "without --emphasis")


def test_a_config_without_its_arrays_is_one_clear_error(run, drawn, tuned, tmp_path):
    shutil.copy(tuned / "tuned.toml", tmp_path)
    answer = run("similar", drawn, "--config", "tuned.toml")
    answer.assert_one_clear_line(2, "tuned.toml", "tuned.npz", "no such file")


def test_a_search_begins_without_learned_points(run, drawn, tuned):
    answer = run("tune", drawn, "--trials", 1, "--config", tuned / "tuned.toml", "-o", "next.toml")
    assert answer.code == 0, answer.err
    assert "begins without the learned points" in answer.err
    assert "learned" not in tomllib.loads(Path("next.toml").read_text()).get("space", {})


def test_arrays_of_something_else_are_not_replaced(run, drawn):
    np.savez("mine.npz", a=np.zeros(3))
    before = Path("mine.npz").read_bytes()
    answer = run("tune", drawn, *QUICK, "-o", "mine.toml")
    answer.assert_one_clear_line(2, "mine.npz", "something else")
    assert Path("mine.npz").read_bytes() == before
    run("tune", drawn, *QUICK, "-o", "mine.npz").assert_one_clear_line(2, "ends in .npz")


def test_too_few_classes_are_told_before_the_search(run, indexed):
    answer = run("tune", indexed.folder, "--trials", 1000, "--learn")
    answer.assert_one_clear_line(2, "at least 8 classes", "3 classes")


def test_ctrl_c_while_learning_keeps_the_search(run, drawn, monkeypatch):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("imgbatch.evaluation.learn.learn", interrupted)
    answer = run("tune", drawn, *QUICK)
    assert answer.code == 130
    assert "nothing was learned" in answer.err
    assert Path("imgbatch-tuned.toml").is_file()
