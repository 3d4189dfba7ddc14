"""Settings: where they are found, how they are laid over the default, what is refused."""

import os
from pathlib import Path

import pytest

from imgbatch.config import default_config_path, load_config, user_config_path
from imgbatch.errors import ConfigError

MARK = "[imgbatch]\nconfig_version = 1\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def message(path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(write(path, text))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_any_file_the_defaults_hold():
    loaded = load_config()
    assert loaded.file is None
    assert loaded.notes == ()
    assert set(loaded.sources.values()) == {"default"}
    assert loaded.config.images.max_megapixels == 100.0


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path):
    file = write(tmp_path / "c.toml", "[images]\nmax_megapixels = 5\n[sheet]\ncolumns = 3\n")
    loaded, default = load_config(file), load_config()
    assert loaded.file == file
    assert loaded.config.images.max_megapixels == 5
    assert loaded.config.sheet.columns == 3
    changed = {"images": {"max_megapixels"}, "sheet": {"columns"}}
    before, after = default.config.model_dump(), loaded.config.model_dump()
    for table, values in before.items():
        for key, value in values.items():
            if key not in changed.get(table, ()):
                assert after[table][key] == value
    named = {key for key, source in loaded.sources.items() if source == str(file)}
    assert named == {"images.max_megapixels", "sheet.columns"}


def test_an_empty_file_is_a_config_that_changes_nothing(tmp_path):
    assert load_config(write(tmp_path / "c.toml", "")).config == load_config().config


def test_the_shipped_default_can_be_given_as_a_file(tmp_path):
    assert load_config(default_config_path()).config == load_config().config


@pytest.mark.skipif(os.name != "posix", reason="XDG_CONFIG_HOME is for POSIX")
def test_files_are_looked_for_in_the_documented_order(tmp_path, monkeypatch):
    def columns() -> int:
        return load_config().config.sheet.columns

    write(user_config_path(), MARK + "[sheet]\ncolumns = 1\n")
    if os.environ["XDG_CONFIG_HOME"] in str(user_config_path()):  # elsewhere on macOS
        assert columns() == 1
    write(Path("config.toml"), MARK + "[sheet]\ncolumns = 2\n")
    assert columns() == 2
    write(Path("imgbatch.toml"), "[sheet]\ncolumns = 3\n")
    assert columns() == 3
    monkeypatch.setenv("IMGBATCH_CONFIG", str(write(tmp_path / "env.toml", "[sheet]\ncolumns = 4")))
    assert columns() == 4
    named = load_config(write(tmp_path / "named.toml", "[sheet]\ncolumns = 6\n"))
    assert named.config.sheet.columns == 6


@pytest.mark.parametrize("text", ["[tool]\nname = 1\n", "", "not toml at all", "x = [1,\n"])
def test_another_programs_config_toml_is_ignored_with_a_note(text):
    write(Path("config.toml"), text)
    loaded = load_config()
    assert loaded.file is None
    assert len(loaded.notes) == 1
    assert "config.toml" in loaded.notes[0]


