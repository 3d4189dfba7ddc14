"""A config file of wrong shapes is one clear error, never a raw one."""

import os

import pytest

from imgbatch.config import load_config
from imgbatch.errors import ConfigError

WRONG = {
    "a table for a number": "[weights]\nhsv = {}",
    "a table of tables": "[weights.hsv.a]\nb = 1",
    "a table for a list": "[images]\nbackground = {}",
    "an array of tables": "[[weights]]\nhsv = 1",
    "a table for a text": "[sheet]\nformat = {a = 1}",
    "a table in a preset": "[presets.mine]\nhsv = {}",
    "a list for a preset": "[presets]\nmine = [1]",
    "a date for a number": "[sheet]\ncolumns = 2026-01-01",
    "a table for components": "[space.components]\nhog = {x = 1}",
    "nothing for a table": "weights = 3",
    "infinity": "[weights]\nhsv = inf",
    "not a number": "[weights]\nhsv = nan",
    "a huge number": f"[sheet]\ncolumns = {'9' * 400}",
    "nested lists": f"[images]\nbackground = {'[' * 5000}{']' * 5000}",
    "nested tables": "[" + ".".join(["weights", *["a"] * 2000]) + "]\nb = 1",
    "a nested inline table": "[weights]\nhsv = " + "{a = " * 3000 + "1" + "}" * 3000,
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_a_value_of_a_wrong_shape_is_one_error_that_names_the_file(tmp_path, text):
    file = tmp_path / "wrong.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert "wrong.toml" in caught.value.message
    assert len(caught.value.message) < 1000


LONG = "k" * 100_000


@pytest.mark.parametrize(
    "text",
    [
        f"{LONG} = 1",
        f"images.{LONG} = 1",
        f"presets.{LONG}.{LONG} = 1",
        f"presets.{LONG} = 1",
        f"images = '{LONG}'",
        f"[[descriptors.hog]]\n{LONG} = 1",
        f"presets.{LONG}.hog = 'much'",
    ],
)
def test_what_is_far_too_long_is_cut_in_the_error(tmp_path, text):
    file = tmp_path / "long.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert len(str(caught.value)) < 2000
    assert "..." in str(caught.value)


def test_another_programs_deeply_nested_config_in_the_working_directory_is_ignored(tmp_path):
    from pathlib import Path

    Path("config.toml").write_text(f"a = {'[' * 5000}{']' * 5000}")
    assert load_config().notes


@pytest.mark.parametrize("workers", [257, 99_999_999])
def test_more_workers_than_any_machine_serves_are_refused(cli, photos, workers):
    answer = cli("index", photos, "--workers", workers)
    answer.assert_one_clear_line(2, str(workers), "0 to 256")


@pytest.mark.skipif(os.name != "posix", reason="needs pipes and devices")
@pytest.mark.parametrize("name", ["pipe", "/dev/zero", "folder"])
def test_a_config_is_read_from_a_regular_file_alone(tmp_path, name):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match="not a regular file"):
        load_config(tmp_path / name)


def test_a_file_that_is_far_too_large_for_a_config_is_not_read(tmp_path):
    with (tmp_path / "c.toml").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ConfigError, match=r"c\.toml.*MB"):
        load_config(tmp_path / "c.toml")


@pytest.mark.parametrize("name", ["imgbatch.toml", "config.toml"])
def test_a_far_too_large_config_in_the_working_directory_does_no_harm(name):
    with open(name, "wb") as file:
        file.truncate(2**40)
    if name == "config.toml":
        assert "ignored" in load_config().notes[0]
    else:
        with pytest.raises(ConfigError, match=r"imgbatch\.toml.*MB"):
            load_config()


def test_a_value_nested_too_deeply_for_an_error_to_repeat_it_is_one_error(tmp_path):
    file = tmp_path / "deep.toml"
    file.write_text(f"[[images]]\n{'.'.join('a' * 2000)} = 1")
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert len(str(caught.value)) < 1000