def test_our_config_toml_with_a_mistake_is_not_ignored():
    write(Path("config.toml"), MARK + "[sheet]\ncolumns = = 3\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_config()


@pytest.mark.parametrize(("text", "words"), [
    ("[sheet]\ncolums = 3\n", ["colums", "columns"]),
    ("[shet]\ncolumns = 3\n", ["shet", "sheet"]),
    ("[descriptors.hog]\ncell = 3\n", ["descriptors.hog", "cell_px"]),
    ("sheet = 3\n", ["sheet", "table"]),
])  # fmt: skip
def test_an_unknown_key_is_an_error_that_lists_the_known_ones(tmp_path, text, words):
    error = message(tmp_path / "c.toml", text)
    assert "c.toml" in error
    assert all(word in error for word in words)


@pytest.mark.parametrize(("text", "key", "value"), [
    ("[sheet]\ncolumns = -1\n", "sheet.columns", "-1"),
    ("[sheet]\ncolumns = 99\n", "sheet.columns", "99"),
    ("[sheet]\ncolumns = '5'\n", "sheet.columns", "'5'"),
    ("[sheet]\ncolumns = 2.5\n", "sheet.columns", "2.5"),
    ("[sheet]\ncolumns = true\n", "sheet.columns", "True"),
    ("[sheet]\nformat = 'bmp'\n", "sheet.format", "bmp"),
    ("[images]\nmax_megapixels = 0\n", "images.max_megapixels", "0"),
    ("[images]\nmax_megapixels = inf\n", "images.max_megapixels", "inf"),
    ("[images]\nmax_megapixels = nan\n", "images.max_megapixels", "nan"),
    ("[images]\nbackground = [1, 2]\n", "images.background", "[1, 2]"),
    ("[images]\nbackground = [1, 2, 256]\n", "images.background", "256"),
    ("[images]\nbackground = 'white'\n", "images.background", "white"),
    ("[weights]\nhsv = -0.1\n", "weights.hsv", "-0.1"),
    ("[weights]\nhsv = nan\n", "weights.hsv", "nan"),
    ("[imgbatch]\nconfig_version = 2\n", "imgbatch.config_version", "2"),
    ("[index]\nworkers = -1\n", "index.workers", "-1"),
])  # fmt: skip
def test_a_value_out_of_range_is_an_error_with_file_key_and_value(tmp_path, text, key, value):
    error = message(tmp_path / "c.toml", text)
    assert "c.toml" in error
    assert key in error
    assert value in error


def test_at_least_one_weight_must_be_above_0(tmp_path):
    names = load_config().config.weights
    text = "[weights]\n" + "".join(f"{name} = 0\n" for name in names)
    assert "weight" in message(tmp_path / "c.toml", text)


def test_cells_must_fill_the_hog_window(tmp_path):
    error = message(tmp_path / "c.toml", "[descriptors.hog]\nwindow_px = 100\ncell_px = 24\n")
    assert "window_px" in error
    assert "cell_px" in error


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a = 'caf\xe9'\n", b"[sheet\n", b"\x00\x01"])
def test_a_file_that_is_no_toml_is_one_error(tmp_path, content):
    file = tmp_path / "c.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"c\.toml: not valid TOML"):
        load_config(file)


def test_a_missing_file_is_an_error_that_says_who_named_it(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="--config"):
        load_config(tmp_path / "none.toml")
    monkeypatch.setenv("IMGBATCH_CONFIG", str(tmp_path / "none.toml"))
    with pytest.raises(ConfigError, match="IMGBATCH_CONFIG"):
        load_config()


def test_a_config_is_frozen():
    config = load_config().config
    with pytest.raises(ValueError, match="frozen"):
        config.sheet.columns = 3


def test_every_setting_of_the_default_file_is_used_and_documented():
    """The shipped file says of each key what it is, in a comment on its line."""
    lines = default_config_path().read_text(encoding="utf-8").splitlines()
    settings = [line for line in lines if "=" in line.split("#")[0]]
    assert len(settings) > 20
    listed_above = {"hsv", "hog", "phash", "adapt", "whitening"}
    for line in settings:
        assert "#" in line or line.split("=")[0].strip() in listed_above, line


def with_text(tmp_path, text):
    return load_config(write(tmp_path / "mine.toml", text)).config


def test_a_preset_may_set_keys_of_the_space(tmp_path):
    config = with_text(tmp_path, "[presets.mine]\nhsv = 0.9\nwhitening = 0.1\nadapt = 1.0\n")
    chosen = config.with_emphasis("mine")
    assert (chosen.weights["hsv"], chosen.weights["hog"]) == (0.9, config.weights["hog"])
    assert (chosen.space.whitening, chosen.space.adapt) == (0.1, 1.0)
    assert "whitening" not in chosen.weights
    assert chosen.space.components == config.space.components


def test_a_preset_that_only_sets_the_space_has_the_weights_in_force(tmp_path):
    config = with_text(tmp_path, "[presets.mine]\nadapt = 1.0\n")
    assert config.with_emphasis("mine").weights == config.weights
    with pytest.raises(ConfigError, match="at least one weight of preset 'mine'"):
        with_text(
            tmp_path,
            "[weights]\nhsv = 0.0\nhog = 0.0\nphash = 0.0\ngist = 0.1\n"
            "[presets.mine]\ngist = 0.0\nadapt = 1.0\n",
        )


def test_a_file_of_the_first_version_means_what_it_meant(tmp_path):
    old = {
        "hsv": 0.25, "hog": 0.20, "phash": 0.03, "lbp": 0.15, "phog": 0.15, "moments": 0.10,
        "gist": 0.10, "thumbnail": 0.02,
    }  # fmt: skip
    lines = "\n".join(f"{name} = {weight}" for name, weight in old.items())
    chosen = with_text(tmp_path, f"[presets.extended]\n{lines}\n").with_emphasis("extended")
    assert {name: weight for name, weight in chosen.weights.items() if weight} == old
    assert chosen.space.adapt == 0
    other = with_text(tmp_path, "[presets.shape]\nhog = 0.95\n").with_emphasis("shape")
    assert other.weights["hsv"] == 0.10, "of other presets, what a file does not name stays"


def test_a_preset_of_a_command_gives_way_to_weights_that_the_user_has_chosen(tmp_path):
    plain = write(tmp_path / "plain.toml", "[similar]\ntournament = 6\n")
    weighted = write(tmp_path / "weighted.toml", "[weights]\nhog = 0.9\n")
    assert load_config().unless_weighted("extended") == "extended"
    assert load_config(plain).unless_weighted("extended") == "extended"
    assert load_config(weighted).unless_weighted("extended") is None
